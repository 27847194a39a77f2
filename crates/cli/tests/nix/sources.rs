//! Where store paths come from does not matter: the same lock gives the same images.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use camino::Utf8Path;
use plywood_testkit::{FileServer, files_below, nixpkgs, require};
use serde_json::Value;

use crate::lab::{json, lab};

const IMAGES: [&str; 4] = ["runtime-python", "runtime-node", "devcontainer-python", "devcontainer-node"];

/// The digests of the images that a build made.
fn digests(report: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let images = report["images"].as_array().expect("images");
    let own = images.iter().filter(|image| image["name"].as_str().is_some_and(|name| IMAGES.contains(&name)));
    own.map(|image| (text(&image["name"]), text(&image["platforms"][0]["digest"]))).collect()
}

/// Every store path that a lock names.
fn store_paths(lock: &Utf8Path) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(lock).expect("the lock");
    let names = text.split(|char: char| !(char.is_ascii_alphanumeric() || "+-._?=".contains(char)));
    let names = names.filter(|name| name.len() > 33 && name.as_bytes()[32] == b'-' && !name.ends_with(".drv"));
    names.map(|name| Path::new("/nix/store").join(name)).filter(|path| path.exists()).collect()
}

#[test]
fn binary_caches_give_what_this_machines_store_gives() {
    let (true, Some(lab)) = (require(&["unshare", "mount"]), lab()) else { return };
    let expect = digests(&lab.report);
    assert_eq!(expect.len(), IMAGES.len());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let binary_cache = folder.path().join("binary-cache");
    let set = nixpkgs::prepare().expect("the package set");
    let paths: Vec<PathBuf> = store_paths(&lab.workspace.join("plywood.lock")).into_iter().collect();
    assert!(paths.len() > 40, "{paths:?}");
    let key = set.cache(&paths, &binary_cache, "test-1").expect("a binary cache");
    let server = FileServer::start(files_below(&binary_cache));

    for url in [format!("file://{}", binary_cache.display()), server.url()] {
        let cache = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a cache");
        // A machine without Nix: nothing below /nix, and no program on PATH.
        let script = "mount -t tmpfs none /nix && exec env PATH=/nowhere \"$@\"";
        let mut build = Command::new("unshare");
        build.args(["--mount", "--propagation=private", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_plywood")]);
        build.env("PLYWOOD_CACHE", cache.path()).args(["-C", lab.workspace.as_str(), "build", "--locked"]).args(IMAGES);
        build.env("PLYWOOD_NIX_SUBSTITUTERS", &url).env("PLYWOOD_NIX_TRUSTED_KEYS", &key);
        assert_eq!(digests(&json(&mut build)), expect, "from {url}");
    }
}
