//! Every kind of output, read by other tools; the commands that look at what is there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use plywood_testkit::require;
use serde_json::Value;

use crate::lab::{Lab, REGISTRY, fail, json, lab, plywood, succeed, text};

fn skopeo(source: &str) -> Value {
    let output = succeed(Command::new("skopeo").args(["inspect", source]));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn skopeo_reads_every_output() {
    let (true, Some(lab)) = (require(&["skopeo"]), lab()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = Lab::reference("base");
    for transport in ["oci", "oci-archive", "docker-archive"] {
        let place = format!("{transport}:{}", folder.path().join(transport).display());
        let (_, report) = json(&mut lab.plywood(&["build", "base", "--locked", "--output", &place]));
        let built = &report["images"][0]["platforms"][0];
        // A docker-archive has no manifest of its own.
        let seen = skopeo(&format!("{place}:{name}"));
        let digest = built["digest"].as_str().expect("a digest");
        assert!(transport == "docker-archive" || seen["Digest"] == digest, "{transport}: {seen:#}");
        assert_eq!(seen["Layers"].as_array().map(Vec::len), built["layers"].as_array().map(Vec::len), "{transport}");
        assert_eq!(seen["Os"], "linux");
    }
}

#[test]
fn podman_has_what_was_loaded() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let (_, report) = json(&mut lab.plywood(&["build", "base", "--locked", "--load", "podman"]));
    assert_eq!(report["loaded"], "podman");
    let id = succeed(Command::new("podman").args(["image", "inspect", "--format", "{{.Id}}", &Lab::reference("base")]));
    let expect = report["images"][0]["platforms"][0]["image_id"].as_str().expect("an id").to_owned();
    assert_eq!(format!("sha256:{}", text(&id.stdout).trim()), expect);
}

/// Notes what docker is asked to do and has podman do it, which has no word for the version of a daemon.
const STAND_IN: &str = "\
#!/bin/sh
echo \"$*\" >> \"$0.log\"
[ \"$1\" = info ] && exec echo 1
exec podman \"$@\"
";

/// No docker is needed to see that docker gets what `docker load` reads: podman stands in for it.
#[test]
fn docker_is_given_an_archive_of_its_own() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = lab.fork(folder.path());
    let manifest = fs::read_to_string(workspace.join("plywood.toml")).expect("the manifest");
    // An image that podman has not got yet.
    let other = format!("description = \"As docker has it, for {}\"", std::process::id());
    let manifest = manifest.replace("description = \"Debian with Nix and direnv\"", &other);
    fs::write(workspace.join("plywood.toml"), manifest.replace(REGISTRY, "localhost/plywood-docker"))
        .expect("a manifest");
    let docker = folder.path().join("docker");
    fs::write(&docker, STAND_IN).expect("a script");
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).expect("its mode");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
    let mut run = plywood(&workspace, &lab.cache);
    run.env("PATH", path).args(["run", "--engine", "docker", "base", "whoami"]);
    assert_eq!(text(&succeed(&mut run).stdout), "nix\n");
    let _ = Command::new("podman").args(["rmi", "localhost/plywood-docker/base:latest"]).output();
    let log = fs::read_to_string(folder.path().join("docker.log")).expect("a log");
    assert!(log.contains("load --quiet --input ") && log.lines().all(|line| !line.starts_with("pull")), "{log}");
}

#[test]
fn commands_give_their_exit_status() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    succeed(&mut lab.plywood(&["run", "base", "--", "true"]));
    let status = lab.plywood(&["run", "base", "--", "sh", "-c", "exit 42"]).status().expect("it runs");
    assert_eq!(status.code(), Some(42));
}

#[test]
fn layers_are_explained() {
    let Some(lab) = lab() else { return };
    let output = succeed(&mut lab.plywood(&["build", "base", "devcontainer-base", "--locked", "--explain"]));
    let said = text(&output.stdout);
    for part in ["trixie/nix-bin", "shared with devcontainer-base", "shared with base", "this image alone"] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
}

#[test]
fn inspection_finds_no_fault() {
    let Some(lab) = lab() else { return };
    for image in ["base", "devcontainer-base", &Lab::reference("devcontainer-base")] {
        for platform in ["linux/amd64", "linux/arm64"] {
            let from = format!("oci:{}", lab.layout);
            let (_, report) = json(&mut lab.plywood(&["inspect", image, "--platform", platform, "--from", &from]));
            assert_eq!(report["faults"], Value::Array(Vec::new()), "{image} for {platform}");
            assert!(report["packages"].as_array().is_some_and(|packages| packages.len() > 100));
        }
    }
}

#[test]
fn a_platform_that_was_not_built_is_not_inspected() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = format!("oci:{}", folder.path().display());
    succeed(&mut lab.plywood(&["build", "base", "--locked", "--platform", "linux/arm64", "--output", &place]));
    let said = fail(&mut lab.plywood(&["inspect", "base", "--platform", "linux/amd64", "--from", &place]), 1);
    assert!(said.contains("not there for linux/amd64"), "{said}");
}

#[test]
fn a_cache_is_shown_and_pruned() {
    let Some(lab) = lab() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (workspace, cache) = (lab.fork(folder.path()), lab.cold_cache(folder.path()));
    let base = ["build", "base", "--locked"];
    let (_, first) = json(plywood(&workspace, &cache).args(base));
    let shown = text(&succeed(plywood(&workspace, &cache).args(["cache", "show"])).stdout);
    assert!(shown.contains("unpacked packages"), "{shown}");
    let (_, pruned) = json(plywood(&workspace, &cache).args(["cache", "prune", "--all"]));
    assert!(pruned["files"].as_u64().is_some_and(|files| files > 100), "{pruned}");
    let (_, second) = json(plywood(&workspace, &cache).args(base));
    assert_eq!(first, second, "what was pruned is made again");
}
