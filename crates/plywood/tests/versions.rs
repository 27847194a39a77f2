//! The order of Debian versions against dpkg's own.

use std::process::Command;

use plywood_core::debian::version::DebVersion;
use plywood_testkit::require::require;

/// Versions that differ in every way the order looks at; each is compared with each.
const VERSIONS: [&str; 28] = [
    "0",
    "1",
    "01",
    "1.0",
    "1.00",
    "1.0-0",
    "1.0-1",
    "1.0-1+b1",
    "1.0-1~bpo12+1",
    "1.0~rc1",
    "1.0~rc1-1",
    "1.0~~",
    "1.0a",
    "1.0+b",
    "1.0.1",
    "1.10",
    "1.9",
    "1:0",
    "0:1.0",
    "2:1.0-1",
    "1a",
    "1A",
    "1.0-a",
    "1.0+dfsg-1",
    "1.0-1-2",
    "1.2.3.4.5~git20240101.abcdef-0.1",
    "99999999999999999999",
    "1.",
];

/// What dpkg says: -1, 0 or 1.
fn dpkg_order(a: &str, b: &str) -> i32 {
    let holds = |operator| {
        let status = Command::new("dpkg").args(["--compare-versions", a, operator, b]).status();
        status.expect("dpkg runs").success()
    };
    match (holds("lt"), holds("gt")) {
        (true, false) => -1,
        (false, true) => 1,
        (false, false) => 0,
        (true, true) => panic!("dpkg holds {a} both earlier and later than {b}"),
    }
}

#[test]
fn versions_sort_as_dpkg_sorts_them() {
    if !require(&["dpkg"]) {
        return;
    }
    for (at, a) in VERSIONS.iter().enumerate() {
        for b in VERSIONS.iter().skip(at) {
            let (ours, other): (DebVersion, DebVersion) =
                (a.parse().expect("a version"), b.parse().expect("a version"));
            assert_eq!(ours.cmp(&other) as i32, dpkg_order(a, b), "{a} against {b}");
        }
    }
}
