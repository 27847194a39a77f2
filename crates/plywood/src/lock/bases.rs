//! The images outside of the workspace that a manifest builds on.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use plywood_core::debian::packages_index::PackagesIndex;
use plywood_core::lockfile::{LockedBase, LockedBases, Lockfile};
use plywood_core::manifest::{BaseReference, Manifest, ResolvedImage};
use plywood_core::platform::Platform;
use plywood_oci::codec::Codec;

use super::{LockError, Upgrade};
use crate::pull::{self, PullError, PulledBase, Puller};

/// What a base brings to the choice of packages on it.
pub(super) struct Installed {
    /// Its packages.
    pub(super) index: PackagesIndex,
    /// The keys it has for its own archive.
    pub(super) keys: Vec<u8>,
}

/// What is installed in bases that images ask for packages on.
pub(super) type InstalledBases = BTreeMap<(BaseReference, Platform), Installed>;

/// Pins every base that the manifest names: what is locked stays unless it may move.
pub(super) fn lock_bases(
    manifest: &Manifest,
    old: Option<&Lockfile>,
    upgrade: &Upgrade,
    puller: &Puller<'_>,
) -> Result<LockedBases, PullError> {
    let mut bases = LockedBases::new();
    for (base, platforms) in wanted(manifest) {
        let moves = match upgrade {
            Upgrade::Nothing => false,
            Upgrade::Everything => true,
            Upgrade::Packages(names) => names.contains(&base.to_string()),
        };
        let kept = old.filter(|_| !moves).and_then(|old| old.bases.get(&base));
        let kept = kept.filter(|kept| platforms.iter().all(|platform| kept.contains_key(platform))).cloned();
        let mut locked = kept.map_or_else(|| pull::resolve(puller, &base, &platforms), Ok)?;
        locked.retain(|platform, _| platforms.contains(platform));
        bases.insert(base, locked);
    }
    Ok(bases)
}

/// Each base with the platforms that images on it are made for.
fn wanted(manifest: &Manifest) -> BTreeMap<BaseReference, BTreeSet<Platform>> {
    let mut wanted: BTreeMap<BaseReference, BTreeSet<Platform>> = BTreeMap::new();
    for image in manifest.resolved().values() {
        if let Some(base) = &image.base {
            wanted.entry(base.reference.clone()).or_default().extend(&image.platforms);
        }
    }
    wanted
}

/// Looks into the bases that images ask for packages on: what they are, and what is installed in them.
pub(super) fn look_into(
    bases: &mut LockedBases,
    images: &[&ResolvedImage],
    puller: &Puller<'_>,
) -> Result<InstalledBases, LockError> {
    let mut installed = InstalledBases::new();
    for image in images.iter().filter(|image| !image.packages.is_empty()) {
        let Some(base) = &image.base else { continue };
        let Some(locked) = bases.get_mut(&base.reference) else { continue };
        for (platform, locked) in locked.iter_mut().filter(|(platform, _)| image.platforms.contains(platform)) {
            if let Entry::Vacant(free) = installed.entry((base.reference.clone(), *platform)) {
                free.insert(look_into_one(&base.reference, locked, puller)?);
            }
        }
    }
    // What nobody asks is not said, so that the lock is the same whatever was asked before.
    for (base, platforms) in bases {
        for (platform, locked) in platforms {
            if !installed.contains_key(&(base.clone(), *platform)) {
                locked.distribution = None;
            }
        }
    }
    Ok(installed)
}

fn look_into_one(base: &BaseReference, locked: &mut LockedBase, puller: &Puller<'_>) -> Result<Installed, LockError> {
    let pulled = PulledBase::open(puller, base, locked)?;
    // Nothing of a base is in a segment, so any codec will do.
    let contents = pulled.contents(puller, Codec::ZSTD);
    let status = pulled.status(base, &contents)?;
    let index = PackagesIndex::read_installed(&status[..])
        .map_err(|source| LockError::BaseIndex { base: base.to_string(), source })?;
    locked.distribution = pull::distribution(&pulled, &contents);
    let keys = match &locked.distribution {
        Some(distribution) if !distribution.is_debian() => pulled.archive_keys(&distribution.id, &contents),
        _ => Vec::new(),
    };
    Ok(Installed { index, keys })
}
