//! What changes little makes few layers new.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::lab::{json, lab, plywood};

fn layers<'r>(report: &'r Value, image: &str) -> Vec<&'r Value> {
    let images = report["images"].as_array().expect("images");
    let image = images.iter().find(|one| one["name"] == image).expect("the image");
    image["platforms"][0]["layers"].as_array().expect("layers").iter().collect()
}

/// The digests of an image's layers on every platform.
fn digests(report: &Value) -> BTreeSet<String> {
    let images = report["images"].as_array().expect("images").iter();
    let platforms = images.flat_map(|image| image["platforms"].as_array().expect("platforms"));
    let layers = platforms.flat_map(|built| built["layers"].as_array().expect("layers"));
    layers.map(|layer| layer["digest"].to_string()).collect()
}

#[test]
fn another_package_makes_its_layer_and_the_state() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    let manifest = fs::read_to_string(workspace.join("plywood.toml")).expect("the manifest");
    let changed = manifest.replace("\"zsh\",\n", "\"zsh\", \"hello\",\n");
    assert_ne!(manifest, changed);
    fs::write(workspace.join("plywood.toml"), changed).expect("the manifest is changed");
    let (said, report) =
        json(plywood(&workspace, &lab.cache).args(["build", "devcontainer-base", "--platform", "linux/amd64"]));
    assert!(said.contains("the packages of the image `devcontainer-base`"), "the change is told: {said}");
    let before = digests(&lab.report);
    let layers = layers(&report, "devcontainer-base");
    let new: Vec<_> = layers.iter().filter(|layer| !before.contains(&layer["digest"].to_string())).collect();
    let items = |layer: &Value| layer["items"].as_array().expect("items").iter().any(|item| item == "deb:trixie/hello");
    assert_eq!(new.len(), 2, "{new:#?}");
    assert!(items(new[0]) && new[1]["items"] == Value::Array(Vec::new()), "{new:#?}");
    for layer in layers {
        let made = layer["origin"] == "made";
        assert_eq!(made, !before.contains(&layer["digest"].to_string()), "{layer:#?}");
    }
}

#[test]
fn images_share_the_layers_of_their_base() {
    let Some(lab) = lab() else { return };
    let of = |image| layers(&lab.report, image).iter().map(|layer| layer["digest"].to_string()).collect::<Vec<_>>();
    let (base, derived) = (of("base"), of("devcontainer-base"));
    // The topmost layer is each image's own state.
    assert_eq!(base[..base.len() - 1], derived[..base.len() - 1]);
    assert!(derived.len() <= 64, "{} layers", derived.len());
}
