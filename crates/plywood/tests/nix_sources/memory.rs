//! What fetching takes of memory.

use std::num::NonZeroUsize;
use std::process::Command;
use std::time::Duration;

use plywood::events::Silent;
use plywood::http::Patience;
use plywood::nix::{Sources, SourcesConfig, WantedPath};
use plywood_oci::codec::Codec;
use plywood_oci::store::Store;
use plywood_testkit::{StoreNode, TestPath, TestSubstituter};

use super::fixture::{Fixture, wanted};

/// In transfer at once.
const PARALLEL: usize = 8;

/// What the tests below run as a process of its own; by itself it does nothing.
#[test]
fn a_process_to_be_measured() {
    let Ok(job) = std::env::var("PLYWOOD_TEST_MEASURED") else { return };
    let [cache, url, ref paths @ ..] = *job.split(' ').collect::<Vec<_>>() else { panic!("a cache and a URL") };
    let config = Fixture::new().config(&[url]);
    let patience = Patience { stall: Duration::from_secs(600), parallel: PARALLEL, ..config.patience };
    let config = SourcesConfig { cache: cache.into(), patience, ..config };
    let store = Store::open(cache).expect("a store");
    let sources = Sources::new(config, &Silent).expect("sources");
    let wanted: Vec<WantedPath> = paths.iter().map(|path| read(path)).collect();
    sources.fetch_all(&store, &wanted, Codec::ZSTD, NonZeroUsize::MIN).expect("fetched");
    let status = std::fs::read_to_string("/proc/self/status").expect("proc(5)");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    std::fs::write(store.root().join("peak"), peak.trim().trim_end_matches(" kB")).expect("written");
}

/// A wanted path without references, as text for the process that is measured.
fn write(wanted: &WantedPath) -> String {
    format!("{},{},{}", wanted.path, wanted.nar_hash.to_sri(), wanted.nar_size)
}

fn read(text: &str) -> WantedPath {
    let [path, hash, size] = *text.split(',').collect::<Vec<_>>() else { panic!("three words") };
    WantedPath {
        path: path.parse().expect("a store path"),
        nar_hash: hash.parse().expect("a hash"),
        nar_size: size.parse().expect("a size"),
        references: Default::default(),
    }
}

/// The most memory, in MiB, that a process has while it fetches these paths, packed with a dictionary of so many bytes.
fn peak(paths: Vec<TestPath>, dictionary: u32) -> u64 {
    let fixture = Fixture::new();
    let wanted: Vec<String> = paths.iter().map(|path| write(&wanted(path))).collect();
    let server = TestSubstituter::new(paths).with_xz_dictionary(dictionary).serve();
    let status = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "memory::a_process_to_be_measured"])
        .env("PLYWOOD_TEST_MEASURED", format!("{} {} {}", fixture.cache, server.url(), wanted.join(" ")))
        .status();
    assert!(status.expect("started").success());
    let peak = std::fs::read_to_string(fixture.cache.join("peak")).expect("it said its peak");
    peak.parse::<u64>().expect("a number") >> 10
}

/// The NAR is enough: the test itself need not hold everything twice.
fn path(name: &str, node: StoreNode) -> TestPath {
    TestPath { node: StoreNode::file(""), ..TestPath::new(name, node, &[]) }
}

#[test]
fn large_dictionaries_are_not_all_in_memory_at_once() {
    // A decoder has touched as much of its dictionary in the end.
    let zeros = |number| path(&format!("zeros-{number}"), StoreNode::file(vec![0; 56 << 20]));
    let peak = peak((0..PARALLEL).map(zeros).collect(), 64 << 20);
    // What decoders may take together, and enough for the rest. Without their bound it is 290 MiB and more.
    assert!(peak < 220, "{peak} MiB");
}

#[test]
fn many_files_take_little_memory() {
    let entry = |number: usize| (format!("a-file-with-a-usual-name-{number:06}").into_bytes(), StoreNode::file(""));
    let many = path("many", StoreNode::Directory((0..200_000).map(entry).collect()));
    let peak = peak(vec![many], 1 << 20);
    // Of each file some 50 bytes; as values they took some 400.
    assert!(peak < 64, "{peak} MiB");
}
