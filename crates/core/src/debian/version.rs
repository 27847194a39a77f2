//! Debian version numbers: syntax and order as in deb-version(7).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest version accepted, in bytes; the longest in the archive has about 80.
const MAX_LENGTH: usize = 512;

/// A Debian version, `[epoch:]upstream[-revision]`, kept as written and ordered as dpkg does.
///
/// Versions that differ in text but not in order (`1.0` and `1.00`, `0:1` and `1`) are equal, as they are to dpkg;
/// hence no `Hash`, which would have to normalise.
#[derive(Clone)]
pub struct DebVersion(Arc<str>);

/// Why a text is no Debian version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseVersionError {
    /// Nothing before, between or after the separators.
    #[error("a version must not be empty")]
    Empty,
    /// More than 512 bytes.
    #[error("a version has at most {MAX_LENGTH} bytes")]
    TooLong,
    /// The part before the first colon is no number, or greater than dpkg's limit.
    #[error("the epoch of version `{0}` is no number up to 2147483647")]
    Epoch(String),
    /// A hyphen with nothing after it.
    #[error("the revision of version `{0}` is empty")]
    EmptyRevision(String),
    /// A byte outside of the allowed set.
    #[error("`{character}` is not allowed in version `{version}`")]
    Character {
        /// The version as written.
        version: String,
        /// The first character that is not allowed.
        character: char,
    },
}

/// The three parts of a version, borrowed from its text.
#[derive(Clone, Copy)]
struct Parts<'a> {
    epoch: u32,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Parts<'a> {
    /// Splits a text; an absent epoch is 0, an absent revision is empty, which sorts as `0`.
    fn of(text: &'a str) -> Self {
        let (epoch, rest) = text.split_once(':').map_or((0, text), |(epoch, rest)| (epoch.parse().unwrap_or(0), rest));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch, upstream, revision }
    }
}

impl DebVersion {
    /// The version as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The version without its epoch, as file names in the pool carry it.
    pub fn without_epoch(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(_, rest)| rest)
    }
}

impl FromStr for DebVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_LENGTH {
            return Err(ParseVersionError::TooLong);
        }
        let rest = match text.split_once(':') {
            Some((epoch, rest)) => {
                let digits = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
                if !digits || epoch.parse::<i32>().is_err() {
                    return Err(ParseVersionError::Epoch(text.to_owned()));
                }
                rest
            }
            None => text,
        };
        let (upstream, revision) = match rest.rsplit_once('-') {
            Some((_, "")) => return Err(ParseVersionError::EmptyRevision(text.to_owned())),
            Some((upstream, revision)) => (upstream, revision),
            None => (rest, ""),
        };
        if upstream.is_empty() {
            return Err(ParseVersionError::Empty);
        }
        let common = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '~');
        let refused = upstream
            .chars()
            .find(|&c| !common(c) && !matches!(c, '-' | ':'))
            .or(revision.chars().find(|&c| !common(c)));
        match refused {
            Some(character) => Err(ParseVersionError::Character { version: text.to_owned(), character }),
            None => Ok(Self(text.into())),
        }
    }
}

impl Ord for DebVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (Parts::of(&self.0), Parts::of(&other.0));
        a.epoch
            .cmp(&b.epoch)
            .then_with(|| compare_part(a.upstream.as_bytes(), b.upstream.as_bytes()))
            .then_with(|| compare_part(a.revision.as_bytes(), b.revision.as_bytes()))
    }
}

/// Compares two upstream versions or two revisions: runs of non-digits and of digits in turn (deb-version(7), "Sorting
/// algorithm").
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = split_run(a, |byte| !byte.is_ascii_digit());
        let (text_b, rest_b) = split_run(b, |byte| !byte.is_ascii_digit());
        let (number_a, after_a) = split_run(rest_a, |byte| byte.is_ascii_digit());
        let (number_b, after_b) = split_run(rest_b, |byte| byte.is_ascii_digit());
        let order = compare_text(text_a, text_b).then_with(|| compare_number(number_a, number_b));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (after_a, after_b);
    }
    Ordering::Equal
}

