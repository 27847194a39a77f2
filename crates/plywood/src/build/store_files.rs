//! What is in the store paths of an image, from the indexes of their segments.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use plywood_core::image::nix::{StoreFiles, StoreFilesError};
use plywood_core::item::ItemId;
use plywood_core::nix::{StoreEntry, StoreEntryKind, StorePath};
use plywood_core::tree::{Content, Meta, Node, NodeKind, PackedContent, ReadContent, Tree};
use plywood_oci::codec::Codec;
use plywood_oci::segment::{SegmentContents, SegmentError};
use plywood_oci::store::Store;

use crate::nix::index::entries;

/// As many entries are kept in memory at once, at some 200 bytes each; a path that is asked for again is read again.
const MAX_KEPT: usize = 100_000;

/// Lists and reads files of store paths that are segments in the store.
pub(crate) struct SegmentFiles<'s> {
    store: &'s Store,
    codec: Codec,
    items: &'s BTreeMap<StorePath, ItemId>,
    contents: SegmentContents<'s>,
    fetch: Option<&'s Fetch<'s>>,
    kept: Mutex<Kept>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Makes a store path a segment in the store.
pub(crate) type Fetch<'f> = dyn Fn(&StorePath) -> Result<(), Failure> + Sync + 'f;

/// What was listed last, and how many entries that are.
#[derive(Default)]
struct Kept {
    trees: Vec<(StorePath, Arc<Tree>)>,
    entries: usize,
}

impl Kept {
    /// Forgets what was listed first while there is too much, but not the last `least`.
    fn shrink(&mut self, least: usize) {
        while self.entries > MAX_KEPT && self.trees.len() > least {
            let (_, gone) = self.trees.remove(0);
            self.entries -= gone.len();
        }
    }
}

impl<'s> SegmentFiles<'s> {
    /// Those of these items.
    pub(crate) fn new(store: &'s Store, codec: Codec, items: &'s BTreeMap<StorePath, ItemId>) -> Self {
        Self { store, codec, items, contents: SegmentContents::new(store, codec), fetch: None, kept: Mutex::default() }
    }

    /// The same; what the store lacks is fetched when it is asked for.
    pub(crate) fn fetching(self, fetch: &'s Fetch<'s>) -> Self {
        Self { fetch: Some(fetch), ..self }
    }

    fn list(&self, path: &StorePath, item: ItemId) -> Result<Tree, Failure> {
        let mut segment = self.store.segment(item, self.codec)?;
        if let (None, Some(fetch)) = (&segment, self.fetch) {
            fetch(path)?;
            segment = self.store.segment(item, self.codec)?;
        }
        let segment = segment.ok_or(SegmentError::Missing { item })?;
        let index = segment.index()?;
        let nodes = entries(&index).map(|entry| entry.map(|entry| (entry.path.clone(), node(item, &entry))));
        Ok(nodes.collect::<Result<Tree, _>>()?)
    }
}

impl StoreFiles for SegmentFiles<'_> {
    fn files(&self, path: &StorePath) -> Result<Option<Arc<Tree>>, StoreFilesError> {
        let Some(item) = self.items.get(path) else { return Ok(None) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.trees.iter().rposition(|(known, _)| known == path) {
            let (path, tree) = kept.trees.remove(at);
            kept.trees.push((path, tree.clone()));
            return Ok(Some(tree));
        }
        // Before there is more: the last one alone may have been too much.
        kept.shrink(0);
        let failed = |source| StoreFilesError::List { path: path.clone(), source };
        let tree = Arc::new(self.list(path, *item).map_err(failed)?);
        kept.entries += tree.len();
        kept.trees.push((path.clone(), tree.clone()));
        kept.shrink(1);
        Ok(Some(tree))
    }

    fn contents(&self) -> &dyn ReadContent {
        &self.contents
    }
}

/// An entry of an index as it is in the image.
fn node(item: ItemId, entry: &StoreEntry) -> Node {
    match &entry.kind {
        StoreEntryKind::Directory => Node::directory(Meta::root(0o555, 1)),
        StoreEntryKind::Symlink { target } => Node::symlink(target.clone(), 1),
        StoreEntryKind::File { executable, size, offset } => {
            let content = Content::Packed(PackedContent { item, offset: *offset, size: *size });
            let mode = if *executable { 0o555 } else { 0o444 };
            Node { meta: Meta::root(mode, 1), kind: NodeKind::File { content, link: None } }
        }
    }
}
