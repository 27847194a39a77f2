//! Nix's formats against Nix: what plywood reads, writes and computes is what a real Nix does.

mod derivations;
mod flakes;
mod hashes;
mod names;
mod nar;
mod nix;
mod references;
mod signatures;
mod store_paths;
