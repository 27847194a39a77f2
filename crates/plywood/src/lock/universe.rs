//! All packages that an image could have: the verified indexes of its archives.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::debian::packages_index::{BinaryPackage, PackagesIndex};
use plywood_core::debian::resolver::{PackageSource, Universe};
use plywood_core::debian::version::DebVersion;
use plywood_core::lockfile::{LockedRelease, RepositoryLabel};
use plywood_core::manifest::{DebianSource, ExactVersion};
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;
use rayon::prelude::*;

use super::LockError;
use super::deb_ref::archive_label;
use crate::debian::{ArchiveName, PackagesFile, SuiteIndexes};

/// Versions that shall stay, by package, where the archive still has them.
pub(super) type Pinned = BTreeMap<String, ExactVersion>;

/// The packages of one platform, and which archive each index of them is of.
pub(super) struct PlatformUniverse {
    pub(super) universe: Universe,
    pub(super) archives: Vec<ArchiveName>,
    /// The distribution they are of, if it is not Debian.
    pub(super) distribution: Option<String>,
    /// What is there already, of a base: it is in the universe, too.
    pub(super) installed: Vec<(String, DebVersion)>,
}

/// How much apt prefers what is installed (apt_preferences(5)).
const INSTALLED_PRIORITY: i16 = 100;

/// Reads the indexes of one platform; of a pinned package only the pinned version is kept.
pub(super) fn read(
    source: &DebianSource,
    suites: &[SuiteIndexes],
    platform: Platform,
    pinned: &Pinned,
    installed: Option<PackagesIndex>,
) -> Result<PlatformUniverse, LockError> {
    let architecture = platform.architecture();
    let files: Vec<(&SuiteIndexes, &PackagesFile)> = suites
        .iter()
        .flat_map(|suite| suite.packages.iter().map(move |file| (suite, file)))
        .filter(|(_, file)| file.architecture == architecture || file.architecture == "all")
        .collect();
    let mut indexes: Vec<PackagesIndex> = files
        .par_iter()
        .map(|(suite, file)| {
            PackagesIndex::read(&file.bytes[..]).map_err(|source| LockError::Index {
                archive: suite.archive.to_string(),
                suite: suite.suite.clone(),
                source,
            })
        })
        .collect::<Result<_, _>>()?;
    pin(&mut indexes, pinned);
    let archives = files.iter().map(|(suite, _)| suite.archive.clone()).collect();
    let there = installed.iter().flat_map(PackagesIndex::packages);
    let there = there.filter(|package| package.architecture() == architecture || package.architecture() == "all");
    let there = there.map(|package| (package.name().to_owned(), package.version().clone())).collect();
    let installed = installed.map(|index| PackageSource { index, priority: INSTALLED_PRIORITY, allow: None });
    let sources = files.iter().zip(indexes).map(|((suite, _), index)| PackageSource {
        allow: allowed(source, &suite.archive, &index),
        priority: suite.release.default_priority(),
        index,
    });
    let universe = Universe::new(architecture, sources.chain(installed).collect());
    Ok(PlatformUniverse { universe, archives, distribution: source.distribution.clone(), installed: there })
}

/// Drops the other versions of packages whose pinned version is there.
fn pin(indexes: &mut [PackagesIndex], pinned: &Pinned) {
    let is_pinned = |package: &BinaryPackage| {
        pinned.get(package.name()).is_some_and(|version| package.version().to_string() == version.as_str())
    };
    let there: BTreeSet<String> = indexes
        .iter()
        .flat_map(PackagesIndex::packages)
        .filter(|package| is_pinned(package))
        .map(|package| package.name().to_owned())
        .collect();
    for index in indexes {
        index.retain(|package: &BinaryPackage| !there.contains(package.name()) || is_pinned(package));
    }
}

/// The names that a third-party archive may bring; `None` for Debian's own.
fn allowed(source: &DebianSource, archive: &ArchiveName, index: &PackagesIndex) -> Option<BTreeSet<String>> {
    let ArchiveName::Repository(name) = archive else { return None };
    let repository = source.repositories.get(name.as_str())?;
    let names = index.packages().iter().map(BinaryPackage::name);
    Some(
        names
            .filter(|name| repository.packages.iter().any(|pattern| pattern.matches(name)))
            .map(str::to_owned)
            .collect(),
    )
}

/// What the lock says about the releases that were read.
pub(super) fn releases(suites: &[SuiteIndexes], distribution: Option<&str>) -> Result<Vec<LockedRelease>, LockError> {
    suites
        .iter()
        .map(|suite| {
            Ok(LockedRelease {
                repository: label(&suite.archive, distribution)?,
                suite: suite.suite.parse().map_err(|error| unlockable(&suite.suite, &error))?,
                date: Timestamp(suite.release.date.0),
                sha256: suite.in_release_hash,
            })
        })
        .collect()
}

/// The lock's word for an archive.
pub(super) fn label(archive: &ArchiveName, distribution: Option<&str>) -> Result<RepositoryLabel, LockError> {
    let text = archive_label(archive, distribution);
    text.parse().map_err(|error| unlockable(&text, &error))
}

pub(super) fn unlockable(package: &str, error: &dyn std::error::Error) -> LockError {
    LockError::Package { package: package.to_owned(), what: error.to_string() }
}
