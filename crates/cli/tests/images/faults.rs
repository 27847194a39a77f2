//! What goes wrong leaves a clear error and a cache that still gives the right digests.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use plywood_testkit::{require, require_root};

use crate::lab::{fail, json, lab, plywood, same_digests, succeed};

/// How many files are in the folders of a folder.
fn count(folder: &Utf8Path) -> usize {
    let folders = folder.read_dir_utf8().into_iter().flatten().flatten();
    folders.flat_map(|folder| folder.path().read_dir_utf8().into_iter().flatten()).count()
}

#[test]
fn builds_at_once_after_a_killed_one_are_right() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (workspace, cache) = (lab.fork(folder.path()), lab.cold_cache(folder.path()));
    let second = folder.path().join("second");
    let other = lab.fork(&second);
    let mut killed = plywood(&workspace, &cache);
    let mut killed =
        killed.args(["build", "base", "devcontainer-base", "--locked"]).stderr(Stdio::null()).spawn().expect("it runs");
    let patience = Instant::now() + Duration::from_secs(120);
    while count(&cache.join("segments")) < 20 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().expect("SIGKILL");
    killed.wait().expect("it ended");
    assert!(!workspace.join(".plywood/oci/index.json").exists(), "it was killed in the middle");

    let reports = std::thread::scope(|scope| {
        let builds = [&workspace, &other].map(|workspace| {
            let mut build = plywood(workspace, &cache);
            build.args(["build", "base", "devcontainer-base", "--locked"]);
            scope.spawn(move || json(&mut build).1)
        });
        builds.map(|build| build.join().expect("it builds"))
    });
    for report in &reports {
        same_digests(lab, report);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    for place in [format!("oci:{}/out", file.display()), format!("oci-archive:{}/out.tar", file.display())] {
        let said = fail(&mut lab.plywood(&["build", "base", "--locked", "--output", &place]), 1);
        assert!(said.contains(&*file.to_string_lossy()), "{place}: {said}");
    }
    same_digests(lab, &json(&mut lab.plywood(&["build", "base", "--locked"])).1);
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let (true, true, Some(lab)) = (require(&["mount", "umount"]), require_root(), lab()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = folder.path();
    succeed(Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(disk));
    let full = |arguments: &[&str], cache: &Utf8Path| {
        let mut build = plywood(&lab.workspace, cache);
        fail(build.args(["build", "base", "--locked"]).args(arguments), 1)
    };
    let output = format!("oci-archive:{}/out.tar", disk.display());
    let said = full(&["--output", &output], &lab.cache);
    let left: Vec<_> = fs::read_dir(disk).expect("the disk").flatten().map(|entry| entry.path()).collect();
    // A cache on a full disk.
    let cache = Utf8Path::from_path(disk).expect("UTF-8").join("cache");
    let said_of_cache = full(&[], &cache);
    succeed(Command::new("umount").arg(disk));
    assert!(said.contains("No space left") && said.contains("free some space"), "{said}");
    assert!(said_of_cache.contains("No space left"), "{said_of_cache}");
    assert!(left.is_empty(), "{left:?}");
    same_digests(lab, &json(&mut lab.plywood(&["build", "base", "--locked"])).1);
}

#[test]
fn locked_builds_demand_a_lock_that_fits() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    let build = || fail(plywood(&workspace, &lab.cache).args(["build", "base", "--locked"]), 1);
    let manifest = fs::read_to_string(workspace.join("plywood.toml")).expect("the manifest");
    let changed = manifest.replace("\"xz-utils\"", "\"xz-utils\", \"tree\"");
    assert_ne!(manifest, changed);
    fs::write(workspace.join("plywood.toml"), changed).expect("the manifest is changed");
    let stale = build();
    assert!(stale.contains("`base`") && stale.contains("plywood lock"), "{stale}");
    fs::remove_file(workspace.join("plywood.lock")).expect("the lock is removed");
    let missing = build();
    assert!(missing.contains("plywood lock"), "{missing}");
}
