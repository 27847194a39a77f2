//! What `lock` did.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use plywood_core::digest::Digest;
use plywood_core::lockfile::Lockfile;
use plywood_core::manifest::{BaseReference, ImageName, Manifest};
use plywood_core::nix::{DrvName, StorePath};
use plywood_core::platform::Platform;
use serde::Serialize;

use crate::workspace::Workspace;

/// What `lock` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockReport {
    /// The lock file.
    pub path: Utf8PathBuf,
    /// What became of it.
    pub outcome: LockOutcome,
    /// Why it had to change, one sentence each without a period, such as "`jq` was added to image `base`".
    pub reasons: Vec<String>,
    /// What moved, by platform and package.
    pub changes: Vec<PackageChange>,
    /// The images outside of the workspace that are others now.
    pub bases: Vec<BaseChange>,
    /// Bytes of the `.deb` files that the lock before did not have: what the changes cost.
    pub download: u64,
    /// Bytes of the store paths, as NARs, that the lock before did not have.
    pub nar_size: u64,
    /// Each image on each platform.
    pub images: Vec<LockedImage>,
}

/// What became of the lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockOutcome {
    /// There was none before.
    Created,
    /// It was rewritten.
    Updated,
    /// It already fits the manifest.
    Unchanged,
    /// It does not fit the manifest; with `check`, so that nothing was written.
    Stale,
}

/// A package that was added, removed or moved to another version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackageChange {
    /// Where.
    pub platform: Platform,
    /// The binary package's name, or `nix:` and the name of what store paths have.
    pub package: String,
    /// The version before; `None` when it is new.
    pub from: Option<String>,
    /// The version now; `None` when it is gone.
    pub to: Option<String>,
}

/// An image outside of the workspace that was added, removed, or is another one now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseChange {
    /// Where.
    pub platform: Platform,
    /// How the manifest names it.
    pub base: String,
    /// The digest of its manifest before; `None` when it is new.
    pub from: Option<Digest>,
    /// The digest of its manifest now; `None` when it is gone.
    pub to: Option<Digest>,
}

/// One image on one platform, as locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockedImage {
    /// Its name in the manifest.
    pub name: String,
    /// For which platform.
    pub platform: Platform,
    /// How many packages it has, those of the images below it included.
    pub packages: usize,
    /// How many layers it will have, its own generated layer included.
    pub layers: usize,
    /// Bytes of all its `.deb` files.
    pub download_size: u64,
}

/// What a new lock has otherwise than the one before.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) packages: Vec<PackageChange>,
    pub(super) bases: Vec<BaseChange>,
    pub(super) download: u64,
    pub(super) nar_size: u64,
}

/// The report on a lock of the manifest.
pub(super) fn report(
    workspace: &Workspace,
    manifest: &Manifest,
    outcome: LockOutcome,
    reasons: Vec<String>,
    changes: Changes,
    lock: &Lockfile,
) -> LockReport {
    let Changes { packages, bases, download, nar_size } = changes;
    let images = images(lock, manifest);
    LockReport { path: workspace.lock_path(), outcome, reasons, changes: packages, bases, download, nar_size, images }
}

/// The bases that are others now.
pub(super) fn base_changes(old: Option<&Lockfile>, new: &Lockfile) -> Vec<BaseChange> {
    let keys = |lock: &Lockfile| -> BTreeSet<(BaseReference, Platform)> {
        let bases = lock.bases.iter();
        bases.flat_map(|(base, platforms)| platforms.keys().map(|platform| (base.clone(), *platform))).collect()
    };
    let all = old.map(keys).unwrap_or_default().into_iter().chain(keys(new)).collect::<BTreeSet<_>>();
    let change = |(base, platform): (BaseReference, Platform)| {
        let digest = |lock: &Lockfile| lock.base(&base, platform).map(|base| base.manifest);
        let (from, to) = (old.and_then(digest), digest(new));
        (from != to).then(|| BaseChange { platform, base: base.to_string(), from, to })
    };
    all.into_iter().filter_map(change).collect()
}

fn images(lock: &Lockfile, manifest: &Manifest) -> Vec<LockedImage> {
    let bases: BTreeMap<&ImageName, &BaseReference> =
        manifest.resolved().iter().filter_map(|(name, image)| Some((name, &image.base.as_ref()?.reference))).collect();
    let of_image = |(name, image): (&_, &plywood_core::lockfile::LockedImage)| -> Vec<LockedImage> {
        let name: &plywood_core::manifest::ImageName = name;
        let on = |platform: &Platform| {
            let packages = lock.packages_of(name.as_str(), *platform).into_iter().flatten();
            let sizes: Vec<u64> = packages.filter_map(|(_, package)| Some(package?.size)).collect();
            let own = lock.layouts.get(platform).map_or(0, |layout| layout.layers_of(name.as_str()).count());
            let below = bases.get(name).and_then(|base| lock.base(base, *platform)).map_or(0, |base| base.layers.len());
            LockedImage {
                name: name.to_string(),
                platform: *platform,
                packages: sizes.len(),
                layers: below + own + 1,
                download_size: sizes.iter().sum(),
            }
        };
        image.platforms.keys().map(on).collect()
    };
    lock.images.iter().flat_map(of_image).collect()
}

/// What moved between two locks, whatever image it is in.
pub(super) fn changes(old: Option<&Lockfile>, new: &Lockfile) -> Vec<PackageChange> {
    let Some(old) = old else { return Vec::new() };
    let mut changes = Vec::new();
    for platform in Platform::ALL {
        let (before, after) = (versions(old, platform), versions(new, platform));
        for package in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
            let (from, to) = (before.get(package).cloned(), after.get(package).cloned());
            if from != to {
                changes.push(PackageChange { platform, package: package.clone(), from, to });
            }
        }
    }
    changes.sort();
    changes
}

/// The versions of each package; several, in order, where images differ.
fn versions(lock: &Lockfile, platform: Platform) -> BTreeMap<String, String> {
    let mut versions: BTreeMap<String, String> = BTreeMap::new();
    for key in lock.packages.get(&platform).into_iter().flat_map(BTreeMap::keys) {
        versions
            .entry(key.name.to_string())
            .and_modify(|known| *known = format!("{known}, {}", key.version))
            .or_insert_with(|| key.version.to_string());
    }
    let mut of_paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, locked) in lock.nix_of(platform).into_iter().flat_map(|locked| &locked.paths) {
        let split = DrvName::split(path.name());
        let name = locked.pname.as_deref().unwrap_or(split.name);
        let version = locked.version.as_deref().unwrap_or(split.version);
        of_paths.entry(format!("nix:{name}")).or_default().insert(version.to_owned());
    }
    let joined = |versions: BTreeSet<String>| versions.into_iter().collect::<Vec<_>>().join(", ");
    versions.extend(of_paths.into_iter().map(|(name, versions)| (name, joined(versions))));
    versions
}

/// Bytes of the store paths that only `new` has, each once.
pub(super) fn new_nar_size(old: Option<&Lockfile>, new: &Lockfile) -> u64 {
    let Some(old) = old else { return 0 };
    let paths = |lock: &Lockfile| -> BTreeMap<StorePath, u64> {
        let platforms = lock.nix.iter().flat_map(|nix| nix.platforms.values());
        platforms.flat_map(|locked| &locked.paths).map(|(path, locked)| (path.clone(), locked.nar_size)).collect()
    };
    let before = paths(old);
    let fresh = paths(new).into_iter().filter(|(path, _)| !before.contains_key(path));
    fresh.fold(0, |sum, (_, size)| sum.saturating_add(size))
}
