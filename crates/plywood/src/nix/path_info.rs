//! What is known of a store path before its contents are had.

use std::collections::BTreeSet;

use plywood_core::digest::NarHash;
use plywood_core::nix::StorePath;

use super::BinaryCacheUrl;

/// What a source says of a store path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathInfo {
    /// The path.
    pub path: StorePath,
    /// SHA-256 of its NAR.
    pub nar_hash: NarHash,
    /// Length of its NAR in bytes.
    pub nar_size: u64,
    /// The paths its contents name, itself included if it does.
    pub references: BTreeSet<StorePath>,
    /// The derivation it was built by, where that is known.
    pub deriver: Option<StorePath>,
    /// Signatures as `name:base64`, in the source's order.
    pub signatures: Vec<String>,
    /// How the path follows from its content, if it does (`fixed:r:sha256:…`, `text:sha256:…`).
    pub content_address: Option<String>,
    /// Who says so.
    pub origin: Origin,
}

/// Where something is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The local store.
    Local,
    /// A binary cache whose signature was checked.
    Substituter(BinaryCacheUrl),
}

/// A store path as the lock names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedPath {
    /// The path.
    pub path: StorePath,
    /// SHA-256 of its NAR.
    pub nar_hash: NarHash,
    /// Length of its NAR in bytes.
    pub nar_size: u64,
    /// The paths its contents name, itself included if it does.
    pub references: BTreeSet<StorePath>,
}

impl From<&PathInfo> for WantedPath {
    fn from(info: &PathInfo) -> Self {
        Self {
            path: info.path.clone(),
            nar_hash: info.nar_hash,
            nar_size: info.nar_size,
            references: info.references.clone(),
        }
    }
}
