//! Reads a table with known keys.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FromToml, Problems, wrong_type};
use crate::manifest::problem::Problem;

/// Reads the keys of one table and then notes those that nobody asked for.
pub(in crate::manifest) struct TableReader<'v, 'i, 'p> {
    table: &'v DeTable<'i>,
    span: Range<usize>,
    known: Vec<&'static str>,
    problems: &'p mut Problems,
}

impl<'v, 'i, 'p> TableReader<'v, 'i, 'p> {
    /// Starts on `value`; `None`, with a fault noted, when it is no table.
    pub(in crate::manifest) fn open(value: &'v Spanned<DeValue<'i>>, problems: &'p mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Self { table, span: value.span(), known: Vec::new(), problems }),
            _ => wrong_type(value, "a table", problems),
        }
    }

    /// Reads one key. A value at fault is noted and counts as absent, so that the rest of the table is still checked.
    pub(in crate::manifest) fn read<T: FromToml>(&mut self, key: &'static str) -> Option<T> {
        self.known.push(key);
        match self.table.get(key) {
            Some(value) => T::from_toml(value, self.problems).or_else(T::absent),
            None => {
                let absent = T::absent();
                if absent.is_none() {
                    self.problems.add(self.span.clone(), Problem::Missing(key.to_owned()));
                }
                absent
            }
        }
    }

    /// Notes the keys that were not read; `reserved` ones are for later versions.
    pub(in crate::manifest) fn finish(self, reserved: &[&str]) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let problem = if reserved.contains(&name) {
                Problem::Reserved(name.to_owned())
            } else {
                let suggestion = most_alike(name, self.known.iter().copied());
                Problem::UnknownKey { key: name.to_owned(), suggestion, known: self.known.clone() }
            };
            self.problems.add(key.span(), problem);
        }
    }
}

/// The candidate that `written` was most likely meant to be, if any comes near.
pub(in crate::manifest) fn most_alike<'c>(written: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let written = written.replace('_', "-").to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&written, candidate);
    let near = |(distance, candidate): &(usize, &str)| *distance * 3 <= candidate.len().max(3);
    candidates.map(|candidate| (distance(candidate), candidate)).filter(near).min().map(|(_, candidate)| candidate)
}

/// Implements [`FromToml`] for a struct, naming each field's key. `then check` calls `check(&self, span, problems)` on what was
/// read, for rules between keys; `reserved` names keys of later versions.
macro_rules! read_table {
    ($name:ident { $($field:ident = $key:literal),* $(,)? } $(then $check:ident)? $(reserved $reserved:expr)?) => {
        impl $crate::manifest::read::FromToml for $name {
            fn from_toml(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                problems: &mut $crate::manifest::read::Problems,
            ) -> Option<Self> {
                let mut table = $crate::manifest::read::TableReader::open(value, problems)?;
                $(let $field = table.read($key);)*
                table.finish($crate::manifest::read::reserved_keys!($($reserved)?));
                let read = Self { $($field: $field?),* };
                $(read.$check(value.span(), problems);)?
                Some(read)
            }
        }
    };
}
pub(in crate::manifest) use read_table;

macro_rules! reserved_keys {
    () => {
        &[]
    };
    ($reserved:expr) => {
        &$reserved
    };
}
pub(in crate::manifest) use reserved_keys;
