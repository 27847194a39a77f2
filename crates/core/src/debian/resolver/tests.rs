//! Tests of the resolver as a whole, on small universes. Those against apt are in `crates/plywood/tests/resolver.rs`.

mod random;

use super::*;
use crate::debian::packages_index::PackagesIndex;

/// A stanza from `name version` and further fields, separated by `; `.
fn stanza(line: &str) -> String {
    let mut parts = line.split("; ");
    let (name, version) = parts.next().and_then(|head| head.split_once(' ')).expect("a name and a version");
    let fields: Vec<String> = parts.map(|field| format!("{field}\n")).collect();
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: amd64\nFilename: pool/{name}.deb\nSize: 1\nSHA256: {}\n{}",
        "0".repeat(64),
        fields.concat()
    )
}

fn source(lines: &[&str], priority: i16) -> PackageSource {
    let text: Vec<String> = lines.iter().map(|line| stanza(line)).collect();
    let index = PackagesIndex::read(text.join("\n").as_bytes()).expect("an index");
    assert!(index.skipped().is_empty(), "{:?}", index.skipped());
    PackageSource { index, priority, allow: None }
}

fn universe(lines: &[&str]) -> Universe {
    Universe::new("amd64", vec![source(lines, 500)])
}

fn request(packages: &[&str]) -> Request {
    let packages = packages.iter().map(|text| text.parse().expect("a request")).collect();
    Request { base: Base::Nothing, packages, ..Request::default() }
}

/// Name and version of each package, in the order of configuration.
fn names(resolution: &Resolution<'_>) -> Vec<String> {
    let name = |chosen: &Chosen<'_>| format!("{} {}", chosen.package.name(), chosen.package.version());
    resolution.packages.iter().map(name).collect()
}

/// What a request gives; names are without version where that is 1.
fn check(universe: &[&str], packages: &[&str], expect: &[&str]) {
    check_in(&self::universe(universe), &request(packages), expect);
}

fn check_in(universe: &Universe, request: &Request, expect: &[&str]) {
    let resolution = Resolver::resolve(universe, request).unwrap_or_else(|error| panic!("{error}"));
    let got: Vec<String> =
        names(&resolution).into_iter().map(|name| name.strip_suffix(" 1").unwrap_or(&name).to_owned()).collect();
    assert_eq!(got, expect, "{request:?}");
}

/// The error of a request, with its hint.
fn check_error(universe: &[&str], packages: &[&str], expect: &str, hint: Option<&str>) {
    let error = Resolver::resolve(&self::universe(universe), &request(packages)).expect_err("an error");
    assert_eq!(error.to_string(), expect);
    assert_eq!(error.hint().as_deref(), hint);
}

#[test]
fn dependencies_come_along_and_before() {
    check(&["aa 1; Depends: bb", "bb 1; Pre-Depends: cc", "cc 1", "dd 1"], &["aa"], &["cc", "bb", "aa"]);
}

#[test]
fn the_first_alternative_wins_unless_another_is_chosen() {
    let lines = ["aa 1; Depends: bb | cc", "bb 1", "cc 1"];
    check(&lines, &["aa"], &["bb", "aa"]);
    check(&lines, &["aa", "cc"], &["cc", "aa"]);
    check(&lines, &["cc", "aa"], &["cc", "aa"]);
    check(&["aa 1; Depends: nothing | cc", "cc 1"], &["aa"], &["cc", "aa"]);
    check(&["aa 1; Depends: bb | cc", "bb 1; Depends: nothing", "cc 1"], &["aa"], &["cc", "aa"]);
}

#[test]
fn a_package_of_the_name_comes_before_its_providers() {
    let lines = ["aa 1; Depends: mm", "bb 1; Provides: mm", "mm 1"];
    check(&lines, &["aa"], &["mm", "aa"]);
    check(&lines, &["bb", "aa"], &["bb", "aa"]);
}

#[test]
fn of_providers_the_more_important_one_wins_then_the_one_mentioned_last() {
    check(
        &["aa 1; Depends: mm", "bb 1; Provides: mm; Priority: standard", "cc 1; Provides: mm; Priority: optional"],
        &["aa"],
        &["bb", "aa"],
    );
    check(&["aa 1; Depends: mm", "bb 1; Provides: mm", "cc 1; Provides: mm"], &["aa"], &["cc", "aa"]);
}

