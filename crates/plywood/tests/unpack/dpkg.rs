//! [`Installer`] against `dpkg --install` with the same packages in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use plywood_core::debian::deb::{PathFilters, UnpackOptions, UnpackedDeb, unpack};
use plywood_core::debian::dpkg::{Installer, database};
use plywood_core::digest::FileHash;
use plywood_core::platform::Platform;
use plywood_core::tree::{Node, NodeKind};
use plywood_testkit::{require, require_root};

use crate::builder::Package;
use crate::sink::{MemorySink, Segments};

/// Path to type, mode and content or target.
pub(crate) type Listing = BTreeMap<String, String>;

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
        (Ok(mut real), Ok(ours)) => {
            if !filters.is_empty() {
                unlist_what_is_not_there(&mut real);
            }
            assert_same(&real, &ours);
            Some(ours)
        }
        (Err(_), Err(_)) => None,
        (Ok(_), Err(ours)) => panic!("dpkg installs it, plywood refuses: {ours}"),
        (Err(real), Ok(_)) => panic!("plywood installs it, dpkg refuses: {real}"),
    }
}

/// dpkg lists what its filters left out, and then finds it missing in `dpkg --verify`; plywood does not list it.
fn unlist_what_is_not_there(listing: &mut Listing) {
    let there: BTreeSet<String> = listing.keys().cloned().collect();
    for (_, content) in listing.iter_mut().filter(|(path, _)| path.ends_with(".list")) {
        let kept = content.split_inclusive('\n').filter(|line| {
            let path = line.trim_end();
            !path.starts_with('/') || path == "/." || there.contains(path)
        });
        *content = kept.collect();
    }
}

pub(crate) fn assert_same(real: &Listing, ours: &Listing) {
    for path in real.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        assert_eq!(real.get(path), ours.get(path), "dpkg (left) and plywood (right) differ on {path}");
    }
}

fn install_with_dpkg(root: &Path, debs: &[PathBuf], filters: &[&str]) -> Result<Listing, String> {
    new_system(root);
    run_dpkg(root, debs, filters)?;
    Ok(list(root))
}

/// What a bootstrap makes before the first package comes.
pub(crate) fn new_system(root: &Path) {
    for folder in ["lib/dpkg/info", "lib/dpkg/updates", "lib/dpkg/triggers"] {
        fs::create_dir_all(root.join("var").join(folder)).expect("a folder");
    }
    for name in ["bin", "lib", "lib64", "sbin"] {
        fs::create_dir_all(root.join("usr").join(name)).expect("a folder");
        symlink(format!("usr/{name}"), root.join(name)).expect("a link");
    }
    fs::write(root.join("var/lib/dpkg/status"), "").expect("a file");
}

