//! The commands that speak to registries, by the command line, against Docker's own registry and podman.

mod ci;
mod killed;
mod lab;
mod login;
mod tested;
