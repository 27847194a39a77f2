//! The store paths of an image, out of the lock.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{NamedPath, StorePathKey, store_path_keys};
use super::profile::ProfileRoot;
use crate::item::ItemKey;
use crate::lockfile::{LockedNixPlatform, LockedRoot};
use crate::manifest::{Compression, ResolvedNix};
use crate::nix::StorePath;

/// The store paths of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageClosure {
    /// What the manifest asks for, in its order: what the profile links to.
    pub roots: Vec<ProfileRoot>,
    /// What the sets and the shell need.
    pub runtime: BTreeSet<StorePath>,
    /// What only `nix develop` needs, and only without a network.
    pub develop: BTreeSet<StorePath>,
}

/// A set or shell of an image that is not locked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not locked")]
pub struct NotLockedError(pub String);

/// What an image has of all that is locked for its platform.
///
/// # Errors
/// When the lock has not what the image names.
pub fn image_closure(nix: &ResolvedNix, locked: &LockedNixPlatform) -> Result<ImageClosure, NotLockedError> {
    let mut closure = ImageClosure::default();
    let mut start: Vec<&StorePath> = Vec::new();
    for name in &nix.sets {
        let set = locked.sets.get(name).ok_or_else(|| NotLockedError(format!("set {name}")))?;
        closure.roots.extend(set.roots.iter().map(|root| profile_root(root, &format!("the set `{name}`"))));
        start.extend(set.start());
    }
    let mut develop: Vec<&StorePath> = Vec::new();
    if let Some(name) = &nix.shell {
        let shell = locked.shells.get(name).ok_or_else(|| NotLockedError(format!("shell {name}")))?;
        closure.roots.extend(shell.roots.iter().map(|root| profile_root(root, &format!("the shell `{name}`"))));
        start.extend(shell.start());
        if nix.offline_develop {
            develop.extend(&shell.develop);
        }
    }
    let graph = locked.graph();
    let runtime = graph.closure(start);
    closure.develop = graph.closure(develop).into_iter().filter(|path| !runtime.contains(path)).cloned().collect();
    closure.runtime = runtime.into_iter().cloned().collect();
    let missing = closure.paths().find(|path| !locked.paths.contains_key(*path));
    missing.map_or(Ok(()), |path| Err(NotLockedError(format!("store path {path}"))))?;
    Ok(closure)
}

impl ImageClosure {
    /// Every store path of the image.
    pub fn paths(&self) -> impl Iterator<Item = &StorePath> {
        self.runtime.iter().chain(&self.develop)
    }
}

fn profile_root(root: &LockedRoot, asker: &str) -> ProfileRoot {
    let package = match root.attribute.as_str() {
        LockedRoot::EXPRESSION => format!("`{}` from the expression", root.path.name()),
        attribute => format!("`{attribute}`"),
    };
    ProfileRoot { path: root.path.clone(), owner: format!("{package} of {asker}"), priority: root.priority }
}

/// The names of all store paths of a platform.
pub fn platform_keys(locked: &LockedNixPlatform) -> BTreeMap<StorePath, StorePathKey> {
    store_path_keys(locked.paths.iter().map(|(path, locked)| NamedPath {
        path,
        pname: locked.pname.as_deref(),
        version: locked.version.as_deref(),
    }))
}

/// The key of a store path in images of this compression: `nix:openssl-dev`. Images that compress it otherwise can
/// share no layer with it; their keys differ.
pub fn store_path_item(key: &StorePathKey, compression: Compression) -> ItemKey {
    match compression == Compression::default() {
        true => ItemKey(format!("nix:{}", key.key)),
        false => ItemKey(format!("nix-{}:{}", compression.to_string().replace(':', "-"), key.key)),
    }
}

/// The part of a store path's item before the key, and the key; `None` for items of another world.
pub fn split_store_path_item(item: &ItemKey) -> Option<(&str, &str)> {
    item.0.split_once(':').filter(|(kind, _)| *kind == "nix" || kind.starts_with("nix-"))
}
