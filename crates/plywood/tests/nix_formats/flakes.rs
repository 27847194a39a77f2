//! `flake.lock` against what Nix makes of it.

use std::fs;

use plywood_core::nix::{FlakeLock, StorePath};
use serde_json::Value;

use crate::nix::{Nix, utf8};

/// Flakes that follow each other's inputs, and their root, which shows the NAR hashes and places of all.
fn flakes(nix: &Nix) -> String {
    let path = |name: &str| format!("path:{}", utf8(&nix.path(name)));
    nix.file("a/flake.nix", "{ outputs = _: { }; }");
    nix.file("data/file", "text");
    nix.file(
        "b/flake.nix",
        format!(
            "{{ inputs.a.url = \"{}\"; inputs.data = {{ url = \"{}\"; flake = false; }}; outputs = i: {{ inherit (i) a data; }}; }}",
            path("a"),
            path("data")
        ),
    );
    let root = r#"{
        inputs.a.url = "@A@";
        inputs.b = { url = "@B@"; inputs.a.follows = "a"; };
        inputs.c = { url = "@B@"; inputs.data.follows = "b/data"; inputs.a.follows = "b/a"; };
        inputs.d = { url = "@B@"; inputs.a.follows = "data"; };
        inputs.e = { url = "@B@"; inputs.data.follows = ""; };
        inputs.data.follows = "c/data";
        outputs = inputs: {
            ways = with inputs; builtins.mapAttrs (_: input: { inherit (input) narHash; place = input.outPath; }) {
                "a" = a; "b" = b; "data" = data; "b/a" = b.a; "b/data" = b.data; "c/a" = c.a; "c/data" = c.data;
                "d/a" = d.a; "d/data" = d.data; "e/a" = e.a;
            };
        };
    }"#;
    nix.file("root/flake.nix", root.replace("@A@", &path("a")).replace("@B@", &path("b")));
    path("root")
}

#[test]
fn inputs_lead_where_nix_goes() {
    let Some(nix) = Nix::new() else { return };
    let flake = flakes(&nix);
    nix.nix(&["flake", "lock", &flake]);
    let bytes = fs::read(nix.path("root/flake.lock")).expect("a lock file");
    let lock = FlakeLock::parse(&bytes).expect("a lock file");
    let metadata: Value = serde_json::from_str(&nix.nix(&["flake", "metadata", "--json", &flake])).expect("JSON");
    let as_nix_has_it = FlakeLock::parse(metadata["locks"].to_string().as_bytes()).expect("a lock file");
    assert_eq!(lock, as_nix_has_it);
    let ways: Value = serde_json::from_str(&nix.nix(&["eval", "--json", &format!("{flake}#ways")])).expect("JSON");
    let ways = ways.as_object().expect("an object");
    assert_eq!(ways.len(), 10);
    for (way, theirs) in ways {
        let (_, node) = lock.input(way.split('/')).expect(way);
        let locked = node.locked.as_ref().expect("locked");
        assert_eq!(locked.nar_hash().map(|hash| hash.to_sri()).as_deref(), theirs["narHash"].as_str(), "{way}");
        let place = locked.store_path().as_ref().map(StorePath::absolute);
        assert_eq!(place.as_deref(), theirs["place"].as_str(), "{way}");
    }
    let data = lock.input(["e", "data"]).expect("the root");
    assert_eq!(data.0, lock.root());
    assert!(!lock.input(["data"]).expect("there").1.is_flake);
}

#[test]
fn versions_that_nix_reads_are_read() {
    let Some(nix) = Nix::new() else { return };
    let flake = flakes(&nix);
    nix.nix(&["flake", "lock", &flake]);
    let file = nix.path("root/flake.lock");
    let good: Value = serde_json::from_slice(&fs::read(&file).expect("a lock file")).expect("JSON");
    let store = nix.path("store");
    let check = |what: &str, lock: &Value, accepted: bool| {
        fs::write(&file, lock.to_string()).expect("written");
        let theirs = nix.try_run(
            "nix",
            &["flake", "metadata", "--json", "--no-update-lock-file", &flake, "--store", utf8(&store)],
            b"",
        );
        let ours = FlakeLock::parse(lock.to_string().as_bytes());
        let error = String::from_utf8_lossy(&theirs.stderr);
        assert_eq!((ours.is_ok(), theirs.status.success()), (accepted, accepted), "{what}: {ours:?} {error}");
    };
    let with = |change: &dyn Fn(&mut Value)| {
        let mut lock = good.clone();
        change(&mut lock);
        lock
    };
    for version in [5, 6, 7] {
        check("a known version", &with(&|lock| lock["version"] = version.into()), true);
    }
    check("a version before", &with(&|lock| lock["version"] = 4.into()), false);
    check("a version after", &with(&|lock| lock["version"] = 8.into()), false);
    check("a missing node", &with(&|lock| lock["nodes"]["root"]["inputs"]["a"] = "absent".into()), false);
    check("no lock", &with(&|lock| lock["nodes"]["a"]["locked"] = Value::Null), false);
    check("something new", &with(&|lock| lock["nodes"]["a"]["new"] = Value::Null), true);
    check("a bad hash", &with(&|lock| lock["nodes"]["a"]["locked"]["narHash"] = "sha256-x".into()), false);
}
