//! The fuzz targets of `fuzz/` on the stable compiler: every seed, and a number of random changes to each.

#[expect(unreachable_pub, reason = "a library of its own in fuzz/")]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// The seeds of a target by their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let entries = std::fs::read_dir(&folder).expect("a folder of seeds");
    let mut seeds: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (path.file_name().expect("a name").to_string_lossy().into_owned(), std::fs::read(&path).expect("a seed"))
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 3, "{target} has seeds");
    seeds
}

/// What a fuzzer does to its corpus: other bytes, fewer, repeated, or those of another seed.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Splice(prop::sample::Index, prop::sample::Index, prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<prop::sample::Index>;
    let change = prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (at(), 1..24_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (at(), 1..200_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        (at(), at(), at()).prop_map(|(at, seed, from)| Change::Splice(at, seed, from)),
    ];
    prop::collection::vec(change, 1..5)
}

fn apply(bytes: &mut Vec<u8>, change: &Change, seeds: &[(String, Vec<u8>)]) {
    if bytes.is_empty() {
        return;
    }
    match change {
        Change::Set(at, byte) => *at.get_mut(bytes) = *byte,
        Change::Flip(at, bit) => *at.get_mut(bytes) ^= 1 << bit,
        Change::Remove(at, length) => {
            let at = at.index(bytes.len());
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        Change::Repeat(at, length) => {
            let at = at.index(bytes.len());
            let part = bytes[at..(at + length).min(bytes.len())].to_vec();
            bytes.splice(at..at, part);
        }
        Change::Splice(at, seed, from) => {
            let (_, other) = seed.get(seeds);
            bytes.truncate(at.index(bytes.len()));
            bytes.extend_from_slice(&other[from.index(other.len())..]);
        }
    }
}

fn run(target: &str, body: fn(&[u8]), good: fn(&[u8]) -> bool) {
    let seeds = seeds(target);
    for (name, seed) in &seeds {
        assert_eq!(good(seed), !name.starts_with("bad-"), "{target}/{name}");
        body(seed);
    }
    let strategy = (any::<prop::sample::Index>(), changes());
    let mut runner = TestRunner::new(ProptestConfig { cases: 4000, failure_persistence: None, ..Default::default() });
    let result = runner.run(&strategy, |(seed, changes)| {
        let (_, mut bytes) = seed.get(&seeds).clone();
        changes.iter().for_each(|change| apply(&mut bytes, change, &seeds));
        body(&bytes);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{target}: {error}"));
}

#[test]
fn nar() {
    use plywood_core::nix::nar::{Discard, NarLimits, read};
    run("nar", targets::nar, |mut bytes| read(&mut bytes, &mut Discard, &NarLimits::default()).is_ok());
}

#[test]
fn narinfo() {
    run("narinfo", targets::narinfo, |bytes| plywood_core::nix::NarInfo::parse(bytes).is_ok());
}

#[test]
fn derivation() {
    run("derivation", targets::derivation, |bytes| plywood_core::nix::Derivation::parse(bytes).is_ok());
}

#[test]
fn flake_lock() {
    run("flake_lock", targets::flake_lock, |bytes| plywood_core::nix::FlakeLock::parse(bytes).is_ok());
}
