//! `push --untagged`, `test` of the digest, then `promote`.

use std::fs;
use std::process::Command;

use plywood_oci::registry::{ClientConfig, RegistryClient};
use plywood_testkit::{DockerRegistry, require};
use serde_json::Value;

use crate::lab::{Lab, fail, succeed};

/// A workspace with a registry of its own.
struct Place {
    lab: Lab,
    registry: DockerRegistry,
    prefix: String,
}

impl Place {
    fn new() -> Self {
        let registry = DockerRegistry::start();
        let lab = Lab::new();
        let prefix = lab.publish_to(&registry);
        Self { lab, registry, prefix }
    }

    /// Pushes the image by its digest alone, with its report in a file of this name.
    fn push(&self, report: &str) -> String {
        let pushed =
            self.lab.json("cache", &["push", "--untagged", "--platform", "linux/amd64", "--platform", "linux/arm64"]);
        fs::write(self.lab.path(report), pushed.to_string()).expect("written");
        pushed["images"][0]["digest"].as_str().expect("a digest").to_owned()
    }

    /// What the tag names.
    fn latest(&self) -> Option<String> {
        let client = RegistryClient::new(ClientConfig::default()).expect("a client");
        let name = format!("{}/tiny", self.prefix).parse().expect("a name");
        let tag: plywood_core::oci::Tag = "latest".parse().expect("a tag");
        let found = client.repository(&name).head_manifest(&tag.into()).expect("asked");
        found.map(|found| found.digest.to_string())
    }

    /// What `test` says of an image, with a cache that has nothing of what was built.
    fn test(&self, arguments: &[&str]) -> Command {
        let mut command = self.lab.command("tester", &["test"]);
        command.args(arguments);
        command
    }
}

/// Takes an image out of podman's store.
fn forget(name: &str) {
    succeed(Command::new("podman").args(["rmi", "--force", name]));
}

#[test]
fn what_was_pushed_is_tested_and_then_gets_its_tag() {
    if !require(&["podman", "docker-registry", "ldd"]) {
        return;
    }
    let place = Place::new();
    let good = place.push("good.json");
    assert_eq!(place.latest(), None);
    let by_digest = format!("tiny@{good}");
    let output = succeed(place.test(&[&by_digest]).arg("--json"));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let full = format!("{}/tiny@{good}", place.prefix);
    assert_eq!(report["images"][0]["reference"], *full);
    assert_eq!(report["images"][0]["tests"].as_array().map(Vec::len), Some(1));
    assert!(!place.lab.path("tester/segments").join("v1").exists(), "nothing was built");
    let report = place.lab.text("good.json");
    let said = succeed(&mut place.test(&["--report", &report]));
    assert!(String::from_utf8_lossy(&said.stdout).contains(&full), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stderr).contains(&format!("promote --report {report}")), "{said:?}");
    succeed(&mut place.lab.command("cache", &["promote", "--report", &report]));
    assert_eq!(place.latest(), Some(good.clone()));

    // Of a tag what it names is tested; all is there by now, so no layer comes again.
    let before = place.registry.requests().len();
    let said = succeed(&mut place.test(&["tiny:latest"]));
    assert!(String::from_utf8_lossy(&said.stdout).contains(&full), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stderr).contains(&format!("promote {full}")), "{said:?}");
    let blobs = place.registry.requests().split_off(before);
    assert!(blobs.iter().filter(|request| request.path.contains("/blobs/")).count() <= 1, "{blobs:?}");

    // In the engine no name was moved: the image has one made of its digest.
    let short = &good["sha256:".len()..][..12];
    let name = format!("{}/tiny:sha256-{short}", place.prefix);
    succeed(Command::new("podman").args(["image", "exists", &name]));
    let latest = format!("{}/tiny:latest", place.prefix);
    assert_eq!(Command::new("podman").args(["image", "exists", &latest]).status().expect("it runs").code(), Some(1));
    forget(&name);

    // What was pushed last is broken: it is found out, and the tag stays where it is.
    place.lab.replace("\"/etc/motd\" = { text = \"carried\\n\" }", "\"/etc/motd\" = { text = \"broken\\n\" }");
    place.lab.replace("cmd = [", "size-limit = \"20 MB\"\ncmd = [");
    let bad = place.push("bad.json");
    assert_ne!(bad, good);
    let said = fail(&mut place.test(&[&format!("{}/tiny@{bad}", place.prefix)]), 3);
    assert!(said.contains("FAILED  the greeting") && said.contains("broken"), "{said}");
    assert!(said.contains("ok      size-limit"), "{said}");
    assert!(!said.contains("next: plywood promote"), "{said}");
    place.lab.replace("size-limit = \"20 MB\"", "size-limit = \"1 kB\"");
    let said = fail(&mut place.test(&[&format!("tiny@{bad}"), "--image", "tiny"]), 3);
    assert!(said.contains("FAILED  size-limit"), "{said}");
    assert_eq!(place.latest(), Some(good));
    forget(&format!("{}/tiny:sha256-{}", place.prefix, &bad["sha256:".len()..][..12]));
}