#[test]
fn provisions_satisfy_constraints_only_with_a_version() {
    check(
        &["aa 1; Depends: mm (>= 2)", "bb 1; Provides: mm", "cc 1; Provides: mm (= 2)", "dd 1; Provides: mm (= 1)"],
        &["aa"],
        &["cc", "aa"],
    );
}

#[test]
fn multi_arch_decides_what_any_means() {
    let lines = ["aa 1; Depends: bb:any", "bb 1; Multi-Arch: allowed"];
    check(&lines, &["aa"], &["bb", "aa"]);
    check_error(
        &["aa 1; Depends: bb:any", "bb 1; Multi-Arch: foreign"],
        &["aa"],
        "`aa` cannot be installed: aa depends on bb:any, but only bb 1 is available",
        None,
    );
    check(&["aa 1; Depends: bb:amd64", "bb 1"], &["aa"], &["bb", "aa"]);
}

#[test]
fn the_highest_version_of_the_highest_priority_wins() {
    let suite = source(&["aa 1", "bb 1"], 500);
    let security = source(&["aa 2"], 500);
    let backports = source(&["aa 3", "bb 2"], 100);
    let universe = Universe::new("amd64", vec![suite, security, backports]);
    check_in(&universe, &request(&["aa", "bb"]), &["aa 2", "bb"]);
    check_in(&universe, &request(&["aa=3"]), &["aa 3"]);
    let resolution = Resolver::resolve(&universe, &request(&["aa"])).unwrap();
    assert_eq!(resolution.packages[0].source, 1);
}

#[test]
fn an_allow_list_admits_what_it_names_alone() {
    let mut third = source(&["aa 9", "bb 9"], 500);
    third.allow = Some(["bb".to_owned()].into());
    let universe = Universe::new("amd64", vec![source(&["aa 1", "bb 1"], 500), third]);
    check_in(&universe, &request(&["aa", "bb"]), &["aa", "bb 9"]);
}

#[test]
fn an_older_version_serves_where_the_preferred_one_cannot() {
    check(&["aa 1; Depends: bb (<< 2)", "bb 2", "bb 1"], &["aa"], &["bb", "aa"]);
}

#[test]
fn the_search_finds_what_the_greedy_way_does_not() {
    // The first alternative rules out what is needed later.
    check(
        &["aa 1; Depends: bb | cc, dd", "bb 1", "cc 1", "dd 1; Depends: ee", "ee 1; Conflicts: bb"],
        &["aa"],
        &["cc", "ee", "dd", "aa"],
    );
}

#[test]
fn conflicts_spare_the_package_itself() {
    check(&["aa 1; Provides: mm; Conflicts: mm"], &["aa"], &["aa"]);
    check(&["aa 1; Depends: mm", "bb 1; Provides: mm; Conflicts: mm", "cc 1"], &["aa"], &["bb", "aa"]);
}

#[test]
fn recommended_packages_come_by_switch() {
    let universe = universe(&["aa 1; Recommends: bb, nothing", "bb 1; Recommends: cc", "cc 1"]);
    check_in(&universe, &request(&["aa"]), &["aa"]);
    check_in(&universe, &Request { recommends: true, ..request(&["aa"]) }, &["aa", "bb", "cc"]);
}

#[test]
fn the_base_is_what_is_essential_and_apt() {
    let lines = ["aa 1", "apt 1; Depends: bb", "bb 1", "libc 1", "sh 1; Essential: yes; Pre-Depends: libc"];
    let universe = universe(&lines);
    let base = |base| Request { base, ..request(&["aa"]) };
    check_in(&universe, &base(Base::Nothing), &["aa"]);
    check_in(&universe, &base(Base::Essential), &["libc", "sh", "aa"]);
    check_in(&universe, &base(Base::Minbase), &["libc", "sh", "aa", "bb", "apt"]);
}

