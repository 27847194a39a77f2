//! A workspace with a development image, carried whole to a site without a network: into a registry, an engine, and Nix.

use std::fs;
use std::process::Command;

use plywood_core::image::nix::{platform_keys, store_path_item};
use plywood_core::layering::LayoutLayer;
use plywood_core::lockfile::{Lockfile, lock_inputs, shell_inputs};
use plywood_core::manifest::Manifest;
use plywood_testkit::substituter::test_key;
use plywood_testkit::{DockerRegistry, TestSubstituter, require, require_root};

use crate::engine::own_podman;
use crate::lab::{Lab, succeed};
use crate::registries::digest;
use crate::store::{locked_nix, nix_copy, paths};

/// The image before it has anything of Nix, so that it can be locked without Nix.
const PLAIN: &str = "\n[images.work]\nfrom = \"tiny\"\n";
const SHELL: &str = "\n[sets.tools]\npackages = [\"tool\"]\n\n[shells.work]\nsets = [\"tools\"]\n\n[images.work]\n\
    from = \"tiny\"\nshell = \"work\"\nnix = { env = false, certificates = false, time-zones = false }\n";

/// Locks the workspace with these store paths as the image's, each in a layer of its own.
fn lock(lab: &Lab, paths: &[plywood_testkit::TestPath]) {
    let manifest = fs::read_to_string(lab.path("plywood.toml")).expect("a manifest");
    fs::write(lab.path("plywood.toml"), format!("{manifest}{PLAIN}")).expect("written");
    succeed(&mut lab.command("cache", &["lock"]));
    let text = format!("{manifest}{SHELL}");
    fs::write(lab.path("plywood.toml"), &text).expect("written");
    let manifest = Manifest::parse(&text).expect("a manifest");
    let mut lock = Lockfile::parse(&fs::read_to_string(lab.path("plywood.lock")).expect("a lock")).expect("a lock");
    let (_, shell) = manifest.shells().next().expect("a shell");
    let nix = locked_nix(paths, shell_inputs(&manifest, shell));
    for (platform, locked) in &nix.platforms {
        let keys = platform_keys(locked);
        let layout = lock.layouts.entry(*platform).or_default();
        for path in paths {
            let item = store_path_item(&keys[&path.path], Default::default());
            layout.layers.push(LayoutLayer { images: ["work".to_owned()].into(), items: vec![item] });
        }
    }
    lock.nix = Some(nix);
    for (name, image) in &mut lock.images {
        image.inputs = lock_inputs(manifest.resolve(name.as_str()).expect("it is there"));
    }
    fs::write(lab.path("plywood.lock"), lock.to_text()).expect("written");
}

#[test]
fn a_development_image_arrives_with_its_store() {
    if !(require(&["docker-registry", "skopeo", "podman", "nix", "ldd"]) && require_root()) {
        return;
    }
    let (lab, there) = (Lab::new(), DockerRegistry::start());
    let paths = paths();
    let source = lab.path("source");
    TestSubstituter::new(paths.clone()).write_to(source.as_std_path()).expect("a cache");
    lock(&lab, &paths);
    let key = test_key("test-1").public().to_string();
    let create = |cache: &str, file: &str| {
        let file = lab.text(file);
        let mut command = lab.command(cache, &["bundle", "create", "--locked", "--output", &file, "--json"]);
        command.env("PLYWOOD_NIX_SUBSTITUTERS", format!("file://{source}")).env("PLYWOOD_NIX_TRUSTED_KEYS", &key);
        serde_json::from_slice::<serde_json::Value>(&succeed(&mut command).stdout).expect("JSON")
    };
    let created = create("cache", "site.tar");
    assert_eq!(created["images"].as_object().map(serde_json::Map::len), Some(3), "{created}");
    assert_eq!(created["store_paths"].as_u64(), Some(3), "of the image with a shell");
    create("cold", "again.tar");
    let bytes = |file: &str| fs::read(lab.path(file)).expect("a bundle");
    assert!(bytes("site.tar") == bytes("again.tar"), "two bundles of the same differ");
    // From here on there is nothing but the file.
    fs::remove_dir_all(&source).expect("removed");
    let file = lab.text("site.tar");

    let prefix = format!("{}/site", there.host());
    lab.json(&["bundle", "push", &file, "--registry", &prefix]);
    for name in ["tiny", "more", "work"] {
        let expect = created["images"][format!("registry.invalid/team/{name}:latest")].as_str().expect("a digest");
        assert_eq!(digest(&format!("{prefix}/{name}:latest")), expect, "{name}");
    }

    let (podman, path) = own_podman(&lab);
    let load = ["bundle", "load", file.as_str(), "work", "--engine", "podman"];
    succeed(lab.command("site", &load).env("PATH", &path));
    let from_bundle = "registry.invalid/team/work:latest".to_owned();
    let from_registry = format!("{prefix}/work:latest");
    succeed(Command::new(&podman).args(["pull", "-q", "--tls-verify=false", &from_registry]));
    for image in [&from_bundle, &from_registry] {
        let run = ["run", "--rm", "--pull=never", "--network=none", "--entrypoint=/usr/bin/cat", image];
        let output = succeed(Command::new(&podman).args(run).args(["/nix/profile/bin/tool", "/etc/motd"]));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "#!/bin/sh\ncarried\n", "{image}");
    }

    let unpacked = lab.path("unpacked");
    let report = lab.json(&["bundle", "unpack", &file, "--cache", unpacked.as_str()]);
    assert_eq!(report["written"].as_u64(), Some(3), "{report}");
    let root = lab.path("nix");
    nix_copy(&lab, &unpacked, &root, &key, &paths[2]);
    for path in &paths {
        assert!(root.join("nix/store").join(path.path.as_str()).symlink_metadata().is_ok(), "{}", path.path);
    }
}
