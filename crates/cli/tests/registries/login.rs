//! A registry that wants a password, from a push to what stands on it; and what is said of registries that cannot be used.

use std::fs;
use std::process::Command;

use plywood_testkit::docker_registry::{DockerRegistry, PASSWORD, USER};
use plywood_testkit::require;

use crate::lab::{Lab, fail, succeed};

const WRONG: &str = "wr0ng-s3cret";

/// The workspace with the registry's prefix.
fn lab(registry: &DockerRegistry) -> Lab {
    let lab = Lab::new();
    lab.publish_to(registry);
    lab
}

fn list(registry: &DockerRegistry, password: &str) -> String {
    format!("{}|{USER}|{password}", registry.host())
}

#[test]
fn a_password_is_asked_for_and_never_shown() {
    if !require(&["docker-registry", "ldd"]) {
        return;
    }
    let registry = DockerRegistry::start_with_password();
    let lab = lab(&registry);
    let push = ["push", "tiny", "--platform", "linux/amd64"];
    let said = fail(&mut lab.command("cache", &push), 1);
    let hint = format!("hint: log in with `podman login {0}` or `docker login {0}`", registry.host());
    assert!(said.contains("asks for credentials and there are none") && said.contains(&hint), "{said}");

    let said = fail(lab.command("cache", &push).env("PLYWOOD_REGISTRY_AUTH", list(&registry, WRONG)), 1);
    assert!(said.contains("does not accept the credentials from PLYWOOD_REGISTRY_AUTH"), "{said}");
    assert!(said.contains("hint: check user and password in PLYWOOD_REGISTRY_AUTH"), "{said}");
    assert!(!said.contains(WRONG), "{said}");

    let said = fail(lab.command("cache", &push).arg("--json").env("PLYWOOD_REGISTRY_AUTH", list(&registry, WRONG)), 1);
    assert!(said.contains("\"hint\": \"check user") && !said.contains(WRONG), "{said}");
}

#[test]
fn with_a_password_images_are_pushed_tested_and_built_on() {
    if !require(&["docker-registry", "podman", "ldd"]) {
        return;
    }
    let registry = DockerRegistry::start_with_password();
    let lab = lab(&registry);
    let auth = list(&registry, PASSWORD);
    let plywood = |cache: &str, arguments: &[&str]| {
        let mut command = lab.command(cache, arguments);
        command.env("PLYWOOD_REGISTRY_AUTH", &auth);
        command
    };
    let output = succeed(&mut plywood("cache", &["push", "--untagged", "--json"]));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let digest = report["images"][0]["digest"].as_str().expect("a digest");
    fs::write(lab.path("pushed.json"), &output.stdout).expect("written");
    succeed(&mut plywood("tester", &["test", &format!("tiny@{digest}")]));
    succeed(&mut plywood("cache", &["promote", "--report", lab.path("pushed.json").as_str()]));

    // Whoever stands on it has logged in, as Docker and podman do: the files are read that they write.
    let other = lab.path("other");
    fs::create_dir_all(lab.path("home/.docker")).expect("made");
    fs::create_dir_all(&other).expect("made");
    let encoded = data_encoding::BASE64.encode(format!("{USER}:{PASSWORD}").as_bytes());
    let config = format!("{{\"auths\":{{\"{}\":{{\"auth\":\"{encoded}\"}}}}}}", registry.host());
    fs::write(lab.path("home/.docker/config.json"), config).expect("written");
    let manifest = format!(
        "[workspace]\nname = \"other\"\nplatforms = [\"linux/amd64\"]\n[images.more]\nfrom = \"{}/team/tiny:latest\"\n\
         files = {{ \"/etc/more\" = {{ text = \"more\" }} }}\n",
        registry.host()
    );
    fs::write(other.join("plywood.toml"), manifest).expect("written");
    succeed(&mut lab.command_in("other", "fresh", &["build", "more", "--platform", "linux/amd64"]));
    let locked = fs::read_to_string(other.join("plywood.lock")).expect("a lock");
    assert!(locked.contains("/team/tiny:latest") && locked.contains("sha256:"), "{locked}");
    let short = &digest["sha256:".len()..][..12];
    let image = format!("{}/team/tiny:sha256-{short}", registry.host());
    succeed(Command::new("podman").args(["rmi", "--force", &image]));
}

#[test]
fn registries_that_cannot_be_used_are_explained() {
    if !require(&["docker-registry", "ldd"]) {
        return;
    }
    let lab = Lab::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let check = |prefix: &str, expect: &[&str]| {
        let push = ["push", "tiny", "--platform", "linux/amd64", "--registry", prefix];
        let said = fail(&mut lab.command("cache", &push), 1);
        for text in expect {
            assert!(said.contains(text), "{prefix}: {said}");
        }
    };
    check("no-such-host.invalid/team", &["there is no host `no-such-host.invalid`", "hint: check the registry's name"]);
    check(&format!("{closed}/team"), &["refuses connections", "hint: check the port"]);
    let digest = format!("sha256:{}", "0".repeat(64));
    let said = fail(&mut lab.command("cache", &["promote", &format!("tiny@{digest}"), "--tag", "x"]), 1);
    assert!(said.contains("there is no host `registry.invalid`") && said.contains("hint: "), "{said}");
}
