//! Whether a lock fits the manifest.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::lockfile::{LockedNix, Lockfile, lock_inputs};
use plywood_core::manifest::{ImageName, Manifest};
use plywood_core::platform::Platform;

use super::nix::{flake_changed, is_set_stale, is_shell_stale};
use super::subject::NixScope;
use crate::workspace::Workspace;

/// What of a lock has to fit.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The images whose Debian packages count; all when `None`.
    pub(super) images: Option<BTreeSet<ImageName>>,
    /// The sets and shells that count.
    pub(super) nix: NixScope,
    /// The platforms on which these count.
    pub(super) platforms: BTreeSet<Platform>,
    /// The inputs of the flake that others have to stand in for, where that counts: who builds takes what is locked.
    pub(super) override_inputs: Option<BTreeMap<String, String>>,
}

/// Why the lock does not fit the manifest, one sentence each without a period; none when it does.
pub(super) fn reasons(
    manifest: &Manifest,
    lock: Option<&Lockfile>,
    scope: &Scope,
    workspace: &Workspace,
) -> Vec<String> {
    let Some(lock) = lock else { return vec!["there is none yet".to_owned()] };
    let mut reasons = debian_reasons(manifest, lock, scope);
    reasons.extend(nix_reasons(manifest, lock.nix.as_ref(), scope, workspace));
    reasons
}

/// Why the packages of images do not fit.
pub(super) fn debian_reasons(manifest: &Manifest, lock: &Lockfile, scope: &Scope) -> Vec<String> {
    let counts = |name: &ImageName| scope.images.as_ref().is_none_or(|images| images.contains(name));
    let mut reasons = Vec::new();
    for (name, image) in manifest.resolved().iter().filter(|(name, _)| counts(name)) {
        match lock.images.get(name) {
            None => reasons.push(format!("the image `{name}` is new")),
            Some(locked) if locked.inputs != lock_inputs(image) => {
                reasons.push(format!("the packages of the image `{name}` are asked for differently"));
            }
            Some(locked) => {
                let missing = image.platforms.iter().find(|platform| !locked.platforms.contains_key(platform));
                reasons.extend(missing.map(|platform| format!("the image `{name}` is not locked for {platform}")));
                let locked = |platform: &Platform| {
                    image.base.as_ref().is_none_or(|base| lock.base(&base.reference, *platform).is_some())
                };
                let missing = image.platforms.iter().find(|platform| !locked(platform));
                reasons.extend(
                    missing.map(|platform| format!("the base of the image `{name}` is not locked for {platform}")),
                );
            }
        }
    }
    if scope.images.is_none() {
        let gone = lock.images.keys().filter(|name| !manifest.resolved().contains_key(*name));
        reasons.extend(gone.map(|name| format!("the image `{name}` is gone from the manifest")));
    }
    reasons
}

/// Why sets and shells do not fit.
fn nix_reasons(manifest: &Manifest, nix: Option<&LockedNix>, scope: &Scope, workspace: &Workspace) -> Vec<String> {
    if scope.nix.is_empty() {
        return Vec::new();
    }
    let overrides = scope.override_inputs.as_ref();
    if let Some(reason) = nix.and_then(|nix| flake_changed(&nix.flake, overrides, manifest, workspace)) {
        return vec![reason];
    }
    let mut reasons = Vec::new();
    for platform in &scope.platforms {
        let locked = nix.and_then(|nix| nix.platforms.get(platform));
        let word = |there: bool| if there { "is asked for differently" } else { "is not locked" };
        for (name, set) in manifest.sets().filter(|(name, _)| scope.nix.sets.contains(*name)) {
            if is_set_stale(locked, name, set) {
                let there = locked.is_some_and(|locked| locked.sets.contains_key(name));
                reasons.push(format!("the set `{name}` {} for {platform}", word(there)));
            }
        }
        for (name, shell) in manifest.shells().filter(|(name, _)| scope.nix.shells.contains(*name)) {
            if is_shell_stale(locked, manifest, name, shell) {
                let there = locked.is_some_and(|locked| locked.shells.contains_key(name));
                reasons.push(format!("the shell `{name}` {} for {platform}", word(there)));
            }
        }
    }
    reasons
}
