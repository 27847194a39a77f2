//! `plywood lock`: what stays, what moves, and what is told about it.

use plywood::lock::{LockOptions, LockOutcome, LockReport, Upgrade};
use plywood_testkit::{TestArchive, TestKey};

use crate::fixture::{Fixture, chain, plain};

const HELLO: &str = "[images.base]\npackages = [\"hello\"]\n";
const BOTH: &str = "[images.base]\npackages = [\"hello\", \"world\"]\n";

fn fixture(images: &str) -> Fixture {
    Fixture::new(
        images,
        [plain("hello", "1", &[("Depends", "greeting")]), plain("greeting", "1", &[]), plain("world", "1", &[])],
    )
}

fn lock(fixture: &Fixture, options: &LockOptions) -> LockReport {
    fixture.lock(options).unwrap_or_else(|error| panic!("{}", chain(&error)))
}

fn upgrade(packages: &[&str]) -> LockOptions {
    let packages = packages.iter().map(|&name| name.to_owned()).collect();
    LockOptions { upgrade: Upgrade::Packages(packages), ..LockOptions::default() }
}

/// What moved, as `name: from -> to`.
fn changes(report: &LockReport) -> Vec<String> {
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
    let changes = report.changes.iter();
    changes.map(|one| format!("{}: {} -> {}", one.package, version(&one.from), version(&one.to))).collect()
}

/// Newer versions of everything, beside the old ones or in their place.
fn move_on(fixture: &mut Fixture, keep: bool) {
    if !keep {
        let key = fixture.archive.key.clone();
        fixture.archive = TestArchive::new(key, &["trixie"]);
        fixture.archive.valid_for = None;
        for deb in [plain("base-files", "13", &[("Essential", "yes")]), plain("apt", "3", &[])] {
            fixture.archive.add("trixie", deb);
        }
    }
    for deb in [plain("hello", "2", &[("Depends", "greeting")]), plain("greeting", "2", &[]), plain("world", "2", &[])]
    {
        fixture.archive.add("trixie", deb);
    }
    fixture.republish();
}

#[test]
fn the_first_lock_is_created_and_the_second_changes_nothing() {
    let fixture = fixture(HELLO);
    let report = lock(&fixture, &LockOptions::default());
    assert_eq!((report.outcome, report.reasons), (LockOutcome::Created, vec!["there is none yet".to_owned()]));
    // base-files, apt, hello and what it needs.
    assert_eq!(report.images[0].packages, 4);
    let text = fixture.read("plywood.lock");
    assert_eq!(lock(&fixture, &LockOptions::default()).outcome, LockOutcome::Unchanged);
    assert_eq!(fixture.read("plywood.lock"), text);
}

#[test]
fn a_check_writes_nothing() {
    let fixture = fixture(HELLO);
    let check = LockOptions { check: true, ..LockOptions::default() };
    assert_eq!(lock(&fixture, &check).outcome, LockOutcome::Stale);
    assert!(!fixture.path().join("plywood.lock").exists());
    lock(&fixture, &LockOptions::default());
    assert_eq!(lock(&fixture, &check).outcome, LockOutcome::Unchanged);
    let text = fixture.read("plywood.lock");
    fixture.manifest(BOTH);
    let report = lock(&fixture, &check);
    assert_eq!(report.outcome, LockOutcome::Stale);
    assert_eq!(report.reasons, ["the packages of the image `base` are asked for differently"]);
    assert_eq!(fixture.read("plywood.lock"), text);
}

#[test]
fn what_is_locked_stays_when_something_is_added() {
    let mut fixture = fixture(HELLO);
    lock(&fixture, &LockOptions::default());
    move_on(&mut fixture, true);
    fixture.manifest(BOTH);
    let report = lock(&fixture, &LockOptions::default());
    assert_eq!(report.outcome, LockOutcome::Updated);
    assert_eq!(changes(&report), ["world: - -> 2"]);
    assert!(report.download > 0);
}

