//! Writing segments.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Read, Write};

use camino::Utf8PathBuf;
use plywood_core::item::{EntryKind, EntrySink, ItemId};
use plywood_core::tree::{Meta, TreePath};

use super::{MAGIC, Part, Segment, SegmentError, Trailer};
use crate::codec::{Codec, Encoder};
use crate::store::{StoreError, TempFile};
use crate::tar::TarWriter;

/// How much is written at once, in bytes.
const BUFFER: usize = 128 << 10;

/// Writes the segment of an item; it is in the store once [`finish`](Self::finish) returns, and not at all before.
pub struct SegmentWriter {
    item: ItemId,
    codec: Codec,
    path: Utf8PathBuf,
    tar: TarWriter<Encoder<BufWriter<TempFile>>>,
    /// Kept aside: a layer has each directory once, however many of its items have it.
    directories: BTreeMap<TreePath, Meta>,
    /// What hard links may lead to; `None` where there are none.
    files: Option<BTreeSet<TreePath>>,
}

impl SegmentWriter {
    pub(crate) fn new(item: ItemId, codec: Codec, file: TempFile, path: Utf8PathBuf) -> Result<Self, SegmentError> {
        let out = BufWriter::with_capacity(BUFFER, file);
        let encoder = codec.encoder(out).map_err(|source| SegmentError::Finish { item, source })?;
        let (directories, files) = (BTreeMap::new(), Some(BTreeSet::new()));
        Ok(Self { item, codec, path, tar: TarWriter::new(encoder), directories, files })
    }

    /// Refuses hard links, and so need not remember what they may lead to.
    #[must_use]
    pub fn without_hard_links(self) -> Self {
        Self { files: None, ..self }
    }

    /// The item whose segment it is.
    pub fn item(&self) -> ItemId {
        self.item
    }

    /// Ends the segment and puts it in the store, with `index` beside it.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn finish(self, index: &[u8]) -> Result<Segment, SegmentError> {
        let Self { item, codec, path, tar, directories, .. } = self;
        let failed = |source| SegmentError::Finish { item, source };
        let uncompressed_length = tar.offset();
        let mut out = tar.into_inner().finish().map_err(failed)?;
        let pack = |error| failed(io::Error::other(error));
        let directories = postcard::to_stdvec(&directories).map_err(pack)?;
        let compressed_length = position(&mut out).map_err(failed)?;
        let trailer = Trailer {
            compressed_length,
            uncompressed_length,
            directories: Part::of(&directories),
            index: Part::of(index),
        };
        let trailer = postcard::to_stdvec(&trailer).map_err(pack)?;
        for part in [&directories, index, &trailer, &(trailer.len() as u64).to_le_bytes(), MAGIC] {
            out.write_all(part).map_err(failed)?;
        }
        let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
        file.readable_by_all()?;
        file.persist(&path)?;
        let file = std::fs::File::open(&path).map_err(StoreError::io("open", &path))?;
        let damaged = StoreError::Damaged { path: path.clone() };
        Ok(Segment::open(item, codec, path, file)?.ok_or(damaged)?)
    }
}

/// How much was written to the file.
fn position(out: &mut BufWriter<TempFile>) -> io::Result<u64> {
    out.flush()?;
    out.get_ref().length()
}

impl EntrySink for SegmentWriter {
    fn append(&mut self, path: &TreePath, meta: &Meta, kind: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        match kind {
            EntryKind::Directory => {
                self.directories.insert(path.clone(), meta.clone());
                return Ok(self.tar.offset());
            }
            EntryKind::File { .. } => {
                self.files.as_mut().map(|files| files.insert(path.clone()));
            }
            EntryKind::HardLink { target } if !self.files.as_ref().is_some_and(|files| files.contains(target)) => {
                let message = format!("{path} is a hard link to {target}, which did not come before");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            _ => {}
        }
        self.tar.append(path, meta, kind, data)
    }
}
