//! Images with store paths, out of the package set of `tests/nixpkgs` and a real Nix, built once for all tests here.

mod develop;
mod infra;
mod lab;
mod layers;
mod profile;
mod runtime;
mod sources;
mod store_path;
mod why;
