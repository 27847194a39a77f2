//! Which cache is asked, how often, and with what.

use plywood::http::netrc::Netrc;
use plywood::nix::{NixError, SourcesConfig};
use plywood_core::nix::Compression;
use plywood_testkit::{Fault, TestPath, TestSubstituter};

use super::fixture::{Fixture, chain, library, program};

fn cache(priority: u32) -> TestSubstituter {
    let cache_info = format!("StoreDir: /nix/store\nWantMassQuery: 1\nPriority: {priority}\n");
    TestSubstituter::new([library()]).described(&cache_info)
}

#[test]
fn every_compression_is_read() {
    let all = [Compression::None, Compression::Xz, Compression::Zstd, Compression::Gzip, Compression::Bzip2];
    let mut segments = Vec::new();
    for compression in all {
        let library = library();
        let program = program(&library);
        let cache = TestSubstituter::new([library.clone(), program.clone()]).compressed(compression);
        let (server, fixture) = (cache.serve(), Fixture::new());
        fixture.fetch(fixture.config(&[&server.url()]), &[&library, &program]).expect("a good cache");
        let size = (library.nar.len() + program.nar.len()) as u64;
        assert_eq!(fixture.events.progress(), (size, size), "{compression:?}");
        segments.push((fixture.segment(&library), fixture.segment(&program)));

        let folder = fixture.beside("cache-on-disk");
        cache.write_to(&folder).expect("written");
        let fixture = Fixture::new();
        let url = format!("file://{}", folder.display());
        fixture.fetch(fixture.config(&[&url]), &[&library, &program]).expect("a good folder");
        segments.push((fixture.segment(&library), fixture.segment(&program)));
    }
    assert!(segments.windows(2).all(|pair| pair[0] == pair[1]), "segments differ by compression");
}

#[test]
fn the_lower_priority_is_asked_first() {
    for (first, second, in_url, expect) in
        [(40, 30, "", [0, 1]), (40, 40, "", [1, 0]), (30, 40, "?priority=50", [0, 1])]
    {
        let (a, b, fixture) = (cache(first).serve(), cache(second).serve(), Fixture::new());
        let urls = [format!("{}{in_url}", a.url()), b.url()];
        fixture.fetch(fixture.config(&[&urls[0], &urls[1]]), &[&library()]).expect("good caches");
        assert_eq!([a.count(".nar.zst"), b.count(".nar.zst")], expect, "{first} {second} {in_url}");
    }
}

#[test]
fn what_is_there_is_not_asked_for_again() {
    let (server, fixture) = (cache(40).serve(), Fixture::new());
    fixture.fetch(fixture.config(&[&server.url()]), &[&library()]).expect("a good cache");
    let before = server.requests().len();
    fixture.fetch(fixture.config(&[&server.url()]), &[&library()]).expect("nothing to do");
    assert_eq!(server.requests().len(), before);
}

#[test]
fn what_passes_is_overcome() {
    for fault in
        [Fault::Status(503), Fault::RetryAfter(0), Fault::Stall(1000), Fault::Truncate(300_000), Fault::Stall(0)]
    {
        for file in ["nix-cache-info", ".narinfo", ".nar.zst"] {
            let (server, fixture) = (cache(40).serve(), Fixture::new());
            server.fail_once(file, fault.clone());
            let result = fixture.fetch(fixture.config(&[&server.url()]), &[&library()]);
            result.unwrap_or_else(|error| panic!("{fault:?} of {file}: {}", chain(&error)));
            let size = library().nar.len() as u64;
            assert_eq!(fixture.events.progress(), (size, size), "{fault:?} of {file}");
        }
    }
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    for (second, expect) in [(None, "bytes=300000-"), (Some(Fault::IgnoreRange), "bytes=300000-")] {
        let (server, fixture) = (cache(40).serve(), Fixture::new());
        server.fail_once(".nar.zst", Fault::Truncate(300_000));
        if let Some(fault) = second {
            server.fail_once(".nar.zst", fault);
        }
        fixture.fetch(fixture.config(&[&server.url()]), &[&library()]).expect("the rest");
        let asked = server.requests();
        let ranges = asked.iter().filter(|request| request.path.ends_with(".nar.zst")).map(|r| r.headers.get("range"));
        assert_eq!(ranges.collect::<Vec<_>>(), [None, Some(&expect.to_owned())]);
    }
}

#[test]
fn a_cache_that_is_down_is_not_asked_for_every_path() {
    let paths: Vec<TestPath> = (0..20)
        .map(|number| TestPath::new(&format!("p-{number}"), plywood_testkit::StoreNode::file("x"), &[]))
        .collect();
    let (down, good) = (TestSubstituter::new(paths.clone()).serve(), TestSubstituter::new(paths.clone()).serve());
    down.fail_always(".narinfo", Fault::Status(500));
    let fixture = Fixture::new();
    let config = fixture.config(&[&down.url(), &good.url()]);
    fixture.fetch(config, &paths.iter().collect::<Vec<_>>()).expect("the good one");
    assert!(down.count(".narinfo") <= 2 * 4, "{} questions", down.count(".narinfo"));
    assert_eq!(fixture.events.warnings().len(), 1, "{:?}", fixture.events.warnings());
}

#[test]
fn credentials_come_from_netrc_and_stay_at_their_host() {
    let (server, other, fixture) = (cache(40).serve(), cache(40).serve(), Fixture::new());
    server.demand("Basic YW5uYTpzZXNhbWU=");
    let error = fixture.fetch(fixture.config(&[&server.url()]), &[&library()]).expect_err("nobody known");
    assert!(chain(&error).contains("access is refused (HTTP 401)"), "{}", chain(&error));

    // Redirected to another port, which counts as another host.
    server.fail_always(".nar.zst", Fault::Redirect(other.url()));
    let netrc = Netrc::parse("machine 127.0.0.1 login anna password sesame");
    let config = SourcesConfig { netrc, ..fixture.config(&[&server.url()]) };
    fixture.fetch(config, &[&library()]).expect("somebody known");
    assert_eq!(other.requests().len(), 1);
    assert!(other.requests().iter().all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn what_is_gone_is_named_after_the_rest_is_fetched() {
    let library = library();
    let program = program(&library);
    let (server, fixture) = (TestSubstituter::new([library.clone()]).serve(), Fixture::new());
    let error = fixture.fetch(fixture.config(&[&server.url()]), &[&program, &library]).expect_err("not there");
    assert!(matches!(&error, NixError::Gone(paths) if *paths == [program.path.clone()]), "{error:?}");
    assert!(error.hint().is_some());
    fixture.segment(&library);
}
