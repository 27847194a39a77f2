//! [`Installer`] against `dpkg --install` with the same packages in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use plywood_core::debian::deb::{PathFilters, UnpackOptions, unpack};
use plywood_core::debian::dpkg::{Installer, database};
use plywood_core::digest::FileHash;
use plywood_core::platform::Platform;
use plywood_core::tree::{Node, NodeKind};
use plywood_testkit::{require, require_root};

use crate::builder::Package;
use crate::sink::{MemorySink, Segments};

/// Path to type, mode and content or target.
type Listing = BTreeMap<String, String>;

/// What both sides make of the packages: all that is there, or that they refuse.
fn check(packages: &[Package], filters: &[&str]) -> Option<Listing> {
    if !require(&["dpkg", "dpkg-deb"]) || !require_root() {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let debs: Vec<PathBuf> = packages.iter().map(|package| package.build(folder.path())).collect();
    let real = install_with_dpkg(&folder.path().join("system"), &debs, filters);
    let ours = install(&debs, filters);
    match (real, ours) {
        (Ok(real), Ok(ours)) => {
            assert_same(&real, &ours);
            Some(ours)
        }
        (Err(_), Err(_)) => None,
        (Ok(_), Err(ours)) => panic!("dpkg installs it, plywood refuses: {ours}"),
        (Err(real), Ok(_)) => panic!("plywood installs it, dpkg refuses: {real}"),
    }
}

fn assert_same(real: &Listing, ours: &Listing) {
    for path in real.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        assert_eq!(real.get(path), ours.get(path), "dpkg (left) and plywood (right) differ on {path}");
    }
}

fn install_with_dpkg(root: &Path, debs: &[PathBuf], filters: &[&str]) -> Result<Listing, String> {
    for folder in [
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "usr/sbin",
    ] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for name in ["bin", "lib", "lib64", "sbin"] {
        symlink(format!("usr/{name}"), root.join(name)).expect("a link");
    }
    fs::write(root.join("var/lib/dpkg/status"), "").expect("a file");
    let mut command = Command::new("dpkg");
    command.arg("--root").arg(root).arg("--log=/dev/null").arg("--force-depends");
    command.args(filters.iter().map(|filter| format!("--{filter}"))).arg("--install").args(debs);
    let output = command.env("DPKG_MAINTSCRIPT_DEBUG", "").output().expect("dpkg runs");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut listing = Listing::new();
    list(root, root, &mut listing);
    Ok(listing)
}

fn list(root: &Path, folder: &Path, listing: &mut Listing) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let meta = path.symlink_metadata().expect("metadata");
        let mode = meta.permissions().mode() & 0o7777;
        let value = if meta.is_dir() {
            format!("d {mode:o}")
        } else if meta.is_symlink() {
            format!("l {}", fs::read_link(&path).expect("a link").display())
        } else {
            format!("f {mode:o} {}", String::from_utf8_lossy(&fs::read(&path).expect("a file")))
        };
        let name = format!("/{}", path.strip_prefix(root).expect("below").display());
        if is_compared(&name) {
            listing.insert(name, value);
        }
        if meta.is_dir() {
            list(root, &path, listing);
        }
    }
}

/// Backups, locks and what the bootstrap makes are not compared.
fn is_compared(path: &str) -> bool {
    const LEFT_OUT: [&str; 6] = ["arch", "alternatives", "parts", "lock", "lock-frontend", "available"];
    let dpkg = path.strip_prefix("/var/lib/dpkg/");
    !path.starts_with("/var/lib/apt") && dpkg.is_none_or(|name| !LEFT_OUT.contains(&name) && !name.ends_with("-old"))
}

fn install(debs: &[PathBuf], filters: &[&str]) -> Result<Listing, String> {
    let mut installer = Installer::new(Platform::LinuxAmd64);
    let segments = Segments::default();
    let filters = PathFilters(filters.iter().map(|filter| filter.parse().expect("a filter")).collect());
    for deb in debs {
        let bytes = fs::read(deb).expect("a package");
        let mut sink = MemorySink::default();
        let options = UnpackOptions::new(FileHash::of(&bytes), filters.clone());
        let deb = unpack(&bytes[..], &options, &mut sink).map_err(|error| error.to_string())?;
        segments.add(deb.item, sink);
        installer.unpack_package(&deb).map_err(|error| error.to_string())?;
        installer.mark_installed(&deb.qualified_name());
    }
    let options = database::DatabaseOptions { requested: &BTreeSet::new(), mtime: 0 };
    database::write_database(&mut installer, &options).map_err(|error| error.to_string())?;
    let describe = |path, node: &Node| match &node.kind {
        NodeKind::Directory => format!("d {:o}", node.meta.mode),
        NodeKind::Symlink { target } => format!("l {target}"),
        NodeKind::File { .. } => {
            let bytes = installer.tree.read(path, &segments).expect("its bytes");
            format!("f {:o} {}", node.meta.mode, String::from_utf8_lossy(&bytes))
        }
        other => format!("{other:?}"),
    };
    let nodes = installer.tree.iter().filter(|(path, _)| !path.is_root());
    let listing = nodes.map(|(path, node)| (path.to_string(), describe(path, node)));
    Ok(listing.filter(|(path, _)| is_compared(path)).collect())
}

