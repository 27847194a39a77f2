//! The archives that the manifest names, ready to fetch from.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::manifest::{DebianSource, ImageName, ResolvedImage};
use plywood_core::platform::Platform;

use super::LockError;
use crate::debian::keyring::Keyring;
use crate::debian::{Archive, ArchiveConfig, ConfigError};
use crate::events::Events;
use crate::workspace::Workspace;

/// The images of one platform.
pub(super) type Images = BTreeMap<ImageName, ResolvedImage>;

/// The different archives that images take their packages from, and on which platforms; mostly just one, on all.
pub(super) fn debian_sources(images: &BTreeMap<Platform, Images>) -> Vec<(&DebianSource, BTreeSet<Platform>)> {
    let mut sources: Vec<(&DebianSource, BTreeSet<Platform>)> = Vec::new();
    for (platform, images) in images {
        for image in images.values().filter(|image| image.platforms.contains(platform)) {
            let Some(source) = &image.debian else { continue };
            match sources.iter_mut().find(|(known, _)| *known == source) {
                Some((_, platforms)) => _ = platforms.insert(*platform),
                None => sources.push((source, BTreeSet::from([*platform]))),
            }
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
    open_archive_with(source, &[], workspace, events)
}

/// As [`open_archive`], with the keys that a base has for its own archive.
pub(super) fn open_archive_with<'e>(
    source: &DebianSource,
    keys: &[u8],
    workspace: &Workspace,
    events: &'e dyn Events,
) -> Result<Archive<'e>, LockError> {
    let mut config = ArchiveConfig::from_manifest(source, workspace.directory())?;
    if source.distribution.is_some() && source.key.is_none() && !keys.is_empty() {
        config.keyring = Keyring::parse(keys).map_err(ConfigError::BaseKeys)?;
    }
    if let Some(stand_in) = workspace.debian().filter(|_| source.distribution.is_none()) {
        (config.mirrors, config.keyring) = (stand_in.mirrors.clone(), stand_in.keyring.clone());
    }
    Ok(Archive::new(config, workspace.cache(), events)?)
}
