//! What of an older lock still holds.

use std::fs;

use plywood_core::digest::FileHash;
use plywood_core::lockfile::{LockedNix, LockedNixPlatform, set_inputs, shell_inputs};
use plywood_core::manifest::model::{Set, Shell};
use plywood_core::manifest::{Manifest, SetName, ShellName};
use plywood_core::platform::Platform;

use super::NixRequest;
use crate::lock::subject::NixScope;
use crate::nix::eval::flake_folder;
use crate::workspace::Workspace;

/// Whether a set is not locked, or was asked for differently.
pub(in crate::lock) fn is_set_stale(locked: Option<&LockedNixPlatform>, name: &SetName, set: &Set) -> bool {
    locked.and_then(|locked| locked.sets.get(name)).is_none_or(|locked| locked.inputs != set_inputs(set))
}

/// Whether a shell is not locked, or it or one of its sets was asked for differently.
pub(in crate::lock) fn is_shell_stale(
    locked: Option<&LockedNixPlatform>,
    manifest: &Manifest,
    name: &ShellName,
    shell: &Shell,
) -> bool {
    let locked = locked.and_then(|locked| locked.shells.get(name));
    locked.is_none_or(|locked| locked.inputs != shell_inputs(manifest, shell))
}

/// SHA-256 of the workspace's `flake.lock`; of nothing when there is a flake without one, `None` when there is no flake.
pub(in crate::lock) fn flake_lock_on_disk(manifest: &Manifest, workspace: &Workspace) -> Option<FileHash> {
    let folder = flake_folder(manifest, workspace);
    match fs::read(folder.join("flake.lock")) {
        Ok(bytes) => Some(FileHash::of(&bytes)),
        Err(_) => folder.join("flake.nix").exists().then(|| FileHash::of(b"")),
    }
}

/// What `old` has of the sets and shells that the manifest still names.
pub(super) fn known(old: &LockedNix, manifest: &Manifest) -> LockedNix {
    let everything = NixScope::everything(manifest);
    let mut kept = old.clone();
    for locked in kept.platforms.values_mut() {
        locked.sets.retain(|name, _| everything.sets.contains(name));
        locked.shells.retain(|name, _| everything.shells.contains(name));
    }
    kept
}

/// What of a request is not locked for a platform, or not as the manifest says.
pub(super) fn todo(
    request: &NixRequest<'_>,
    manifest: &Manifest,
    nix: Option<&LockedNix>,
    platform: Platform,
) -> NixScope {
    let locked = nix.and_then(|nix| nix.platforms.get(&platform));
    let sets = manifest.sets().filter(|(name, _)| request.scope.sets.contains(*name));
    let sets = sets.filter(|(name, set)| request.anew || is_set_stale(locked, name, set));
    let shells = manifest.shells().filter(|(name, _)| request.scope.shells.contains(*name));
    let shells = shells.filter(|(name, shell)| request.anew || is_shell_stale(locked, manifest, name, shell));
    NixScope {
        sets: sets.map(|(name, _)| name.clone()).collect(),
        shells: shells.map(|(name, _)| name.clone()).collect(),
    }
}
