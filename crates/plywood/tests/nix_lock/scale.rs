//! The layout of some hundreds of store paths, as Nix itself has them.

use std::collections::BTreeSet;

use plywood_core::image::nix::{platform_keys, store_path_item};
use plywood_core::item::ItemKey;
use plywood_core::lockfile::LockedNixPlatform;
use plywood_core::manifest::Compression;
use plywood_core::nix::StorePath;
use plywood_core::platform::Platform;
use plywood_testkit::nixpkgs::BUILD_SYSTEM;

use crate::lab::{Lab, set};

const AMD64: Platform = Platform::LinuxAmd64;

const MANIFEST: &str = r#"[workspace]
name = "test"
platforms = ["linux/amd64"]

[sets.all]
expression = "pkgs: builtins.attrValues pkgs.benchPackages"

[images.all]
debian = false
sets = ["all"]
"#;

/// The layers of `all`, each by the store paths in it.
fn layers(lab: &Lab) -> BTreeSet<Vec<StorePath>> {
    let (lock, locked) = (lab.locked(), lab.platform(AMD64));
    let keys = platform_keys(&locked);
    let item = |path: &StorePath| keys.get(path).map(|key| store_path_item(key, Compression::default()));
    let path_of = |item_key: &ItemKey| {
        locked.paths.keys().find(|path| item(path).as_ref() == Some(item_key)).expect("a locked path").clone()
    };
    let layers = &lock.layouts.get(&AMD64).expect("a layout").layers;
    let own = layers.iter().filter(|layer| layer.images.contains("all"));
    own.map(|layer| layer.items.iter().map(path_of).collect()).collect()
}

/// A package that no other needs.
fn leaf(locked: &LockedNixPlatform) -> String {
    let is_needed =
        |path: &StorePath| locked.paths.iter().any(|(other, about)| other != path && about.references.contains(path));
    let found = locked.paths.iter().find(|(path, about)| about.nar_size > 1 << 20 && !is_needed(path));
    found.and_then(|(_, about)| about.pname.clone()).expect("a package that nothing needs")
}

#[test]
fn one_changed_package_of_four_hundred_changes_one_layer() {
    let Some(set) = set() else { return };
    set.build(BUILD_SYSTEM, &["benchClosure"]).expect("the closure");
    let lab = Lab::new(set, MANIFEST);
    lab.must_lock(Default::default());
    let before = layers(&lab);
    let locked = lab.platform(AMD64);
    assert!(locked.paths.len() >= 400, "{}", locked.paths.len());

    // Another image, of other packages, moves nothing.
    let more = "[sets.more]\npackages = [\"ripgrep\"]\n\n[images.more]\ndebian = false\nsets = [\"more\"]\n";
    lab.write("plywood.toml", &format!("{MANIFEST}\n{more}"));
    lab.must_lock(Default::default());
    let moved = layers(&lab).symmetric_difference(&before).count();
    assert_eq!(moved, 0);

    let name = leaf(&locked);
    let overlay = format!(
        "(final: prev: {{ benchPackages = prev.benchPackages // {{
           {name:?} = prev.benchPackages.{name:?}.overrideAttrs (old: {{ version = old.version + \"-1\"; }}); }}; }})"
    );
    lab.edit("flake.nix", "overlays = [ ];", &format!("overlays = [ {overlay} ];"));
    lab.must_lock(Default::default());
    let after = layers(&lab);
    let (gone, new) = (before.difference(&after).count(), after.difference(&before).count());
    assert_eq!((gone, new), (1, 1), "{name}");
}
