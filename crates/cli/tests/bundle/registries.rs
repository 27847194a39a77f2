//! From a registry to another.

use plywood_core::digest::Digest;
use plywood_testkit::{DockerRegistry, require};
use serde_json::Value;

use crate::lab::{Lab, run};

/// The digest of what a registry has under a name, as skopeo sees it.
pub(crate) fn digest(reference: &str) -> String {
    let raw = run("skopeo", &["inspect", "--raw", "--tls-verify=false", &format!("docker://{reference}")]);
    Digest::of(raw.as_bytes()).to_string()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

#[test]
fn images_and_their_signatures_arrive_as_they_are() {
    if !require(&["docker-registry", "skopeo", "ldd"]) {
        return;
    }
    let lab = Lab::new();
    let (here, there) = (lab.signed_registry(), DockerRegistry::start());
    let names = ["tiny", "more"].map(|name| format!("{}/team/{name}:latest", here.host()));
    let create =
        |file: &str| lab.json(&["bundle", "create", &names[0], &names[1], "--output", lab.text(file).as_str()]);
    let created = create("site.tar");
    // Of the index and both platforms each a signature under cosign's tag and one as a referrer.
    assert_eq!((created["images"].as_object().map(serde_json::Map::len), number(&created["attached"])), (Some(2), 6));
    create("again.tar");
    let bytes = |file: &str| std::fs::read(lab.path(file)).expect("a bundle");
    assert!(bytes("site.tar") == bytes("again.tar"), "two bundles of the same differ");
    assert_eq!(Some(Digest::of(&bytes("site.tar")).to_hex().as_str()), created["sha256"].as_str());

    let prefix = format!("{}/mirror", there.host());
    let push = || lab.json(&["bundle", "push", lab.text("site.tar").as_str(), "--registry", &prefix]);
    let pushed = push();
    let repositories = pushed["repositories"].as_array().expect("repositories");
    let total = |field: &str| repositories.iter().map(|one| number(&one[field])).sum::<u64>();
    assert!(total("uploaded") > 0, "{pushed}");
    assert_eq!((total("present"), total("attached")), (0, 3));
    for name in ["tiny", "more"] {
        let (from, to) = (format!("{}/team/{name}:latest", here.host()), format!("{prefix}/{name}:latest"));
        assert_eq!(digest(&from), digest(&to), "{name}");
        assert_eq!(created["images"][&from].as_str(), Some(digest(&to).as_str()));
    }
    let image = format!("{prefix}/tiny:latest");
    let listed = |reference: &str| lab.json(&["referrers", reference])["referrers"].clone();
    assert_eq!(listed(&image), listed(&names[0]));
    // Signed, and without provenance, which makes `verify` say that not all is well.
    let verified = |reference: &str| {
        let arguments = ["verify", reference, "--key", &lab.text("ci.pub"), "--json"];
        let output = lab.command("cache", &arguments).output().expect("it runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report["digests"].clone()
    };
    let digests = verified(&image);
    assert_eq!(digests, verified(&names[0]));
    let signed = digests.as_array().expect("digests").iter().filter(|one| one["signed_by"] != serde_json::json!([]));
    assert_eq!(signed.count(), 3);
    run("skopeo", &["inspect", "--tls-verify=false", &format!("docker://{image}")]);

    let before = there.requests().len();
    let again = push();
    let repositories = again["repositories"].as_array().expect("repositories");
    assert!(repositories.iter().all(|one| number(&one["uploaded"]) + number(&one["manifests"]) == 0), "{again}");
    let after = there.requests().split_off(before);
    let uploads = after.iter().filter(|access| access.path.contains("/blobs/uploads/"));
    assert_eq!(uploads.count(), 0);
}

#[test]
fn a_bundle_is_an_archive_that_skopeo_reads() {
    if !require(&["docker-registry", "skopeo", "ldd"]) {
        return;
    }
    let lab = Lab::new();
    let registry = lab.signed_registry();
    let name = format!("{}/team/more:latest", registry.host());
    lab.json(&["bundle", "create", &name, "--output", lab.text("one.tar").as_str()]);
    let (from, to) = (format!("oci-archive:{}:{name}", lab.path("one.tar")), format!("oci:{}", lab.path("copy")));
    run("skopeo", &["copy", "--quiet", "--all", "--preserve-digests", &from, &to]);
    let report = lab.json(&["bundle", "inspect", lab.text("one.tar").as_str()]);
    let image = &report["images"][0];
    assert_eq!(image["reference"].as_str(), Some(name.as_str()));
    assert_eq!(image["platforms"], serde_json::json!(["linux/amd64", "linux/arm64/v8"]));
    assert_eq!(image["digest"].as_str(), Some(digest(&name).as_str()));
}

#[test]
fn repositories_that_would_meet_are_told_before_anything_is_written() {
    if !require(&["docker-registry", "ldd"]) {
        return;
    }
    let (lab, registry) = (Lab::new(), DockerRegistry::start());
    lab.bundle("first.tar");
    for folder in ["a", "b"] {
        let prefix = format!("{}/{folder}", registry.host());
        lab.json(&["bundle", "push", lab.text("first.tar").as_str(), "--registry", &prefix]);
    }
    let names = ["a", "b"].map(|folder| format!("{}/{folder}/tiny:latest", registry.host()));
    lab.json(&["bundle", "create", &names[0], &names[1], "--output", lab.text("two.tar").as_str()]);
    let other = DockerRegistry::start();
    let host = other.host();
    let file = lab.text("two.tar");
    let said = crate::lab::fail(&mut lab.command("cache", &["bundle", "push", &file, "--registry", &host]), 1);
    assert!(said.contains("would both be pushed to") && said.contains("--keep-paths"), "{said}");
    assert_eq!(other.requests(), []);
    let pushed = lab.json(&["bundle", "push", &file, "--registry", &host, "--keep-paths"]);
    // The second repository has all its blobs from the first.
    let figures = |at: usize| ["uploaded", "mounted"].map(|field| number(&pushed["repositories"][at][field]));
    let [uploaded, mounted] = figures(0);
    assert_eq!((mounted, figures(1)), (0, [0, uploaded]), "{pushed}");
    assert_eq!(digest(&format!("{host}/b/tiny:latest")), digest(&names[1]));
}
