//! Writing segments.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Read, Write};

use camino::Utf8PathBuf;
use plywood_core::digest::Sha256Hash;
use plywood_core::item::{EntryKind, EntrySink, ItemId};
use plywood_core::tree::{Meta, TreePath};

use super::{MAGIC, Segment, SegmentError, Trailer};
use crate::codec::{Codec, Encoder};
use crate::hash::Hashing;
use crate::store::{StoreError, TempFile};
use crate::tar::{encode, padding};

/// How much is copied and written at once, in bytes.
const BUFFER: usize = 128 << 10;

/// Writes the segment of an item; it is in the store once [`finish`](Self::finish) returns, and not at all before.
pub struct SegmentWriter {
    item: ItemId,
    codec: Codec,
    path: Utf8PathBuf,
    tar: Hashing<Encoder<Hashing<BufWriter<TempFile>>>>,
    /// What hard links may lead to.
    files: BTreeSet<TreePath>,
    buffer: Vec<u8>,
}

impl SegmentWriter {
    pub(crate) fn new(item: ItemId, codec: Codec, file: TempFile, path: Utf8PathBuf) -> Result<Self, SegmentError> {
        let out = Hashing::new(BufWriter::with_capacity(BUFFER, file));
        let encoder = codec.encoder(out).map_err(|source| SegmentError::Finish { item, source })?;
        Ok(Self { item, codec, path, tar: Hashing::new(encoder), files: BTreeSet::new(), buffer: vec![0; BUFFER] })
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
        let Self { item, codec, path, tar: Hashing { inner: encoder, hasher: uncompressed }, .. } = self;
        let failed = |source| SegmentError::Finish { item, source };
        let Hashing { inner: mut out, hasher: compressed } = encoder.finish().map_err(failed)?;
        let trailer = Trailer {
            compressed: compressed.save(),
            uncompressed: uncompressed.save(),
            index_length: index.len() as u64,
            index_hash: *Sha256Hash::of(index).as_bytes(),
        };
        let trailer = postcard::to_stdvec(&trailer).map_err(|error| failed(io::Error::other(error)))?;
        for part in [index, &trailer, &(trailer.len() as u64).to_le_bytes(), MAGIC] {
            out.write_all(part).map_err(failed)?;
        }
        let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
        file.readable_by_all()?;
        file.persist(&path)?;
        let file = std::fs::File::open(&path).map_err(StoreError::io("open", &path))?;
        let damaged = StoreError::Damaged { path: path.clone() };
        Ok(Segment::open(item, codec, path, file)?.ok_or(damaged)?)
    }

    /// Copies exactly `size` bytes, and the zeros up to the next block.
    fn copy(&mut self, size: u64, data: &mut dyn Read) -> io::Result<()> {
        let mut left = size;
        loop {
            let room = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1));
            let read = match data.read(&mut self.buffer[..room]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let over = || io::Error::new(io::ErrorKind::InvalidData, format!("the data has more than {size} bytes"));
            left = left.checked_sub(read as u64).ok_or_else(over)?;
            self.tar.write_all(&self.buffer[..read])?;
        }
        if left > 0 {
            let message = format!("the data ends {left} bytes before its {size}");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        self.tar.write_all(&[0; crate::tar::BLOCK][..padding(size)])
    }
}

impl EntrySink for SegmentWriter {
    fn append(&mut self, path: &TreePath, meta: &Meta, kind: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        let mut size = 0;
        match kind {
            EntryKind::File { size: length } => {
                size = *length;
                self.files.insert(path.clone());
            }
            EntryKind::HardLink { target } if !self.files.contains(target) => {
                let message = format!("{path} is a hard link to {target}, which did not come before");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            _ => {}
        }
        let mut header = Vec::with_capacity(crate::tar::BLOCK);
        encode(path, meta, kind, &mut header);
        self.tar.write_all(&header)?;
        let offset = self.tar.hasher.length();
        self.copy(size, data)?;
        Ok(offset)
    }
}
