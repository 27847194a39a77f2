//! Reading segments back.

use std::io::{self, Read};

use plywood_core::item::EntryKind;

use super::{Segment, SegmentError};
use crate::tar::{TarEntry, for_each_entry};

impl Segment {
    /// The directories, then the other entries in their order, without their data. Decompresses the whole segment.
    ///
    /// # Errors
    /// When the segment cannot be read or is damaged.
    pub fn entries(&self) -> Result<Vec<TarEntry>, SegmentError> {
        let mut entries = Vec::new();
        let take = |entry, _: &mut dyn Read| {
            entries.push(entry);
            Ok(())
        };
        self.for_each_entry(take).map_err(|source| SegmentError::Read { item: self.item(), source })?;
        Ok(entries)
    }

    /// Hands the directories, then every other entry with its data to `take`.
    ///
    /// # Errors
    /// When the segment cannot be read or is damaged, and those of `take`.
    pub fn for_each_entry(&self, mut take: impl FnMut(TarEntry, &mut dyn Read) -> io::Result<()>) -> io::Result<()> {
        for (path, meta) in self.directories().map_err(io::Error::other)? {
            take(TarEntry { path, meta, kind: EntryKind::Directory, offset: 0 }, &mut io::empty())?;
        }
        for_each_entry(self.uncompressed()?, take)
    }
}
