//! Nix outside of Nix.

pub mod database;
