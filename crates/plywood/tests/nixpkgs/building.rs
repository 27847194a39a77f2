//! What is built: the same bytes each time, for another system too, with the references it says; and copied to a cache.

use std::fs;
use std::path::Path;
use std::process::Command;

use plywood_testkit::nixpkgs::{self, BUILD_SYSTEM};

use crate::lab::{StoreAlone, able, build, eval, set, stdout};

#[test]
fn building_again_gives_the_same_bytes() {
    let Some(set) = set() else { return };
    for attribute in ["bash", "git", "python312", "python312Packages.requests", "eslint", "cacert", "zsh"] {
        build(&set, attribute);
        let derivation =
            eval(&set, BUILD_SYSTEM, &format!("pkgs: builtins.unsafeDiscardStringContext pkgs.{attribute}.drvPath"));
        let mut again = Command::new("nix-store");
        again.args([
            "--option",
            "sandbox",
            "false",
            "--option",
            "build-users-group",
            "",
            "--option",
            "substitute",
            "false",
        ]);
        // Fails when the new output differs from the one in the store.
        stdout(again.args(["--realise", "--check"]).arg(derivation));
    }
}

#[test]
fn packages_of_the_other_system_refer_to_their_own() {
    let Some(set) = set() else { return };
    let built = set.build("aarch64-linux", &["python312", "ripgrep", "bash"]).expect("packages for arm64");
    let mine = set.build(BUILD_SYSTEM, &["glibc", "bash", "python312"]).expect("packages for this machine");
    let closure = stdout(Command::new("nix-store").args(["--query", "--requisites"]).args(&built));
    assert!(closure.lines().any(|path| path.contains("-glibc-")), "{closure}");
    for path in mine {
        assert!(!closure.contains(&path.display().to_string()), "{} is of this machine", path.display());
    }
    let program = fs::read(built[1].join("bin/rg")).expect("rg");
    assert_eq!(program.get(18..20), Some(&[183, 0][..]), "EM_AARCH64, in e_machine of the ELF header");
}

#[test]
fn closures_hold_nothing_of_the_build() {
    let Some(set) = set() else { return };
    let built = set
        .build(BUILD_SYSTEM, &["python312", "nodejs_22", "git", "ripgrep", "bash", "coreutils", "curl"])
        .expect("packages");
    let closure = stdout(Command::new("nix-store").args(["--query", "--requisites"]).args(built));
    for path in closure.lines() {
        let name = path.rsplit('/').next().unwrap_or_default();
        let of_the_build = [".deb", ".tgz", ".whl", ".drv", "-busybox", "-bootstrap-tools", "-stdenv-linux"];
        assert!(!of_the_build.iter().any(|end| name.ends_with(end)), "{path}");
    }
}

#[test]
fn a_cache_is_signed_and_whole() {
    let Some(set) = set() else { return };
    let hello = build(&set, "hello");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = set.cache(std::slice::from_ref(&hello), folder.path(), "cache.example.org-1").expect("a cache");
    assert!(key.starts_with("cache.example.org-1:"), "{key}");
    let closure = stdout(Command::new("nix-store").args(["--query", "--requisites"]).arg(&hello));
    for path in closure.lines() {
        let hash = Path::new(path).file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('-'));
        let info = folder.path().join(format!("{}.narinfo", hash.expect("a store path").0));
        let text = fs::read_to_string(&info).unwrap_or_else(|error| panic!("{}: {error}", info.display()));
        assert!(text.contains("Sig: cache.example.org-1:"), "{text}");
    }
}

#[test]
fn the_bench_closure_is_large() {
    if !able() {
        return;
    }
    let set = nixpkgs::prepare_with_bench().expect("the package set");
    let closure = build(&set, "benchClosure");
    let paths = stdout(Command::new("nix-store").args(["--query", "--requisites"]).arg(&closure));
    assert!(paths.lines().count() >= 400, "{} paths", paths.lines().count());
    let sizes = stdout(Command::new("nix-store").args(["--query", "--size"]).args(paths.lines()));
    let bytes: u64 = sizes.lines().filter_map(|line| line.parse::<u64>().ok()).sum();
    assert!(bytes >= 500 << 20, "{bytes} bytes");
}

#[test]
fn what_is_gone_from_the_mirrors_is_resolved_again() {
    if !able() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/nixpkgs"));
    stdout(Command::new("cp").arg("-r").arg(format!("{}/.", source.display())).arg(folder.path()));
    let path = folder.path().join("plywood.lock");
    let text = fs::read_to_string(&path).expect("the lock");
    // A version that no mirror has, with the hash of nothing.
    let lines: Vec<String> = text
        .lines()
        .map(|line| match line.trim_start().strip_prefix("\"hello ") {
            Some(rest) if rest.contains("pool/") => {
                let (version, architecture) = (rest.split(' ').next().unwrap_or_default(), rest.split(' ').nth(1));
                let file = format!("pool/main/h/hello/hello_0.1-1_{}.deb", architecture.unwrap_or_default());
                assert_ne!(version, "0.1-1");
                format!(
                    "  \"hello 0.1-1 {} debian {file} 1 1 = = {}\",",
                    architecture.unwrap_or_default(),
                    "0".repeat(64)
                )
            }
            _ => line.to_owned(),
        })
        .collect();
    fs::write(&path, lines.join("\n") + "\n").expect("the lock");
    let set = nixpkgs::prepare_from(folder.path()).expect("a set without that version");
    let hello = build(&set, "hello");
    assert_eq!(StoreAlone::new().run(&hello.join("bin/hello"), &[]), "Hello, world!\n");
    assert_ne!(eval(&set, BUILD_SYSTEM, "pkgs: pkgs.hello.version"), "0.1");
}
