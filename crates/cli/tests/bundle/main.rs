//! Bundles from one registry to another, into podman, and their store paths into Nix: with the real ones of each.

mod engine;
mod lab;
mod refused;
mod registries;
mod store;
mod workspace;
