use proptest::prelude::*;

use super::*;

/// Parses a list and writes it again.
fn check(text: &str, expect: &str) {
    let groups = OrGroup::parse_list(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let written: Vec<String> = groups.iter().map(ToString::to_string).collect();
    assert_eq!(written.join(", "), expect, "{text:?}");
}

#[test]
fn relations_are_read_as_policy_says() {
    for (text, expect) in [
        ("", ""),
        ("libc6", "libc6"),
        ("libc6(>=2.41)", "libc6 (>= 2.41)"),
        ("libc6 (>= 2.41), libgcc-s1", "libc6 (>= 2.41), libgcc-s1"),
        ("a1 | b1\n | c1 (<< 2), d1", "a1 | b1 | c1 (<< 2), d1"),
        ("python3:any (>> 1:3)", "python3:any (>> 1:3)"),
        ("gcc:native, libfoo:arm64 (= 1)", "gcc:native, libfoo:arm64 (= 1)"),
        ("aa [amd64 !arm64]", "aa [amd64 !arm64]"),
        ("aa (< 1), bb (> 2)", "aa (<= 1), bb (>= 2)"),
        ("aa,, bb,", "aa, bb"),
        ("g++, libstdc++6, 7zip, R_x.y", "g++, libstdc++6, 7zip, R_x.y"),
    ] {
        check(text, expect);
    }
}

#[test]
fn what_is_no_relation_is_refused() {
    use ParseRelationError as E;
    let name = |name: &str, offset| E::Name { name: name.to_owned(), offset };
    for (text, error) in [
        ("a", name("a", 0)),
        ("aa | ", name("", 5)),
        ("-aa", name("-aa", 0)),
        ("aa b", E::Unexpected { character: 'b', offset: 3 }),
        ("aa (1)", E::Operator { offset: 4 }),
        ("aa (=> 1)", E::Operator { offset: 4 }),
        ("aa (= 1", E::Unclosed { offset: 3 }),
        ("aa (= 1) (= 2)", E::Unexpected { character: '(', offset: 9 }),
        ("aa (= )", E::Version { offset: 6, source: crate::debian::version::ParseVersionError::Empty }),
        ("aa [amd64", E::Unclosed { offset: 3 }),
        ("aa: b", E::Unexpected { character: ':', offset: 2 }),
        ("aa <!nocheck>", E::Unexpected { character: '<', offset: 3 }),
    ] {
        assert_eq!(OrGroup::parse_list(text), Err(error), "{text:?}");
    }
    assert!(OrGroup::parse("aa, bb").is_err());
    assert!(OrGroup::parse("").is_err());
}

#[test]
fn bounds_hold_as_dpkg_says() {
    let version = |text: &str| text.parse::<DebVersion>().unwrap();
    for (operator, holds) in [
        (Operator::Earlier, [true, false, false]),
        (Operator::EarlierOrEqual, [true, true, false]),
        (Operator::Equal, [false, true, false]),
        (Operator::LaterOrEqual, [false, true, true]),
        (Operator::Later, [false, false, true]),
    ] {
        let got = ["1", "2", "3"].map(|text| operator.holds(&version(text), &version("2")));
        assert_eq!(got, holds, "{}", operator.as_str());
    }
}

#[test]
fn architecture_lists_include_and_exclude() {
    for (text, expect) in [
        ("aa", true),
        ("aa [amd64]", true),
        ("aa [arm64]", false),
        ("aa [!arm64]", true),
        ("aa [!amd64 !i386]", false),
        ("aa [linux-any]", true),
        ("aa [any-amd64]", true),
        ("aa [hurd-any]", false),
    ] {
        let group = OrGroup::parse(text).unwrap();
        assert_eq!(group.0[0].applies_on("amd64"), expect, "{text}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "[ab|,:()\\[\\]<>=! \u{e9}0-9.~-]{0,40}") {
        let _ = OrGroup::parse(&text);
        let _ = OrGroup::parse_list(&text);
    }

    #[test]
    fn what_is_written_reads_the_same(
        names in prop::collection::vec("[a-z0-9][a-z0-9+.-]{1,6}(:any)?( \\((<<|<=|=|>=|>>) [0-9]{1,3}(\\.[0-9a-z]{1,2})?\\))?", 1..5),
    ) {
        let text = names.join(" | ");
        let group = OrGroup::parse(&text).unwrap();
        prop_assert_eq!(OrGroup::parse(&group.to_string()).unwrap(), group);
    }
}
