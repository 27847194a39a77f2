//! Which layers images with store paths have, on real locks.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::lab::{Lab, json, lab, plywood, succeed};

fn store_layers(report: &Value, image: &str) -> BTreeSet<String> {
    Lab::layers(report, image).into_iter().filter(|(_, store)| *store).map(|(digest, _)| digest).collect()
}

#[test]
fn production_is_a_subset_of_development() {
    let Some(lab) = lab() else { return };
    for name in ["python", "node"] {
        let runtime = store_layers(&lab.report, &format!("runtime-{name}"));
        let development = store_layers(&lab.report, &format!("devcontainer-{name}"));
        assert!(!runtime.is_empty() && runtime.is_subset(&development), "{name}: {runtime:?} {development:?}");
    }
}

#[test]
fn another_image_moves_no_layer() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    let path = workspace.join("plywood.toml");
    let manifest = fs::read_to_string(&path).expect("the manifest");
    let more = "[images.both]\ndebian = false\nsets = [\"python\", \"node\"]\n";
    fs::write(&path, format!("{manifest}\n{more}")).expect("written");
    succeed(plywood(&workspace, &lab.cache).arg("lock"));
    let report = json(plywood(&workspace, &lab.cache).args(["build", "--locked"]));
    for image in ["runtime-python", "runtime-node", "devcontainer-python", "devcontainer-node", "base"] {
        assert_eq!(Lab::layers(&report, image), Lab::layers(&lab.report, image), "{image}");
    }
    let both = store_layers(&report, "both");
    for image in ["runtime-python", "runtime-node"] {
        assert!(store_layers(&report, image).is_subset(&both), "{image} is within it");
    }
}

#[test]
fn another_version_of_a_package_moves_no_image() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    let path = workspace.join("plywood.toml");
    let manifest = fs::read_to_string(&path).expect("the manifest");
    let other = "pkgs.ripgrep.overrideAttrs (old: { version = ''0.${old.version}''; })";
    let more = format!(
        "[sets.other]\nexpression = \"pkgs: [ ({other}) ]\"\n\
         [images.other]\ndebian = false\nsets = [\"other\", \"system\"]\n"
    );
    fs::write(&path, format!("{manifest}\n{more}")).expect("written");
    succeed(plywood(&workspace, &lab.cache).arg("lock"));
    let text = fs::read_to_string(workspace.join("plywood.lock")).expect("the lock");
    assert!(text.contains("\"nix:ripgrep-0."), "two paths of one package have longer keys");
    let report = json(plywood(&workspace, &lab.cache).args(["build", "--locked"]));
    for image in ["devcontainer-python", "devcontainer-node", "runtime-node", "base"] {
        assert_eq!(digest(&report, image), digest(&lab.report, image), "{image}");
    }
}

fn digest<'r>(report: &'r Value, image: &str) -> &'r Value {
    let images = report["images"].as_array().expect("images");
    &images.iter().find(|one| one["name"] == image).expect("the image")["platforms"][0]["digest"]
}

#[test]
fn nothing_changed_makes_nothing() {
    let Some(lab) = lab() else { return };
    let output = format!("oci:{}", lab.layout);
    let report = json(&mut lab.plywood(&["build", "--locked", "--output", &output]));
    let text = report.to_string();
    assert!(!text.contains("\"made\""), "{text}");
}

#[test]
fn a_changed_package_changes_one_store_layer() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    let path = workspace.join("plywood.toml");
    let manifest = fs::read_to_string(&path).expect("the manifest");
    let build = |note: &str| {
        let make = format!("mkdir -p $out/share; echo {note} > $out/share/note");
        let expression = format!("expression = \'pkgs: [ (pkgs.runCommand \"note\" {{ }} \"{make}\") ]\'\n");
        let manifest = manifest.replace("[sets.python]\n", &format!("[sets.python]\n{expression}"));
        fs::write(&path, manifest).expect("written");
        succeed(plywood(&workspace, &lab.cache).arg("lock"));
        json(plywood(&workspace, &lab.cache).args(["build", "--locked"]))
    };
    let (before, after) = (build("one"), build("two"));
    for image in ["runtime-python", "devcontainer-python"] {
        let (old, new) = (store_layers(&before, image), store_layers(&after, image));
        assert_eq!(new.difference(&old).count(), 1, "{image}: {old:?} {new:?}");
        assert_eq!(old.difference(&new).count(), 1, "{image}");
        // Of the other layers only generated state is another one: the profile and Nix's database.
        let all = |report| Lab::layers(report, image).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(all(&after).difference(&all(&before)).count(), 2, "{image}");
    }
    for image in ["runtime-node", "devcontainer-node", "devcontainer-base"] {
        assert_eq!(Lab::layers(&after, image), Lab::layers(&before, image), "{image}");
    }
}
