use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const HASH: &str = "sha256-pQpattmS9VmO3ZIQUFn66az8GSmB4IvYhTTCFn6SUmo=";

fn node(inputs: Value) -> Value {
    let reference = json!({ "type": "path", "path": "/x", "narHash": HASH, "lastModified": 7 });
    json!({ "inputs": inputs, "locked": reference, "original": { "type": "indirect", "id": "x" } })
}

/// A lock file of these inputs of the root and these nodes.
fn lock(root: Value, nodes: &[(&str, Value)]) -> Value {
    let mut all = serde_json::Map::from_iter([("root".to_owned(), json!({ "inputs": root }))]);
    all.extend(nodes.iter().map(|(name, inputs)| ((*name).to_owned(), node(inputs.clone()))));
    json!({ "version": 7, "root": "root", "nodes": all })
}

fn parse(value: &Value) -> Result<FlakeLock, FlakeLockError> {
    FlakeLock::parse(value.to_string().as_bytes())
}

fn sample() -> Value {
    lock(
        json!({ "nixpkgs": "nixpkgs_2", "home": "home", "utils": ["home", "utils"] }),
        &[
            ("nixpkgs", json!({})),
            ("nixpkgs_2", json!({})),
            ("home", json!({ "nixpkgs": ["nixpkgs"], "utils": "utils", "none": [] })),
            ("utils", json!({ "systems": ["home", "nixpkgs"], "old": "nixpkgs" })),
        ],
    )
}

#[test]
fn inputs_lead_to_nodes() {
    let lock = parse(&sample()).unwrap();
    let check = |way: &[&str], expect: Option<&str>| {
        assert_eq!(lock.input(way.iter().copied()).map(|(name, _)| name), expect, "{way:?}");
    };
    check(&[], Some("root"));
    check(&["nixpkgs"], Some("nixpkgs_2"));
    check(&["home", "nixpkgs"], Some("nixpkgs_2"));
    check(&["utils", "systems"], Some("nixpkgs_2"));
    check(&["utils", "old"], Some("nixpkgs"));
    check(&["home", "none", "home"], Some("home"));
    check(&["home", "absent"], None);
    check(&["absent", "home"], None);
    assert_eq!(lock.inputs("utils").collect::<Vec<_>>(), [("old", "nixpkgs"), ("systems", "nixpkgs_2")]);
    assert_eq!((lock.version(), lock.root(), lock.nodes().len()), (7, "root", 5));
}

#[test]
fn references_have_attributes() {
    let lock = parse(&sample()).unwrap();
    let (_, node) = lock.input(["home"]).unwrap();
    let locked = node.locked.as_ref().unwrap();
    assert_eq!(
        (locked.kind(), locked.text("path"), locked.integer("lastModified")),
        (Some("path"), Some("/x"), Some(7))
    );
    assert_eq!(locked.nar_hash().unwrap().to_sri(), HASH);
    assert_eq!(locked.store_path().unwrap().name(), "source");
    assert!(node.is_flake);
    assert_eq!(node.original.as_ref().and_then(FlakeReference::kind), Some("indirect"));
}

#[test]
fn older_versions_have_hashes_apart() {
    let mut value = sample();
    value["version"] = json!(5);
    let home = &mut value["nodes"]["home"];
    home["locked"] = json!({ "type": "github", "owner": "o", "repo": "r", "rev": "0" });
    home["info"] = json!({ "narHash": HASH, "lastModified": 7 });
    home["flake"] = json!(false);
    let lock = parse(&value).unwrap();
    let (_, home) = lock.input(["home"]).unwrap();
    assert_eq!(home.locked.as_ref().unwrap().nar_hash().unwrap().to_sri(), HASH);
    assert!(!home.is_flake);
}

#[test]
fn what_is_wrong_is_named() {
    let check = |value: &Value, expect: &str| assert_eq!(parse(value).unwrap_err().to_string(), expect, "{value}");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = sample();
        change(&mut value);
        value
    };
    check(&json!([]), "flake.lock is not as Nix writes it");
    check(&with(&|lock| lock["version"] = json!(4)), "flake.lock has version 4, not 5 to 7");
    check(&with(&|lock| lock["version"] = json!(8)), "flake.lock has version 8, not 5 to 7");
    check(&with(&|lock| lock["root"] = json!("x")), "flake.lock has no node `x`");
    check(&with(&|lock| lock["nodes"]["home"]["inputs"]["a"] = json!("b")), "flake.lock has no node `b`");
    check(
        &with(&|lock| lock["nodes"]["home"]["locked"] = json!(null)),
        "the node `home` of flake.lock has no `locked`",
    );
    check(&with(&|lock| lock["nodes"]["home"]["original"] = json!({})), "the node `home` of flake.lock has no `type`");
    let hash = |hash: Value| with(&|lock| lock["nodes"]["home"]["locked"]["narHash"] = hash.clone());
    check(&hash(json!("sha256-x")), "the node `home` of flake.lock has a bad `narHash`");
    check(&hash(json!(1)), "the node `home` of flake.lock has a bad `narHash`");
    let follows = |way: Value| with(&|lock| lock["nodes"]["home"]["inputs"]["x"] = way.clone());
    check(&follows(json!(["absent"])), "the input `x` of node `home` in flake.lock follows an input that is not there");
    check(&follows(json!(["home", "x"])), "the input `x` of node `home` in flake.lock follows itself");
    check(&follows(json!(["home", "x", "y"])), "the input `x` of node `home` in flake.lock follows itself");
    assert!(matches!(FlakeLock::parse(&vec![b' '; FlakeLock::MAX_LEN + 1]), Err(FlakeLockError::TooLong)));
}

/// Each input follows the next one twice: without memory this would take 2^60 steps, and longer ones end the stack.
#[test]
fn follows_that_hang_on_each_other_end() {
    let chain = |length: usize| {
        let mut root = serde_json::Map::from_iter([("0".to_owned(), json!("a"))]);
        for at in 1..length {
            let before = (at - 1).to_string();
            root.insert(at.to_string(), json!([before, "self", "self"]));
        }
        parse(&lock(root.into(), &[("a", json!({ "self": "a" }))]))
    };
    assert!(chain(60).is_ok());
    assert!(matches!(chain(100_000), Err(FlakeLockError::FollowsItself { .. })));
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = FlakeLock::parse(&bytes);
    }

    #[test]
    fn changed_locks_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = sample().to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = FlakeLock::parse(&bytes);
    }

    /// Whatever follows whatever: reading ends, and every input of what was read leads to a node.
    #[test]
    fn arbitrary_follows(
        inputs in prop::collection::vec((0..4_usize, 0..4_usize, prop::option::of(0..4_usize), prop::collection::vec(0..4_usize, 0..4)), 0..12)
    ) {
        const NODES: [&str; 4] = ["root", "a", "b", "c"];
        const INPUTS: [&str; 4] = ["i", "j", "k", "l"];
        let mut value = lock(json!({}), &[("a", json!({})), ("b", json!({})), ("c", json!({}))]);
        for (node, input, direct, way) in inputs {
            let to = match direct {
                Some(direct) => json!(NODES[direct]),
                None => way.iter().map(|step| INPUTS[*step]).collect(),
            };
            value["nodes"][NODES[node]]["inputs"][INPUTS[input]] = to;
        }
        if let Ok(lock) = parse(&value) {
            for (name, node) in lock.nodes() {
                prop_assert_eq!(lock.inputs(name).count(), node.inputs.len());
                prop_assert!(lock.inputs(name).all(|(_, target)| lock.nodes().contains_key(target)));
            }
        }
    }
}
