//! Whom and what to believe about an archive.

use plywood::debian::keyring::Keyring;
use plywood::debian::mirrors::Mirrors;
use plywood::debian::{ArchiveName, FetchError, Repository, Snapshot};
use plywood::http::credentials::Credentials;
use plywood_core::debian::release::UnixTime;
use plywood_core::digest::FileHash;
use plywood_testkit::signing::SIGN_TIME;
use plywood_testkit::{DebBuilder, DebCompression, Fault, KeyFlaw, TestArchive, TestKey};

use super::fixture::{Fixture, NOW, chain};

#[test]
fn every_suite_comes_with_its_packages() {
    for compression in [DebCompression::Xz, DebCompression::Gzip, DebCompression::Zstd, DebCompression::None] {
        for by_hash in [true, false] {
            let mut fixture = Fixture::new();
            fixture.archive.compression = compression;
            fixture.archive.by_hash = by_hash;
            let server = fixture.archive.serve();
            let suites = fixture.indexes(&[&server.url()]).expect("verified indexes");
            let names: Vec<&str> = suites.iter().map(|suite| suite.suite.as_str()).collect();
            assert_eq!(names, ["trixie", "trixie-updates", "trixie-security"]);
            let text = String::from_utf8_lossy(&suites[0].packages[0].bytes).into_owned();
            assert!(text.starts_with("Package: hello\n"), "{text}");
            assert_eq!(suites[0].release.date, UnixTime(i64::from(SIGN_TIME)));
            let signed = &fixture.archive.files()["dists/trixie/InRelease"];
            assert_eq!(suites[0].in_release_hash, FileHash::of(signed));
            let by_hash_requests =
                server.requests().iter().filter(|request| request.path.contains("/by-hash/")).count();
            // The empty lists of updates and security are one file.
            assert_eq!(by_hash_requests, if by_hash { 2 } else { 0 });
        }
    }
}

#[test]
fn a_folder_is_a_mirror_too() {
    let fixture = Fixture::new();
    let folder = fixture.cache.with_file_name("mirror");
    fixture.archive.write_to(folder.as_std_path()).expect("written");
    let url = format!("file://{folder}");
    fixture.indexes(&[&url]).expect("verified indexes");
    fixture.download(&[&url]).expect("the package");
    fixture.assert_only_the_package();
}

#[test]
fn what_did_not_change_is_not_fetched_again() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    let first = fixture.indexes(&[&server.url()]).expect("verified indexes");
    let before = server.requests().len();
    let second = fixture.indexes(&[&server.url()]).expect("verified indexes");
    let requests = server.requests().split_off(before);
    assert!(requests.iter().all(|request| request.path.ends_with("/InRelease")), "{requests:?}");
    assert!(requests.iter().all(|request| request.headers.contains_key("if-none-match")), "{requests:?}");
    assert_eq!(first[0].packages, second[0].packages);
}

/// Serves the archive after `tamper` changed its `InRelease`, and tells the error.
fn refused(fixture: &Fixture, at: UnixTime, tamper: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let server = fixture.archive.serve();
    let path = "dists/trixie/InRelease";
    server.replace(path, tamper(&fixture.archive.files()[path]));
    let error = fixture.open(fixture.config(&[&server.url()])).indexes(&["amd64"], at).expect_err("not believed");
    let url = server.url();
    chain(&error).replace(&url, "URL")
}

fn replaced(from: &str, to: &str) -> impl Fn(&[u8]) -> Vec<u8> {
    move |bytes| {
        let text = String::from_utf8_lossy(bytes);
        assert!(text.contains(from), "{from} is in {text}");
        text.replacen(from, to, 1).into_bytes()
    }
}

