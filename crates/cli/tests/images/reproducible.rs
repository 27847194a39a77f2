//! The same lock gives the same digests, wherever, however and by whomever it is built.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use plywood_core::platform::Platform;
use plywood_core::tree::{Content, NodeKind};
use plywood_oci::layout::ImageLayout;
use plywood_testkit::{FileServer, require, require_root};

use crate::lab::{BUILD_ALL, Lab, copy_folder, json, lab, plywood, same_digests};

#[test]
fn a_warm_cache_changes_nothing() {
    let Some(lab) = lab() else { return };
    same_digests(lab, &json(&mut lab.plywood(&BUILD_ALL)).1);
}

#[test]
fn a_cold_cache_and_one_thread_change_nothing() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (workspace, cache) = (lab.fork(folder.path()), lab.cold_cache(folder.path()));
    let mut build = plywood(&workspace, &cache);
    same_digests(lab, &json(build.args(BUILD_ALL).args(["--locked", "--jobs", "1"])).1);
}

/// Another user, folder, umask, time zone, locale, home and mirror at once; whatever mattered would show.
#[test]
fn everything_else_may_differ() {
    let (true, true, Some(lab)) = (require(&["setpriv"]), require_root(), lab()) else { return };
    let mirror = mirror(lab);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    // Nobody else may read the target folder.
    let program = folder.path().join("plywood");
    fs::copy(env!("CARGO_BIN_EXE_plywood"), &program).expect("the program is copied");
    let nobody = "65534";
    let owned = Command::new("chown").args(["-R", nobody]).arg(folder.path()).status().expect("chown runs");
    assert!(owned.success());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("root may");
    let script = "umask 077; cd /; exec \"$@\"";
    let mut build = Command::new("setpriv");
    build.args(["--reuid", nobody, "--regid", nobody, "--clear-groups", "sh", "-c", script, "sh"]);
    build.arg(&program).args(["-C", workspace.as_str()]).args(BUILD_ALL).args(["--locked", "--jobs", "3"]);
    build.env_remove("PLYWOOD_CACHE").env_remove("XDG_CACHE_HOME").env("HOME", folder.path());
    build.env("TZ", "Pacific/Chatham").env("LC_ALL", "tr_TR.UTF-8");
    build.env("PLYWOOD_DEBIAN_MIRROR", format!("{}/debian", mirror.url()));
    same_digests(lab, &json(&mut build).1);
    assert!(mirror.count(".deb") > 200, "the packages came from that mirror");
}

/// A mirror that has the packages of the lock and nothing else.
fn mirror(lab: &Lab) -> FileServer {
    let lock = fs::read_to_string(lab.workspace.join("plywood.lock")).expect("the lock");
    let mut files = BTreeMap::new();
    for line in lock.lines() {
        let words: Vec<&str> = line.trim().trim_matches([',', '"']).split(' ').collect();
        let (Some(repository), Some(path), Some(hash)) = (words.get(3), words.get(4), words.last()) else { continue };
        let archive = if *repository == "security" { "debian-security" } else { "debian" };
        if let Ok(bytes) = fs::read(lab.cache.join(format!("debian/debs/{hash}.deb"))) {
            files.insert(format!("{archive}/{path}"), bytes);
        }
    }
    FileServer::start(files)
}

#[test]
fn arm64_images_have_arm64_programs() {
    /// `e_machine` of AArch64 (ELF for the Arm 64-bit Architecture, "ELF header").
    const AARCH64: [u8; 2] = [183, 0];
    let Some(lab) = lab() else { return };
    let layout = ImageLayout::open(&lab.layout).expect("the layout");
    let image = layout.image(Some(&Lab::reference("base")), Platform::LinuxArm64).expect("the image");
    let tree = layout.tree(&image).expect("its files");
    let mut programs = 0;
    for (path, node) in tree.iter() {
        let NodeKind::File { content: Content::Inline(bytes), .. } = &node.kind else { continue };
        // Packages of libraries for debuggers and emulators have other machines' files, below their own folders.
        if bytes.starts_with(b"\x7fELF") && path.to_string().trim_start_matches('/').starts_with("usr/bin/") {
            assert_eq!(bytes.get(18..20), Some(&AARCH64[..]), "{path}");
            programs += 1;
        }
    }
    assert!(programs > 100, "{programs} programs");
}

#[test]
fn a_cache_may_be_moved() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (workspace, cache) = (lab.fork(folder.path()), lab.workspace.with_file_name("moved"));
    copy_folder(&lab.cache, &cache);
    let (_, report) = json(plywood(&workspace, &cache).args(BUILD_ALL).arg("--locked"));
    fs::remove_dir_all(&cache).expect("the copy is removed");
    same_digests(lab, &report);
}
