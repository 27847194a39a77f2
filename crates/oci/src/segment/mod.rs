//! Segments: items as compressed runs of tar entries, kept in the store.
//!
//! A segment's file holds the compressed entries, the item's directories, the index that its maker left with it, and a
//! trailer. One file and one rename: a segment without its index is never seen, and a file cut short has no trailer and
//! counts as absent.
//!
//! Directories stand apart because a layer must have each path once: podman and Docker refuse a layer with two entries
//! of one name ("duplicates of file paths not supported"), and items share their directories.

mod contents;
mod error;
mod filter;
mod generated;
mod reader;
mod writer;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Sha256Hash;
use plywood_core::item::ItemId;
use plywood_core::tree::{Meta, TreePath};
use serde::{Deserialize, Serialize};

use crate::codec::{Codec, Decoder};
use crate::store::{StoreError, mark_used};
pub use contents::SegmentContents;
pub use error::SegmentError;
pub use filter::filter_segment;
pub use generated::write_generated;
pub use writer::SegmentWriter;

pub use crate::tar::TarEntry;

const MAGIC: &[u8; 8] = b"plyseg2\n";
/// Trailers are about a hundred bytes; a longer one is damage.
const MAX_TRAILER: u64 = 4096;

/// What stands at the end of a segment's file, before its own length and the magic bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Trailer {
    compressed_length: u64,
    uncompressed_length: u64,
    directories: Part,
    index: Part,
}

/// A part of a segment's file after the compressed entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    length: u64,
    hash: [u8; 32],
}

impl Part {
    fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len() as u64, hash: *Sha256Hash::of(bytes).as_bytes() }
    }
}

/// A segment in the store.
#[derive(Debug)]
pub struct Segment {
    item: ItemId,
    codec: Codec,
    path: Utf8PathBuf,
    file: File,
    trailer: Trailer,
}

impl Segment {
    /// Reads the trailer; `None` when the file is not whole.
    pub(crate) fn open(item: ItemId, codec: Codec, path: Utf8PathBuf, file: File) -> Result<Option<Self>, StoreError> {
        let trailer = read_trailer(&file).map_err(StoreError::io("read", &path))?;
        Ok(trailer.map(|trailer| Self { item, codec, path, file, trailer }))
    }

    /// The item it is of.
    pub fn item(&self) -> ItemId {
        self.item
    }

    /// How it is compressed.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The file, for errors.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The length of the compressed entries in bytes.
    pub fn compressed_size(&self) -> u64 {
        self.trailer.compressed_length
    }

    /// The length of the uncompressed entries in bytes.
    pub fn uncompressed_size(&self) -> u64 {
        self.trailer.uncompressed_length
    }

    /// The item's directories.
    ///
    /// # Errors
    /// When they cannot be read or are damaged.
    pub fn directories(&self) -> Result<BTreeMap<TreePath, Meta>, StoreError> {
        let bytes = self.part(self.compressed_size(), &self.trailer.directories)?;
        postcard::from_bytes(&bytes).map_err(|_| StoreError::Damaged { path: self.path.clone() })
    }

    /// What its maker left with it.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn index(&self) -> Result<Vec<u8>, StoreError> {
        self.part(self.compressed_size() + self.trailer.directories.length, &self.trailer.index)
    }

    fn part(&self, at: u64, part: &Part) -> Result<Vec<u8>, StoreError> {
        // The trailer was checked against the file's length, so this is no more than the file has.
        let mut bytes = vec![0; part.length as usize];
        self.file.read_exact_at(&mut bytes, at).map_err(StoreError::io("read", &self.path))?;
        if Part::of(&bytes) != *part {
            return Err(StoreError::Damaged { path: self.path.clone() });
        }
        Ok(bytes)
    }

    /// The compressed entries from the start.
    pub(crate) fn compressed(&self) -> io::Result<io::Take<File>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file.take(self.compressed_size()))
    }

    /// The uncompressed entries from the start.
    pub(crate) fn uncompressed(&self) -> io::Result<Decoder<io::Take<File>>> {
        self.codec.decoder(self.compressed()?)
    }

    pub(crate) fn mark_used(&self) {
        mark_used(&self.path);
    }
}

/// The trailer when there is one and its lengths add up to the file's.
fn read_trailer(file: &File) -> io::Result<Option<Trailer>> {
    let length = file.metadata()?.len();
    let mut end = [0; 16];
    let Some(end_at) = length.checked_sub(16) else { return Ok(None) };
    file.read_exact_at(&mut end, end_at)?;
    let [a, b, c, d, e, f, g, h, magic @ ..] = end;
    let trailer_length = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let Some(trailer_at) = end_at.checked_sub(trailer_length) else { return Ok(None) };
    if magic != *MAGIC || trailer_length > MAX_TRAILER {
        return Ok(None);
    }
    let mut bytes = vec![0; trailer_length as usize];
    file.read_exact_at(&mut bytes, trailer_at)?;
    let trailer = postcard::from_bytes::<Trailer>(&bytes).ok();
    let adds_up = |trailer: &Trailer| {
        let parts = trailer.directories.length.checked_add(trailer.index.length);
        parts.and_then(|parts| parts.checked_add(trailer.compressed_length)) == Some(trailer_at)
    };
    Ok(trailer.filter(adds_up))
}
