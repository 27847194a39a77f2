//! What changed between two locks.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{LockedPackage, LockedRelease, Lockfile};
use crate::manifest::{ExactVersion, ImageName, PackageName};
use crate::platform::Platform;

/// What changed between two locks; empty when they lock the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockDiff {
    /// The images whose packages changed, by name and platform.
    pub images: BTreeMap<(ImageName, Platform), ImageDiff>,
    /// Releases that only the newer lock has.
    pub releases: Vec<LockedRelease>,
    /// Bytes of the `.deb` files that only the newer lock has, each once however many images have it.
    pub download: u64,
}

/// What changed in one image on one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageDiff {
    /// The packages that changed, by name.
    pub packages: BTreeMap<PackageName, PackageChange>,
    /// Bytes of the `.deb` files that the newer lock has and the older had not: what is to be downloaded.
    pub download: u64,
    /// By how many KiB the installed size grew; below 0 when it shrank.
    pub installed_growth: i64,
}

/// What happened to one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageChange {
    /// It is new.
    Added {
        /// Its version.
        version: ExactVersion,
    },
    /// It is gone.
    Removed {
        /// Its version.
        version: ExactVersion,
    },
    /// It has another version.
    Changed {
        /// The version before.
        from: ExactVersion,
        /// The version now.
        to: ExactVersion,
    },
    /// It has the same version but other bytes.
    Rebuilt {
        /// Its version.
        version: ExactVersion,
    },
}

impl LockDiff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty() && self.releases.is_empty()
    }

    /// What `new` has otherwise than `old`.
    pub fn between(old: &Lockfile, new: &Lockfile) -> Self {
        let keys = |lock: &Lockfile| -> BTreeSet<(ImageName, Platform)> {
            let images = lock.images.iter();
            images.flat_map(|(name, image)| image.platforms.keys().map(|platform| (name.clone(), *platform))).collect()
        };
        let images = &keys(old) | &keys(new);
        let changed = images.into_iter().filter_map(|(name, platform)| {
            let diff = image_diff(&packages(old, &name, platform), &packages(new, &name, platform));
            (!diff.packages.is_empty()).then_some(((name, platform), diff))
        });
        let releases = new.releases.iter().filter(|release| !old.releases.contains(release));
        Self { images: changed.collect(), releases: releases.cloned().collect(), download: download(old, new) }
    }
}

fn download(old: &Lockfile, new: &Lockfile) -> u64 {
    let known: BTreeSet<_> = old.packages.values().flat_map(BTreeMap::values).map(|package| package.sha256).collect();
    let fresh = new.packages.values().flat_map(BTreeMap::values).filter(|package| !known.contains(&package.sha256));
    let sizes: BTreeMap<_, _> = fresh.map(|package| (package.sha256, package.size)).collect();
    sizes.values().fold(0, |sum, size| sum.saturating_add(*size))
}

fn packages<'l>(
    lock: &'l Lockfile,
    image: &ImageName,
    platform: Platform,
) -> BTreeMap<&'l PackageName, &'l LockedPackage> {
    let uses = lock.packages_of(image.as_str(), platform).into_iter().flatten();
    uses.filter_map(|(used, package)| Some((&used.package.name, package?))).collect()
}

fn image_diff(old: &BTreeMap<&PackageName, &LockedPackage>, new: &BTreeMap<&PackageName, &LockedPackage>) -> ImageDiff {
    let mut diff = ImageDiff::default();
    let names: BTreeSet<&PackageName> = old.keys().chain(new.keys()).copied().collect();
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        let change = match (before, after) {
            (Some(before), Some(after)) if before.sha256 == after.sha256 && before.version == after.version => continue,
            (Some(before), Some(after)) if before.version == after.version => {
                PackageChange::Rebuilt { version: after.version.clone() }
            }
            (Some(before), Some(after)) => {
                PackageChange::Changed { from: before.version.clone(), to: after.version.clone() }
            }
            (None, Some(after)) => PackageChange::Added { version: after.version.clone() },
            (Some(before), None) => PackageChange::Removed { version: before.version.clone() },
            (None, None) => continue,
        };
        let installed =
            |package: Option<&&LockedPackage>| package.map_or(0, |package| saturating(package.installed_size));
        diff.download = diff.download.saturating_add(after.map_or(0, |package| package.size));
        diff.installed_growth =
            diff.installed_growth.saturating_add(installed(after).saturating_sub(installed(before)));
        diff.packages.insert(name.clone(), change);
    }
    diff
}

fn saturating(size: u64) -> i64 {
    size.try_into().unwrap_or(i64::MAX)
}
