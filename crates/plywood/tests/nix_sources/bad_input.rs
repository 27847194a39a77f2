//! What a cache can do wrong: it is said, nothing of it is kept, and the next cache is used.

use std::time::Duration;

use plywood::nix::NixError;
use plywood_core::nix::Compression;
use plywood_testkit::{Fault, FileServer, Lie, StoreNode, TestPath, TestSubstituter};

use super::fixture::{Fixture, chain, library, program};

/// Fetches `path`: from `bad` alone, which must fail with `expect` and leave plywood's cache as it was; then from `bad`
/// and a good one, which must give what the good one alone gives.
fn check(what: &str, path: &TestPath, bad: &str, expect: &str) {
    let fixture = Fixture::new();
    let before = fixture.files();
    let error = fixture.fetch(fixture.config(&[bad]), &[path]).expect_err(what);
    assert!(chain(&error).contains(expect), "{what}: {}", chain(&error));
    assert!(fixture.files() == before, "{what} left something: {:?}", fixture.files().keys());

    let (library, program) = both();
    let good = TestSubstituter::new([library, program]).serve();
    let urls = [format!("{bad}?priority=1"), good.url()];
    let result = fixture.fetch(fixture.config(&[&urls[0], &urls[1]]), &[path]);
    result.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
    let alone = Fixture::new();
    alone.fetch(alone.config(&[&good.url()]), &[path]).expect("a good cache");
    assert!(fixture.files() == alone.files(), "{what}: other files than from a good cache");
}

fn both() -> (TestPath, TestPath) {
    let library = library();
    let program = program(&library);
    (library, program)
}

/// Checks a cache that lies about the library.
fn check_lie(what: &str, lie: Lie, expect: &str) {
    let (library, program) = both();
    let cache = TestSubstituter::new([library.clone(), program]).lie(&library.path, lie);
    check(what, &library, &cache.serve().url(), expect);
}

/// Checks a cache that goes wrong for files whose names end like this.
fn check_fault(file: &str, fault: Fault, expect: &str) {
    let server = TestSubstituter::new([library()]).serve();
    server.fail_always(file, fault.clone());
    check(&format!("{fault:?} of {file}"), &library(), &server.url(), expect);
}

#[test]
fn narinfos_that_are_not_to_be_believed() {
    let (_, program) = both();
    for (lie, expect) in [
        (Lie::Unsigned, "its narinfo is not to be trusted: it is not signed"),
        (Lie::OtherKey, "no trusted key signed it; it has signatures of other-1"),
        (Lie::ForgedKey, "the signature of test-1 is not one over this"),
        (Lie::OtherPath(program.path.clone()), "its narinfo is of "),
        (Lie::NarHash, "its NAR hash is sha256:"),
        (Lie::NarSize, "its NAR size is "),
        (Lie::FileHash, "the file's SHA-256 is "),
        (Lie::FileSize, "the file's length is "),
        (Lie::Text(b"<html>not found</html>".to_vec()), "its narinfo cannot be read: line 1"),
        (Lie::Text(vec![b'x'; 5 << 20]), "it has more than 4194304 bytes"),
        (Lie::Text(vec![0xff, 0xfe]), "its narinfo cannot be read: it is not UTF-8"),
    ] {
        let what = format!("{lie:?}").chars().take(60).collect::<String>();
        check_lie(&what, lie, expect);
    }
}

#[test]
fn a_reference_that_is_left_out() {
    let (library, program) = both();
    for (lie, expect) in [
        (Lie::NoReferences, "its references is  instead of "),
        (Lie::ChangedReferences, "the signature of test-1 is not one over this"),
    ] {
        let what = format!("{lie:?}");
        let cache = TestSubstituter::new([library.clone(), program.clone()]).lie(&program.path, lie);
        check(&what, &program, &cache.serve().url(), expect);
    }
}

/// A NAR of words, each padded.
fn words(words: &[&[u8]]) -> Vec<u8> {
    let mut nar = Vec::new();
    for word in words {
        nar.extend_from_slice(&(word.len() as u64).to_le_bytes());
        nar.extend_from_slice(word);
        nar.resize(nar.len().next_multiple_of(8), 0);
    }
    nar
}

/// A NAR of a directory with empty files of these names, in this order.
fn names(names: &[&[u8]]) -> Vec<u8> {
    let file = |name: &&[u8]| (name.to_vec(), StoreNode::file(""));
    StoreNode::Directory(names.iter().map(file).collect()).to_nar()
}

