//! The file system of an image in a layout.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use plywood_core::digest::{DiffId, Sha256Hash};
use plywood_core::item::{EntryKind, ItemId};
use plywood_core::layering::Overlay;
use plywood_core::oci::{Descriptor, MediaType};
use plywood_core::tree::{Content, HardLinkId, Node, NodeKind, PackedContent, Tree, TreePath};

use super::{ImageLayout, LayoutError, LayoutImage};
use crate::codec::Codec;
use crate::hash::Hashing;
use crate::tar::{TarEntry, for_each_entry};

/// Files up to this size have their bytes in the tree, in bytes.
const MAX_INLINE: u64 = 256 << 10;
/// All inline bytes of one image.
const MAX_INLINE_TOTAL: u64 = 256 << 20;
/// As many entries as one layer may have.
const MAX_ENTRIES: usize = 4 << 20;
/// The most uncompressed bytes of one layer, against layers that unpack without end.
const MAX_LAYER: u64 = 64 << 30;

/// The prefix of files that remove what lower layers have (OCI image-spec, "Whiteouts"), and the name that removes all.
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

impl ImageLayout {
    /// The file system that the image's layers show, with every layer's digest and diff ID verified.
    ///
    /// Files of up to 256 KiB have their bytes in the tree; larger ones are named by an item id made from the layer's
    /// digest, for comparison only.
    ///
    /// # Errors
    /// When a layer is missing, damaged, or of a type that is not read.
    pub fn tree(&self, image: &LayoutImage) -> Result<Tree, LayoutError> {
        let mut overlay = Overlay::default();
        let mut inline_left = MAX_INLINE_TOTAL;
        for (number, (layer, diff_id)) in image.manifest.layers.iter().zip(&image.config.rootfs.diff_ids).enumerate() {
            let mut reader = LayerReader::new(number as u64, layer, &mut inline_left);
            self.read_layer(layer, *diff_id, &mut reader)?;
            for whiteout in &reader.whiteouts {
                match whiteout {
                    Whiteout::One(path) => overlay.remove(path),
                    Whiteout::Below(directory) => overlay.remove_below(directory),
                }
            }
            overlay.push(reader.entries.iter().map(|(path, node)| (path, node)));
        }
        Ok(overlay.to_tree())
    }

    fn read_layer(
        &self,
        layer: &Descriptor,
        expected: DiffId,
        reader: &mut LayerReader<'_>,
    ) -> Result<(), LayoutError> {
        let digest = layer.digest;
        let failed = |source| LayoutError::Layer { digest, source };
        let compressed: Box<dyn Read> = Box::new(self.blob(layer)?);
        let uncompressed: Box<dyn Read> = match codec(&layer.media_type) {
            Some(Some(codec)) => Box::new(codec.decoder(compressed).map_err(failed)?),
            Some(None) => compressed,
            None => return Err(LayoutError::MediaType { digest, media_type: layer.media_type.clone() }),
        };
        let mut hashing = Hashing::new(uncompressed.take(MAX_LAYER));
        for_each_entry(&mut hashing, |entry, data| reader.take(entry, data)).map_err(failed)?;
        // The tar reader stops at the end of the archive; the rest counts for the diff ID.
        io::copy(&mut hashing, &mut io::sink()).map_err(failed)?;
        let found: Sha256Hash = hashing.hasher.finish();
        if DiffId::new(found) == expected { Ok(()) } else { Err(LayoutError::WrongDiffId { digest, expected }) }
    }
}

/// How a layer is compressed: not at all for `Some(None)`, `None` when it is not known.
pub(crate) fn codec(media_type: &MediaType) -> Option<Option<Codec>> {
    if *media_type == MediaType::LAYER_TAR_ZSTD {
        Some(Some(Codec::ZSTD))
    } else if [MediaType::LAYER_TAR_GZIP, MediaType::DOCKER_LAYER_GZIP].contains(media_type) {
        Some(Some(Codec::GZIP))
    } else if *media_type == MediaType::LAYER_TAR {
        Some(None)
    } else {
        None
    }
}

enum Whiteout {
    One(TreePath),
    Below(TreePath),
}

/// Collects a layer's nodes.
struct LayerReader<'t> {
    number: u64,
    item: ItemId,
    inline_left: &'t mut u64,
    entries: Vec<(TreePath, Node)>,
    /// Where each file is in `entries`, for hard links.
    files: BTreeMap<TreePath, usize>,
    whiteouts: Vec<Whiteout>,
}

impl<'t> LayerReader<'t> {
    fn new(number: u64, layer: &Descriptor, inline_left: &'t mut u64) -> Self {
        let item = ItemId::of_parts([b"layer".as_slice(), layer.digest.hash().as_bytes()]);
        Self { number, item, inline_left, entries: Vec::new(), files: BTreeMap::new(), whiteouts: Vec::new() }
    }

    fn take(&mut self, entry: TarEntry, data: &mut dyn Read) -> io::Result<()> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(invalid("the layer has too many entries"));
        }
        if let Some(whiteout) = whiteout(&entry.path) {
            self.whiteouts.push(whiteout?);
            return Ok(());
        }
        let kind = match entry.kind {
            EntryKind::Directory => NodeKind::Directory,
            EntryKind::File { size } => {
                self.files.insert(entry.path.clone(), self.entries.len());
                NodeKind::File { content: self.content(entry.offset, size, data)?, link: None }
            }
            EntryKind::HardLink { target } => self.link(&target)?,
            EntryKind::Symlink { target } => NodeKind::Symlink { target },
            EntryKind::CharDevice { major, minor } => NodeKind::CharDevice { major, minor },
            EntryKind::BlockDevice { major, minor } => NodeKind::BlockDevice { major, minor },
            EntryKind::Fifo => NodeKind::Fifo,
        };
        self.entries.push((entry.path, Node { meta: entry.meta, kind }));
        Ok(())
    }

    fn content(&mut self, offset: u64, size: u64, data: &mut dyn Read) -> io::Result<Content> {
        if size > MAX_INLINE || size > *self.inline_left {
            return Ok(Content::Packed(PackedContent { item: self.item, offset, size }));
        }
        *self.inline_left -= size;
        let mut bytes = Vec::with_capacity(size as usize);
        data.read_to_end(&mut bytes)?;
        Ok(Content::Inline(Arc::from(bytes)))
    }

    /// A further name of a file of this layer.
    fn link(&mut self, target: &TreePath) -> io::Result<NodeKind> {
        let at = self.files.get(target).copied().ok_or_else(|| invalid("a hard link leads out of the layer"))?;
        let id = HardLinkId((self.number << 32) | at as u64);
        match self.entries.get_mut(at) {
            Some((_, Node { kind: NodeKind::File { content, link }, .. })) => {
                *link = Some(id);
                Ok(NodeKind::File { content: content.clone(), link: *link })
            }
            _ => Err(invalid("a hard link leads to no file")),
        }
    }
}

fn whiteout(path: &TreePath) -> Option<io::Result<Whiteout>> {
    let name = path.file_name()?;
    let parent = path.parent().unwrap_or(TreePath::ROOT);
    if name == OPAQUE {
        return Some(Ok(Whiteout::Below(parent)));
    }
    let removed = name.strip_prefix(WHITEOUT)?;
    Some(parent.join(removed).map(Whiteout::One).map_err(|_| invalid("a whiteout without a name")))
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
