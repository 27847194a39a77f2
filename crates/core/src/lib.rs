//! Values, parsers and decisions of plywood.
//!
//! Nothing in this crate does I/O, runs async code, reads the clock or the environment, or prints:
//! what comes from outside is handed in as bytes or through a trait of this crate.

pub mod attest;
pub mod bundle;
mod calendar;
pub mod debian;
pub mod digest;
pub mod image;
pub mod inspect;
pub mod item;
pub mod layering;
pub mod lockfile;
pub mod manifest;
pub mod nix;
pub mod oci;
pub mod platform;
pub mod purl;
pub mod shell;
pub mod tree;
