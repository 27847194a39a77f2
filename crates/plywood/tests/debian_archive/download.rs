//! Downloads that go wrong in every way a network can.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use plywood::debian::{DebRef, FetchError};
use plywood_core::digest::FileHash;
use plywood_testkit::Fault;

use super::fixture::{Fixture, chain, keep_on, package, reference};

#[test]
fn a_passing_fault_is_overcome() {
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::RetryAfter(0),
        Fault::RetryAfter(3600),
        Fault::Stall(1000),
        Fault::Stall(0),
        Fault::Truncate(300_000),
        Fault::Truncate(0),
    ] {
        let fixture = Fixture::new();
        let server = fixture.archive.serve();
        server.fail_once(".deb", fault.clone());
        fixture.download(&[&server.url()]).unwrap_or_else(|error| panic!("{fault:?}: {}", chain(&error)));
        fixture.assert_only_the_package();
        assert_eq!(server.count(".deb"), 2, "{fault:?}");
        let size = fixture.deb.bytes.len() as u64;
        assert_eq!(fixture.events.progress(), (size, size), "{fault:?}: bytes count once");
    }
}

#[test]
fn a_lasting_fault_is_told_and_leaves_nothing_wrong() {
    for (fault, expect, requests) in [
        (Fault::Status(500), "the server answers HTTP 500", 3),
        (Fault::Status(418), "the server answers HTTP 418", 1),
        (Fault::Status(403), "access is refused (HTTP 403)", 1),
        (Fault::RetryAfter(1), "the server answers HTTP 429", 3),
        (Fault::Stall(10), "no data came for ", 3),
        (Fault::WrongBytes, "its SHA-256 is ", 1),
        (Fault::WrongSize, " bytes instead of ", 1),
        (Fault::Endless(100_000), "it has more than ", 1),
    ] {
        let fixture = Fixture::new();
        let server = fixture.archive.serve();
        server.fail_always(".deb", fault.clone());
        let error = fixture.download(&[&server.url()]).expect_err("a lasting fault");
        assert!(matches!(error, FetchError::Unavailable { .. }), "{fault:?}: {error:?}");
        assert!(chain(&error).contains(expect), "{fault:?}: {}", chain(&error));
        assert_eq!(server.count(".deb"), requests, "{fault:?}");
        assert!(fixture.cached().iter().all(|name| name.ends_with(".part")), "{fault:?}: {:?}", fixture.cached());
        // The next download, from a good mirror, is not harmed by what is left.
        let good = fixture.archive.serve();
        fixture.download(&[&good.url()]).expect("a good mirror");
        fixture.assert_only_the_package();
    }
}

#[test]
fn the_next_mirror_steps_in() {
    for fault in [Fault::Status(404), Fault::Status(500), Fault::WrongBytes, Fault::Truncate(200_000), Fault::Stall(5)]
    {
        let fixture = Fixture::new();
        let (bad, good) = (fixture.archive.serve(), fixture.archive.serve());
        bad.fail_always(".deb", fault.clone());
        fixture.download(&[&bad.url(), &good.url()]).unwrap_or_else(|error| panic!("{fault:?}: {}", chain(&error)));
        fixture.assert_only_the_package();
    }
}

#[test]
fn a_mirror_that_cannot_be_reached_is_asked_once() {
    let fixture = Fixture::new();
    let (gone, good) = (fixture.archive.serve(), fixture.archive.serve());
    let url = gone.url();
    drop(gone);
    // The port is free again once the listener has seen that it is stopped.
    let until = Instant::now() + Duration::from_secs(5);
    while std::net::TcpStream::connect(url.trim_start_matches("http://")).is_ok() && Instant::now() < until {}
    let other = package("other", 1000);
    good.replace(&plywood_testkit::TestArchive::path_of(&other), other.bytes.clone());
    let archive = fixture.open(fixture.config(&[&url, &good.url()]));
    archive.download(&[fixture.reference()], keep_on).expect("the good mirror");
    archive.download(&[reference(&other)], keep_on).expect("the good mirror");
}

#[test]
fn a_part_is_resumed() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    // As kill -9 leaves it.
    std::fs::create_dir_all(fixture.part().parent().expect("a folder")).expect("made");
    std::fs::write(fixture.part(), &fixture.deb.bytes[..200_000]).expect("written");
    fixture.download(&[&server.url()]).expect("the rest");
    let asked: Vec<_> = server.requests().iter().map(|request| request.headers.get("range").cloned()).collect();
    assert_eq!(asked, [Some("bytes=200000-".to_owned())]);
    fixture.assert_only_the_package();
}

#[test]
fn a_part_of_no_use_is_thrown_away() {
    let size = Fixture::new().deb.bytes.len();
    let wrong = |length: usize| vec![7; length];
    for (what, part, fault) in [
        ("wrong bytes", wrong(200_000), None),
        ("all wrong", wrong(size), None),
        ("too long", wrong(size + 1), None),
        ("right, but the server starts over", Fixture::new().deb.bytes[..1000].to_vec(), Some(Fault::IgnoreRange)),
        ("wrong, and the server starts over", wrong(1000), Some(Fault::IgnoreRange)),
    ] {
        let fixture = Fixture::new();
        let server = fixture.archive.serve();
        if let Some(fault) = fault {
            server.fail_always(".deb", fault);
        }
        std::fs::create_dir_all(fixture.part().parent().expect("a folder")).expect("made");
        std::fs::write(fixture.part(), part).expect("written");
        fixture.download(&[&server.url()]).unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        fixture.assert_only_the_package();
    }
}

