//! What the tests share: a workspace like `infra/`, locked and built once, and ways to run plywood on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_testkit::require_mirror;
pub(crate) use plywood_testkit::{copy_folder, fail, succeed, text};
use serde_json::Value;

/// Both images for both platforms.
pub(crate) const BUILD_ALL: [&str; 7] =
    ["build", "base", "devcontainer-base", "--platform", "linux/amd64", "--platform", "linux/arm64"];
/// The registry of the tests' images, so that nobody's own images lose their names in an engine's store.
pub(crate) const REGISTRY: &str = "localhost/plywood-test";

/// A workspace that was built.
pub(crate) struct Lab {
    pub(crate) workspace: Utf8PathBuf,
    pub(crate) cache: Utf8PathBuf,
    /// Where the first build put both images for both platforms; later builds write elsewhere.
    pub(crate) layout: Utf8PathBuf,
    /// What the first build said of itself.
    pub(crate) report: Value,
}

/// The one that all tests share; `None` without a mirror, when the test is skipped.
///
/// It stays in the target folder, with its downloads: what they are is checked by hash, so that the next run may have
/// them. Nothing else of an earlier run is left.
pub(crate) fn lab() -> Option<&'static Lab> {
    static LAB: OnceLock<Lab> = OnceLock::new();
    require_mirror()?;
    Some(LAB.get_or_init(|| {
        let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("images");
        let [workspace, cache, layout] = ["infra", "cache", "oci"].map(|name| folder.join(name));
        for stale in [workspace.clone(), layout.clone()].into_iter().chain(parts(&cache)) {
            let _ = fs::remove_dir_all(stale);
        }
        copy_infra(&workspace);
        let (_, report) =
            json(plywood(&workspace, &cache).args(BUILD_ALL).args(["--output", &format!("oci:{layout}")]));
        Lab { workspace, cache, layout, report }
    }))
}

/// The folders of a cache, but for the downloads.
fn parts(cache: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> + use<> {
    let cache = cache.to_owned();
    ["segments", "layers", "blobs", "images", "tmp"].into_iter().map(move |part| cache.join(part))
}

/// Plywood in a workspace with a cache.
pub(crate) fn plywood(workspace: &Utf8Path, cache: &Utf8Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plywood"));
    command.env("PLYWOOD_CACHE", cache).env_remove("PLYWOOD_DEBIAN_MIRROR").args(["-C", workspace.as_str()]);
    command
}

impl Lab {
    /// Plywood in the shared workspace.
    pub(crate) fn plywood(&self, arguments: &[&str]) -> Command {
        let mut command = plywood(&self.workspace, &self.cache);
        command.args(arguments);
        command
    }

    /// A second workspace with the same manifest and lock.
    pub(crate) fn fork(&self, folder: &Path) -> Utf8PathBuf {
        let workspace = Utf8Path::from_path(folder).expect("UTF-8").join("infra");
        copy_infra(&workspace);
        fs::copy(self.workspace.join("plywood.lock"), workspace.join("plywood.lock")).expect("the lock is copied");
        workspace
    }

    /// A second cache, with the downloads and nothing else.
    pub(crate) fn cold_cache(&self, folder: &Path) -> Utf8PathBuf {
        let cache = Utf8Path::from_path(folder).expect("UTF-8").join("cache");
        copy_folder(self.cache.join("debian"), cache.join("debian"));
        cache
    }

    /// The full name of an image.
    pub(crate) fn reference(image: &str) -> String {
        format!("{REGISTRY}/{image}:latest")
    }
}

/// Runs plywood with `--json`: what it says besides, and its report.
pub(crate) fn json(command: &mut Command) -> (String, Value) {
    let output = succeed(command.arg("--json"));
    (text(&output.stderr), serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// The manifest digest of each image on each platform.
pub(crate) fn digests(report: &Value) -> BTreeMap<(String, String), String> {
    let word = |value: &Value| value.as_str().expect("a string").to_owned();
    let mut digests = BTreeMap::new();
    for image in report["images"].as_array().expect("images") {
        for built in image["platforms"].as_array().expect("platforms") {
            digests.insert((word(&image["name"]), word(&built["platform"])), word(&built["digest"]));
        }
    }
    digests
}

/// The part of the shared build's digests that another build, of fewer images or platforms, must have.
pub(crate) fn same_digests(lab: &Lab, report: &Value) {
    let (expect, found) = (digests(&lab.report), digests(report));
    assert!(!found.is_empty());
    for (image, digest) in found {
        assert_eq!(Some(&digest), expect.get(&image), "{image:?}");
    }
}

/// Copies `infra/`, without what builds left there.
fn copy_infra(to: &Utf8Path) {
    let infra = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra");
    copy_folder(infra.join("files"), to.join("files"));
    let manifest = fs::read_to_string(infra.join("plywood.toml")).expect("the manifest");
    let registry = manifest.lines().find(|line| line.starts_with("registry = ")).expect("a registry");
    let manifest = manifest.replace(registry, &format!("registry = \"{REGISTRY}\""));
    fs::write(to.join("plywood.toml"), manifest).expect("the manifest is written");
}
