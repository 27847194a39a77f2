//! The team's stack of `infra/` as it stands, but for the registry and the flake's input: locked, built, and tested by its own tests.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_testkit::{nixpkgs, require};

use crate::lab::{self, json, plywood, run, succeed, text};

/// The registry of these images, which have the names of the other tests' own.
const REGISTRY: &str = "localhost/plywood-test-infra";
/// What pip and npm are asked for: programs and libraries that others have built for every Linux with glibc.
const WHEEL: &str = "numpy==2.3.5";
const NPM: [&str; 2] = ["sharp@0.34.5", "@biomejs/cli-linux-x64@2.3.8"];

/// The workspace, once it is locked.
fn workspace() -> Option<&'static (Utf8PathBuf, Utf8PathBuf)> {
    static WORKSPACE: OnceLock<(Utf8PathBuf, Utf8PathBuf)> = OnceLock::new();
    // Debian's part of the cache is shared with the other tests.
    let cache = lab::lab()?.cache.clone();
    Some(WORKSPACE.get_or_init(|| {
        let set = nixpkgs::prepare().expect("the package set");
        set.build(nixpkgs::BUILD_SYSTEM, &attributes()).expect("packages");
        let workspace = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("nix/stack");
        let _ = fs::remove_dir_all(&workspace);
        lab::copy_infra(&workspace, &set.url(), REGISTRY);
        succeed(plywood(&workspace, &cache).arg("lock"));
        (workspace, cache)
    }))
}

/// Everything that the manifest of `infra/` names of nixpkgs.
fn attributes() -> Vec<&'static str> {
    let manifest: toml::Table = toml::from_str(include_str!("../../../../infra/plywood.toml")).expect("TOML");
    let tables = ["sets", "shells"].iter().filter_map(|name| manifest.get(*name)?.as_table());
    let packages = tables.flat_map(|table| table.values()).filter_map(|one| one.get("packages")?.as_array().cloned());
    let names = packages.flatten().filter_map(|name| name.as_str().map(str::to_owned));
    names.map(|name| &*name.leak()).collect()
}

#[test]
fn the_stack_passes_its_own_tests() {
    let (true, Some((workspace, cache))) = (require(&["podman"]), workspace()) else { return };
    let report = json(plywood(workspace, cache).args(["test"]));
    let images = report["images"].as_array().expect("images");
    let tests: usize = images.iter().map(|image| image["tests"].as_array().map_or(0, Vec::len)).sum();
    assert!(images.len() == 6 && tests >= 11, "{report}");
}

#[test]
fn wheels_run_in_production_and_development() {
    let (true, Some((workspace, cache))) = (require(&["podman", "pip3"]), workspace()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = folder.path().join("site");
    let images = load(workspace, cache, ["runtime-python", "devcontainer-python"]);
    let version = run(&images[0], &[], &["python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    let mut pip = Command::new("pip3");
    pip.args(["install", "--quiet", "--no-deps", "--only-binary=:all:", "--platform=manylinux_2_28_x86_64"]);
    succeed(pip.args(["--python-version", version.trim(), "--target"]).arg(&site).arg(WHEEL));
    for image in &images {
        let options = ["--volume", &mounted(&site, "/site"), "--env", "PYTHONPATH=/site"];
        let said =
            run(image, &options, &["python3", "-c", "import numpy; print(numpy.linalg.inv(numpy.eye(2)).sum())"]);
        assert_eq!(said, "2.0\n", "{image}");
    }
}

#[test]
fn prebuilt_npm_packages_run_in_production_and_development() {
    let (true, Some((workspace, cache))) = (require(&["podman", "npm"]), workspace()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(folder.path());
    succeed(npm.args(NPM));
    let options = ["--volume", &mounted(folder.path(), "/project"), "--workdir", "/project"];
    let script =
        "require('sharp')({ create: { width: 2, height: 2, channels: 3, background: 'red' } }).png().toBuffer()
        .then(image => console.log(image.subarray(1, 4).toString()))";
    for image in load(workspace, cache, ["runtime-node", "devcontainer-node"]) {
        assert_eq!(run(&image, &options, &["node", "-e", script]), "PNG\n", "{image}");
        let said = run(&image, &options, &["node_modules/@biomejs/cli-linux-x64/biome", "--version"]);
        assert!(said.starts_with("Version: "), "{image}: {said}");
    }
}

fn load<const N: usize>(workspace: &Utf8Path, cache: &Utf8Path, images: [&str; N]) -> [String; N] {
    succeed(plywood(workspace, cache).args(["build", "--locked", "--load", "podman"]).args(images));
    images.map(|image| format!("{REGISTRY}/{image}:latest"))
}

/// A folder as a volume that cannot be written to.
fn mounted(folder: &Path, at: &str) -> String {
    format!("{}:{at}:ro", text(folder.as_os_str().as_encoded_bytes()))
}
