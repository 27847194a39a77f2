//! Nix in a container of the workspace's own image, for machines without Nix.

use std::process::Command;

use camino::Utf8Path;
use plywood::lock::{LockOptions, lock};
use plywood::nix::eval::{EvalOptions, NixChoice};
use plywood_core::platform::Platform;
use plywood_testkit::nixpkgs::{self, BUILD_SYSTEM};
use plywood_testkit::{require, require_mirror};

use crate::lab::{Lab, chain, overriding, set};

const MANIFEST: &str = r#"[workspace]
name = "test"
platforms = ["linux/amd64"]

[debian]
suite = "trixie"
slim = true

[shells.dev]
packages = ["coreutils"]

[images.base]
packages = ["nix-bin"]
"#;

#[test]
fn a_machine_without_nix_locks_in_a_container() {
    let Some(set) = set() else { return };
    if !require(&["podman"]) || require_mirror().is_none() {
        return;
    }
    let lab = Lab::without_input(MANIFEST);
    // The cache stays in the target folder, as those of other tests with real packages do.
    let cache = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("nix-container");
    // There is no substituter: the containers' store is given what the shell is made of.
    let paths = set.build(BUILD_SYSTEM, &["coreutils", "stdenv", "bash"]).expect("they build");
    let store = cache.join("nix/container");
    let copied = nixpkgs::nix().args(["copy", "--no-check-sigs", "--to", store.as_str()]).args(paths).output();
    let copied = copied.expect("nix runs");
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));

    let workspace = lab.workspace(&cache);
    let nix = EvalOptions { nix: NixChoice::Container, ..overriding(set).nix };
    let options = LockOptions { nix, ..LockOptions::default() };
    let locked = lock(&options, &workspace, &lab.events);
    assert!(lab.events.said("Running Nix in podman"));
    let _ = Command::new("podman").args(["rmi", "--force", "base"]).output();
    locked.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let shells = lab.platform(Platform::LinuxAmd64).shells;
    let path = shells.get("dev").and_then(|shell| shell.env.get("PATH")).expect("a PATH");
    assert!(path.contains("-coreutils-"), "{path}");
}
