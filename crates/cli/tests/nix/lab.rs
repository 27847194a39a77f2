//! What the tests share: a workspace like `infra/` with sets, shells and the images of both, locked and built once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
pub(crate) use plywood_testkit::{copy_folder, succeed, text};
use plywood_testkit::{nixpkgs, require, require_mirror, require_root};
use serde_json::Value;

/// The registry of the tests' images, so that nobody's own images lose their names in an engine's store.
pub(crate) const REGISTRY: &str = "localhost/plywood-test-nix";
/// What the manifest of `infra/` is followed by.
const ADDED: &str = include_str!("images.toml");
/// What the sets and shells are made of.
const ATTRIBUTES: [&str; 9] =
    ["python312", "nodejs_22", "cacert", "tzdata", "coreutils", "bashInteractive", "ripgrep", "jq", "nix-direnv"];

/// A workspace that was built.
pub(crate) struct Lab {
    pub(crate) workspace: Utf8PathBuf,
    pub(crate) cache: Utf8PathBuf,
    pub(crate) layout: Utf8PathBuf,
    /// What the build said of itself.
    pub(crate) report: Value,
}

/// The one that all tests share; `None` without what it takes, when the test is skipped.
pub(crate) fn lab() -> Option<&'static Lab> {
    static LAB: OnceLock<Lab> = OnceLock::new();
    if !(require(&nixpkgs::TOOLS) && require_root()) {
        return None;
    }
    require_mirror()?;
    Some(LAB.get_or_init(|| {
        let set = nixpkgs::prepare().expect("the package set");
        set.build(nixpkgs::BUILD_SYSTEM, &ATTRIBUTES).expect("packages");
        set.fetch_for(nixpkgs::BUILD_SYSTEM, &["stdenv"]).expect("sources");
        let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("nix");
        let [workspace, cache, layout] = ["infra", "cache", "oci"].map(|name| folder.join(name));
        for stale in [&workspace, &layout] {
            let _ = fs::remove_dir_all(stale);
        }
        write_workspace(&workspace, &set.url());
        succeed(plywood(&workspace, &cache).arg("lock"));
        let mut build = plywood(&workspace, &cache);
        let report = json(build.args(["build", "--locked", "--output", &format!("oci:{layout}")]));
        Lab { workspace, cache, layout, report }
    }))
}

/// Plywood in a workspace with a cache.
pub(crate) fn plywood(workspace: &Utf8Path, cache: &Utf8Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plywood"));
    command.env("PLYWOOD_CACHE", cache).args(["-C", workspace.as_str()]);
    command
}

impl Lab {
    /// Plywood in the shared workspace.
    pub(crate) fn plywood(&self, arguments: &[&str]) -> Command {
        let mut command = plywood(&self.workspace, &self.cache);
        command.args(arguments);
        command
    }

    /// A second workspace with the same files and lock.
    pub(crate) fn fork(&self, folder: &std::path::Path) -> Utf8PathBuf {
        let workspace = Utf8Path::from_path(folder).expect("UTF-8").join("infra");
        copy_folder(&self.workspace, &workspace);
        workspace
    }

    /// Puts an image into podman's store; its name there.
    pub(crate) fn load(&self, image: &str) -> String {
        succeed(&mut self.plywood(&["build", image, "--locked", "--load", "podman"]));
        format!("{REGISTRY}/{image}:latest")
    }

    /// The digests of the layers of an image, bottom up, with whether each holds store paths.
    pub(crate) fn layers(report: &Value, image: &str) -> Vec<(String, bool)> {
        let images = report["images"].as_array().expect("images");
        let image = images.iter().find(|one| one["name"] == image).expect("the image");
        let layers = image["platforms"][0]["layers"].as_array().expect("layers");
        let store = |layer: &Value| {
            let items = layer["items"].as_array().expect("items");
            items.iter().any(|item| item.as_str().is_some_and(|item| item.starts_with("nix")))
        };
        layers.iter().map(|layer| (layer["digest"].as_str().expect("a digest").to_owned(), store(layer))).collect()
    }
}

/// What a command in a container says; it has no network.
pub(crate) fn run(image: &str, options: &[&str], command: &[&str]) -> String {
    let mut podman = Command::new("podman");
    podman.args(["run", "--rm", "--network", "none"]).args(options).arg(image).args(command);
    text(&succeed(&mut podman).stdout)
}

/// Runs plywood with `--json`.
pub(crate) fn json(command: &mut Command) -> Value {
    serde_json::from_slice(&succeed(command.arg("--json")).stdout).expect("JSON")
}

/// `infra/` with more images, its flake on the set instead of nixpkgs.
fn write_workspace(to: &Utf8Path, set: &str) {
    copy_infra(to, set, REGISTRY);
    let path = to.join("plywood.toml");
    let manifest = fs::read_to_string(&path).expect("the manifest");
    // What infra/ itself has of Nix is more than these tests are about.
    let own = tables(&manifest, &["workspace", "debian", "images.base", "images.devcontainer-base"]);
    fs::write(path, format!("{own}\n{ADDED}")).expect("the manifest is written");
}

/// `infra/` for this machine's platform, its flake on the set instead of nixpkgs.
pub(crate) fn copy_infra(to: &Utf8Path, set: &str, registry: &str) {
    let infra = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra");
    let infra = Utf8Path::from_path(&infra).expect("UTF-8");
    for folder in ["files", "nix"] {
        copy_folder(infra.join(folder), to.join(folder));
    }
    let edit = |name: &str, lines: &[(&str, String)]| {
        let mut text = fs::read_to_string(infra.join(name)).expect("a file of infra/");
        for (start, line) in lines {
            let old = text.lines().find(|line| line.trim_start().starts_with(start)).expect("a line").to_owned();
            text = text.replace(&old, line);
        }
        fs::write(to.join(name), text).expect("written");
    };
    edit("flake.nix", &[("inputs.nixpkgs.url", format!("  inputs.nixpkgs.url = \"{set}\";"))]);
    let registry = ("registry = ", format!("registry = \"{registry}\""));
    edit("plywood.toml", &[registry, ("platforms = ", "platforms = [\"linux/amd64\"]".to_owned())]);
}

/// The tables of these names, and what is below them.
fn tables(manifest: &str, names: &[&str]) -> String {
    let mut kept = true;
    let mut text = String::new();
    for line in manifest.lines() {
        // A multi-line array may have a line that starts with a bracket, too, but not at its very start.
        if let Some(header) = line.strip_prefix('[') {
            let table = header.trim_start_matches('[').trim_end_matches(']');
            let is = |name: &&str| table == *name || table.starts_with(&format!("{name}."));
            kept = names.iter().any(is);
        }
        if kept {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
