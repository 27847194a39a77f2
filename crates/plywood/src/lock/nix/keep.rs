//! What of an older lock still holds.

use std::collections::BTreeMap;
use std::fs;

use plywood_core::digest::FileHash;
use plywood_core::lockfile::{LockedFlake, LockedNix, LockedNixPlatform, set_inputs, shell_inputs};
use plywood_core::manifest::model::{Set, Shell};
use plywood_core::manifest::{Manifest, SetName, ShellName};
use plywood_core::platform::Platform;

use super::NixRequest;
use crate::lock::subject::NixScope;
use crate::nix::eval::{files_hash, flake_folder};
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

/// Why what was evaluated is not the workspace's flake of now, in one sentence without a period; `None` when it is, or when there is no
/// flake. Inputs that others stood in for count where `override_inputs` says which these should be.
pub(in crate::lock) fn flake_changed(
    locked: &LockedFlake,
    override_inputs: Option<&BTreeMap<String, String>>,
    manifest: &Manifest,
    workspace: &Workspace,
) -> Option<String> {
    let folder = flake_folder(manifest, workspace);
    let flake_lock = fs::read(folder.join("flake.lock")).ok();
    if flake_lock.is_none() && !folder.join("flake.nix").exists() {
        return None;
    }
    if FileHash::of(&flake_lock.unwrap_or_default()) != locked.flake_lock {
        return Some("flake.lock has changed".to_owned());
    }
    if files_hash(workspace.directory(), &folder) != locked.files {
        return Some("flake.nix or a file that it names has changed".to_owned());
    }
    let different = |wanted: &BTreeMap<String, String>| {
        let names = wanted.keys().chain(locked.override_inputs.keys());
        names.filter(|name| wanted.get(*name) != locked.override_inputs.get(*name)).min().cloned()
    };
    let input = override_inputs.and_then(different)?;
    Some(match locked.override_inputs.get(&input) {
        Some(by) => format!("`{by}` stood in for the flake's input `{input}`"),
        None => format!("another flake is to stand in for the input `{input}`"),
    })
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