#[test]
fn what_is_wrong_with_a_signature_is_told() {
    let (fixture, fingerprint) = (Fixture::new(), Fixture::new().archive.key.fingerprint());
    let said = |reason: &str| format!("cannot fetch the index of trixie in debian: URL: {reason}");
    let changed = said(&format!("it was changed after {fingerprint} signed it"));
    let other = TestKey::new("mallory");
    for (what, expect, tamper) in [
        ("text", changed.clone(), Box::new(replaced("Origin: Test", "Origin: Evil")) as Box<dyn Fn(&[u8]) -> Vec<u8>>),
        ("a hash", changed, Box::new(replaced("main/binary-amd64", "main/binary-arm64"))),
        ("no signature", said("it is not signed"), Box::new(|_| b"Origin: Test\n".to_vec())),
        ("nothing", said("it is not signed"), Box::new(|_| Vec::new())),
        ("a page", said("it is not signed"), Box::new(|_| b"<html>login</html>".to_vec())),
        ("half", said("its signature cannot be read"), Box::new(|bytes| bytes[..bytes.len() / 2].to_vec())),
        ("before", said("it is not signed"), Box::new(|bytes| [b"Origin: Evil\n", bytes].concat())),
        ("after", said("its signature cannot be read"), Box::new(|bytes| [bytes, b"Origin: Evil\n"].concat())),
        ("too much", said("it has more than 1048576 bytes or 16384 lines"), Box::new(|bytes| bytes.repeat(2000))),
        ("lines", said("it has more than 1048576 bytes or 16384 lines"), Box::new(|_| vec![b'\n'; 20_000])),
        (
            "another key",
            said(&format!("it is signed by a key that is not trusted: {}", other.fingerprint())),
            Box::new(move |_| other.clearsign("Origin: Test\n")),
        ),
        (
            "another suite",
            said("it is the index of trixie-updates"),
            Box::new(|_| Fixture::new().archive.files()["dists/trixie-updates/InRelease"].clone()),
        ),
    ] {
        let found = refused(&fixture, NOW, tamper);
        assert!(found.starts_with(&expect), "{what}: {found}");
    }
}

#[test]
fn keys_that_no_longer_count_are_told_apart() {
    let later = UnixTime(i64::from(SIGN_TIME) + 7200);
    for (flaw, at, expect) in [
        (KeyFlaw::Expires, later, "URL: the key FPR that signed it has expired"),
        (KeyFlaw::Revoked, NOW, "URL: the key FPR that signed it is revoked"),
        (KeyFlaw::Sha1, NOW, "URL: it is signed over SHA1, which is too weak"),
    ] {
        let fixture = Fixture::signed_by(TestKey::flawed("debian", flaw));
        let found = refused(&fixture, at, <[u8]>::to_vec).replace(&fixture.archive.key.fingerprint(), "FPR");
        assert!(found.contains(expect), "{flaw:?}: {found}");
    }
    let fixture = Fixture::signed_by(TestKey::flawed("debian", KeyFlaw::Expires));
    let server = fixture.archive.serve();
    fixture.indexes(&[&server.url()]).expect("the key is still good");
}

#[test]
fn an_index_runs_out() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    let late = UnixTime(i64::from(SIGN_TIME) + 8 * 86_400);
    let error = fixture.open(fixture.config(&[&server.url()])).indexes(&["amd64"], late).expect_err("too old");
    assert_eq!(error.to_string(), "the index of trixie in debian was valid until 2026-01-08T00:00:00Z");
    assert!(matches!(error, FetchError::Expired { .. }));
}

#[test]
fn a_better_mirror_is_asked_next() {
    let fixture = Fixture::new();
    let (bad, good) = (fixture.archive.serve(), fixture.archive.serve());
    bad.replace("dists/trixie/InRelease", b"gone fishing".to_vec());
    bad.remove("dists/trixie-updates/InRelease");
    bad.fail_always("dists/trixie-security/InRelease", Fault::Status(500));
    fixture.indexes(&[&bad.url(), &good.url()]).expect("the second mirror is good");
}