#[test]
fn upgrades_move_what_they_name_or_everything() {
    let mut fixture = fixture(BOTH);
    lock(&fixture, &LockOptions::default());
    move_on(&mut fixture, true);
    assert_eq!(lock(&fixture, &LockOptions::default()).outcome, LockOutcome::Unchanged);
    assert_eq!(changes(&lock(&fixture, &upgrade(&["hello"]))), ["hello: 1 -> 2"]);
    assert!(fixture.events.warnings().is_empty(), "{:?}", fixture.events.warnings());
    assert_eq!(changes(&lock(&fixture, &upgrade(&["helo", "hello"]))), [""; 0]);
    assert_eq!(fixture.events.warnings(), ["nothing is locked that is called `helo`: there is nothing to move"]);
    let everything = LockOptions { upgrade: Upgrade::Everything, ..LockOptions::default() };
    let report = lock(&fixture, &everything);
    assert_eq!(changes(&report), ["greeting: 1 -> 2", "world: 1 -> 2"]);
    let sizes: u64 =
        [plain("greeting", "2", &[]), plain("world", "2", &[])].iter().map(|deb| deb.bytes.len() as u64).sum();
    assert_eq!(report.download, sizes);
    assert_eq!(lock(&fixture, &everything).outcome, LockOutcome::Unchanged);
}

#[test]
fn replanning_keeps_the_packages() {
    let mut fixture = fixture(BOTH);
    lock(&fixture, &LockOptions::default());
    move_on(&mut fixture, true);
    let report = lock(&fixture, &LockOptions { replan: true, ..LockOptions::default() });
    assert_eq!(changes(&report), [""; 0]);
}

#[test]
fn packages_that_are_gone_are_resolved_again_by_a_build_unless_it_is_locked() {
    let mut fixture = fixture(HELLO);
    lock(&fixture, &LockOptions::default());
    move_on(&mut fixture, false);
    let report = fixture.build("cache").unwrap_or_else(|error| panic!("{}", chain(&error)));
    let repaired = report.lock.expect("the lock was repaired");
    assert_eq!(changes(&repaired), ["greeting: 1 -> 2", "hello: 1 -> 2"]);
    assert!(fixture.events.sentences().iter().any(|text| text.contains("no mirror has")));
}

#[test]
fn a_lock_with_conflicts_is_told_as_such() {
    let fixture = fixture(HELLO);
    lock(&fixture, &LockOptions::default());
    let text = fixture.read("plywood.lock");
    fixture.write("plywood.lock", &format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n"));
    let error = fixture.lock(&LockOptions::default()).expect_err("git's marks are no lock");
    assert!(chain(&error).contains("the marks of a merge that was not finished"), "{}", chain(&error));
    assert!(error.hint().is_some());
}

#[test]
fn a_third_party_brings_only_what_it_is_allowed_to() {
    let mut third = TestArchive::new(TestKey::new("third"), &["stable"]);
    third.valid_for = None;
    for deb in [plain("tool", "5", &[]), plain("hello", "9", &[])] {
        third.add("stable", deb);
    }
    let server = third.serve();
    let images = format!(
        "[images.base]\npackages = [\"hello\", \"tool\"]\n\n[debian.repositories.third]\nurl = \"{}\"\nsuite = \"stable\"\ncomponents = [\"main\"]\nkey = \"third.asc\"\npackages = [\"tool\"]\n",
        server.url()
    );
    let fixture = fixture(&images);
    std::fs::write(fixture.path().join("third.asc"), third.key.public_armored()).expect("written");
    lock(&fixture, &LockOptions::default());
    let text = fixture.read("plywood.lock");
    assert!(text.contains("tool 5 all third ") || text.contains("\"tool 5 "), "{text}");
    assert!(text.contains("\"hello 1 ") && !text.contains("\"hello 9 "), "{text}");
}
