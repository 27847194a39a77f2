//! Store paths, into a real Nix.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use camino::Utf8PathBuf;
use plywood_core::digest::Digest;
use plywood_core::lockfile::{LockedFlake, LockedNix, LockedNixPlatform, LockedRoot, LockedShell, Lockfile};
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;
use plywood_testkit::substituter::{test_key, test_key_text};
use plywood_testkit::{StoreNode, TestPath, TestSubstituter, require};

use crate::lab::{Lab, fail, succeed};

const SHELL: &str = "\n[sets.tools]\npackages = [\"tool\"]\n\n[shells.work]\nsets = [\"tools\"]\n\n[images.work]\n\
    from = \"tiny\"\nshell = \"work\"\n";

/// A tool with everything that a store path can hold, what it refers to, and the environment of a shell.
pub(crate) fn paths() -> Vec<TestPath> {
    let library = TestPath::new("libx-1", StoreNode::file(vec![7; 300_000]), &[]);
    let tool = StoreNode::directory([
        ("bin", StoreNode::directory([("tool", StoreNode::program("#!/bin/sh\n"))])),
        ("empty", StoreNode::directory([])),
        ("lib", StoreNode::symlink(&library.path.absolute())),
        ("zero", StoreNode::file("")),
    ]);
    let tool = TestPath::new("tool-1", tool, &[&library]);
    let environment = TestPath::new("environment", StoreNode::file(tool.path.absolute()), &[&tool]);
    vec![library, tool, environment]
}

/// What a lock has of these paths.
pub(crate) fn locked_nix(paths: &[TestPath], inputs: Digest) -> LockedNix {
    let shell = LockedShell {
        inputs,
        roots: vec![LockedRoot {
            path: paths[1].path.clone(),
            attribute: "tool".to_owned(),
            output: "out".to_owned(),
            priority: 5,
        }],
        environment: BTreeSet::from([paths[2].path.clone()]),
        env: BTreeMap::new(),
        hook: String::new(),
        develop: BTreeSet::new(),
    };
    let platform = || LockedNixPlatform {
        paths: paths.iter().map(|path| (path.path.clone(), path.locked())).collect(),
        sets: BTreeMap::new(),
        shells: BTreeMap::from([("work".parse().expect("a name"), shell.clone())]),
    };
    let platforms = [Platform::LinuxAmd64, Platform::LinuxArm64].map(|one| (one, platform())).into();
    LockedNix { flake: LockedFlake::default(), platforms }
}

fn lock(paths: &[TestPath]) -> Lockfile {
    let nix = locked_nix(paths, Digest::of(b"inputs"));
    Lockfile { date: Timestamp(1_795_420_800), nix: Some(nix), ..Lockfile::default() }
}

#[test]
fn nix_takes_store_paths_from_what_a_bundle_brings() {
    if !require(&["docker-registry", "nix", "ldd"]) {
        return;
    }
    let lab = Lab::new();
    let registry = lab.signed_registry();
    let paths = paths();
    let cache = lab.path("source");
    TestSubstituter::new(paths.clone()).write_to(cache.as_std_path()).expect("a cache");
    let manifest = fs::read_to_string(lab.path("plywood.toml")).expect("a manifest");
    fs::write(lab.path("plywood.toml"), manifest + SHELL).expect("written");
    fs::write(lab.path("plywood.lock"), lock(&paths).to_text()).expect("written");
    fs::write(lab.path("secret"), test_key_text("team-1")).expect("written");

    let image = format!("{}/team/tiny:latest", registry.host());
    let create = |cache_name: &str, file: &str| {
        let (file, key) = (lab.text(file), lab.text("secret"));
        let mut command = lab.command(
            cache_name,
            &["bundle", "create", &image, "--store", "work", "--store-key", &key, "--output", &file, "--json"],
        );
        command.env("PLYWOOD_NIX_SUBSTITUTERS", format!("file://{cache}"));
        command.env("PLYWOOD_NIX_TRUSTED_KEYS", test_key("test-1").public().to_string());
        let output = succeed(&mut command);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    assert_eq!(create("cache", "dev.tar")["store_paths"].as_u64(), Some(3));
    create("cold", "again.tar");
    let bytes = |file: &str| fs::read(lab.path(file)).expect("a bundle");
    assert!(bytes("dev.tar") == bytes("again.tar"), "two bundles of the same differ");

    let unpacked = lab.path("unpacked");
    let unpack = || lab.json(&["bundle", "unpack", lab.text("dev.tar").as_str(), "--cache", unpacked.as_str()]);
    assert_eq!(unpack()["written"].as_u64(), Some(3));
    assert_eq!(unpack()["present"].as_u64(), Some(3));
    for key in ["team-1", "test-1"] {
        let root = lab.path(&format!("nix-{key}"));
        nix_copy(&lab, &unpacked, &root, &test_key(key).public().to_string(), &paths[2]);
        for path in &paths {
            assert!(root.join("nix/store").join(path.path.as_str()).symlink_metadata().is_ok(), "{}", path.path);
        }
    }
    // What is there is no cache, or of another store.
    fs::write(unpacked.join("nix-cache-info"), "StoreDir: /elsewhere\n").expect("written");
    let file = lab.text("dev.tar");
    let said = fail(&mut lab.command("cache", &["bundle", "unpack", &file, "--cache", unpacked.as_str()]), 1);
    assert!(said.contains("/elsewhere"), "{said}");
}

/// Nix copies a path with all that it needs into a store of its own, signatures checked.
pub(crate) fn nix_copy(lab: &Lab, from: &Utf8PathBuf, to: &Utf8PathBuf, key: &str, path: &TestPath) {
    let mut command = Command::new("nix");
    command.args(["--extra-experimental-features", "nix-command", "copy", "--from", &format!("file://{from}")]);
    command.args(["--to", &format!("local?root={to}"), &path.path.absolute()]);
    command.args(["--option", "trusted-public-keys", key, "--option", "require-sigs", "true"]);
    command.args(["--option", "build-users-group", ""]);
    command.env("HOME", lab.path("home")).env("XDG_CACHE_HOME", lab.path("home"));
    succeed(&mut command);
}