fn split_run(bytes: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !belongs(byte)).unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// Letters before other characters, and a tilde before everything, even the end.
fn compare_text(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    (0..a.len().max(b.len()))
        .map(|at| weight(a.get(at)).cmp(&weight(b.get(at))))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Compares numbers of any length by value.
fn compare_number(a: &[u8], b: &[u8]) -> Ordering {
    let (_, a) = split_run(a, |&byte| byte == b'0');
    let (_, b) = split_run(b, |&byte| byte == b'0');
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl PartialOrd for DebVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DebVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for DebVersion {}

impl fmt::Display for DebVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DebVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DebVersion({})", self.0)
    }
}

impl Serialize for DebVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DebVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(a: &str, b: &str, expect: Ordering) {
        let (a, b): (DebVersion, DebVersion) = (a.parse().unwrap(), b.parse().unwrap());
        assert_eq!(a.cmp(&b), expect, "{a} against {b}");
        assert_eq!(b.cmp(&a), expect.reverse(), "{b} against {a}");
    }

    #[test]
    fn versions_sort_as_the_manual_says() {
        for [smaller, greater] in [
            ["1.0~rc1", "1.0"],
            ["1.0~~", "1.0~"],
            ["1.0", "1.0-1"],
            ["1.0a", "1.0+b"],
            ["1.9", "1.10"],
            ["9", "1:0"],
            ["1.0-1", "1.0-1+b1"],
            ["2.36-9+deb12u9", "2.36-9+deb12u10"],
            ["1", "1.0.1"],
            ["1.2.3-1~bpo12+1", "1.2.3-1"],
            ["99999999999999999998", "99999999999999999999"],
        ] {
            check(smaller, greater, Ordering::Less);
        }
        for [a, b] in [["1.0", "1.00"], ["0:1", "1"], ["1", "1-0"], ["1.01", "1.1"]] {
            check(a, b, Ordering::Equal);
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let epoch = |text: &str| ParseVersionError::Epoch(text.to_owned());
        for (text, error) in [
            ("", ParseVersionError::Empty),
            ("1:", ParseVersionError::Empty),
            ("-1", ParseVersionError::Empty),
            (":1", epoch(":1")),
            ("a:1", epoch("a:1")),
            ("2147483648:1", epoch("2147483648:1")),
            ("1-", ParseVersionError::EmptyRevision("1-".to_owned())),
            ("1 0", ParseVersionError::Character { version: "1 0".to_owned(), character: ' ' }),
            ("1-0:0", epoch("1-0:0")),
            ("1:1-0:0", ParseVersionError::Character { version: "1:1-0:0".to_owned(), character: ':' }),
            (&"1".repeat(513), ParseVersionError::TooLong),
        ] {
            assert_eq!(text.parse::<DebVersion>().unwrap_err(), error, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,40}") {
            let _ = text.parse::<DebVersion>();
        }

        #[test]
        fn the_order_is_total(
            a in "([0-9]:)?[0-9a-b.+~]{1,6}(-[0-9a~+.]{1,4})?",
            b in "([0-9]:)?[0-9a-b.+~]{1,6}(-[0-9a~+.]{1,4})?",
            c in "([0-9]:)?[0-9a-b.+~]{1,6}(-[0-9a~+.]{1,4})?",
        ) {
            let mut all: Vec<DebVersion> = [a, b, c].iter().map(|text| text.parse().unwrap()).collect();
            all.sort();
            prop_assert!(all[0] <= all[1] && all[1] <= all[2] && all[0] <= all[2]);
            prop_assert_eq!(all[0].cmp(&all[2]), all[2].cmp(&all[0]).reverse());
        }
    }
}