pub(crate) fn run_dpkg(root: &Path, debs: &[PathBuf], filters: &[&str]) -> Result<(), String> {
    let mut command = Command::new("dpkg");
    command.arg("--root").arg(root).arg("--log=/dev/null").arg("--force-depends");
    command.args(filters.iter().map(|filter| format!("--{filter}"))).arg("--install").args(debs);
    let output = command.output().expect("dpkg runs");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// All that is below `root`, but for what [`is_compared`] leaves out.
pub(crate) fn list(root: &Path) -> Listing {
    let mut listing = Listing::new();
    list_folder(root, root, &mut listing);
    listing
}

fn list_folder(root: &Path, folder: &Path, listing: &mut Listing) {
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
            list_folder(root, &path, listing);
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
    let segments = Segments::default();
    Ok(describe(&install_all(debs, filters, &segments)?, &segments))
}

fn install_all(debs: &[PathBuf], filters: &[&str], segments: &Segments) -> Result<Installer, String> {
    let mut installer = Installer::new(Platform::LinuxAmd64);
    for deb in debs {
        let deb = read_package(deb, filters, segments)?;
        installer.unpack_package(&deb).map_err(|error| error.to_string())?;
        installer.mark_installed(&deb.qualified_name());
    }
    let options = database::DatabaseOptions { requested: &BTreeSet::new(), mtime: 0 };
    database::write_database(&mut installer, &options).map_err(|error| error.to_string())?;
    Ok(installer)
}

pub(crate) fn read_package(deb: &Path, filters: &[&str], segments: &Segments) -> Result<UnpackedDeb, String> {
    let bytes = fs::read(deb).expect("a package");
    let filters = PathFilters(filters.iter().map(|filter| filter.parse().expect("a filter")).collect());
    let options = UnpackOptions::new(FileHash::of(&bytes), filters);
    let mut sink = MemorySink::default();
    let deb = unpack(&bytes[..], &options, &mut sink).map_err(|error| error.to_string())?;
    segments.add(deb.item, sink);
    // What is kept beside the segment is what was unpacked.
    let kept = postcard::to_stdvec(&deb).expect("it serializes");
    assert_eq!(postcard::from_bytes::<UnpackedDeb>(&kept).as_ref(), Ok(&deb));
    Ok(deb)
}

pub(crate) fn describe(installer: &Installer, segments: &Segments) -> Listing {
    let describe = |path, node: &Node| match &node.kind {
        NodeKind::Directory => format!("d {:o}", node.meta.mode),
        NodeKind::Symlink { target } => format!("l {target}"),
        NodeKind::File { .. } => {
            let bytes = installer.tree.read(path, segments).expect("its bytes");
            format!("f {:o} {}", node.meta.mode, String::from_utf8_lossy(&bytes))
        }
        other => format!("{other:?}"),
    };
    let nodes = installer.tree.iter().filter(|(path, _)| !path.is_root());
    let listing = nodes.map(|(path, node)| (path.to_string(), describe(path, node)));
    listing.filter(|(path, _)| is_compared(path)).collect()
}

/// What we leave, written to disk, is what `dpkg` finds nothing wrong with.
#[test]
fn dpkg_finds_nothing_to_audit() {
    if !require(&["dpkg", "dpkg-deb"]) || !require_root() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let packages = [
        Package::new("one")
            .fields("Multi-Arch: same")
            .file("/usr/lib/one", "1")
            .file("/etc/one", "c")
            .control("conffiles", "/etc/one\n"),
        Package::new("two")
            .fields("Depends: one (= 1)\nArchitecture: all")
            .symlink("/lib/two", "one")
            .control("triggers", "interest x\n"),
    ];
    let debs: Vec<PathBuf> = packages.iter().map(|package| package.build(folder.path())).collect();
    let segments = Segments::default();
    let installer = install_all(&debs, &[], &segments).expect("they fit");
    let root = folder.path().join("written");
    for (path, node) in installer.tree.iter() {
        let to = root.join(path.to_string().trim_start_matches('/'));
        match &node.kind {
            NodeKind::Symlink { target } => symlink(target.to_string(), to).expect("a link"),
            NodeKind::File { .. } => {
                fs::write(to, installer.tree.read(path, &segments).expect("its bytes")).expect("a file");
            }
            _ => fs::create_dir_all(to).expect("a folder"),
        }
    }
    for check in ["--audit", "--verify"] {
        let output = Command::new("dpkg").arg("--root").arg(&root).arg(check).output().expect("dpkg runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!((output.status.success(), said.as_str()), (true, ""), "{check}");
    }
    let output = Command::new("dpkg-query")
        .arg("--root")
        .arg(&root)
        .args(["-W", "-f", "${db:Status-Abbrev}${binary:Package}\n"])
        .output();
    assert_eq!(String::from_utf8_lossy(&output.expect("dpkg-query runs").stdout), "ii one:amd64\nii two\n");
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
    let a = || Package::new("aa").file("/usr/bin/x", "a").file("/usr/bin/a", "a");
    let b = || Package::new("bb").file("/usr/bin/x", "b").file("/usr/bin/b", "b");
    assert!(check(&[a(), b()], &[]).is_none());
    check(&[a(), b().fields("Replaces: aa")], &[]);
    check(&[a(), b().fields("Replaces: aa (<= 1)")], &[]);
    assert!(check(&[a(), b().fields("Replaces: aa (<< 1)")], &[]).is_none());
    check(&[a().fields("Replaces: bb"), b()], &[]);
    assert!(check(&[a(), b().fields("Replaces: cc"), Package::new("cc")], &[]).is_none());
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
