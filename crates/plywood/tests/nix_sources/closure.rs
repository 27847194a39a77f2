//! Closures over narinfos.

use plywood::nix::{NixError, Origin, Sources};
use plywood_core::nix::StorePath;
use plywood_testkit::{Lie, StoreNode, TestPath, TestSubstituter};

use super::fixture::{Fixture, chain};

/// A chain of levels, each path with references to all of the level below.
fn levels(count: usize, width: usize) -> Vec<TestPath> {
    let mut all: Vec<TestPath> = Vec::new();
    for level in 0..count {
        let below: Vec<TestPath> = all.iter().rev().take(if level == 0 { 0 } else { width }).cloned().collect();
        for number in 0..width {
            let node = StoreNode::file(format!("{level} {number}"));
            all.push(TestPath::new(&format!("p-{level}-{number}"), node, &below.iter().collect::<Vec<_>>()));
        }
    }
    all
}

#[test]
fn a_closure_is_walked_and_kept() {
    let paths = levels(8, 6);
    let (server, fixture) = (TestSubstituter::new(paths.clone()).serve(), Fixture::new());
    let root: StorePath = paths.last().expect("a path").path.clone();
    let walk = || {
        let sources = Sources::new(fixture.config(&[&server.url()]), &fixture.events).expect("sources");
        sources.closure(std::slice::from_ref(&root)).expect("a closure")
    };
    let closure = walk();
    assert_eq!(closure.len(), 7 * 6 + 1);
    for path in paths.iter().filter(|path| closure.contains_key(&path.path)) {
        let info = &closure[&path.path];
        assert_eq!((info.nar_hash, info.nar_size), (path.nar_hash(), path.nar.len() as u64));
        assert_eq!(info.references, path.references);
        assert_eq!(info.origin, Origin::Substituter(server.url().parse().expect("a cache")));
        assert_eq!(info.signatures.len(), 1);
    }
    let asked = server.count(".narinfo");
    assert_eq!(asked, closure.len());
    assert_eq!(walk(), closure);
    assert_eq!(server.count(".narinfo"), asked, "narinfos are kept");
}

#[test]
fn what_is_kept_is_checked_again() {
    let path = TestPath::new("p", StoreNode::file("x"), &[]);
    let (server, fixture) = (TestSubstituter::new([path.clone()]).serve(), Fixture::new());
    let ask = |keys: &[&str]| {
        let mut config = fixture.config(&[&server.url()]);
        config.trusted_keys = keys.iter().map(|key| plywood_testkit::substituter::test_key(key).public()).collect();
        Sources::new(config, &fixture.events).expect("sources").path_info(&path.path)
    };
    ask(&["test-1"]).expect("trusted");
    let error = ask(&["another-1"]).expect_err("not trusted any more");
    assert!(chain(&error).contains("no trusted key signed it"), "{}", chain(&error));
}

#[test]
fn a_missing_reference_is_named_with_its_referrer() {
    let paths = levels(2, 1);
    let (server, fixture) = (TestSubstituter::new([paths[1].clone()]).serve(), Fixture::new());
    let sources = Sources::new(fixture.config(&[&server.url()]), &fixture.events).expect("sources");
    let error = sources.closure(&[paths[1].path.clone()]).expect_err("one is missing");
    let expect = (&paths[0].path, &paths[1].path);
    assert!(
        matches!(&error, NixError::MissingReference { path, referrer, .. } if (path, referrer) == expect),
        "{error:?}"
    );
    let error = sources.closure(&[paths[0].path.clone()]).expect_err("the root is missing");
    assert!(matches!(&error, NixError::Unavailable { path, .. } if *path == paths[0].path), "{error:?}");
}

#[test]
fn a_lie_in_the_middle_is_told() {
    let paths = levels(3, 1);
    let cache = TestSubstituter::new(paths.clone()).lie(&paths[1].path, Lie::Unsigned);
    let (server, fixture) = (cache.serve(), Fixture::new());
    let sources = Sources::new(fixture.config(&[&server.url()]), &fixture.events).expect("sources");
    let error = sources.closure(&[paths[2].path.clone()]).expect_err("unsigned");
    assert!(chain(&error).contains("it is not signed"), "{}", chain(&error));
    assert!(
        !fixture.files().keys().any(|name| name.contains(paths[1].path.hash_part())),
        "an unsigned narinfo is kept"
    );
}