#[test]
fn nars_that_nix_would_not_write() {
    let whole = library().nar;
    for (what, nar, expect) in [
        ("cut", whole[..whole.len() / 2].to_vec(), "the NAR ends early, after "),
        ("trailing", [whole.as_slice(), &[0; 8]].concat(), "something follows the end of the NAR"),
        ("out of order", names(&[b"b", b"a"]), "it is out of order"),
        ("twice", names(&[b"a", b"a"]), "the directory has it twice"),
        ("dots", names(&[b".."]), "it leads out of its directory"),
        ("slash", names(&[b"a/b"]), "it has a slash"),
        ("nul", names(&[b"a\0b"]), "it has a NUL byte"),
        ("empty name", names(&[b""]), "it is empty"),
        ("no NAR", b"plywood".repeat(20), "this is no NAR"),
        ("no type", words(&[b"nix-archive-1", b"(", b"type", b"pipe", b")"]), "a type of nodes"),
        ("nothing", Vec::new(), "the NAR ends early, after 0 bytes"),
        ("other contents", names(&[b"a", b"b"]), " bytes, not "),
    ] {
        // A narinfo that still speaks of the real NAR, but has the right hash of what comes: only NAR and narHash can tell.
        check_lie(what, Lie::NarFile(nar), expect);
    }
}

#[test]
fn files_that_cannot_be_decompressed() {
    for compression in [Compression::Xz, Compression::Zstd, Compression::Gzip, Compression::Bzip2] {
        let server = TestSubstituter::new([library()]).compressed(compression).serve();
        server.fail_always(compression.extension(), Fault::WrongBytes);
        check(&format!("{compression:?}"), &library(), &server.url(), "it cannot be decompressed: ");
    }
}

#[test]
fn transfers_that_fail() {
    for (fault, expect) in [
        (Fault::Status(500), "the server answers HTTP 500"),
        (Fault::Status(404), "no source has the store path"),
        (Fault::Status(403), "access is refused (HTTP 403)"),
        (Fault::RetryAfter(3600), "the server answers HTTP 429"),
        (Fault::Stall(0), "no data came for "),
        (Fault::Stall(1000), "no data came for "),
        (Fault::Trickle(Duration::from_millis(10)), "no data came for "),
        (Fault::Truncate(1000), ": "),
        (Fault::WrongBytes, "it cannot be decompressed"),
        (Fault::WrongSize, "it cannot be decompressed"),
        (Fault::Endless(100_000), "it has more than "),
    ] {
        check_fault(".nar.zst", fault, expect);
    }
}

#[test]
fn narinfos_that_do_not_come() {
    for (fault, expect) in [
        (Fault::Status(500), "the server answers HTTP 500"),
        (Fault::Status(404), "no source has the store path"),
        (Fault::Stall(3), "no data came for "),
        (Fault::Truncate(3), ": "),
    ] {
        check_fault(".narinfo", fault, expect);
    }
}

#[test]
fn redirects_end() {
    let server = TestSubstituter::new([library()]).serve();
    let own = server.url();
    server.fail_always(".nar.zst", Fault::Redirect(own.clone()));
    check("a loop", &library(), &own, "it redirects more than 10 times");
}

#[test]
fn caches_of_another_kind() {
    for (cache_info, expect) in [
        ("StoreDir: /gnu/store\n", "it is a cache of `/gnu/store`, not of /nix/store"),
        ("<html>welcome</html>", "its nix-cache-info cannot be read"),
    ] {
        let cache = TestSubstituter::new([library()]).described(cache_info);
        check(cache_info, &library(), &cache.serve().url(), expect);
    }
    let server = FileServer::start(std::collections::BTreeMap::new());
    check("no nix-cache-info", &library(), &server.url(), "it failed before: it is not there");
}

#[test]
fn nobody_answers() {
    let server = FileServer::start(std::collections::BTreeMap::new());
    let url = server.url();
    drop(server);
    while std::net::TcpStream::connect(url.trim_start_matches("http://")).is_ok() {}
    check("nobody", &library(), &url, "it cannot be reached: ");
}

#[test]
fn all_failures_are_told() {
    let (library, program) = both();
    let fixture = Fixture::new();
    let bad = |lie| TestSubstituter::new([library.clone(), program.clone()]).lie(&library.path, lie).serve();
    let (first, second) = (bad(Lie::Unsigned), bad(Lie::FileHash));
    let error = fixture.fetch(fixture.config(&[&first.url(), &second.url()]), &[&library]).expect_err("both lie");
    assert!(matches!(&error, NixError::Unavailable { path, .. } if *path == library.path), "{error:?}");
    let text = chain(&error);
    for part in [&first.url(), "it is not signed", &second.url(), "the file's SHA-256 is "] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(fixture.events.warnings().len(), 2, "{:?}", fixture.events.warnings());
}
