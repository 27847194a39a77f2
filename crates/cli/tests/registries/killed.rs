//! A push that is killed: no tag, and the next one goes on where it ended.

use std::process::Stdio;

use plywood_testkit::registry::RegistryFault;
use plywood_testkit::{TestRegistry, require};

use crate::lab::Lab;

/// Kills a push once requests of this method for `part` are answered no more, then pushes again. Gives how many blobs were
/// sent before and after.
fn kill_at(method: &str, part: &str) -> (usize, usize) {
    let (lab, registry) = (Lab::new(), TestRegistry::start());
    let prefix = format!("{}/team", registry.host());
    let push = ["push", "--platform", "linux/amd64", "--registry", &prefix];
    registry.fail_always(method, part, RegistryFault::Stall(0));
    let mut command = lab.command("cache", &push);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    while registry.count(method, part) == 0 {
        assert!(child.try_wait().expect("asked").is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("waited");
    let sent = || registry.count("PUT", "/blobs/uploads/");
    let before = sent();
    registry.recover();
    // The registry may have done what it was asked without saying so, but nothing has a tag that is not whole.
    let tagged = registry.tag("team/tiny", "latest");
    let report = lab.json("cache", &push);
    let digest = report["images"][0]["digest"].as_str().expect("a digest").to_owned();
    assert_eq!(registry.tag("team/tiny", "latest").map(|digest| digest.to_string()), Some(digest.clone()));
    assert!(tagged.is_none_or(|tagged| tagged.to_string() == digest));
    let check = lab.json("cache", &["promote", &format!("{prefix}/tiny@{digest}"), "--tag", "latest", "--dry-run"]);
    assert_eq!(check["images"][0]["error"], serde_json::Value::Null, "{check}");
    (before, sent() - before)
}

#[test]
fn a_killed_push_is_gone_on_with() {
    if !require(&["ldd"]) {
        return;
    }
    let blobs = 2;
    // Before anything, between blobs and manifest, and before the tag.
    assert_eq!(kill_at("POST", "/blobs/uploads/"), (0, blobs));
    assert_eq!(kill_at("PUT", "/manifests/sha256:"), (blobs, 0));
    assert_eq!(kill_at("PUT", "/manifests/latest"), (blobs, 0));
    let (before, after) = kill_at("PUT", "/blobs/uploads/");
    assert!(before > 0 && before + after <= 2 * blobs, "{before} and {after}");
}
