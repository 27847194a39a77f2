//! The archives that the manifest names, ready to fetch from.

use camino::Utf8Path;
use plywood_core::manifest::{DebianSource, Manifest};

use super::LockError;
use crate::debian::{Archive, ArchiveConfig};
use crate::events::Events;

/// The different archives that the images of a manifest take their packages from; mostly just one.
pub(super) fn debian_sources(manifest: &Manifest) -> Vec<&DebianSource> {
    let mut sources: Vec<&DebianSource> = Vec::new();
    for image in manifest.resolved().values() {
        if !sources.contains(&&image.debian) {
            sources.push(&image.debian);
        }
    }
    sources
}

/// Prepares to fetch from an archive; keys are read from the workspace, credentials from the environment.
///
/// # Errors
/// When a key cannot be read, a variable is not set, or a mirror is no URL.
pub(crate) fn open_archive<'e>(
    source: &DebianSource,
    workspace: &Utf8Path,
    cache: &Utf8Path,
    events: &'e dyn Events,
) -> Result<Archive<'e>, LockError> {
    Ok(Archive::new(ArchiveConfig::from_manifest(source, workspace)?, cache, events)?)
}
