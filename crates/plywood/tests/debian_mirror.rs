//! Against the Debian mirror that this machine's apt uses: skipped where there is none.

use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use plywood::debian::mirrors::{Mirrors, NamedMirrors};
use plywood::debian::{Archive, ArchiveConfig, ArchiveName, DebRef, SuiteIndexes};
use plywood::events::Silent;
use plywood_core::debian::release::UnixTime;
use plywood_core::digest::{FileHash, Sha256Hash};

struct Fixture {
    mirror: String,
    cache: Utf8PathBuf,
    _folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Option<Self> {
        let mirror = plywood_testkit::require_mirror()?;
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Utf8Path::from_path(folder.path()).expect("UTF-8").join("cache");
        Some(Self { mirror, cache, _folder: folder })
    }

    fn archive(&self, suite: &str) -> Archive<'static> {
        let mirrors = Mirrors::only(vec![self.mirror.parse().expect("a URL")]);
        Archive::new(ArchiveConfig::debian(suite, mirrors), &self.cache, &Silent).expect("an archive")
    }
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    UnixTime(i64::try_from(since.as_secs()).expect("before the end of time"))
}

/// The stanza of a package in the suite's own `Packages`.
fn find<'s>(suites: &'s [SuiteIndexes], package: &str, architecture: &str) -> (&'s SuiteIndexes, DebRef) {
    let suite = suites.first().expect("Debian's own suite");
    let packages = suite.packages.iter().find(|file| file.architecture == architecture).expect("its packages");
    let text = std::str::from_utf8(&packages.bytes).expect("UTF-8");
    let start = format!("Package: {package}\n");
    let stanza = text.split("\n\n").find(|stanza| stanza.starts_with(&start)).expect("the package");
    let field = |name: &str| {
        let line = stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.expect("the field").to_owned()
    };
    let deb = DebRef {
        name: format!("{package} ({architecture})"),
        archive: ArchiveName::Debian,
        path: field("Filename"),
        size: field("Size").parse().expect("a number"),
        hash: FileHash::new(Sha256Hash::from_hex(&field("SHA256")).expect("a hash")),
        seen: suite.release.date,
    };
    (suite, deb)
}

fn check(suite: &str) {
    let Some(fixture) = Fixture::new() else { return };
    let archive = fixture.archive(suite);
    let suites = archive.indexes(&["amd64", "arm64"], now()).expect("verified indexes");
    let names: Vec<String> = suites.iter().map(|suite| format!("{} {}", suite.archive, suite.suite)).collect();
    assert_eq!(
        names,
        [format!("debian {suite}"), format!("debian {suite}-updates"), format!("security {suite}-security")]
    );
    for indexes in &suites {
        let found: Vec<&str> = indexes.packages.iter().map(|file| file.architecture.as_str()).collect();
        assert_eq!(found, ["amd64", "arm64"], "{}", indexes.suite);
    }
    for architecture in ["amd64", "arm64"] {
        let (_, deb) = find(&suites, "hello", architecture);
        let mut ready = Vec::new();
        let take = |index, path: &Utf8Path| {
            ready.push((index, path.to_owned()));
            ControlFlow::Continue(())
        };
        let paths = archive.download(std::slice::from_ref(&deb), take).expect("the package");
        assert_eq!(ready, [(0, paths[0].clone())]);
        assert_eq!(FileHash::of(&std::fs::read(&paths[0]).expect("readable")), deb.hash);
    }
}

#[test]
fn the_machines_mirror_is_found() {
    // The oracle is apt itself, which the test kit asks.
    let Some(mirror) = plywood_testkit::require_mirror() else { return };
    if std::env::var_os(plywood::debian::mirrors::OVERRIDE).is_some() {
        return;
    }
    let found = Mirrors::find(&NamedMirrors::default()).expect("good mirrors");
    assert_eq!(found.debian.first().map(ToString::to_string), Some(mirror));
}

#[test]
fn trixie_verifies_and_downloads() {
    check("trixie");
}

#[test]
fn bookworm_verifies_and_downloads() {
    check("bookworm");
}
