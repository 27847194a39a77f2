//! One archive, its server, a cache.

use std::ops::ControlFlow;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use plywood::debian::keyring::Keyring;
use plywood::debian::mirrors::Mirrors;
use plywood::debian::{Archive, ArchiveConfig, ArchiveName, DebRef, FetchError, SuiteIndexes};
use plywood::http::Patience;
use plywood_core::debian::release::UnixTime;
pub(crate) use plywood_testkit::chain;
use plywood_testkit::signing::SIGN_TIME;
use plywood_testkit::{Deb, DebBuilder, DebCompression, Recorded, TestArchive, TestKey, noise};

/// Half an hour after the test archives are signed.
pub(crate) const NOW: UnixTime = UnixTime(SIGN_TIME as i64 + 1800);

pub(crate) struct Fixture {
    pub(crate) archive: TestArchive,
    pub(crate) deb: Deb,
    pub(crate) cache: Utf8PathBuf,
    pub(crate) events: Recorded,
    _folder: tempfile::TempDir,
}

pub(crate) fn package(name: &str, length: usize) -> Deb {
    let builder = DebBuilder::new(name, "1.0-1", "amd64").compression(DebCompression::None);
    builder.file("./noise", 0o644, noise(length)).build()
}

impl Fixture {
    /// An archive of trixie and its companions, with one package of half a megabyte.
    pub(crate) fn new() -> Self {
        Self::signed_by(TestKey::new("debian"))
    }

    pub(crate) fn signed_by(key: TestKey) -> Self {
        let mut archive = TestArchive::new(key, &["trixie", "trixie-updates", "trixie-security"]);
        let deb = package("hello", 500_000);
        archive.add("trixie", deb.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Utf8Path::from_path(folder.path()).expect("UTF-8").join("cache");
        Self { archive, deb, cache, events: Recorded::default(), _folder: folder }
    }

    /// A configuration that reads `urls` in order, with no patience to speak of.
    pub(crate) fn config(&self, urls: &[&str]) -> ArchiveConfig {
        let urls = urls.iter().map(|url| url.parse().expect("a URL"));
        let patience = Patience {
            connect: Duration::from_secs(2),
            stall: Duration::from_millis(300),
            attempts: 3,
            backoff: Duration::from_millis(5),
            longest_pause: Duration::from_millis(20),
            parallel: 4,
        };
        ArchiveConfig {
            keyring: Keyring::parse(&self.archive.key.public()).expect("a key"),
            patience,
            ..ArchiveConfig::debian("trixie", Mirrors::only(urls.collect()))
        }
    }

    pub(crate) fn open(&self, config: ArchiveConfig) -> Archive<'_> {
        Archive::new(config, &self.cache, &self.events).expect("an archive")
    }

    pub(crate) fn indexes(&self, urls: &[&str]) -> Result<Vec<SuiteIndexes>, FetchError> {
        self.open(self.config(urls)).indexes(&["amd64"], NOW)
    }

    /// Downloads the package.
    pub(crate) fn download(&self, urls: &[&str]) -> Result<Utf8PathBuf, FetchError> {
        let paths = self.open(self.config(urls)).download(&[self.reference()], keep_on)?;
        Ok(paths.into_iter().next().expect("one path"))
    }

    pub(crate) fn reference(&self) -> DebRef {
        reference(&self.deb)
    }

    /// Where the package's first bytes are kept until all are there.
    pub(crate) fn part(&self) -> Utf8PathBuf {
        self.cache.join(format!("debian/debs/{}.deb.part", self.deb.hash().to_hex()))
    }

    /// Checks that the cache has the package and nothing else.
    pub(crate) fn assert_only_the_package(&self) {
        let names: Vec<String> = self.cached();
        assert_eq!(names, [format!("{}.deb", self.deb.hash().to_hex())]);
        let bytes = std::fs::read(self.cache.join("debian/debs").join(&names[0])).expect("readable");
        assert!(bytes == self.deb.bytes, "the cached package is not what it should be");
    }

    /// What is in the cache of packages.
    pub(crate) fn cached(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.cache.join("debian/debs")) else { return Vec::new() };
        let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"));
        names.collect()
    }
}

pub(crate) fn reference(deb: &Deb) -> DebRef {
    DebRef {
        name: deb.name.clone(),
        archive: ArchiveName::Debian,
        path: TestArchive::path_of(deb),
        size: deb.bytes.len() as u64,
        hash: deb.hash(),
        seen: UnixTime(i64::from(SIGN_TIME)),
    }
}

pub(crate) fn keep_on(_: usize, _: &Utf8Path) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
