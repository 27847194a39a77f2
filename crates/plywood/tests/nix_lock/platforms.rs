//! More than this machine's own platform.

use std::path::PathBuf;

use plywood::lock::LockOptions;
use plywood_core::nix::TrustedPublicKeys;
use plywood_core::platform::Platform;
use plywood_testkit::nixpkgs::{BUILD_SYSTEM, Nixpkgs};

use crate::lab::{Lab, only, set};

const MANIFEST: &str = r#"[workspace]
name = "test"

[sets.tools]
packages = ["ripgrep"]

[sets.more]
packages = ["coreutils"]

[images.run]
debian = false
sets = ["tools"]
"#;

/// Pushes a package of a system to a binary cache; gives the key that is to be trusted.
fn push(set: &Nixpkgs, system: &str, attributes: &[&str], cache: &std::path::Path) -> TrustedPublicKeys {
    let paths: Vec<PathBuf> = set.build(system, attributes).expect("it builds");
    let key = set.cache(&paths, cache, &format!("test-{system}-1")).expect("a cache");
    [key.parse().expect("a key")].into_iter().collect()
}

#[test]
fn other_platforms_are_locked_where_somebody_has_their_paths() {
    let Some(set) = set() else { return };
    let mut lab = Lab::new(set, MANIFEST);
    let cache = tempfile::tempdir().expect("a folder");
    lab.sources.local = None;
    lab.sources.substituters = vec![format!("file://{}", cache.path().display()).parse().expect("a URL")];
    lab.sources.trusted_keys = push(set, BUILD_SYSTEM, &["ripgrep", "coreutils"], cache.path());

    // Nobody has anything for the other platform: it is told and left out, this machine's own is locked.
    lab.must_lock(LockOptions::default());
    let (amd64, arm64) = (lab.platform(Platform::LinuxAmd64), lab.platform(Platform::LinuxArm64));
    assert_eq!((amd64.sets.len(), arm64.sets.len()), (2, 0));
    assert!(amd64.paths.values().all(|path| !path.local), "a substituter has all of it");
    assert!(lab.events.said("not locked for linux/arm64"));

    // Somebody pushes one set of it: that one is locked, without anything being built here.
    let more = push(set, "aarch64-linux", &["ripgrep"], cache.path());
    lab.sources.trusted_keys.0.extend(more.0);
    lab.must_lock(LockOptions::default());
    let arm64 = lab.platform(Platform::LinuxArm64);
    assert_eq!(arm64.sets.keys().map(ToString::to_string).collect::<Vec<_>>(), ["tools"]);
    assert_eq!(arm64.missing(), None);
    assert_eq!(lab.platform(Platform::LinuxAmd64), amd64, "what was locked is kept");

    // What another machine locked stays, as long as flake.lock does.
    lab.must_lock(only(&["sets.more"]));
    assert_eq!(lab.platform(Platform::LinuxArm64), arm64);
}
