//! Store paths as items of layers.

use std::io::{self, Read};

use bstr::{BStr, BString};
use serde::{Deserialize, Serialize};

use super::StorePath;
use super::nar::NarSink;
use crate::digest::NarHash;
use crate::item::{EntryKind, EntrySink, ItemId};
use crate::tree::{Meta, TreePath};

/// Changes whenever the same NAR becomes other tar entries or another index.
const FORMAT_VERSION: u32 = 1;

/// When everything in the store was modified, in seconds since 1970, as Nix has it.
const MTIME: i64 = 1;

/// The id of a store path's segment: its name, what is in it, and the version of this code's output.
pub fn store_item_id(path: &StorePath, hash: NarHash) -> ItemId {
    let version = FORMAT_VERSION.to_be_bytes();
    ItemId::of_parts([b"nix".as_slice(), &version, path.as_str().as_bytes(), hash.hash().as_bytes()])
}

/// What is in a store path, and where the contents of its files are in the segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreIndex {
    /// The entries in the NAR's order, the root first.
    pub entries: Vec<StoreEntry>,
}

/// One entry of a store path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreEntry {
    /// Where it is below the store path; the root for the store path itself.
    pub path: TreePath,
    /// What it is.
    pub kind: StoreEntryKind,
}

/// What an entry is. Owners, times and other permissions are the same for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreEntryKind {
    /// A directory, mode `0555`.
    Directory,
    /// A file, mode `0555` or `0444`.
    File {
        /// Whether it may be executed.
        executable: bool,
        /// Its length in bytes.
        size: u64,
        /// Where its bytes start in the uncompressed segment.
        offset: u64,
    },
    /// A symlink with its target as written.
    Symlink {
        /// The target.
        target: BString,
    },
}

impl StoreIndex {
    /// The entry at a path below the store path.
    pub fn get(&self, path: &TreePath) -> Option<&StoreEntryKind> {
        // A NAR's order is that of names within each directory, which is not that of whole paths: `a/b` is before `a.b`.
        let at = self.entries.binary_search_by(|entry| entry.path.components().cmp(path.components()));
        at.ok().and_then(|at| self.entries.get(at)).map(|entry| &entry.kind)
    }
}

/// Writes a NAR as the segment of a store path, root-owned, and hands on the entries of its index.
pub struct NarToSegment<'s> {
    sink: &'s mut dyn EntrySink,
    root: TreePath,
    keep: &'s mut dyn FnMut(&StoreEntry) -> io::Result<()>,
}

impl<'s> NarToSegment<'s> {
    /// Writes the directories above the store path, then takes its NAR. `keep` gets each entry of the [`StoreIndex`], in
    /// order.
    ///
    /// # Errors
    /// When the sink cannot write.
    pub fn new(
        path: &StorePath,
        sink: &'s mut dyn EntrySink,
        keep: &'s mut dyn FnMut(&StoreEntry) -> io::Result<()>,
    ) -> io::Result<Self> {
        let root = path.tree_path();
        for above in root.ancestors().filter(|above| !above.is_root()) {
            sink.append(&above, &Meta::root(0o755, MTIME), &EntryKind::Directory, &mut io::empty())?;
        }
        Ok(Self { sink, root, keep })
    }

    fn append(&mut self, path: &TreePath, mode: u16, kind: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        let place = match path.is_root() {
            true => self.root.clone(),
            false => self.root.join(path.as_bytes()).map_err(io::Error::other)?,
        };
        self.sink.append(&place, &Meta::root(mode, MTIME), kind, data)
    }

    fn keep(&mut self, path: &TreePath, kind: StoreEntryKind) -> io::Result<()> {
        (self.keep)(&StoreEntry { path: path.clone(), kind })
    }
}

