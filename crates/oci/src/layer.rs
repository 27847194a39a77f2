//! Layers: segments joined.
//!
//! A layer is a frame with the directories of all its items, each once, then the items' segments, then the end of the
//! archive. Two items of one layer must not both have a file of one path: engines refuse such layers.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use plywood_core::digest::{DiffId, Digest, Sha256Hash};
use plywood_core::item::{EntryKind, ItemId};
use plywood_core::oci::{Descriptor, annotations};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::codec::{Codec, END_OF_ARCHIVE, LayerCompression};
use crate::fill::fill;
use crate::hash::{Hasher, Hashing};
use crate::segment::{Segment, SegmentError};
use crate::store::{FORMAT_VERSION, Store, StoreError};
use crate::tar::encode;

/// How much is copied and hashed at once, in bytes.
const BUFFER: usize = 256 << 10;

/// Identity of a layer before it is made: its items in order, the format of segments and their compression.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LayerKey(ItemId);

impl LayerKey {
    /// The key of the layer of these items.
    pub fn of(items: &[ItemId], codec: Codec) -> Self {
        let format = format!("layer-v{FORMAT_VERSION}-{codec}");
        let items: Vec<String> = items.iter().map(|item| item.to_hex()).collect();
        Self(ItemId::of_parts([format.as_bytes()].into_iter().chain(items.iter().map(String::as_bytes))))
    }
}

impl fmt::Display for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LayerKey({})", self.0)
    }
}

/// A layer whose blob is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// What it was made from; `None` for a layer of somebody else's image, which is taken as it is.
    pub key: Option<LayerKey>,
    /// Of the compressed bytes.
    pub digest: Digest,
    /// Of the uncompressed bytes.
    pub diff_id: DiffId,
    /// The number of compressed bytes.
    pub size: u64,
    /// The number of uncompressed bytes.
    pub uncompressed_size: u64,
    /// How it is compressed.
    pub compression: LayerCompression,
}

impl Layer {
    /// A layer that is said to be in a registry: what [`Layer::descriptor`] wrote. `None` when something is missing, other
    /// than the key, which layers of somebody else's image do not have.
    ///
    /// Nothing of it is proved. Whoever takes it for the layer of its key must trust the manifest that says so.
    pub fn of_descriptor(descriptor: &Descriptor) -> Option<Self> {
        let note = |key: &str| descriptor.annotations.get(key);
        Some(Self {
            key: note(annotations::LAYER_KEY).map(|key| key.parse().map(LayerKey)).transpose().ok()?,
            digest: descriptor.digest,
            diff_id: note(annotations::LAYER_DIFF_ID)?.parse().ok()?,
            size: descriptor.size,
            uncompressed_size: note(annotations::LAYER_UNCOMPRESSED_SIZE)?.parse().ok()?,
            compression: LayerCompression::of(&descriptor.media_type)?,
        })
    }

    /// The layer's descriptor in a manifest, with its key and diff ID for machines that have neither.
    ///
    /// Of a layer of others only what was verified is said: a key that they annotated is not believed, and must not
    /// become ours.
    pub fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::new(self.compression.media_type(), self.digest, self.size);
        if let Some(key) = self.key {
            descriptor = descriptor.annotated(annotations::LAYER_KEY, key.to_string());
        }
        descriptor
            .annotated(annotations::LAYER_DIFF_ID, self.diff_id.to_string())
            .annotated(annotations::LAYER_UNCOMPRESSED_SIZE, self.uncompressed_size.to_string())
    }
}

