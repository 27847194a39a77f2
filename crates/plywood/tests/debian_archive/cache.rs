//! One cache: full, unwritable, damaged, or used by several at once.

use std::fs;
use std::process::Command;
use std::sync::Barrier;

use camino::Utf8Path;
use plywood::debian::FetchError;
use plywood_testkit::{Fault, require, require_root, require_unprivileged};

use super::fixture::{Fixture, chain};

#[test]
fn a_damaged_package_is_fetched_again() {
    for damage in [|bytes: &mut Vec<u8>| bytes.truncate(1000), |bytes: &mut Vec<u8>| bytes[1000] ^= 1] {
        let fixture = Fixture::new();
        let server = fixture.archive.serve();
        let path = fixture.download(&[&server.url()]).expect("the package");
        let mut bytes = fixture.deb.bytes.clone();
        damage(&mut bytes);
        fs::write(&path, bytes).expect("written");
        fixture.download(&[&server.url()]).expect("the package again");
        fixture.assert_only_the_package();
        assert_eq!(server.count(".deb"), 2);
    }
}

#[test]
fn several_at_once_share_one_download() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    // Holds the first one up, so that the others do meet it.
    server.fail_once(".deb", Fault::Stall(100_000));
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                barrier.wait();
                fixture.download(&[&server.url()]).expect("the package");
            });
        }
    });
    fixture.assert_only_the_package();
    assert_eq!(server.count(".deb"), 2, "the stalled one and the rest of it");
}

#[test]
fn whoever_fails_leaves_the_download_to_the_next() {
    let fixture = Fixture::new();
    let (bad, good) = (fixture.archive.serve(), fixture.archive.serve());
    bad.fail_always(".deb", Fault::Stall(50_000));
    std::thread::scope(|scope| {
        let failing = scope.spawn(|| fixture.download(&[&bad.url()]));
        fixture.download(&[&good.url()]).expect("the package");
        // It ends well where the other one was first.
        let _ = failing.join().expect("no panic");
    });
    fixture.assert_only_the_package();
}

#[test]
fn a_file_in_the_place_of_the_cache_is_told() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    fs::write(&fixture.cache, b"").expect("written");
    let error = fixture.download(&[&server.url()]).expect_err("no folder");
    assert!(matches!(error, FetchError::Cache { .. }), "{error:?}");
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("PLYWOOD_CACHE")));
}

#[test]
fn an_unwritable_cache_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    if !require_unprivileged() {
        return;
    }
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    fs::create_dir(&fixture.cache).expect("made");
    fs::set_permissions(&fixture.cache, fs::Permissions::from_mode(0o555)).expect("set");
    let error = fixture.download(&[&server.url()]).expect_err("unwritable");
    assert!(matches!(error, FetchError::Cache { .. }), "{error:?}");
    assert!(server.requests().is_empty());
}

/// A file system of a quarter megabyte while it lives.
struct SmallDisk<'p>(&'p Utf8Path);

impl<'p> SmallDisk<'p> {
    fn mount(folder: &'p Utf8Path) -> Option<Self> {
        fs::create_dir_all(folder).expect("made");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "none", folder.as_str()]).status();
        if mount.is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        plywood_testkit::require::skip("needs to mount a tmpfs");
        None
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_told() {
    if !require_root() || !require(&["mount", "umount"]) {
        return;
    }
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    let Some(disk) = SmallDisk::mount(&fixture.cache) else { return };
    let error = fixture.download(&[&server.url()]).expect_err("half a megabyte does not fit");
    assert!(matches!(error, FetchError::DiskFull { .. }), "{}", chain(&error));
    assert!(error.to_string().starts_with("no space is left for "), "{error}");
    assert_eq!(fixture.cached().iter().filter(|name| name.ends_with(".deb")).count(), 0);
    drop(disk);
    fixture.download(&[&server.url()]).expect("there is space again");
    fixture.assert_only_the_package();
}
