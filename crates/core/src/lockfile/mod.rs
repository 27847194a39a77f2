//! `plywood.lock`: every input by hash, and the layout.
//!
//! The file is TOML, so that every tool reads it (Nix's `fromTOML` included), but what there is much of, packages and store paths, is
//! one string of columns per line: git merges lines, a reviewer sees an upgrade as one changed line, and the TOML parser has one token per package
//! (measured on a busy 2-core machine: 6,000 lines, 3,000 packages and their uses, parse in 10 to 20 ms, 2 to 6 of them in the TOML
//! parser). [`Lockfile::to_text`] is deterministic: equal locks give equal bytes, and a package's line stays the same as long as the
//! package does.
//!
//! Parsing is strict and bounded. Unknown keys, repeated packages, and references to packages that are not locked are errors: a
//! lock is written by plywood alone, so anything else is a merge gone wrong. The order of packages is free, for merges' sake.

mod base;
mod diff;
mod error;
mod inputs;
mod line;
mod nix;
mod parse;
mod types;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use base::{LockedBase, LockedBases, LockedLayer};
pub use diff::{ImageDiff, LockDiff, PackageChange};
pub use error::{LockfileError, LockfileProblem};
pub use inputs::{lock_inputs, set_inputs, shell_inputs};
pub use nix::{
    LockedFlake, LockedNix, LockedNixPlatform, LockedRoot, LockedSet, LockedShell, LockedStorePath, PackageAbout,
    is_column,
};
pub use types::{
    LockedImage, LockedPackage, LockedPlatform, LockedRelease, LockedScript, PackageKey, PackageUse, PoolPath,
    RepositoryLabel, SuiteLabel,
};

use crate::layering::Layout;
use crate::manifest::{BaseReference, ImageName};
use crate::oci::Timestamp;
use crate::platform::Platform;

/// Everything that a build reads besides the manifest and the workspace's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// The instant it was resolved at: `created` of the images, and the time against which signatures were judged.
    pub date: Timestamp,
    /// The signed releases that packages were taken from.
    pub releases: Vec<LockedRelease>,
    /// The images, by name.
    pub images: BTreeMap<ImageName, LockedImage>,
    /// The images outside of the workspace that images are built on.
    pub bases: LockedBases,
    /// The packages of each platform, each once however many images have it.
    pub packages: BTreeMap<Platform, BTreeMap<PackageKey, LockedPackage>>,
    /// What is locked of Nix; `None` where nothing is.
    pub nix: Option<LockedNix>,
    /// Which item goes to which layer.
    pub layouts: BTreeMap<Platform, Layout>,
}

impl Lockfile {
    /// The version of the format that this plywood writes, and the only one that it reads.
    pub const VERSION: u64 = 1;

    /// The longest lock that is read, in bytes.
    pub const MAX_LEN: usize = 64 << 20;

    /// The packages of an image on one platform in the order of their installation; `None` when that is not locked.
    pub fn packages_of(
        &self,
        image: &str,
        platform: Platform,
    ) -> Option<impl ExactSizeIterator<Item = (&PackageUse, Option<&LockedPackage>)>> {
        let packages = self.packages.get(&platform);
        let locked = self.images.get(image)?.platforms.get(&platform)?;
        Some(locked.packages.iter().map(move |used| (used, packages.and_then(|packages| packages.get(&used.package)))))
    }

    /// What is locked of an image outside of the workspace.
    pub fn base(&self, reference: &BaseReference, platform: Platform) -> Option<&LockedBase> {
        self.bases.get(reference)?.get(&platform)
    }

    /// Adds a package, or finds it there already.
    ///
    /// # Errors
    /// [`LockfileProblem::Contradiction`] when the same name and version stands for other bytes already, which no archive may do.
    pub fn add_package(&mut self, platform: Platform, package: LockedPackage) -> Result<PackageKey, LockfileProblem> {
        let key = package.key();
        let locked = self.packages.entry(platform).or_default().entry(key.clone()).or_insert_with(|| package.clone());
        match locked.sha256 == package.sha256 {
            true => Ok(key),
            false => Err(LockfileProblem::Contradiction(key.to_string())),
        }
    }

    /// What is locked of Nix for a platform.
    pub fn nix_of(&self, platform: Platform) -> Option<&LockedNixPlatform> {
        self.nix.as_ref()?.platforms.get(&platform)
    }

    /// Drops packages and store paths that nothing has any more, and platforms without images.
    pub fn remove_unused(&mut self) {
        let images = &self.images;
        let platform_of = |platform: Platform| images.values().filter_map(move |image| image.platforms.get(&platform));
        self.packages.retain(|platform, packages| {
            let used: std::collections::BTreeSet<&PackageKey> =
                platform_of(*platform).flat_map(|locked| &locked.packages).map(|used| &used.package).collect();
            packages.retain(|key, _| used.contains(key));
            !packages.is_empty()
        });
        self.layouts.retain(|platform, _| platform_of(*platform).next().is_some());
        if let Some(nix) = &mut self.nix {
            nix.platforms.values_mut().for_each(LockedNixPlatform::remove_unused);
            nix.platforms.retain(|_, locked| !(locked.sets.is_empty() && locked.shells.is_empty()));
        }
        self.nix.take_if(|nix| nix.platforms.is_empty());
    }
}
