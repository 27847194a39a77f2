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

/// As many as are in transfer at once.
const PATHS: usize = 8;
/// In each, in bytes; a decoder has touched as much of its dictionary in the end.
const SIZE: usize = 56 << 20;
/// In KiB: what decoders may take together, and enough for the rest. Without their bound it is 300 MiB and more.
const LIMIT: u64 = 220 << 10;

fn zeros(name: &str) -> TestPath {
    // The NAR is enough: the test itself need not hold everything twice.
    TestPath { node: StoreNode::file(""), ..TestPath::new(name, StoreNode::file(vec![0; SIZE]), &[]) }
}

/// What the test below runs as a process of its own; by itself it does nothing.
#[test]
fn a_process_to_be_measured() {
    let Ok(job) = std::env::var("PLYWOOD_TEST_MEASURED") else { return };
    let [cache, url, ref names @ ..] = *job.split(' ').collect::<Vec<_>>() else { panic!("a cache and a URL") };
    let config = Fixture::new().config(&[url]);
    let patience = Patience { stall: Duration::from_secs(600), parallel: PATHS, ..config.patience };
    let config = SourcesConfig { cache: cache.into(), patience, ..config };
    let like = wanted(&zeros("zeros"));
    let wanted = names.iter().map(|name| WantedPath { path: name.parse().expect("a store path"), ..like.clone() });
    let wanted: Vec<WantedPath> = wanted.collect();
    let store = Store::open(cache).expect("a store");
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak starts anew");
    let sources = Sources::new(config, &Silent).expect("sources");
    sources.fetch_all(&store, &wanted, Codec::ZSTD, NonZeroUsize::MIN).expect("fetched");
    let status = std::fs::read_to_string("/proc/self/status").expect("proc(5)");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    std::fs::write(store.root().join("peak"), peak.trim().trim_end_matches(" kB")).expect("written");
}

#[test]
fn large_dictionaries_are_not_all_in_memory_at_once() {
    let fixture = Fixture::new();
    let paths: Vec<TestPath> = (0..PATHS).map(|number| zeros(&format!("zeros-{number}"))).collect();
    let names: Vec<String> = paths.iter().map(|path| path.path.to_string()).collect();
    let server = TestSubstituter::new(paths).with_xz_dictionary(64 << 20).serve();
    let status = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "memory::a_process_to_be_measured"])
        .env("PLYWOOD_TEST_MEASURED", format!("{} {} {}", fixture.cache, server.url(), names.join(" ")))
        .status();
    assert!(status.expect("started").success());
    let peak = std::fs::read_to_string(fixture.cache.join("peak")).expect("it said its peak");
    let peak: u64 = peak.parse().expect("a number");
    assert!(peak < LIMIT, "{peak} KiB");
}
