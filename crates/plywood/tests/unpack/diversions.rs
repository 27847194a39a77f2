//! Diversions against `dpkg-divert`, step by step.

use std::fs;
use std::path::Path;
use std::process::Command;

use plywood_core::debian::dpkg::{Diversion, Installer};
use plywood_core::platform::Platform;
use plywood_core::tree::TreePath;
use plywood_testkit::{require, require_root};

use crate::builder::Package;
use crate::dpkg::{assert_same, describe, list, new_system, read_package, run_dpkg};
use crate::sink::Segments;

enum Step {
    Install(Package),
    /// The diverting package, empty for a local diversion, and the file; it goes to `FILE.away`.
    Divert(&'static str, &'static str),
    Undivert(&'static str, &'static str),
}

#[track_caller]
fn check(steps: &[Step]) {
    if !require(&["dpkg", "dpkg-deb", "dpkg-divert"]) || !require_root() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("system");
    new_system(&root);
    let mut installer = Installer::new(Platform::LinuxAmd64);
    let segments = Segments::default();
    for step in steps {
        match step {
            Step::Install(package) => {
                let deb = package.build(folder.path());
                run_dpkg(&root, std::slice::from_ref(&deb), &[]).expect("dpkg installs it");
                let deb = read_package(&deb, &[], &segments).expect("a good package");
                installer.unpack_package(&deb).expect("it fits");
            }
            Step::Divert(package, file) => {
                let away = format!("{file}.away");
                let real = divert(&root, package, &["--divert", &away, "--add", file]);
                let path = |text: &str| TreePath::parse(text).expect("a path");
                let package = (!package.is_empty()).then(|| (*package).to_owned());
                let ours = installer.divert(Diversion { from: path(file), to: path(&away), package }, true);
                assert_eq!(ours.is_ok(), real, "{ours:?}");
            }
            Step::Undivert(package, file) => {
                let away = format!("{file}.away");
                assert!(divert(&root, package, &["--divert", &away, "--remove", file]));
                installer.undivert(&TreePath::parse(file).expect("a path"), true).expect("there is one");
            }
        }
        let (mut real, mut ours) = (list(&root), describe(&installer, &segments));
        real.retain(|path, _| !path.starts_with("/var"));
        ours.retain(|path, _| !path.starts_with("/var"));
        assert_same(&real, &ours);
    }
    let lines = |text: &[u8]| {
        let lines: Vec<String> = text.split(|byte| *byte == b'\n').map(|l| String::from_utf8_lossy(l).into()).collect();
        let mut entries: Vec<Vec<String>> = lines.chunks(3).map(<[String]>::to_vec).collect();
        // dpkg's order is that of its hash table.
        entries.sort();
        entries
    };
    let real = fs::read(root.join("var/lib/dpkg/diversions")).unwrap_or_default();
    assert_eq!(lines(&installer.diversions.to_file()), lines(&real));
}

fn divert(root: &Path, package: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new("dpkg-divert");
    command.arg("--root").arg(root).args(["--quiet", "--rename"]);
    match package {
        "" => command.arg("--local"),
        package => command.args(["--package", package]),
    };
    command.args(arguments).output().expect("dpkg-divert runs").status.success()
}

fn tool(package: &str) -> Step {
    Step::Install(Package::new(package).file("/usr/bin/tool", package).file(&format!("/usr/bin/{package}"), ""))
}

#[test]
fn a_package_takes_the_place_of_another() {
    check(&[tool("first"), Step::Divert("second", "/usr/bin/tool"), tool("second")]);
    check(&[Step::Divert("second", "/usr/bin/tool"), tool("first"), tool("second")]);
    check(&[tool("second"), Step::Divert("second", "/usr/bin/tool"), tool("first")]);
    check(&[tool("first"), Step::Divert("second", "/usr/bin/tool"), Step::Undivert("second", "/usr/bin/tool")]);
}

#[test]
fn a_local_diversion_moves_everybodys() {
    check(&[Step::Divert("", "/usr/bin/tool"), tool("first")]);
    check(&[tool("first"), Step::Divert("", "/usr/bin/tool"), Step::Divert("", "/usr/bin/tool")]);
}

#[test]
fn contradictions_are_refused() {
    check(&[Step::Divert("first", "/usr/bin/tool"), Step::Divert("second", "/usr/bin/tool")]);
    check(&[Step::Divert("first", "/usr/bin/tool"), Step::Divert("first", "/usr/bin/tool.away")]);
}

#[test]
fn names_before_merged_usr_are_other_names() {
    let old = Package::new("old").file("/bin/tool", "old");
    check(&[Step::Divert("new", "/usr/bin/tool"), Step::Install(old.clone())]);
    check(&[Step::Divert("new", "/bin/tool"), Step::Install(old)]);
}