#[test]
fn every_kind_of_entry_and_compression() {
    let package = |name| {
        Package::new(name)
            .file_with_mode(&format!("/usr/bin/{name}"), "setuid", 0o4755)
            .hard_link(&format!("/usr/lib/{name}"), &format!("/usr/bin/{name}"))
            .symlink(&format!("/usr/share/{name}/link"), "../dangling")
            .directory(&format!("/var/{name}"), 0o1777)
            .file(&format!("/usr/share/{name}/{}end", "long/".repeat(60)), "deep")
            .file(&format!("/usr/share/{name}/{}", "x".repeat(200)), &"y".repeat(300_000))
    };
    check(
        &[
            package("xz").argument("-Zxz"),
            package("zst").argument("-Zzstd"),
            package("gz").argument("-Zgzip"),
            package("plain").argument("-Znone").argument("--uniform-compression"),
        ],
        &[],
    );
}

#[test]
fn control_files_become_info_files() {
    check(
        &[
            Package::new("one")
                .fields("Multi-Arch: same\nArchitecture: amd64\nEssential: yes\nX-Odd-Field: odd")
                .fields("Depends: a(>=1)|b ,\n c:any ( << 2 )\nSection: misc\nPriority: optional\nInstalled-Size: 12")
                .control("postrm", "#!/bin/sh\n")
                .control("shlibs", "libone 1 one\n")
                .control("conffiles", "/etc/one.conf\n/etc/two.conf\n")
                .file("/etc/one.conf", "one")
                .file("/etc/two.conf", &"two\n".repeat(200_000)),
            Package::new("two")
                .fields("Essential: no\nBuilt-Using: z (= 1)\nSource: src (1.0)\nMulti-Arch: no")
                .fields("Provides: virtual (= 1), other\nEnhances: one\nHomepage: https://example.org")
                .control("triggers", "interest-noawait /usr/share/two\ninterest two\n"),
            Package::new("three")
                .fields("Architecture: all")
                .control("triggers", "interest two\ninterest /usr/share/three\n"),
        ],
        &[],
    );
}

#[test]
fn conffiles_that_are_not_there() {
    check(
        &[Package::new("gone")
            .control("conffiles", "remove-on-upgrade /etc/gone.conf\n/etc/here\n")
            .file("/etc/here", "")],
        &[],
    );
}

#[test]
fn merged_usr() {
    check(
        &[
            Package::new("old")
                .file("/bin/tool", "tool")
                .symlink("/lib/link", "../bin/tool")
                .directory("/lib64", 0o755),
            Package::new("new").file("/usr/bin/other", "other").directory("/usr/lib/x", 0o700),
            Package::new("newer").directory("/lib/x", 0o755).file("/lib/x/y", "y"),
        ],
        &[],
    );
}

#[test]
fn one_file_of_two_packages() {
    let a = || Package::new("a").file("/usr/bin/x", "a").file("/usr/bin/a", "a");
    let b = || Package::new("b").file("/usr/bin/x", "b").file("/usr/bin/b", "b");
    assert!(check(&[a(), b()], &[]).is_none());
    check(&[a(), b().fields("Replaces: a")], &[]);
    check(&[a(), b().fields("Replaces: a (<= 1)")], &[]);
    assert!(check(&[a(), b().fields("Replaces: a (<< 1)")], &[]).is_none());
    check(&[a().fields("Replaces: b"), b()], &[]);
    assert!(check(&[a(), b().fields("Replaces: c"), Package::new("c")], &[]).is_none());
}

#[test]
fn one_path_of_two_kinds() {
    let directory = || Package::new("dir").directory("/usr/share/x", 0o750).file("/usr/share/x/f", "f");
    let file = || Package::new("file").file("/usr/share/x", "x").file("/etc/file", "");
    let link = |target| Package::new("link").symlink("/usr/share/x", target).file("/etc/link", "");
    check(&[directory(), Package::new("again").directory("/usr/share/x", 0o755).file("/etc/again", "")], &[]);
    assert!(check(&[directory(), file()], &[]).is_none());
    assert!(check(&[file(), directory()], &[]).is_none());
    check(&[directory(), link("y")], &[]);
    let target = || Package::new("target").directory("/usr/share/y", 0o755);
    check(&[target(), link("y"), directory()], &[]);
    check(&[target(), link("y"), Package::new("other").symlink("/usr/share/x", "../share/y")], &[]);
    assert!(check(&[link("y"), Package::new("other").symlink("/usr/share/x", "../share/y")], &[]).is_none());
}

#[test]
fn filters_leave_out_what_dpkg_leaves_out() {
    let package = Package::new("doc")
        .file("/usr/share/doc/doc/copyright", "c")
        .file("/usr/share/doc/doc/README", "r")
        .file("/usr/share/doc/doc/examples/x", "x")
        .symlink("/usr/share/doc/other", "doc")
        .file("/usr/share/man/man1/doc.1", "1")
        .symlink("/usr/share/man/man1/link.1", "doc.1")
        .file("/usr/share/man/de/man1/doc.1", "1")
        .file("/usr/share/man/pt_BR/man1/doc.1", "1")
        .file("/usr/share/info/doc.info", "i")
        .file("/usr/share/locale/de/LC_MESSAGES/doc.mo", "m")
        .file("/usr/share/locale/locale.alias", "a");
    let slim: Vec<String> = PathFilters::slim().0.iter().map(ToString::to_string).collect();
    let package = [package];
    check(&package, &slim.iter().map(String::as_str).collect::<Vec<_>>());
    check(&package, &["path-exclude=/usr/share/*", "path-include=/usr/share/d[o]c/*/R*"]);
    check(&package, &["path-include=/usr/share/man/*", "path-exclude=/usr/share/man/*"]);
}
