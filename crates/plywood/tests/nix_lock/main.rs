//! `plywood lock` with a real Nix: the package set of `tests/nixpkgs` in the place of nixpkgs, the flake of `infra/`.

mod container;
mod evaluation;
mod lab;
mod platforms;
mod scale;
