//! The package set of `tests/nixpkgs`, by a real Nix: what it offers, that it runs from the store alone, and that it is
//! reproducible.

use std::path::{Path, PathBuf};
use std::process::Command;

use plywood_testkit::nixpkgs::{self, BUILD_SYSTEM, Nixpkgs, SYSTEMS};
use plywood_testkit::{require, require_mirror, require_root};

/// The set, unless this machine lacks what it needs.
fn set() -> Option<Nixpkgs> {
    if !(require(&nixpkgs::TOOLS) && require_root() && require_mirror().is_some()) {
        return None;
    }
    Some(nixpkgs::prepare().expect("the package set"))
}

/// Standard output of a program of the store with no environment; fails with its standard error.
fn run(program: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let output = command.args(arguments).env_clear().current_dir("/").output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {stderr}", program.display());
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn build(set: &Nixpkgs, attribute: &str) -> PathBuf {
    set.build(BUILD_SYSTEM, &[attribute]).unwrap_or_else(|error| panic!("{attribute}: {error}")).remove(0)
}

/// `version` of an attribute.
fn version(set: &Nixpkgs, attribute: &str) -> String {
    eval(&format!("{}#legacyPackages.{BUILD_SYSTEM}.{attribute}.version", set.url()), "version: version")
}

fn eval(installable: &str, function: &str) -> String {
    let output = nixpkgs::nix().args(["eval", "--raw", installable, "--apply", function]).output().expect("nix runs");
    assert!(output.status.success(), "{installable}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn programs_run_from_the_store_alone_and_have_the_version_they_say() {
    let Some(set) = set() else { return };
    let check = |attribute: &str, program: &str, argument: &str| {
        let path = build(&set, attribute);
        let text = run(&path.join("bin").join(program), &[argument]);
        let version = version(&set, attribute);
        assert!(text.contains(&version), "{attribute} is said to be {version}: {text}");
    };
    check("bashInteractive", "bash", "--version");
    check("coreutils", "ls", "--version");
    check("git", "git", "--version");
    check("nodejs_22", "node", "--version");
    check("python312", "python3", "--version");
    check("ripgrep", "rg", "--version");
}

#[test]
fn names_are_there_for_both_systems() {
    let Some(set) = set() else { return };
    for system in SYSTEMS {
        let about = eval(
            &format!("{}#legacyPackages.{system}", set.url()),
            r#"pkgs: toString (map (name: pkgs.lib.getAttrFromPath (pkgs.lib.splitString "." name) pkgs) [
                "bashInteractive" "cacert" "coreutils" "git" "nodejs_22" "python312" "python312Packages.requests"
                "ripgrep" "stdenv.cc.cc.lib" "tzdata"
            ])"#,
        );
        assert_eq!(about.split(' ').filter(|path| path.starts_with("/nix/store/")).count(), 10, "{about}");
    }
}