#[test]
fn a_complete_part_needs_no_network() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    std::fs::create_dir_all(fixture.part().parent().expect("a folder")).expect("made");
    std::fs::write(fixture.part(), &fixture.deb.bytes).expect("written");
    fixture.download(&[&server.url()]).expect("all is there");
    assert_eq!(server.count(".deb"), 0);
    fixture.assert_only_the_package();
}

#[test]
fn a_wrong_range_does_not_poison() {
    let fixture = Fixture::new();
    let (liar, good) = (fixture.archive.serve(), fixture.archive.serve());
    liar.fail_always(".deb", Fault::WrongRange);
    std::fs::create_dir_all(fixture.part().parent().expect("a folder")).expect("made");
    std::fs::write(fixture.part(), &fixture.deb.bytes[..1000]).expect("written");
    fixture.download(&[&liar.url(), &good.url()]).expect("the good mirror");
    fixture.assert_only_the_package();
}

#[test]
fn what_is_gone_from_every_mirror_is_told_apart() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.archive.serve(), fixture.archive.serve());
    let here = package("here", 1000);
    for server in [&one, &two] {
        server.remove("hello_1.0-1_amd64.deb");
        server.replace(&plywood_testkit::TestArchive::path_of(&here), here.bytes.clone());
    }
    let debs = [fixture.reference(), reference(&here)];
    let mut ready = Vec::new();
    let result = fixture.open(fixture.config(&[&one.url(), &two.url()])).download(&debs, |index, _| {
        ready.push(index);
        ControlFlow::Continue(())
    });
    let Err(FetchError::Gone(gone)) = result else { panic!("{result:?}") };
    assert_eq!(gone.iter().map(|deb| (deb.index, deb.name.as_str())).collect::<Vec<_>>(), [(0, "hello")]);
    assert_eq!(ready, [1], "what is there is fetched nevertheless");
    let error = FetchError::Gone(gone);
    assert_eq!(error.to_string(), "a package is no longer on any mirror: hello");
    // When a mirror is merely broken, nobody can know.
    two.fail_always(".deb", Fault::Status(500));
    let result = fixture.download(&[&one.url(), &two.url()]);
    assert!(matches!(result, Err(FetchError::Unavailable { .. })), "{result:?}");
}

#[test]
fn the_snapshot_archive_is_the_last_resort() {
    let fixture = Fixture::new();
    let mirror = fixture.archive.serve();
    mirror.remove(".deb");
    let path = plywood_testkit::TestArchive::path_of(&fixture.deb);
    // A day after the package was seen.
    let there = [(format!("debian/20260102T000000Z/{path}"), fixture.deb.bytes.clone())];
    let snapshots = plywood_testkit::FileServer::start(there.into_iter().collect());
    let mut config = fixture.config(&[&mirror.url()]);
    config.mirrors.snapshot_archive = Some(snapshots.url().parse().expect("a URL"));
    fixture.open(config).download(&[fixture.reference()], keep_on).expect("the snapshot");
    fixture.assert_only_the_package();
    assert_eq!((mirror.count(".deb"), snapshots.count(".deb")), (1, 1));
}

#[test]
fn every_package_is_handed_over_once_it_is_verified() {
    let mut fixture = Fixture::new();
    let debs: Vec<_> = (0..12).map(|number| package(&format!("p{number}"), 10_000 + number * 100)).collect();
    for deb in &debs {
        fixture.archive.add("trixie", deb.clone());
    }
    let server = fixture.archive.serve();
    let wanted: Vec<DebRef> = debs.iter().map(reference).collect();
    let archive = fixture.open(fixture.config(&[&server.url()]));
    for round in ["cold", "warm"] {
        let mut seen = Vec::new();
        let paths = archive.download(&wanted, |index, path| {
            assert_eq!(FileHash::of(&std::fs::read(path).expect("there")), wanted[index].hash);
            seen.push(index);
            ControlFlow::Continue(())
        });
        let paths = paths.expect("all packages");
        seen.sort_unstable();
        assert_eq!(seen, (0..12).collect::<Vec<_>>(), "{round}");
        assert_eq!(paths, wanted.iter().map(|deb| archive.path_of(deb)).collect::<Vec<_>>(), "{round}");
    }
    assert_eq!(server.count(".deb"), 12);
}

#[test]
fn whoever_takes_packages_can_stop() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    let archive = fixture.open(fixture.config(&[&server.url()]));
    let result = archive.download(&[fixture.reference()], |_, _| ControlFlow::Break(()));
    assert!(matches!(result, Err(FetchError::Stopped)), "{result:?}");
}

#[test]
fn a_path_that_leaves_the_archive_is_refused() {
    let fixture = Fixture::new();
    let server = fixture.archive.serve();
    let deb = DebRef { path: "../../etc/passwd".to_owned(), ..fixture.reference() };
    let error = fixture.open(fixture.config(&[&server.url()])).download(&[deb], keep_on).expect_err("not below");
    assert!(chain(&error).contains("`../../etc/passwd` is no path of a file below its base"), "{}", chain(&error));
    assert!(server.requests().is_empty());
}