#[test]
fn packages_that_are_not_what_the_index_says_are_refused() {
    let fixture = Fixture::new();
    for (fault, expect) in [
        (Fault::WrongBytes, "its SHA-256 is "),
        (Fault::WrongSize, " bytes instead of "),
        (Fault::Endless(1 << 20), "it has more than "),
        (Fault::Status(404), "it is not there"),
    ] {
        let server = fixture.archive.serve();
        server.fail_always("Packages.xz", fault.clone());
        for (path, _) in fixture.archive.files().iter().filter(|(path, _)| path.contains("/by-hash/")) {
            server.fail_always(path, fault.clone());
        }
        let error = chain(&fixture.indexes(&[&server.url()]).expect_err("not as it should be"));
        assert!(error.contains("main/binary-amd64/Packages.xz of trixie"), "{error}");
        assert!(error.contains(expect), "{fault:?}: {error}");
    }
}

#[test]
fn a_bomb_in_an_index_does_not_go_off() {
    // The index says that a hundred bytes come out, and 64 MiB would.
    let fixture = Fixture::new();
    let bomb = DebCompression::Xz.compress(&vec![b'\n'; 64 << 20]);
    let text = format!(
        "Suite: trixie\nCodename: trixie\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n {} 100 main/binary-amd64/Packages\n {} {} main/binary-amd64/Packages.xz\n",
        FileHash::of(b"").to_hex(),
        FileHash::of(&bomb).to_hex(),
        bomb.len(),
    );
    let server = fixture.archive.serve();
    server.replace("dists/trixie/InRelease", fixture.archive.key.clearsign(&text));
    server.replace("dists/trixie/main/binary-amd64/Packages.xz", bomb);
    let error = fixture.indexes(&[&server.url()]).expect_err("a bomb");
    assert!(chain(&error).contains("it cannot be decompressed"), "{}", chain(&error));
}

#[test]
fn an_architecture_must_be_there() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    let error =
        fixture.open(fixture.config(&[&server.url()])).indexes(&["riscv64"], NOW).expect_err("no such packages");
    assert_eq!(error.to_string(), "debian has no packages for riscv64 in trixie/main");
}

/// A third-party repository beside the fixture's archive.
fn repository(name: &str, suite: &str, url: &str, key: &TestKey, credentials: Option<Credentials>) -> Repository {
    let components = if suite.ends_with('/') { Vec::new() } else { vec!["main".to_owned()] };
    Repository {
        name: name.to_owned(),
        url: url.parse().expect("a URL"),
        suite: suite.to_owned(),
        components,
        keyring: Keyring::parse(&key.public_armored()).expect("a key"),
        credentials,
    }
}

#[test]
fn a_repository_is_believed_by_its_own_key_only() {
    let fixture = Fixture::new();
    let debian = fixture.archive.serve();
    let key = TestKey::new("vendor");
    let mut vendor = TestArchive::new(key.clone(), &["stable"]);
    vendor.add("stable", DebBuilder::new("tool", "2", "all").build());
    let server = vendor.serve();
    let mut config = fixture.config(&[&debian.url()]);
    config.repositories = vec![repository("vendor", "stable", &server.url(), &key, None)];
    let suites = fixture.open(config.clone()).indexes(&["amd64"], NOW).expect("verified indexes");
    let last = suites.last().expect("the repository");
    assert_eq!(last.archive, ArchiveName::Repository("vendor".to_owned()));
    assert!(String::from_utf8_lossy(&last.packages[0].bytes).starts_with("Package: tool\n"));

    config.repositories[0].keyring = config.keyring.clone();
    let error = fixture.open(config).indexes(&["amd64"], NOW).expect_err("another's key");
    assert!(chain(&error).contains("a key that is not trusted"), "{}", chain(&error));
    assert!(error.hint().is_some_and(|hint| hint.contains("`key`")));
}

