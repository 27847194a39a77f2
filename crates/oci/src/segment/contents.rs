//! Contents of files out of segments.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Take};
use std::sync::{Arc, Mutex, PoisonError};

use plywood_core::item::ItemId;
use plywood_core::tree::{PackedContent, ReadContent, ReadContentError};

use super::SegmentError;
use crate::codec::{Codec, Decoder};
use crate::store::{Store, StoreError};
use crate::unpacked::LayerRef;

/// As many segments are kept open at once; each costs a decompressor's window, about 2 MiB.
const MAX_OPEN: usize = 8;

/// Reads contents that trees name.
///
/// Segments are read forward only: it keeps a few open where they were last read, so that contents asked for in the
/// order of their offsets cost one pass over the segment.
#[derive(Debug)]
pub struct SegmentContents<'s> {
    store: &'s Store,
    codec: Codec,
    /// Layers of others, by what contents in them are named by.
    layers: BTreeMap<ItemId, LayerRef>,
    open: Mutex<OpenSegments>,
}

#[derive(Default)]
struct OpenSegments {
    cursors: BTreeMap<ItemId, Cursor>,
    /// Counts readings, to know which cursor was used the longest ago.
    clock: u64,
}

impl std::fmt::Debug for OpenSegments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.cursors.keys()).finish()
    }
}

/// A segment being read.
struct Cursor {
    decoder: Decoder<Take<File>>,
    position: u64,
    used: u64,
}

impl<'s> SegmentContents<'s> {
    /// Reads from the segments of a store.
    pub fn new(store: &'s Store, codec: Codec) -> Self {
        Self { store, codec, layers: BTreeMap::new(), open: Mutex::default() }
    }

    /// The same, which also reads from these layers of others, whose blobs are in the store.
    #[must_use]
    pub fn with_layers(mut self, layers: impl IntoIterator<Item = LayerRef>) -> Self {
        self.layers.extend(layers.into_iter().map(|layer| (layer.item(), layer)));
        self
    }

    /// Reads many contents, in the order that needs one pass over each segment, and hands them to `take`.
    ///
    /// # Errors
    /// As [`ReadContent::read`], and those of `take`.
    pub fn read_all<'c, E: From<ReadContentError>>(
        &self,
        contents: impl IntoIterator<Item = &'c PackedContent>,
        mut take: impl FnMut(&'c PackedContent, Arc<[u8]>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut contents: Vec<_> = contents.into_iter().collect();
        contents.sort_by_key(|content| (content.item, content.offset));
        contents.into_iter().try_for_each(|content| take(content, self.read(content)?))
    }

    /// The cursor of an item at or before `offset`, opened anew when there is none.
    fn take_cursor(&self, item: ItemId, offset: u64) -> Result<Cursor, SegmentError> {
        let kept = self.open.lock().unwrap_or_else(PoisonError::into_inner).cursors.remove(&item);
        if let Some(cursor) = kept.filter(|cursor| cursor.position <= offset) {
            return Ok(cursor);
        }
        if let Some(layer) = self.layers.get(&item) {
            let path = self.store.blob_path(layer.digest);
            let blob = File::open(&path).map_err(StoreError::io("open", &path))?;
            let decoder = layer.compression.decoder(blob.take(layer.size));
            let decoder = decoder.map_err(|source| SegmentError::Read { item, source })?;
            return Ok(Cursor { decoder, position: 0, used: 0 });
        }
        let segment = self.store.segment(item, self.codec)?.ok_or(SegmentError::Missing { item })?;
        let decoder = segment.uncompressed().map_err(|source| SegmentError::Read { item, source })?;
        Ok(Cursor { decoder, position: 0, used: 0 })
    }

    /// Keeps a cursor for the next reading, in the place of the one unused the longest.
    fn keep_cursor(&self, item: ItemId, mut cursor: Cursor) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.clock += 1;
        cursor.used = open.clock;
        open.cursors.insert(item, cursor);
        if open.cursors.len() > MAX_OPEN
            && let Some(oldest) = open.cursors.iter().min_by_key(|(_, cursor)| cursor.used).map(|(item, _)| *item)
        {
            open.cursors.remove(&oldest);
        }
    }
}

impl ReadContent for SegmentContents<'_> {
    fn read(&self, content: &PackedContent) -> Result<Arc<[u8]>, ReadContentError> {
        let item = content.item;
        let failed = |source: SegmentError| ReadContentError { item, source: source.into() };
        let mut cursor = self.take_cursor(item, content.offset).map_err(failed)?;
        let bytes = cursor.read(content).map_err(|source| failed(SegmentError::Read { item, source }))?;
        self.keep_cursor(item, cursor);
        Ok(bytes.into())
    }
}

impl Cursor {
    fn read(&mut self, content: &PackedContent) -> io::Result<Vec<u8>> {
        let skip = content.offset - self.position;
        io::copy(&mut self.decoder.by_ref().take(skip), &mut io::sink())?;
        let mut bytes = Vec::new();
        self.decoder.by_ref().take(content.size).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != content.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position = content.offset + content.size;
        Ok(bytes)
    }
}
