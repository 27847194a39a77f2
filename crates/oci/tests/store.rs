//! The store: nothing half-written is seen, nothing damaged ships.

mod common;

use std::time::{Duration, SystemTime};

use common::*;
use plywood_core::item::ItemId;
use plywood_core::tree::{Meta, Node};
use plywood_oci::codec::Codec;
use plywood_oci::layer::build_layer;
use plywood_oci::store::{PruneLimits, Store, StoreError};

/// A segment with bytes that do not compress well, so that damage hits them.
fn noisy(store: &Store, seed: u32) -> ItemId {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let bytes: Vec<u8> = (0..50_000).map(|_| next()).collect();
    item(store, Codec::ZSTD, &[(path(&format!("noise{seed}")), Node::file(Meta::root(0o644, 0), bytes))])
}

fn segment_path(store: &Store, item: ItemId) -> camino::Utf8PathBuf {
    store.segment(item, Codec::ZSTD).expect("looked up").expect("there").path().to_owned()
}

#[test]
fn a_segment_cut_anywhere_counts_as_absent() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let id = noisy(&store, 1);
    let path = segment_path(&store, id);
    let whole = std::fs::read(&path).expect("read");
    for length in [0, 1, 15, 16, 100, whole.len() / 2, whole.len() - 17, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).expect("cut");
        assert!(store.segment(id, Codec::ZSTD).expect("looked up").is_none(), "{length} bytes");
    }
    std::fs::write(&path, vec![0; whole.len()]).expect("zeroed");
    assert!(store.segment(id, Codec::ZSTD).expect("looked up").is_none());
    assert_eq!(noisy(&store, 1), id);
    assert_eq!(std::fs::read(&path).expect("read"), whole, "it is made again");
}

#[test]
fn a_damaged_segment_makes_no_layer() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let (first, second) = (noisy(&store, 1), noisy(&store, 2));
    for damaged in [first, second] {
        let path = segment_path(&store, damaged);
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[20_000] ^= 1;
        std::fs::write(&path, &bytes).expect("damaged");
        let error = build_layer(&store, Codec::ZSTD, &[first, second]).expect_err("refused");
        assert!(!error.to_string().is_empty());
        bytes[20_000] ^= 1;
        std::fs::write(&path, &bytes).expect("mended");
    }
    build_layer(&store, Codec::ZSTD, &[first, second]).expect("built");
}

#[test]
fn a_damaged_index_is_found_out() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let id = ItemId::of_parts([b"indexed".as_slice()]);
    let segment = store.create_segment(id, Codec::ZSTD).expect("created").finish(b"the index").expect("finished");
    assert_eq!(segment.index().expect("read"), b"the index");
    let mut bytes = std::fs::read(segment.path()).expect("read");
    let at = bytes.windows(9).position(|window| window == b"the index").expect("in the file");
    bytes[at] ^= 1;
    std::fs::write(segment.path(), bytes).expect("damaged");
    let again = store.segment(id, Codec::ZSTD).expect("looked up").expect("there");
    assert!(matches!(again.index(), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_lost_blob_is_made_again() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let items = [noisy(&store, 1), noisy(&store, 2)];
    let layer = build_layer(&store, Codec::ZSTD, &items).expect("built");
    let blob = store.blob_path(layer.digest);
    std::fs::remove_file(&blob).expect("removed");
    assert_eq!(store.layer(layer.key.expect("one of ours")).expect("looked up"), None);
    assert_eq!(build_layer(&store, Codec::ZSTD, &items).expect("built"), layer);
    std::fs::write(&blob, b"cut").expect("cut");
    assert_eq!(build_layer(&store, Codec::ZSTD, &items).expect("built"), layer);
    assert_eq!(std::fs::metadata(&blob).expect("there").len(), layer.size);
}

#[test]
fn what_dead_processes_left_is_removed_and_what_the_living_write_is_not() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let stale = store.root().join("tmp/.tmpDEAD");
    std::fs::write(&stale, b"half").expect("written");
    let id = ItemId::of_parts([b"living".as_slice()]);
    let writer = store.create_segment(id, Codec::ZSTD).expect("created");
    let second = scratch.store();
    assert!(!stale.exists());
    writer.finish(b"").expect("finished although another opened the store meanwhile");
    assert!(second.segment(id, Codec::ZSTD).expect("looked up").is_some());
}

#[test]
fn pruning_keeps_what_was_used_last() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let (old, new) = (noisy(&store, 1), noisy(&store, 2));
    let path = segment_path(&store, old);
    let age = |path: &camino::Utf8Path, days: u64| {
        let file = std::fs::File::options().append(true).open(path).expect("opened");
        file.set_modified(SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60)).expect("set");
    };
    age(&path, 40);
    let usage = store.usage().expect("counted");
    assert_eq!((usage.segments.files, usage.bytes()), (2, usage.segments.bytes));

    let other = scratch.store();
    let limits = PruneLimits { max_age: Some(Duration::from_secs(30 * 24 * 60 * 60)), max_bytes: None };
    assert!(matches!(store.prune(limits), Err(StoreError::InUse { .. })), "not under another's feet");
    drop(other);

    assert_eq!(store.prune(limits).expect("pruned").files, 1);
    assert!(store.segment(old, Codec::ZSTD).expect("looked up").is_none());
    assert!(store.segment(new, Codec::ZSTD).expect("looked up").is_some());
    let limits = PruneLimits { max_age: None, max_bytes: Some(0) };
    assert_eq!(store.prune(limits).expect("pruned").files, 1);
    assert_eq!(store.usage().expect("counted").bytes(), 0);
}

#[test]
fn using_a_segment_keeps_it_from_pruning() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let id = noisy(&store, 1);
    let path = segment_path(&store, id);
    let file = std::fs::File::options().append(true).open(&path).expect("opened");
    file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
    store.segment(id, Codec::ZSTD).expect("looked up");
    let limits = PruneLimits { max_age: Some(Duration::from_secs(3600)), max_bytes: None };
    assert_eq!(store.prune(limits).expect("pruned").files, 0);
}

#[test]
fn errors_name_the_path() {
    let scratch = Scratch::new();
    let blocked = scratch.join("file");
    std::fs::write(&blocked, b"").expect("written");
    let error = Store::open(blocked.join("store")).expect_err("refused");
    assert!(error.to_string().contains(blocked.as_str()), "{error}");
}
