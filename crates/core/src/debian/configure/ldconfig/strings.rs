//! The cache's string table: every string once, and none that is the end of another (glibc's `stringtable.c`).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A finished string table.
#[derive(Debug, Default)]
pub(super) struct StringTable {
    offsets: BTreeMap<Vec<u8>, u32>,
    /// NUL-terminated strings.
    pub(super) bytes: Vec<u8>,
}

impl StringTable {
    pub(super) fn new(strings: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let distinct: BTreeSet<Vec<u8>> = strings.into_iter().collect();
        let mut sorted: Vec<Vec<u8>> = distinct.into_iter().collect();
        sorted.sort_by(|left, right| compare_from_the_end(left, right));
        let mut table = Self::default();
        let mut previous: Option<(Vec<u8>, u32)> = None;
        for string in sorted {
            let offset = match &previous {
                Some((longer, at)) if longer.ends_with(&string) => at + (longer.len() - string.len()) as u32,
                _ => {
                    let offset = table.bytes.len() as u32;
                    table.bytes.extend_from_slice(&string);
                    table.bytes.push(0);
                    offset
                }
            };
            table.offsets.insert(string.clone(), offset);
            previous = Some((string, offset));
        }
        table
    }

    /// Where the string starts; 0 for one that was not given to [`StringTable::new`].
    pub(super) fn offset(&self, string: &[u8]) -> u32 {
        self.offsets.get(string).copied().unwrap_or(0)
    }
}

/// Compares from the last byte, greater bytes first; a string comes before those that are its ends.
fn compare_from_the_end(left: &[u8], right: &[u8]) -> Ordering {
    let by_bytes = left.iter().rev().zip(right.iter().rev()).map(|(l, r)| r.cmp(l)).find(|order| order.is_ne());
    by_bytes.unwrap_or_else(|| right.len().cmp(&left.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_shares_the_bytes_of_the_whole() {
        let table = StringTable::new(["libz.so.1", "/lib/libz.so.1", "x"].map(|text| text.as_bytes().to_vec()));
        assert_eq!(table.bytes, b"x\0/lib/libz.so.1\0");
        assert_eq!(table.offset(b"libz.so.1"), 7);
    }
}
