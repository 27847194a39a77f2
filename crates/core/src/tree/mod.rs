//! A file system tree in memory: what an item brings, and what an image is after all items are merged.
//!
//! Small contents live in the tree; large ones stay where they are packed and are named by [`Content::Packed`],
//! so a tree's memory grows with the number of its files, not with their bytes.

pub(crate) mod arc_bytes;
pub(crate) mod arc_bytes_map;
mod ops;
mod path;

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::BString;
use serde::{Deserialize, Serialize};

use crate::item::ItemId;
pub use ops::TreeError;
pub use path::{ParseTreePathError, TreePath};

// These types are kept with postcard, which does not describe itself: none of them may skip a field.

/// Permission and special bits, owner, times and extended attributes of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Permission bits with setuid, setgid and sticky (`0o7777` at most).
    pub mode: u16,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Modification time in seconds since 1970.
    pub mtime: i64,
    /// Extended attributes by full name, such as `security.capability`.
    pub xattrs: BTreeMap<BString, BString>,
}

impl Meta {
    /// Root's, with the given permission bits and time.
    pub const fn root(mode: u16, mtime: i64) -> Self {
        Self { mode, uid: 0, gid: 0, mtime, xattrs: BTreeMap::new() }
    }

    /// Whether both describe the same owner, mode and attributes, whatever their times.
    pub fn same_but_for_time(&self, other: &Self) -> bool {
        (self.mode, self.uid, self.gid, &self.xattrs) == (other.mode, other.uid, other.gid, &other.xattrs)
    }
}

/// Where the bytes of a regular file are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Here.
    Inline(#[serde(with = "arc_bytes")] Arc<[u8]>),
    /// In the segment of an item.
    Packed(PackedContent),
}

/// A file's bytes inside the uncompressed tar of an item's segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedContent {
    /// The item whose segment has the bytes.
    pub item: ItemId,
    /// Where they start in the uncompressed segment, in bytes.
    pub offset: u64,
    /// How many there are.
    pub size: u64,
}

impl Content {
    /// The file's length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Content::Inline(bytes) => bytes.len() as u64,
            Content::Packed(packed) => packed.size,
        }
    }
}

/// Several names of one file: nodes of one tree with the same id are hard links of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HardLinkId(pub u64);

impl HardLinkId {
    /// The id of the file that has `first` among its names in an item. Ids must not meet when many items share a tree,
    /// so they come from a hash of both.
    pub fn of(item: ItemId, first: &TreePath) -> Self {
        let id = ItemId::of_parts([item.to_hex().as_bytes(), first.as_bytes()]).to_hex();
        Self(u64::from_str_radix(id.get(..16).unwrap_or_default(), 16).unwrap_or_default())
    }
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Its bytes.
        content: Content,
        /// Set when the file has further names in the same item.
        link: Option<HardLinkId>,
    },
    /// A symbolic link with its target, as written.
    Symlink {
        /// The target, as written: absolute, relative or dangling.
        target: BString,
    },
    /// A character device.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Owner, mode, times.
    pub meta: Meta,
    /// What it is.
    pub kind: NodeKind,
}

impl Node {
    /// A directory.
    pub fn directory(meta: Meta) -> Self {
        Self { meta, kind: NodeKind::Directory }
    }

    /// A regular file with its bytes.
    pub fn file(meta: Meta, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { meta, kind: NodeKind::File { content: Content::Inline(bytes.into()), link: None } }
    }

    /// A symbolic link, whose mode is always `0777`.
    pub fn symlink(target: impl Into<BString>, mtime: i64) -> Self {
        Self { meta: Meta::root(0o777, mtime), kind: NodeKind::Symlink { target: target.into() } }
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, NodeKind::Directory)
    }
}

/// Reads file contents that a tree only names.
///
/// Implemented outside this crate, where segments can be opened.
pub trait ReadContent {
    /// The whole content.
    ///
    /// # Errors
    /// When the segment is gone or unreadable.
    fn read(&self, content: &PackedContent) -> Result<Arc<[u8]>, ReadContentError>;
}

/// A packed content could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read a file's content from the segment of item {item}")]
pub struct ReadContentError {
    /// The item whose segment was asked for.
    pub item: ItemId,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// For trees whose contents are all inline: any packed content is an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPackedContent;

impl ReadContent for NoPackedContent {
    fn read(&self, content: &PackedContent) -> Result<Arc<[u8]>, ReadContentError> {
        Err(ReadContentError { item: content.item, source: "no segments are at hand".into() })
    }
}

/// A file system tree. The root directory is the node at [`TreePath::ROOT`] and is always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<TreePath, Node>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: BTreeMap::from([(TreePath::ROOT, Node::directory(Meta::root(0o755, 0)))]) }
    }
}
