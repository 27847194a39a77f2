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
    /// The entry at a path below the store path. Costs time in proportion to the number of entries.
    pub fn get(&self, path: &TreePath) -> Option<&StoreEntryKind> {
        self.entries.iter().find(|entry| entry.path == *path).map(|entry| &entry.kind)
    }
}

/// Writes a NAR as the segment of a store path, root-owned, and keeps the index.
pub struct NarToSegment<'s> {
    sink: &'s mut dyn EntrySink,
    root: TreePath,
    index: StoreIndex,
}

impl<'s> NarToSegment<'s> {
    /// Writes the directories above the store path, then takes its NAR.
    ///
    /// # Errors
    /// When the sink cannot write.
    pub fn new(path: &StorePath, sink: &'s mut dyn EntrySink) -> io::Result<Self> {
        let root = path.tree_path();
        for above in root.ancestors().filter(|above| !above.is_root()) {
            sink.append(&above, &Meta::root(0o755, MTIME), &EntryKind::Directory, &mut io::empty())?;
        }
        Ok(Self { sink, root, index: StoreIndex::default() })
    }

    /// The index, when the NAR is at its end.
    pub fn finish(self) -> StoreIndex {
        self.index
    }

    fn append(&mut self, path: &TreePath, mode: u16, kind: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        let place = match path.is_root() {
            true => self.root.clone(),
            false => self.root.join(path.as_bytes()).map_err(io::Error::other)?,
        };
        self.sink.append(&place, &Meta::root(mode, MTIME), kind, data)
    }

    fn keep(&mut self, path: &TreePath, kind: StoreEntryKind) {
        self.index.entries.push(StoreEntry { path: path.clone(), kind });
    }
}

impl NarSink for NarToSegment<'_> {
    fn directory(&mut self, path: &TreePath) -> io::Result<()> {
        self.append(path, 0o555, &EntryKind::Directory, &mut io::empty())?;
        self.keep(path, StoreEntryKind::Directory);
        Ok(())
    }

    fn symlink(&mut self, path: &TreePath, target: &BStr) -> io::Result<()> {
        let target = target.to_owned();
        self.append(path, 0o777, &EntryKind::Symlink { target: target.clone() }, &mut io::empty())?;
        self.keep(path, StoreEntryKind::Symlink { target });
        Ok(())
    }

    fn file(&mut self, path: &TreePath, executable: bool, size: u64, data: &mut dyn Read) -> io::Result<()> {
        let mode = if executable { 0o555 } else { 0o444 };
        let offset = self.append(path, mode, &EntryKind::File { size }, data)?;
        self.keep(path, StoreEntryKind::File { executable, size, offset });
        Ok(())
    }
}
