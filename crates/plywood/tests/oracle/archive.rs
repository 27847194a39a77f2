//! Packages of the real archive: chosen, downloaded and put in order by plywood itself.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::Utf8PathBuf;
use plywood::debian::mirrors::Mirrors;
use plywood::debian::{Archive, ArchiveConfig, ArchiveName, DebRef, SuiteIndexes};
use plywood::events::Silent;
use plywood_core::debian::packages_index::PackagesIndex;
use plywood_core::debian::release::UnixTime;
use plywood_core::debian::resolver::{Chosen, PackageSource, Request, ResolveError, Resolver, Universe};
use plywood_core::platform::Platform;
use plywood_testkit::require::require_mirror;

/// Downloads stay here, so that the tests share them and a second run needs few.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/debian-archive");

/// One suite on one platform, with the machine's own mirror.
pub(crate) struct Debian {
    /// The platform of its packages.
    pub(crate) platform: Platform,
    /// When its newest index was made, in seconds since 1970.
    pub(crate) date: i64,
    /// The lines of apt's `sources.list` for the same suites.
    pub(crate) sources: Vec<String>,
    archive: Mutex<Archive<'static>>,
    universe: Universe,
    /// Of each index of the universe.
    origins: Vec<(ArchiveName, UnixTime)>,
}

impl Debian {
    /// Reads the verified indexes; `None`, said by name, without a mirror.
    pub(crate) fn open(suite: &str, platform: Platform) -> Option<Self> {
        let mirror = require_mirror()?;
        let mirrors = Mirrors::only(vec![mirror.parse().expect("a URL")]);
        let config = ArchiveConfig::debian(suite, mirrors);
        let archive = Archive::new(config, CACHE.into(), &Silent).expect("an archive");
        let suites = archive.indexes(&[platform.architecture()], now()).expect("verified indexes");
        let line = |indexes: &SuiteIndexes| match indexes.archive {
            ArchiveName::Security => format!("deb {mirror}-security {} main", indexes.suite),
            _ => format!("deb {mirror} {} main", indexes.suite),
        };
        Some(Self {
            platform,
            date: suites.iter().map(|indexes| indexes.release.date.0).max().expect("a suite"),
            sources: suites.iter().map(line).collect(),
            archive: Mutex::new(archive),
            universe: universe(platform, &suites),
            origins: suites
                .iter()
                .flat_map(|indexes| indexes.packages.iter().map(|_| (indexes.archive.clone(), indexes.release.date)))
                .collect(),
        })
    }

    /// The packages for a request over a minimal system, in the order of installation.
    ///
    /// # Errors
    /// The resolver's.
    pub(crate) fn resolve(&self, packages: &[&str]) -> Result<Vec<DebRef>, ResolveError> {
        let packages = packages.iter().map(|name| name.parse().expect("a package name")).collect();
        let resolution = Resolver::resolve(&self.universe, &Request { packages, ..Request::default() })?;
        Ok(resolution.packages.iter().map(|chosen| self.reference(chosen)).collect())
    }

    fn reference(&self, chosen: &Chosen<'_>) -> DebRef {
        let (archive, seen) = self.origins[chosen.source].clone();
        DebRef {
            name: chosen.package.name().to_owned(),
            archive,
            path: chosen.package.filename().to_owned(),
            size: chosen.package.size(),
            hash: chosen.package.sha256(),
            seen,
        }
    }

    /// Downloads packages; their files in the same order.
    pub(crate) fn download(&self, debs: &[DebRef]) -> Vec<Utf8PathBuf> {
        let archive = self.archive.lock().expect("no test has panicked here");
        archive.download(debs, |_, _| ControlFlow::Continue(())).expect("packages of the archive")
    }
}

fn universe(platform: Platform, suites: &[SuiteIndexes]) -> Universe {
    let source = |indexes: &SuiteIndexes, bytes: &[u8]| PackageSource {
        index: PackagesIndex::read(bytes).expect("an index"),
        priority: indexes.release.default_priority(),
        allow: None,
    };
    let sources =
        suites.iter().flat_map(|indexes| indexes.packages.iter().map(move |file| source(indexes, &file.bytes)));
    Universe::new(platform.architecture(), sources.collect())
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    UnixTime(i64::try_from(since.as_secs()).expect("before the end of time"))
}

/// The platform of this machine, which alone a bootstrap can run programs of.
pub(crate) const fn native() -> Platform {
    if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 }
}
