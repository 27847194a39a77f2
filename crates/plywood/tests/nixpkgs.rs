//! The package set of `tests/nixpkgs`, by a real Nix: what it offers, that it runs from the store alone, and that it is
//! reproducible.

#[path = "nixpkgs/attributes.rs"]
mod attributes;
#[path = "nixpkgs/building.rs"]
mod building;
#[path = "nixpkgs/lab.rs"]
mod lab;
#[path = "nixpkgs/running.rs"]
mod running;
#[path = "nixpkgs/shells.rs"]
mod shells;
