//! Items whose entries an image changes, and the identity of what comes from no item.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::item::ItemId;
use crate::tree::{Content, Meta, Node, NodeKind, TreePath};

/// What an image does with one entry of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryChange {
    /// The entry is left out: omitted, replaced by another item, or overwritten by generated state.
    Omit,
    /// The entry has another path (a diversion) or other metadata.
    Place {
        /// Its path in the image.
        path: TreePath,
        /// Its metadata in the image.
        meta: Meta,
    },
}

/// What an image does with the entries of an item; those not named stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemChanges(BTreeMap<TreePath, EntryChange>);

impl ItemChanges {
    /// Nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The change of the entry at this path of the item.
    pub fn get(&self, path: &TreePath) -> Option<&EntryChange> {
        self.0.get(path)
    }

    /// Sets the change of the entry at this path of the item.
    pub fn insert(&mut self, path: TreePath, change: EntryChange) {
        self.0.insert(path, change);
    }

    /// The changes by path.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &EntryChange)> {
        self.0.iter()
    }

    /// The identity of an item so changed; the item's own when nothing is.
    pub fn variant_of(&self, item: ItemId) -> ItemId {
        if self.is_empty() {
            return item;
        }
        let mut parts = Parts::new(b"variant");
        parts.push(item.to_hex());
        for (path, change) in &self.0 {
            parts.push(path.as_bytes());
            match change {
                EntryChange::Omit => parts.push(b"omit"),
                EntryChange::Place { path, meta } => {
                    parts.push(b"place");
                    parts.push(path.as_bytes());
                    parts.meta(meta);
                }
            }
        }
        parts.id()
    }
}

impl FromIterator<(TreePath, EntryChange)> for ItemChanges {
    fn from_iter<I: IntoIterator<Item = (TreePath, EntryChange)>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}

/// The identity of entries that come from no item: that of their paths, metadata and contents.
pub fn generated_id(entries: &[(TreePath, Node)]) -> ItemId {
    let mut parts = Parts::new(b"generated");
    for (path, node) in entries {
        parts.push(path.as_bytes());
        parts.meta(&node.meta);
        parts.kind(&node.kind);
    }
    parts.id()
}

/// The parts that an identity is made of.
struct Parts(Vec<Vec<u8>>);

impl Parts {
    fn new(what: &[u8]) -> Self {
        Self(vec![what.to_vec()])
    }

    fn push(&mut self, part: impl AsRef<[u8]>) {
        self.0.push(part.as_ref().to_vec());
    }

    fn number(&mut self, number: impl Into<u64>) {
        self.push(number.into().to_be_bytes());
    }

    fn meta(&mut self, meta: &Meta) {
        self.number(meta.mode);
        self.number(meta.uid);
        self.number(meta.gid);
        self.push(meta.mtime.to_be_bytes());
        self.number(meta.xattrs.len() as u64);
        for (name, value) in &meta.xattrs {
            self.push(name);
            self.push(value);
        }
    }

    fn kind(&mut self, kind: &NodeKind) {
        match kind {
            NodeKind::Directory => self.push(b"directory"),
            NodeKind::File { content, link } => {
                match content {
                    Content::Inline(bytes) => {
                        self.push(b"inline");
                        self.push(bytes);
                    }
                    Content::Packed(packed) => {
                        self.push(b"packed");
                        self.push(packed.item.to_hex());
                        self.number(packed.offset);
                        self.number(packed.size);
                    }
                }
                self.push(link.map_or(Vec::new(), |link| link.0.to_be_bytes().to_vec()));
            }
            NodeKind::Symlink { target } => {
                self.push(b"symlink");
                self.push(target);
            }
            NodeKind::CharDevice { major, minor } => {
                self.push(b"char");
                self.number(*major);
                self.number(*minor);
            }
            NodeKind::BlockDevice { major, minor } => {
                self.push(b"block");
                self.number(*major);
                self.number(*minor);
            }
            NodeKind::Fifo => self.push(b"fifo"),
        }
    }

    fn id(&self) -> ItemId {
        ItemId::of_parts(self.0.iter().map(Vec::as_slice))
    }
}
