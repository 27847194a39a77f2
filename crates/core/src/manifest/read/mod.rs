//! Reads tables of TOML into the manifest's types, collecting every fault on the way instead of stopping at the first.

mod integer;
mod table;

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use super::problem::{ManifestError, Problem};
use super::spanned::Spanned as Located;
use super::{ParseValueError, Platform};
use crate::tree::TreePath;
pub(super) use integer::integer_value;
pub(super) use table::{TableReader, most_alike, read_table, reserved_keys};

/// The faults found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<ManifestError>);

impl Problems {
    /// Notes a fault.
    pub(super) fn add(&mut self, span: Range<usize>, problem: impl Into<Problem>) {
        self.0.push(ManifestError { span, problem: problem.into(), related: None });
    }

    /// Notes a fault that has to do with a second place.
    pub(super) fn add_related(
        &mut self,
        span: Range<usize>,
        problem: Problem,
        related: Range<usize>,
        label: &'static str,
    ) {
        self.0.push(ManifestError { span, problem, related: Some((related, label)) });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<ManifestError> {
        self.0
    }
}

/// A type that is read from a TOML value.
pub(super) trait FromToml: Sized {
    /// The value, or `None` after noting why there is none.
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self>;

    /// What a missing key means; `None` when the key has to be there.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: FromToml> FromToml for Option<T> {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        T::from_toml(value, problems).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: FromToml> FromToml for Located<T> {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        Some(Located { value: T::from_toml(value, problems)?, span: value.span() })
    }
}

/// A list; members that are at fault are noted and left out, and the list with them when no other is left: it is not empty as written.
impl<T: FromToml> FromToml for Vec<T> {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let DeValue::Array(array) = value.get_ref() else {
            return wrong_type(value, "an array", problems);
        };
        let members: Vec<T> = array.iter().filter_map(|member| T::from_toml(member, problems)).collect();
        (!members.is_empty() || array.is_empty()).then_some(members)
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

/// A table with free keys; entries that are at fault are noted and left out.
impl<K: FromKey + Ord, V: FromToml> FromToml for BTreeMap<K, V> {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            return wrong_type(value, "a table", problems);
        };
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let parsed = K::from_key(key.get_ref(), key.span());
            let key = parsed.map_err(|error| problems.add(key.span(), error)).ok();
            let value = V::from_toml(value, problems);
            entries.extend(key.zip(value));
        }
        Some(entries)
    }

    fn absent() -> Option<Self> {
        Some(BTreeMap::new())
    }
}

/// A type that is read from a free key of a table.
pub(super) trait FromKey: Sized {
    /// Parses the key written at `span`.
    fn from_key(key: &str, span: Range<usize>) -> Result<Self, ParseValueError>;
}

impl<T: FromStr<Err = ParseValueError>> FromKey for Located<T> {
    fn from_key(key: &str, span: Range<usize>) -> Result<Self, ParseValueError> {
        Ok(Located { value: key.parse()?, span })
    }
}

impl FromKey for Located<TreePath> {
    fn from_key(key: &str, span: Range<usize>) -> Result<Self, ParseValueError> {
        Ok(Located { value: super::values::parse_tree_path(key)?, span })
    }
}

impl FromToml for String {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        string(value, problems).map(str::to_owned)
    }
}

impl FromToml for bool {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(switch) => Some(*switch),
            _ => wrong_type(value, "true or false", problems),
        }
    }
}

impl FromToml for TreePath {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let text = string(value, problems)?;
        super::values::parse_tree_path(text).map_err(|error| problems.add(value.span(), error)).ok()
    }
}

impl FromToml for Platform {
    fn from_toml(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let text = string(value, problems)?;
        // The schema lists the two names, so the parser takes no others (`linux/arm64/v8` is the same platform elsewhere).
        let found = Platform::ALL.into_iter().find(|platform| platform.to_string() == text);
        if found.is_none() {
            let rule = "there are `linux/amd64` and `linux/arm64`";
            problems.add(value.span(), ParseValueError::new(text, "a platform", rule));
        }
        found
    }
}

/// The text of a string value.
pub(super) fn string<'v>(value: &'v Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<&'v str> {
    match value.get_ref() {
        DeValue::String(text) => Some(text),
        _ => wrong_type(value, "a string", problems),
    }
}

/// A string value parsed into its type.
pub(super) fn parse_text<T: FromStr<Err = ParseValueError>>(
    value: &Spanned<DeValue<'_>>,
    problems: &mut Problems,
) -> Option<T> {
    string(value, problems)?.parse().map_err(|error: ParseValueError| problems.add(value.span(), error)).ok()
}

/// An integer value within `range`.
pub(super) fn integer_in(
    value: &Spanned<DeValue<'_>>,
    range: RangeInclusive<i64>,
    problems: &mut Problems,
) -> Option<i64> {
    let DeValue::Integer(integer) = value.get_ref() else {
        return wrong_type(value, "an integer", problems);
    };
    let parsed = i64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| range.contains(number));
    if parsed.is_none() {
        let (min, max) = range.into_inner();
        problems.add(value.span(), Problem::OutOfRange { value: integer.to_string(), min, max });
    }
    parsed
}

/// Notes that `value` is of another type than `expected`.
pub(super) fn wrong_type<T>(
    value: &Spanned<DeValue<'_>>,
    expected: &'static str,
    problems: &mut Problems,
) -> Option<T> {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a floating-point number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    problems.add(value.span(), Problem::WrongType { expected, found });
    None
}
