//! The resolver against apt: what we choose is what `apt-get -s install` chooses.

#[path = "resolver/apt.rs"]
mod apt;
#[path = "resolver/lists.rs"]
mod lists;

use std::collections::BTreeMap;

use apt::AptRoot;
use lists::PackageList;
use plywood_core::debian::resolver::{Base, Request, Resolution, Resolver, Universe};

const LISTS: &str = include_str!("data/apt-lists.txt");
const COMMON: &str = include_str!("data/common-packages.txt");

/// Name and version of each package.
type Set = BTreeMap<String, String>;

fn set(resolution: &Resolution<'_>) -> Set {
    let entry = |chosen: &plywood_core::debian::resolver::Chosen<'_>| {
        (chosen.package.name().to_owned(), chosen.package.version().to_string())
    };
    resolution.packages.iter().map(entry).collect()
}

/// The base system of a universe, which apt is told is installed.
fn bootstrap(universe: &Universe) -> Resolution<'_> {
    let base = Request { base: Base::Minbase, ..Request::default() };
    Resolver::resolve(universe, &base).expect("the base system resolves")
}

/// Compares one list; the differences, empty when there are none.
fn difference(root: &AptRoot, universe: &Universe, base: &Set, list: &PackageList) -> Vec<String> {
    let packages = list.packages.iter().map(|name| name.parse().expect("a package name")).collect();
    let request = Request { packages, recommends: list.recommends, ..Request::default() };
    let mut ours = match Resolver::resolve(universe, &request) {
        Ok(resolution) => set(&resolution),
        Err(error) => return vec![format!("we: {error}")],
    };
    let mut theirs = base.clone();
    match root.install(&list.packages, list.recommends) {
        Ok(changes) => changes.apply(&mut theirs),
        Err(error) => return vec![format!("apt: {error}")],
    }
    ours.retain(|name, version| theirs.get(name) != Some(version) || theirs.remove(name).is_none());
    let ours = ours.iter().map(|(name, version)| format!("only we: {name} {version}"));
    ours.chain(theirs.iter().map(|(name, version)| format!("only apt: {name} {version}"))).collect()
}

/// Compares the base and every list of a suite and architecture.
fn check(suite: &str, architecture: &str) {
    let Some(root) = AptRoot::new(suite, architecture) else { return };
    let universe = root.universe();
    let base = bootstrap(&universe);
    let mut bootstrapped = Set::new();
    let changes = root.install(&["?essential".to_owned(), "apt".to_owned()], false);
    changes.expect("apt installs the base").apply(&mut bootstrapped);
    assert_eq!(set(&base), bootstrapped, "the base of {suite} on {architecture}");

    root.set_installed(&base);
    let base = set(&base);
    let mut failures = Vec::new();
    for list in lists::parse(LISTS).iter().filter(|list| list.suite == suite && list.architecture == architecture) {
        let difference = difference(&root, &universe, &base, list);
        if difference != list.explained {
            failures.push(format!("{}:\n    {}", list.packages.join(" "), difference.join("\n    ")));
        }
    }
    assert!(failures.is_empty(), "{suite} on {architecture}:\n{}", failures.join("\n"));
    if (suite, architecture) == ("trixie", "amd64") {
        common_packages_resolve(&universe);
    }
}

fn common_packages_resolve(universe: &Universe) {
    let names: Vec<&str> = COMMON.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(names.len(), 100);
    for name in names {
        let packages = vec![name.parse().expect("a package name")];
        let resolution = Resolver::resolve(universe, &Request { packages, ..Request::default() });
        assert!(resolution.is_ok(), "{name}: {resolution:?}");
    }
}

#[test]
fn trixie_on_amd64_is_as_apt_chooses() {
    check("trixie", "amd64");
}

#[test]
fn trixie_on_arm64_is_as_apt_chooses() {
    check("trixie", "arm64");
}

#[test]
fn bookworm_is_as_apt_chooses() {
    check("bookworm", "amd64");
}