#[test]
fn what_a_parent_has_stays() {
    let universe = universe(&["aa 2", "aa 1", "bb 1; Depends: aa", "cc 1; Depends: aa (>= 2)", "dd 1"]);
    let kept = |packages: &[&str]| {
        let kept = vec![("aa".to_owned(), "1".parse().unwrap()), ("gone".to_owned(), "1".parse().unwrap())];
        Request { kept, ..request(packages) }
    };
    check_in(&universe, &kept(&[]), &["aa"]);
    check_in(&universe, &kept(&["bb"]), &["aa", "bb"]);
    check_in(&universe, &kept(&["cc"]), &["aa 2", "cc"]);
}

#[test]
fn circles_are_cut_in_the_same_place_always() {
    check(&["aa 1; Depends: bb", "bb 1; Depends: cc", "cc 1; Depends: aa"], &["aa"], &["aa", "cc", "bb"]);
    check(&["aa 1; Depends: bb", "bb 1; Pre-Depends: aa"], &["bb"], &["aa", "bb"]);
    check(&["aa 1; Pre-Depends: bb", "bb 1; Depends: aa"], &["aa"], &["bb", "aa"]);
}

#[test]
fn each_package_says_why_it_is_there() {
    let universe = universe(&["aa 1; Depends: bb (>= 1) | cc", "bb 1; Pre-Depends: mm", "dd 1; Provides: mm"]);
    let resolution = Resolver::resolve(&universe, &request(&["aa"])).unwrap();
    let reasons: Vec<String> = resolution.packages.iter().map(|chosen| chosen.reason.to_string()).collect();
    assert_eq!(reasons, ["bb pre-depends on mm", "aa depends on bb (>= 1) | cc", "requested"]);
}

#[test]
fn alternatives_can_be_asked_for() {
    let universe = universe(&["aa 1", "bb 1", "cc 1; Provides: mm", "dd 1; Provides: mm"]);
    check_in(&universe, &request(&["nothing | bb"]), &["bb"]);
    check_in(&universe, &request(&["aa | bb", "bb"]), &["bb"]);
    check_in(&universe, &request(&["mm | aa", "aa"]), &["aa"]);
}

#[test]
fn a_virtual_package_with_one_provider_stands_for_it() {
    check(&["aa 1; Provides: mm"], &["mm"], &["aa"]);
    check_error(
        &["bb 1; Provides: mm", "aa 1; Provides: mm"],
        &["mm"],
        "`mm` is a virtual package that several packages provide",
        Some("choose `aa` or `bb`"),
    );
}

#[test]
fn what_is_unknown_gets_a_suggestion() {
    let lines = ["curl 1", "curlftpfs 1", "git 1; Provides: git-core"];
    check_error(&lines, &["crul"], "there is no package `crul`", Some("did you mean `curl`?"));
    check_error(&lines, &["git-cor"], "there is no package `git-cor`", Some("did you mean `git-core`?"));
    check_error(&lines, &["something"], "there is no package `something`", None);
    check_error(
        &lines,
        &["curl=2"],
        "there is no `curl (= 2)`; available: 1",
        Some("leave the version out to take the one the archive prefers"),
    );
}

#[test]
fn what_cannot_be_is_explained_by_its_chain() {
    check_error(
        &["aa 1; Depends: bb", "bb 1; Pre-Depends: cc (>= 2)", "cc 1"],
        &["aa"],
        "`aa` cannot be installed: aa depends on bb, bb pre-depends on cc (>= 2), but only cc 1 is available",
        None,
    );
    check_error(
        &["aa 1; Depends: nothing"],
        &["aa"],
        "`aa` cannot be installed: aa depends on nothing, but there is no such package",
        None,
    );
    check_error(
        &["aa 1; Depends: cc", "bb 1; Depends: dd", "cc 1; Conflicts: dd", "dd 1"],
        &["aa", "bb"],
        "`aa` cannot be installed: aa depends on cc, cc conflicts with dd, and bb depends on dd, which was requested",
        None,
    );
    check_error(
        &["aa 1; Breaks: bb (<< 2)", "bb 1"],
        &["aa", "bb"],
        "`aa` cannot be installed: aa breaks bb (<< 2), and bb was requested",
        None,
    );
    check_error(&["aa 1; Depends: b"], &["aa"], "`aa` cannot be installed: what aa depends on cannot be read", None);
}
