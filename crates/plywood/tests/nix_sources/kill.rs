//! A process that is killed in the middle leaves a cache that is as good as before.

use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use plywood::events::Silent;
use plywood::http::Patience;
use plywood::nix::{Sources, SourcesConfig};
use plywood_core::nix::store_item_id;
use plywood_oci::codec::Codec;
use plywood_oci::store::Store;
use plywood_testkit::{Fault, TestSubstituter};

use super::fixture::{Fixture, library, program, wanted};

/// What the test below runs as a process of its own; by itself it does nothing.
#[test]
fn a_process_to_be_killed() {
    let Ok(job) = std::env::var("PLYWOOD_TEST_KILLED") else { return };
    let (cache, url) = job.split_once(' ').expect("a cache and a URL");
    let config = Fixture::new().config(&[url]);
    let patience = Patience { stall: Duration::from_secs(600), ..config.patience };
    let config = SourcesConfig { cache: cache.into(), patience, ..config };
    let store = Store::open(cache).expect("a store");
    let sources = Sources::new(config, &Silent).expect("sources");
    let (library, jobs) = (library(), NonZeroUsize::MIN);
    let _ = sources.fetch_all(&store, &[wanted(&library), wanted(&program(&library))], Codec::ZSTD, jobs);
}

#[test]
fn a_killed_process_leaves_nothing_half_done() {
    let (fixture, library) = (Fixture::new(), library());
    let program = program(&library);
    let server = TestSubstituter::new([library.clone(), program.clone()]).serve();
    server.fail_always(".nar.zst", Fault::Stall(400_000));
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kill::a_process_to_be_killed"])
        .env("PLYWOOD_TEST_KILLED", format!("{} {}", fixture.cache, server.url()))
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    // Until it writes the segment of the library, of which more never comes.
    let half_done = || {
        let files = std::fs::read_dir(fixture.cache.join("tmp")).expect("readable").flatten();
        files.filter_map(|file| file.metadata().ok()).any(|meta| meta.len() > 0)
    };
    while server.count(".nar.zst") < 2 || !half_done() {
        assert!(child.try_wait().expect("asked").is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("waited");

    let store = Store::open(&fixture.cache).expect("a store");
    let item = store_item_id(&library.path, library.nar_hash());
    assert!(store.segment(item, Codec::ZSTD).expect("readable").is_none(), "half a segment has its name");
    let left = std::fs::read_dir(Utf8Path::new(store.root()).join("tmp")).expect("readable").count();
    assert_eq!(left, 0, "what was half done is swept away");
    drop(store);

    let good = TestSubstituter::new([library.clone(), program.clone()]).serve();
    fixture.fetch(fixture.config(&[&good.url()]), &[&library, &program]).expect("the next process");
    let alone = Fixture::new();
    alone.fetch(alone.config(&[&good.url()]), &[&library, &program]).expect("a good cache");
    assert!(fixture.files() == alone.files(), "other files than without a kill");
}