/// There is no Docker here: podman in its place, which reads Docker's archives as well.
#[test]
fn docker_gets_an_archive() {
    if !require(&["podman", "docker-registry", "ldd"]) {
        return;
    }
    let place = Place::new();
    let digest = place.push("pushed.json");
    let (bin, log) = (place.lab.path("bin"), place.lab.path("docker.log"));
    fs::create_dir(&bin).expect("made");
    let script =
        format!("#!/bin/sh\necho \"$@\" >> {log}\n[ \"$1\" = info ] && {{ echo 27; exit 0; }}\nexec podman \"$@\"\n",);
    fs::write(bin.join("docker"), script).expect("written");
    succeed(Command::new("chmod").args(["+x", bin.join("docker").as_str()]));
    let path = format!("{bin}:{}", std::env::var("PATH").expect("a path"));
    let mut test = place.test(&[&format!("tiny@{digest}"), "--engine", "docker"]);
    let said = succeed(test.env("PATH", path));
    assert!(String::from_utf8_lossy(&said.stdout).contains("ok      the greeting"), "{said:?}");
    let log = fs::read_to_string(log).expect("what was asked of it");
    assert!(log.contains("load --quiet --input ") && log.lines().all(|line| !line.starts_with("pull")), "{log}");
    forget(&format!("{}/tiny:sha256-{}", place.prefix, &digest["sha256:".len()..][..12]));
}

#[test]
fn what_cannot_be_tested_is_told() {
    if !require(&["podman", "docker-registry", "ldd"]) {
        return;
    }
    let place = Place::new();
    let pushed = place.lab.json("cache", &["push", "--untagged", "--platform", "linux/amd64"]);
    let digest = pushed["images"][0]["digest"].as_str().expect("a digest");
    let other = format!("sha256:{}", "0".repeat(64));
    let check = |arguments: &[&str], code: i32, expect: &[&str]| {
        let said = fail(&mut place.test(arguments), code);
        for text in expect {
            assert!(said.contains(text), "{arguments:?}: {said}");
        }
    };
    check(&[&format!("tiny@{other}")], 1, &["cannot read the manifest", &other, "it is not there", "hint:"]);
    let nowhere = format!("{}/nowhere@{digest}", place.prefix);
    check(&[&nowhere], 2, &["no image `nowhere`", "--image NAME"]);
    check(&[&nowhere, "--image", "tiny"], 1, &["it is not there", "hint:"]);
    let arm = ["--platform", "linux/arm64"];
    check(
        &[&format!("tiny@{digest}"), arm[0], arm[1]],
        1,
        &["is not there for linux/arm64", "`--platform linux/amd64`"],
    );
    check(&["tiny@sha256:12"], 2, &["names no image in a registry"]);
    check(&["tiny", "--image", "tiny"], 2, &["has its own tests"]);
    check(&[&format!("no-such-host.invalid/tiny@{digest}")], 1, &["there is no host `no-such-host.invalid`", "hint:"]);
    let untagged = format!("{}/tiny:latest", place.prefix);
    check(&[&untagged], 1, &["it is not there"]);
    let report = place.lab.text("pushed.json");
    fs::write(&report, pushed.to_string()).expect("written");
    check(&["nope", "--report", &report], 2, &["no image `nope`"]);
    fs::write(&report, "{}").expect("written");
    check(&["--report", &report], 1, &["is no report of `plywood push --json`"]);
}
