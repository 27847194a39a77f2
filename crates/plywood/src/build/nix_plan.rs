//! What an image has of Nix: everything decided, nothing done.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::digest::NarHash;
use plywood_core::image::nix::{NotLockedError, ProfileRoot, image_closure, platform_keys, store_path_item};
use plywood_core::item::{ItemId, ItemKey};
use plywood_core::lockfile::{LockedNixPlatform, Lockfile};
use plywood_core::manifest::ResolvedImage;
use plywood_core::nix::{ReferenceGraph, StorePath, store_item_id};
use plywood_core::platform::Platform;

use crate::nix::WantedPath;
use crate::nix::database::ValidPath;

/// What an image has of Nix.
#[derive(Debug, Default)]
pub(crate) struct NixPlan {
    /// All store paths of the image.
    pub(crate) paths: BTreeMap<StorePath, PlannedPath>,
    /// Those that its sets and its shell need; the rest is there for `nix develop` alone.
    pub(crate) runtime: BTreeSet<StorePath>,
    /// What is linked into the profile, in the order in which the manifest asks for it.
    pub(crate) roots: Vec<ProfileRoot>,
    /// The shell that is active in the image.
    pub(crate) shell: Option<PlannedShell>,
    /// Whether files of the system are put where some root has them, and left out otherwise: nobody said which to have.
    pub(crate) as_available: bool,
}

/// A store path of an image.
#[derive(Debug, Clone)]
pub(crate) struct PlannedPath {
    /// What the layout calls it.
    pub(crate) key: ItemKey,
    /// The package with its output, whatever other paths the lock has: what is said of it in the image.
    pub(crate) name: String,
    /// The hash of its NAR.
    pub(crate) nar_hash: NarHash,
    /// The length of its NAR in bytes.
    pub(crate) nar_size: u64,
    /// What it refers to.
    pub(crate) references: BTreeSet<StorePath>,
    /// The derivation that made it.
    pub(crate) deriver: Option<StorePath>,
}

/// A shell of an image.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlannedShell {
    /// The variables that it exports.
    pub(crate) env: BTreeMap<String, String>,
    /// What interactive shells run.
    pub(crate) hook: String,
}

/// What the lock says that an image has of Nix; `None` when it has nothing. The error names what is not locked.
pub(crate) fn from_lock(image: &ResolvedImage, platform: Platform, lock: &Lockfile) -> Result<Option<NixPlan>, String> {
    if !image.nix.has_paths() {
        return Ok(None);
    }
    let nothing = LockedNixPlatform::default();
    let locked = lock.nix_of(platform).unwrap_or(&nothing);
    let closure = image_closure(&image.nix, locked).map_err(|NotLockedError(what)| what)?;
    let keys = platform_keys(locked);
    let planned = |path: &StorePath| {
        let (locked, key) = (locked.paths.get(path)?, keys.get(path)?);
        let planned = PlannedPath {
            key: store_path_item(key, image.compression),
            name: key.short.clone(),
            nar_hash: locked.nar_hash,
            nar_size: locked.nar_size,
            references: locked.references.clone(),
            deriver: locked.deriver.clone(),
        };
        Some((path.clone(), planned))
    };
    // A shell that another has replaced is not active any more, but the layers of the parent that had it are there.
    let layout = lock.layouts.get(&platform);
    let items =
        layout.into_iter().flat_map(|layout| layout.layers_of(image.name.as_str())).flat_map(|layer| &layer.items);
    let items: BTreeSet<&ItemKey> = items.collect();
    let inherited = keys.iter().filter(|(_, key)| items.contains(&store_path_item(key, image.compression)));
    let all: BTreeSet<&StorePath> = closure.paths().chain(inherited.map(|(path, _)| path)).collect();
    let shell = image.nix.shell.as_ref().and_then(|name| locked.shells.get(name));
    Ok(Some(NixPlan {
        paths: all.into_iter().filter_map(planned).collect(),
        shell: shell.map(|shell| PlannedShell { env: shell.env.clone(), hook: shell.hook.clone() }),
        runtime: closure.runtime,
        roots: closure.roots,
        as_available: false,
    }))
}

impl PlannedPath {
    /// What to ask the sources of store paths for.
    pub(crate) fn wanted(&self, path: &StorePath) -> WantedPath {
        let (nar_hash, nar_size, references) = (self.nar_hash, self.nar_size, self.references.clone());
        WantedPath { path: path.clone(), nar_hash, nar_size, references }
    }
}

impl NixPlan {
    /// The item that each store path becomes.
    pub(crate) fn items(&self) -> BTreeMap<StorePath, ItemId> {
        self.paths.iter().map(|(path, planned)| (path.clone(), store_item_id(path, planned.nar_hash))).collect()
    }

    /// Bytes of what is there for `nix develop` alone, as NARs.
    pub(crate) fn develop_size(&self) -> u64 {
        let develop = self.paths.iter().filter(|(path, _)| !self.runtime.contains(*path));
        develop.map(|(_, planned)| planned.nar_size).sum()
    }

    /// Which store path refers to which.
    pub(crate) fn graph(&self) -> ReferenceGraph {
        ReferenceGraph(self.paths.iter().map(|(path, planned)| (path.clone(), planned.references.clone())).collect())
    }

    /// The rows of Nix's database; the outputs of derivations are added by whoever reads those.
    pub(crate) fn valid_paths(&self) -> Vec<ValidPath> {
        let row = |(path, planned): (&StorePath, &PlannedPath)| ValidPath {
            path: path.absolute(),
            nar_hash: planned.nar_hash.to_base16(),
            nar_size: planned.nar_size,
            deriver: planned.deriver.as_ref().map(StorePath::absolute),
            references: planned.references.iter().map(StorePath::absolute).collect(),
            outputs: Vec::new(),
            content_address: None,
        };
        self.paths.iter().map(row).collect()
    }
}
