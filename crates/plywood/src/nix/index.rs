//! Indexes of store paths, packed and unpacked entry by entry: what a path with hundreds of thousands of files has is never
//! in memory as values.
//!
//! The bytes are those of a [`StoreIndex`](plywood_core::nix::StoreIndex) in postcard's wire format: the number of entries,
//! then the entries.

use std::io;

use plywood_core::nix::StoreEntry;

/// Room for the number of entries: the longest that postcard has for one ("Wire format", varint).
const NUMBER: usize = 10;

/// An index that grows.
#[derive(Debug)]
pub(super) struct PackedIndex {
    count: u64,
    /// The entries, after room for their number.
    bytes: Vec<u8>,
}

impl PackedIndex {
    pub(super) fn new() -> Self {
        Self { count: 0, bytes: vec![0; NUMBER] }
    }

    pub(super) fn push(&mut self, entry: &StoreEntry) -> io::Result<()> {
        postcard::to_io(entry, &mut self.bytes).map_err(io::Error::other)?;
        self.count += 1;
        Ok(())
    }

    /// The whole.
    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        let number = postcard::to_stdvec(&self.count).map_err(io::Error::other)?;
        self.bytes.splice(..NUMBER, number);
        Ok(self.bytes)
    }
}

/// The entries of an index; an error is the last.
pub(crate) fn entries(bytes: &[u8]) -> impl Iterator<Item = Result<StoreEntry, postcard::Error>> + '_ {
    let (count, mut rest, failed) = match postcard::take_from_bytes::<u64>(bytes) {
        Ok((count, rest)) => (count, Some(rest), None),
        Err(error) => (0, None, Some(Err(error))),
    };
    let each = (0..count).map_while(move |_| match postcard::take_from_bytes(rest.take()?) {
        Ok((entry, after)) => {
            rest = Some(after);
            Some(Ok(entry))
        }
        // Nothing can be read behind it.
        Err(error) => Some(Err(error)),
    });
    failed.into_iter().chain(each)
}

#[cfg(test)]
mod tests {
    use plywood_core::nix::{StoreEntryKind, StoreIndex};
    use plywood_core::tree::TreePath;

    use super::*;

    fn index(count: u64) -> StoreIndex {
        let kind = |number: u64| match number % 3 {
            0 => StoreEntryKind::Directory,
            1 => StoreEntryKind::File { executable: true, size: number << 40, offset: number },
            _ => StoreEntryKind::Symlink { target: "x".into() },
        };
        let entry = |number: u64| StoreEntry {
            path: TreePath::parse(format!("a/{number}").as_bytes()).expect("a path"),
            kind: kind(number),
        };
        StoreIndex { entries: (0..count).map(entry).collect() }
    }

    #[test]
    fn entries_one_by_one_are_the_whole() {
        for count in [0, 1, 127, 128, 300] {
            let whole = index(count);
            let mut packed = PackedIndex::new();
            whole.entries.iter().try_for_each(|entry| packed.push(entry)).expect("packed");
            let bytes = packed.finish().expect("packed");
            assert_eq!(bytes, postcard::to_stdvec(&whole).expect("packed"));
            let back: Vec<StoreEntry> = entries(&bytes).collect::<Result<_, _>>().expect("an index");
            assert_eq!(back, whole.entries);
        }
    }

    #[test]
    fn an_index_cut_short_is_told_and_ends() {
        let bytes = postcard::to_stdvec(&index(20)).expect("packed");
        for length in 0..bytes.len() {
            let cut = bytes.get(..length).expect("shorter");
            assert_eq!(entries(cut).filter(Result::is_err).count(), 1, "{length}");
        }
    }
}
