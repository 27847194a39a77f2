//! `plywood cache`: what is in the cache, and making it less.

use std::time::Duration;

use camino::Utf8PathBuf;
use plywood_oci::store::{PruneLimits, Store};
use serde::Serialize;

use crate::Error;
use crate::workspace::Workspace;

/// What is in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CacheReport {
    /// Its folder.
    pub path: Utf8PathBuf,
    /// Each kind of what is in it.
    pub kinds: Vec<CacheKind>,
}

/// One kind of cached files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CacheKind {
    /// Its name.
    pub name: &'static str,
    /// What it is good for, in a few words.
    pub purpose: &'static str,
    /// How many files there are.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What may stay in the cache; everything when both are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// What was last used longer ago goes.
    pub max_age: Option<Duration>,
    /// When more bytes are left, those unused the longest go.
    pub max_bytes: Option<u64>,
}

/// What pruning removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PruneReport {
    /// The cache's folder.
    pub path: Utf8PathBuf,
    /// How many files are gone.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Counts what is in the cache.
///
/// # Errors
/// When it cannot be read.
pub fn show(workspace: &Workspace) -> Result<CacheReport, Error> {
    let usage = Store::open(workspace.cache())?.usage()?;
    let kind = |name, purpose, usage: plywood_oci::store::KindUsage| CacheKind {
        name,
        purpose,
        files: usage.files,
        bytes: usage.bytes,
    };
    let kinds = vec![
        kind("segments", "unpacked packages", usage.segments),
        kind("layers", "what is known of layers", usage.layers),
        kind("blobs", "layers, configurations and manifests", usage.blobs),
    ];
    Ok(CacheReport { path: workspace.cache().to_owned(), kinds })
}

/// Removes what the options leave no room for; whatever is needed again is made again.
///
/// # Errors
/// When another plywood is at work in the cache, or a file cannot be removed.
pub fn prune(options: PruneOptions, workspace: &Workspace) -> Result<PruneReport, Error> {
    let limits = PruneLimits { max_age: options.max_age, max_bytes: options.max_bytes };
    let pruned = Store::open(workspace.cache())?.prune(limits)?;
    Ok(PruneReport { path: workspace.cache().to_owned(), files: pruned.files, bytes: pruned.bytes })
}
