//! What the words on the command line stand for.

use std::collections::BTreeSet;

use plywood_core::lockfile::{LockedNix, LockedNixPlatform, LockedSet, LockedShell};
use plywood_core::manifest::{Manifest, ResolvedNix};
use plywood_core::nix::{STORE_DIR, StorePath};

use super::PushError;
use crate::Error;
use crate::workspace::Workspace;

/// Whether all words are store paths, so that no manifest is needed.
pub(super) fn are_paths(what: &[String]) -> bool {
    !what.is_empty() && what.iter().all(|word| word.starts_with(STORE_DIR))
}

/// The store paths that words stand for, on every platform that is locked; all that is locked when there are none.
pub(super) fn roots(
    what: &[String],
    workspace: &Workspace,
    manifest: Option<&Manifest>,
) -> Result<Vec<StorePath>, Error> {
    let mut roots = BTreeSet::new();
    let mut names = Vec::new();
    for word in what {
        match word.strip_prefix(STORE_DIR) {
            // Whatever is below a store path stands for it, as in Nix: what a symlink `result` leads to, a program.
            Some(rest) => {
                let base = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
                roots.insert(base.parse().map_err(|_| PushError::Unknown(word.clone()))?);
            }
            None => names.push(word.as_str()),
        }
    }
    if names.is_empty() && !what.is_empty() {
        return Ok(roots.into_iter().collect());
    }
    let lock = workspace.lock()?.and_then(|(lock, _)| lock.nix).ok_or(PushError::NothingLocked)?;
    if names.is_empty() {
        roots.extend(lock.platforms.values().flat_map(|platform| platform.paths.keys().cloned()));
    }
    for name in names {
        roots.extend(named(name, &lock, manifest).ok_or_else(|| PushError::Unknown(name.to_owned()))?);
    }
    Ok(roots.into_iter().collect())
}

/// What an image, set or shell of this name is made of; all three where several have the name.
fn named(name: &str, lock: &LockedNix, manifest: Option<&Manifest>) -> Option<Vec<StorePath>> {
    let image = manifest.and_then(|manifest| manifest.resolve(name).ok()).map(|image| &image.nix);
    let is_image = image.is_some();
    let mut found = Vec::new();
    let mut known = is_image;
    for platform in lock.platforms.values() {
        let set = platform.sets.iter().find(|(set, _)| set.as_str() == name).map(|(_, set)| set);
        let shell = platform.shells.iter().find(|(shell, _)| shell.as_str() == name).map(|(_, shell)| shell);
        known |= set.is_some() || shell.is_some();
        found.extend(set.into_iter().flat_map(LockedSet::start).cloned());
        found.extend(shell.into_iter().flat_map(of_shell).cloned());
        found.extend(image.into_iter().flat_map(|image| of_image(image, platform)).cloned());
    }
    known.then_some(found)
}

fn of_shell(shell: &LockedShell) -> impl Iterator<Item = &StorePath> {
    shell.start().chain(&shell.develop)
}

fn of_image<'l>(image: &ResolvedNix, platform: &'l LockedNixPlatform) -> Vec<&'l StorePath> {
    let sets = image.sets.iter().filter_map(|set| platform.sets.get(set)).flat_map(LockedSet::start);
    let shell = image.shell.iter().filter_map(|shell| platform.shells.get(shell)).flat_map(of_shell);
    sets.chain(shell).collect()
}