impl NarSink for NarToSegment<'_> {
    fn directory(&mut self, path: &TreePath) -> io::Result<()> {
        self.append(path, 0o555, &EntryKind::Directory, &mut io::empty())?;
        self.keep(path, StoreEntryKind::Directory)
    }

    fn symlink(&mut self, path: &TreePath, target: &BStr) -> io::Result<()> {
        let target = target.to_owned();
        self.append(path, 0o777, &EntryKind::Symlink { target: target.clone() }, &mut io::empty())?;
        self.keep(path, StoreEntryKind::Symlink { target })
    }

    fn file(&mut self, path: &TreePath, executable: bool, size: u64, data: &mut dyn Read) -> io::Result<()> {
        let mode = if executable { 0o555 } else { 0o444 };
        let offset = self.append(path, mode, &EntryKind::File { size }, data)?;
        self.keep(path, StoreEntryKind::File { executable, size, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nix::nar::{NarLimits, NarWriter, read};

    /// What a segment would hold.
    #[derive(Default)]
    struct Entries {
        all: Vec<(String, Meta, EntryKind)>,
        length: u64,
    }

    impl EntrySink for Entries {
        fn append(&mut self, path: &TreePath, meta: &Meta, kind: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
            self.all.push((path.to_string(), meta.clone(), kind.clone()));
            let at = self.length;
            self.length += io::copy(data, &mut io::sink())?;
            Ok(at)
        }
    }

    fn store_path() -> StorePath {
        "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-hello-2.12".parse().unwrap()
    }

    fn nar() -> Vec<u8> {
        let mut writer = NarWriter::new(Vec::new());
        writer.directory(&TreePath::ROOT).unwrap();
        writer.directory(&TreePath::literal("a")).unwrap();
        writer.file(&TreePath::literal("a/b"), true, 3, &mut b"abc".as_slice()).unwrap();
        writer.file(&TreePath::literal("a.b"), false, 2, &mut b"de".as_slice()).unwrap();
        writer.symlink(&TreePath::literal("link"), BStr::new("a/b")).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn entries_are_canonical_and_the_index_finds_them() {
        let (mut entries, mut index) = (Entries::default(), StoreIndex::default());
        let mut keep = |entry: &StoreEntry| {
            index.entries.push(entry.clone());
            Ok(())
        };
        let mut sink = NarToSegment::new(&store_path(), &mut entries, &mut keep).unwrap();
        read(&mut nar().as_slice(), &mut sink, &NarLimits::default()).unwrap();
        let root = store_path().absolute();
        let expect = [
            ("/nix".to_owned(), 0o755, EntryKind::Directory),
            ("/nix/store".to_owned(), 0o755, EntryKind::Directory),
            (root.clone(), 0o555, EntryKind::Directory),
            (format!("{root}/a"), 0o555, EntryKind::Directory),
            (format!("{root}/a/b"), 0o555, EntryKind::File { size: 3 }),
            (format!("{root}/a.b"), 0o444, EntryKind::File { size: 2 }),
            (format!("{root}/link"), 0o777, EntryKind::Symlink { target: "a/b".into() }),
        ];
        assert_eq!(entries.all, expect.map(|(path, mode, kind)| (path, Meta::root(mode, 1), kind)));
        assert_eq!(index.entries.len(), 5);
        for entry in &index.entries {
            assert_eq!(index.get(&entry.path), Some(&entry.kind));
        }
        let file = StoreEntryKind::File { executable: false, size: 2, offset: 3 };
        assert_eq!(index.get(&TreePath::literal("a.b")), Some(&file));
        assert_eq!(index.get(&TreePath::literal("a.c")), None);
    }

    #[test]
    fn ids_are_of_the_name_and_the_content() {
        let (path, hash) = (store_path(), NarHash::of(b"a"));
        let renamed = StorePath::new(path.hash(), "hello-2.13").unwrap();
        let ids = [store_item_id(&path, hash), store_item_id(&renamed, hash), store_item_id(&path, NarHash::of(b"b"))];
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
        assert_eq!(store_item_id(&path, hash), ids[0]);
    }
}
