//! The archives that the manifest names, ready to fetch from.

use plywood_core::manifest::{DebianSource, Manifest};

use super::LockError;
use crate::debian::{Archive, ArchiveConfig};
use crate::events::Events;
use crate::workspace::Workspace;

/// The different archives that the images of a manifest take their packages from; mostly just one.
pub(super) fn debian_sources(manifest: &Manifest) -> Vec<&DebianSource> {
    let mut sources: Vec<&DebianSource> = Vec::new();
    for image in manifest.resolved().values() {
        let Some(source) = &image.debian else { continue };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

/// Prepares to fetch from an archive; keys are read from the workspace, credentials from the environment.
///
/// # Errors
/// When a key cannot be read, a variable is not set, or a mirror is no URL.
pub fn open_archive<'e>(
    source: &DebianSource,
    workspace: &Workspace,
    events: &'e dyn Events,
) -> Result<Archive<'e>, LockError> {
    let mut config = ArchiveConfig::from_manifest(source, workspace.directory())?;
    if let Some(stand_in) = workspace.debian() {
        (config.mirrors, config.keyring) = (stand_in.mirrors.clone(), stand_in.keyring.clone());
    }
    Ok(Archive::new(config, workspace.cache(), events)?)
}
