//! The cache on disk: segments, layers and blobs.
//!
//! Every file appears by one rename, complete. Two processes that make the same file make the same bytes, so whoever
//! renames last changes nothing. No process waits for another; only removing asks for the store alone.

mod error;
mod prune;
mod temp;

use std::fs::File;
use std::io::{self, Write};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;
use plywood_core::item::ItemId;

use crate::codec::Codec;
use crate::layer::{Layer, LayerKey};
use crate::segment::{Segment, SegmentError, SegmentWriter};
pub use error::StoreError;
pub use prune::{KindUsage, PruneLimits, Pruned, Usage};
pub(crate) use temp::TempFile;

/// The version of the format of segments and layers; part of every name, so that versions live side by side.
pub(crate) const FORMAT_VERSION: u32 = 2;

/// A cache directory in use by this process.
#[derive(Debug)]
pub struct Store {
    root: Utf8PathBuf,
    /// Held shared while the store is open, so that nobody prunes under a build.
    lock: File,
}

impl Store {
    /// Opens the store at `root`, making it when it is not there, and removes what dead processes left half-written.
    ///
    /// # Errors
    /// When a directory cannot be made or read.
    pub fn open(root: impl Into<Utf8PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        for directory in ["segments", "layers", "blobs/sha256", "tmp"].map(|name| root.join(name)) {
            std::fs::create_dir_all(&directory).map_err(StoreError::io("create the directory", &directory))?;
        }
        let lock_path = root.join("lock");
        let lock = File::options().create(true).append(true).open(&lock_path);
        let lock = lock.map_err(StoreError::io("open", &lock_path))?;
        lock.lock_shared().map_err(StoreError::io("lock", &lock_path))?;
        let temp = root.join("tmp");
        temp::clean(&temp).map_err(StoreError::io("clean", &temp))?;
        Ok(Self { root, lock })
    }

    /// The store's directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The segment of an item, when it is there and whole.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn segment(&self, item: ItemId, codec: Codec) -> Result<Option<Segment>, StoreError> {
        let path = self.segment_path(item, codec);
        let Some(file) = open_existing(&path)? else { return Ok(None) };
        let segment = Segment::open(item, codec, path, file)?;
        if let Some(segment) = &segment {
            segment.mark_used();
        }
        Ok(segment)
    }

    /// Starts the segment of an item.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub fn create_segment(&self, item: ItemId, codec: Codec) -> Result<SegmentWriter, SegmentError> {
        let file = TempFile::create(&self.temp())?;
        SegmentWriter::new(item, codec, file, self.segment_path(item, codec))
    }

    /// What is known of a layer, when its blob is there too.
    ///
    /// # Errors
    /// When the record is there and cannot be read.
    pub fn layer(&self, key: LayerKey) -> Result<Option<Layer>, StoreError> {
        let path = self.layer_path(key);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        // A record cut short by a power failure is no record.
        let Ok(layer) = serde_json::from_slice::<Layer>(&bytes) else { return Ok(None) };
        let whole = self.has_blob(layer.digest, layer.size);
        if whole {
            mark_used(&path);
        }
        Ok(whole.then_some(layer))
    }

    /// Whether the blob of this digest and size in bytes is in the store; it then counts as used.
    pub fn has_blob(&self, digest: Digest, size: u64) -> bool {
        let path = self.blob_path(digest);
        let whole = std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() == size);
        if whole {
            mark_used(&path);
        }
        whole
    }

    /// Keeps what is known of a layer whose blob is in the store.
    pub(crate) fn put_layer(&self, key: LayerKey, layer: &Layer) -> Result<(), StoreError> {
        let path = self.layer_path(key);
        let mut file = TempFile::create(&self.temp())?;
        let bytes = plywood_core::oci::to_json(layer);
        file.write_all(&bytes).map_err(StoreError::io("write", &path))?;
        file.persist(&path)
    }

    /// Keeps a small blob, such as a manifest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(digest);
        let mut file = self.create_temp()?;
        file.write_all(bytes).map_err(StoreError::io("write", &path))?;
        file.readable_by_all()?;
        file.persist(&path)?;
        Ok(digest)
    }

    /// Where the blob of this digest is, if it is in the store.
    pub fn blob_path(&self, digest: Digest) -> Utf8PathBuf {
        self.root.join("blobs/sha256").join(digest.to_hex())
    }

    /// A file that becomes visible only when it is done.
    pub(crate) fn create_temp(&self) -> Result<TempFile, StoreError> {
        TempFile::create(&self.temp())
    }

    fn temp(&self) -> Utf8PathBuf {
        self.root.join("tmp")
    }

    fn segment_path(&self, item: ItemId, codec: Codec) -> Utf8PathBuf {
        let hex = item.to_hex();
        self.root.join("segments").join(&hex[..2]).join(format!("{hex}-v{FORMAT_VERSION}-{codec}"))
    }

    fn layer_path(&self, key: LayerKey) -> Utf8PathBuf {
        self.root.join("layers").join(key.to_string())
    }
}

/// Opens a file for reading unless there is none.
fn open_existing(path: &Utf8Path) -> Result<Option<File>, StoreError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("open", path)(error)),
    }
}

/// Remembers that a file was of use, for pruning; in a store one may only read, nothing is remembered.
pub(crate) fn mark_used(path: &Utf8Path) {
    if let Ok(file) = File::options().append(true).open(path) {
        let _ = file.set_modified(SystemTime::now());
    }
}
