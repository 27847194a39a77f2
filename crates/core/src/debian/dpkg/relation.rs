//! The relation field that unpacking needs: `Replaces` (Debian Policy 7.6).

use debversion::Version;

/// One `package (operator version)` of a relation field without alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    name: String,
    version: Option<(Operator, Version)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Earlier,
    EarlierOrEqual,
    Equal,
    LaterOrEqual,
    Later,
}

impl Relation {
    /// Parses a comma-separated field; `None` when it is malformed.
    pub(super) fn parse_list(field: &str) -> Option<Vec<Self>> {
        field.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Self::parse).collect()
    }

    /// Whether it means this package in this version.
    pub(super) fn matches(&self, name: &str, version: Option<&Version>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let satisfied = |operator: Operator, wanted: &Version| {
            let Some(order) = version.map(|version| version.cmp(wanted)) else { return false };
            match operator {
                Operator::Earlier => order == Less,
                Operator::EarlierOrEqual => order != Greater,
                Operator::Equal => order == Equal,
                Operator::LaterOrEqual => order != Less,
                Operator::Later => order == Greater,
            }
        };
        self.name == name && self.version.as_ref().is_none_or(|(operator, wanted)| satisfied(*operator, wanted))
    }

    fn parse(item: &str) -> Option<Self> {
        let (name, version) = match item.split_once('(') {
            None => (item, None),
            Some((name, rest)) => (name.trim_end(), Some(parse_version(rest.trim_end().strip_suffix(')')?.trim())?)),
        };
        let name = name.split_once(':').map_or(name, |(name, _)| name);
        let valid =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte));
        valid.then(|| Self { name: name.to_owned(), version })
    }
}

/// Parses `>= 1.2`; the obsolete `<` and `>` mean "or equal", as they do to dpkg.
fn parse_version(text: &str) -> Option<(Operator, Version)> {
    const OPERATORS: [(&str, Operator); 7] = [
        ("<<", Operator::Earlier),
        ("<=", Operator::EarlierOrEqual),
        (">>", Operator::Later),
        (">=", Operator::LaterOrEqual),
        ("<", Operator::EarlierOrEqual),
        (">", Operator::LaterOrEqual),
        ("=", Operator::Equal),
    ];
    let (rest, operator) = OPERATORS.iter().find_map(|(sign, operator)| Some((text.strip_prefix(sign)?, *operator)))?;
    Some((operator, rest.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_match_by_name_and_version() {
        let check = |field: &str, name: &str, version: &str, expect| {
            let relations = Relation::parse_list(field).expect(field);
            let version = version.parse().ok();
            assert_eq!(relations.iter().any(|one| one.matches(name, version.as_ref())), expect, "{field}");
        };
        check("a", "a", "1", true);
        check("a, b (<< 2)", "b", "1.9", true);
        check("a, b (<< 2)", "b", "2", false);
        check("b:any (<=2~rc1)", "b", "2~rc1", true);
        check("b (= 1:1.0-1)", "b", "1.0-1", false);
        check("b (>= 1.0)", "b", "1.0", true);
        check("b (>> 1.0)", "b", "1.0", false);
        check("b (< 1)", "b", "1", true);
        assert_eq!(Relation::parse_list("a (1"), None);
        assert_eq!(Relation::parse_list("a (~ 1)"), None);
        assert_eq!(Relation::parse_list("a b"), None);
    }
}
