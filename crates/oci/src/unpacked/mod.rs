//! Layers that others made: what is in them, read once.
//!
//! An [`UnpackedLayer`] names every entry of a layer; small contents are in it, large ones are named by their place in the
//! uncompressed layer. It is made only from bytes whose digest and diff ID are right, and kept in the store by the diff
//! ID. Nothing is ever extracted, so there is nothing that a path could escape from.

mod cache;
mod error;
mod keep;
mod read;

use plywood_core::digest::{DiffId, Digest};
use plywood_core::item::ItemId;
use plywood_core::layering::Overlay;
use plywood_core::tree::{Content, Meta, Node, NodeKind, TreePath};
use serde::{Deserialize, Serialize};

pub use error::UnpackError;
pub use read::{UnpackLimits, unpack};

use crate::codec::LayerCompression;

/// What is known of a layer before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerRef {
    /// Of the bytes as they are stored.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// Of the uncompressed bytes.
    pub diff_id: DiffId,
    /// How they are compressed.
    pub compression: LayerCompression,
}

impl LayerRef {
    /// What contents in the layer are named by.
    pub fn item(&self) -> ItemId {
        ItemId::of_parts([b"layer".as_slice(), self.diff_id.hash().as_bytes()])
    }
}

/// The entries of a layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackedLayer {
    /// In the order of the layer.
    entries: Vec<(TreePath, UnpackedEntry)>,
    whiteouts: Vec<Whiteout>,
    uncompressed_size: u64,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum UnpackedEntry {
    Node(Node),
    /// A further name of a file that a lower layer has.
    LinkBelow {
        target: TreePath,
        meta: Meta,
    },
}

/// What a layer removes of those below (OCI image-spec, "Whiteouts").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Whiteout {
    One(TreePath),
    Below(TreePath),
}

impl UnpackedLayer {
    /// The length of the uncompressed layer in bytes.
    pub fn uncompressed_size(&self) -> u64 {
        self.uncompressed_size
    }

    /// How many bytes of contents are kept with the entries.
    pub(crate) fn kept_size(&self) -> u64 {
        let kept = self.entries.iter().map(|(_, entry)| match entry {
            UnpackedEntry::Node(Node { kind: NodeKind::File { content: Content::Inline(bytes), .. }, .. }) => {
                bytes.len()
            }
            _ => 0,
        });
        kept.map(|length| length as u64).sum()
    }

    /// Puts the layer on those below it.
    ///
    /// # Errors
    /// [`UnpackError::LinkTarget`] when it has a hard link to a file that no layer has.
    pub fn apply(&self, overlay: &mut Overlay) -> Result<(), UnpackError> {
        let mut linked = Vec::new();
        let links = self.entries.iter().filter_map(|(path, entry)| match entry {
            UnpackedEntry::LinkBelow { target, meta } => Some((path, target, meta)),
            UnpackedEntry::Node(_) => None,
        });
        for (path, target, meta) in links {
            let missing = || UnpackError::LinkTarget { path: path.clone(), target: target.clone() };
            let kind = overlay.node(target).map(|node| node.kind.clone());
            let kind = kind.filter(|kind| matches!(kind, NodeKind::File { .. })).ok_or_else(missing)?;
            linked.push((path, Node { meta: meta.clone(), kind }));
        }
        // Whiteouts hide what is below, never what the layer itself has, wherever in it they stand.
        for whiteout in &self.whiteouts {
            match whiteout {
                Whiteout::One(path) => overlay.remove(path),
                Whiteout::Below(directory) => overlay.remove_below(directory),
            }
        }
        let own = self.entries.iter().filter_map(|(path, entry)| match entry {
            UnpackedEntry::Node(node) => Some((path, node)),
            UnpackedEntry::LinkBelow { .. } => None,
        });
        overlay.push(own.chain(linked.iter().map(|(path, node)| (*path, node))));
        Ok(())
    }
}
