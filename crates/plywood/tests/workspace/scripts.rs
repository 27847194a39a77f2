//! Maintainer scripts that cannot be evaluated: refused, run, or left out.

use plywood_testkit::{Deb, require};

use crate::fixture::{Fixture, chain, machine_programs, package, text};

/// Something no evaluator knows.
const POSTINST: &str = r#"#!/bin/sh
set -e
mkdir -p /etc/daemon
perl -e 'open(my $file, ">", "/etc/daemon/made") or die; print $file 6 * 7, " $ARGV[0]\n"' "$1"
"#;

const NOT_ALLOWED: &str = "[images.base]\npackages = [\"daemon\"]\n";
const ALLOWED: &str = "[images.base]\npackages = [\"daemon\"]\nscripts = { daemon = \"run\" }\n";
const SKIPPED: &str = "[images.base]\npackages = [\"daemon\"]\nscripts = { daemon = \"skip\" }\n";

fn daemon(postinst: &str) -> Deb {
    package("daemon", "1.0").field("Depends", "programs").script("postinst", postinst).build()
}

fn fixture(images: &str, postinst: &str) -> Option<Fixture> {
    let programs = ["sh", "mkdir", "perl"];
    require(&["unshare", "tar", "ldd", "newuidmap", "perl"])
        .then(|| Fixture::new(images, [machine_programs("programs", &programs), daemon(postinst)]))
}

#[test]
fn a_script_that_cannot_be_evaluated_is_refused_by_name() {
    let Some(fixture) = fixture(NOT_ALLOWED, POSTINST) else { return };
    let error = fixture.build("cache").expect_err("nobody allowed it");
    assert!(chain(&error).contains("daemon: cannot evaluate its postinst"), "{}", chain(&error));
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("scripts = { daemon = \"run\" }"), "{hint}");
}

#[test]
fn an_allowed_script_is_run_and_leaves_its_effect_each_time_the_same() {
    let Some(fixture) = fixture(ALLOWED, POSTINST) else { return };
    let first = fixture.build("cache").unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(text(&fixture.tree(), "etc/daemon/made").as_deref(), Some("42 configure\n"));
    assert_eq!(text(&fixture.tree(), "usr/share/daemon/version").as_deref(), Some("1.0"));
    let built = &first.images[0].platforms[0];
    let expect = "daemon: its postinst was run, as the manifest allows";
    assert!(built.notes.iter().any(|note| note == expect), "{:?}", built.notes);
    assert!(fixture.events.sentences().iter().any(|sentence| sentence.ends_with(expect)));
    let second = fixture.build("another-cache").expect("it builds again");
    assert_eq!(second.images[0].digest, first.images[0].digest);
}

#[test]
fn a_skipped_script_leaves_nothing_but_a_note() {
    let Some(fixture) = fixture(SKIPPED, POSTINST) else { return };
    let report = fixture.build("cache").unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(text(&fixture.tree(), "etc/daemon/made"), None);
    let expect = "daemon: its postinst was left out, as the manifest says";
    assert!(report.images[0].platforms[0].notes.iter().any(|note| note == expect));
}

#[test]
fn an_allowed_script_that_fails_is_told_with_its_words() {
    let failing = "#!/bin/sh\nperl -e 'print STDERR \"no disk today\\n\"; exit 9'\n";
    let Some(fixture) = fixture(ALLOWED, failing) else { return };
    let error = fixture.build("cache").expect_err("it fails");
    let expect = "daemon: running its postinst failed: postinst of daemon failed with status 9: no disk today";
    assert!(chain(&error).contains(expect), "{}", chain(&error));
}

#[test]
fn other_scripts_than_those_locked_are_not_run() {
    let Some(fixture) = fixture(ALLOWED, POSTINST) else { return };
    fixture.lock(&Default::default()).expect("it locks");
    let lock = fixture.read("plywood.lock");
    let line = lock.lines().find(|line| line.contains("\"daemon run ")).expect("the script's line");
    let hash = line.trim_matches([' ', '"', ',']).rsplit(' ').next().expect("a hash");
    fixture.write("plywood.lock", &lock.replace(hash, &"0".repeat(64)));
    let error = fixture.build("cache").expect_err("the hash is another");
    assert!(chain(&error).contains("the maintainer scripts of `daemon` have the hash"), "{}", chain(&error));
}

#[test]
fn scripts_of_a_package_that_is_not_there_are_a_mistake() {
    let images = "[images.base]\npackages = [\"daemon\"]\nscripts = { demon = \"run\" }\n";
    let Some(fixture) = fixture(images, POSTINST) else { return };
    let error = fixture.lock(&Default::default()).expect_err("there is no such package");
    assert_eq!(chain(&error), "`scripts` of the image `base` names `demon`, which is not in the image");
}