/// Makes the layer of these items, in this order, from their segments; one that is in the store already is returned.
///
/// No two of the items may have a file of one path (see [`plywood_core::layering::settle`]).
///
/// # Errors
/// [`SegmentError::Missing`] for an item without a segment; when a segment is damaged or the blob cannot be written.
pub fn build_layer(store: &Store, codec: Codec, items: &[ItemId]) -> Result<Layer, SegmentError> {
    let key = LayerKey::of(items, codec);
    if let Some(layer) = store.layer(key)? {
        return Ok(layer);
    }
    let open = |item: &ItemId| store.segment(*item, codec)?.ok_or(SegmentError::Missing { item: *item });
    let segments: Vec<Segment> = items.iter().map(open).collect::<Result<_, SegmentError>>()?;
    let directories = directories(&segments)?;
    let compressed = compress(codec, &directories).map_err(StoreError::io("write a layer in", store.root()))?;
    // Two passes that need different things: one is bound by writing, the other by decompressing and hashing.
    let (blob, diff) =
        rayon::join(|| write_blob(store, codec, &compressed, &segments), || hash_uncompressed(&directories, &segments));
    let ((digest, size), (diff_id, uncompressed_size)) = (blob?, diff?);
    let compression = codec.into();
    let layer = Layer { key: Some(key), digest, diff_id, size, uncompressed_size, compression };
    store.put_layer(key, &layer)?;
    Ok(layer)
}

/// Makes many layers in parallel, in any order; the result is in the order asked for.
///
/// # Errors
/// As [`build_layer`]; the first in the order asked for.
pub fn build_layers(store: &Store, codec: Codec, layers: &[Vec<ItemId>]) -> Result<Vec<Layer>, SegmentError> {
    let built: Vec<_> = layers.par_iter().with_max_len(1).map(|items| build_layer(store, codec, items)).collect();
    built.into_iter().collect()
}

/// The directories of all segments as tar entries, each once; what a later segment says of one holds.
fn directories(segments: &[Segment]) -> Result<Vec<u8>, SegmentError> {
    let mut directories = BTreeMap::new();
    for segment in segments {
        directories.append(&mut segment.directories()?);
    }
    let mut entries = Vec::new();
    for (path, meta) in &directories {
        encode(path, meta, &EntryKind::Directory, &mut entries);
    }
    Ok(entries)
}

fn compress(codec: Codec, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = codec.encoder(Vec::new())?;
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Joins the compressed directories, segments and an end of archive in the blob store.
fn write_blob(
    store: &Store,
    codec: Codec,
    directories: &[u8],
    segments: &[Segment],
) -> Result<(Digest, u64), SegmentError> {
    let file = store.create_temp()?;
    let place = file.directory().to_owned();
    let failed = || StoreError::io("write a layer in", &place);
    let mut out = Hashing::new(file);
    out.write_all(directories).map_err(failed())?;
    let mut buffer = vec![0; BUFFER];
    for segment in segments {
        let read = |source| SegmentError::Read { item: segment.item(), source };
        let mut compressed = segment.compressed().map_err(read)?;
        loop {
            let length = fill(&mut compressed, &mut buffer).map_err(read)?;
            if length == 0 {
                break;
            }
            out.write_all(&buffer[..length]).map_err(failed())?;
        }
    }
    let end = compress(codec, &END_OF_ARCHIVE).map_err(failed())?;
    out.write_all(&end).map_err(failed())?;
    let Hashing { inner: file, hasher } = out;
    let size = hasher.length();
    let digest = Digest::new(hasher.finish());
    file.readable_by_all()?;
    file.persist(&store.blob_path(digest))?;
    Ok((digest, size))
}

/// Hashes the uncompressed directories, segments and an end of archive. Decompressing checks the segments as well:
/// their frames carry checksums.
fn hash_uncompressed(directories: &[u8], segments: &[Segment]) -> Result<(DiffId, u64), SegmentError> {
    let mut hasher = Hasher::default();
    hasher.update(directories);
    let mut buffer = vec![0; BUFFER];
    for segment in segments {
        let read = |source| SegmentError::Read { item: segment.item(), source };
        let mut uncompressed = segment.uncompressed().map_err(read)?;
        loop {
            let length = fill(&mut uncompressed, &mut buffer).map_err(read)?;
            if length == 0 {
                break;
            }
            hasher.update(&buffer[..length]);
        }
    }
    hasher.update(&END_OF_ARCHIVE);
    let size = hasher.length();
    let hash: Sha256Hash = hasher.finish();
    Ok((DiffId::new(hash), size))
}
