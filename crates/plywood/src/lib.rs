//! Effects and use cases of plywood. Nothing here prints: what happens is reported through [`events::Events`].
//!
//! Each use case is one function that takes its options, the [`workspace::Workspace`] and an [`events::Events`], and
//! gives a report that can be serialized; the command line parses into the former and renders the latter.

pub mod attest;
pub mod build;
pub mod bundle;
pub mod cache;
pub mod debian;
mod decompress;
pub mod doctor;
pub mod engine;
pub mod error;
pub mod events;
pub mod http;
pub mod inspect;
pub mod interrupt;
pub mod lock;
pub mod nix;
mod os;
pub mod publish;
pub mod pull;
pub mod run;
pub mod script_runner;
pub mod test;
pub mod why;
pub mod workspace;

pub use error::Error;