#[test]
fn a_flat_repository_has_no_suites() {
    let fixture = Fixture::new();
    let debian = fixture.archive.serve();
    let key = TestKey::new("vendor");
    let packages = b"Package: tool\n".to_vec();
    let (hash, size) = (FileHash::of(&packages).to_hex(), packages.len());
    let text = format!("Origin: v\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n {hash} {size} Packages\n");
    let files = [("deb/InRelease".to_owned(), key.clearsign(&text)), ("deb/Packages".to_owned(), packages)];
    let server = plywood_testkit::FileServer::start(files.into_iter().collect());
    let mut config = fixture.config(&[&debian.url()]);
    config.repositories = vec![repository("flat", "./deb/", &server.url(), &key, None)];
    let suites = fixture.open(config).indexes(&["amd64", "arm64"], NOW).expect("verified indexes");
    assert_eq!(suites.last().expect("the repository").packages.len(), 1);
}

#[test]
fn credentials_stay_with_their_host() {
    let fixture = Fixture::new();
    let debian = fixture.archive.serve();
    let key = TestKey::new("vendor");
    let mut vendor = TestArchive::new(key.clone(), &["stable"]);
    vendor.add("stable", DebBuilder::new("tool", "2", "all").build());
    let (front, elsewhere) = (vendor.serve(), vendor.serve());
    front.demand("Bearer sesame");
    front.fail_always("Packages.xz", Fault::Redirect(elsewhere.url()));
    for path in vendor.files().keys().filter(|path| path.contains("/by-hash/")) {
        front.fail_always(path, Fault::Redirect(elsewhere.url()));
    }
    let mut config = fixture.config(&[&debian.url()]);
    let credentials = Some(Credentials::Bearer { token: "sesame".to_owned() });
    config.repositories = vec![repository("vendor", "stable", &front.url(), &key, credentials)];
    fixture.open(config.clone()).indexes(&["amd64"], NOW).expect("verified indexes");
    assert!(!elsewhere.requests().is_empty());
    for server in [&elsewhere, &debian] {
        assert!(server.requests().iter().all(|request| !request.headers.contains_key("authorization")));
    }

    config.repositories[0].credentials = None;
    let error = fixture.open(config.clone()).indexes(&["amd64"], NOW).expect_err("nobody in particular");
    assert!(chain(&error).contains("access is refused (HTTP 401)"), "{}", chain(&error));
    assert!(error.hint().is_some_and(|hint| hint.contains("`auth`")));

    let secret = front.url().replace("http://", "http://anna:swordfish@");
    config.repositories[0].url = secret.parse().expect("a URL");
    let error = fixture.open(config.clone()).indexes(&["amd64"], NOW).expect_err("the wrong secret");
    assert!(!format!("{config:?} {} {error:?}", chain(&error)).contains("swordfish"));
}

#[test]
fn a_snapshot_is_the_only_source_of_indexes() {
    let fixture = Fixture::new();
    let (mirror, files) = (fixture.archive.serve(), fixture.archive.files());
    let below = |folder: &str| {
        let moved = files.iter().map(move |(path, bytes)| (format!("{folder}/20260101T003000Z/{path}"), bytes.clone()));
        moved.collect::<Vec<_>>()
    };
    let snapshots = below("archive/debian").into_iter().chain(below("archive/debian-security"));
    let snapshots = plywood_testkit::FileServer::start(snapshots.collect());
    let mut config = fixture.config(&[&mirror.url()]);
    config.mirrors = Mirrors {
        snapshot: Some(Snapshot(NOW)),
        snapshot_archive: Some(format!("{}/archive", snapshots.url()).parse().expect("a URL")),
        ..config.mirrors
    };
    // Judged today the index would have run out long ago.
    let today = UnixTime(NOW.0 + 300 * 86_400);
    fixture.open(config).indexes(&["amd64"], today).expect("verified indexes");
    assert!(mirror.requests().is_empty());
}
