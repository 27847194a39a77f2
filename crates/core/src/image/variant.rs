//! What an image changes of an item, and what is left for the layer of generated state.
//!
//! Most packages end in an image exactly as they ship. Where a script took a file away, moved it or gave a large one
//! another owner or mode, the item is written once more as a variant, so that no layer carries bytes that a later one
//! hides. What is small and has other content is stated again in the layer of generated state above.

use std::collections::{BTreeMap, BTreeSet};

use crate::item::ItemId;
use crate::layering::{EntryChange, ItemChanges};
use crate::tree::{Content, Meta, Node, NodeKind, PackedContent, Tree, TreePath};

/// Where the packed contents of items ended in an image.
#[derive(Debug)]
pub struct Contents<'t>(BTreeMap<(ItemId, u64, u64), Vec<&'t TreePath>>);

impl<'t> Contents<'t> {
    /// Looks through the whole image once.
    pub fn of(image: &'t Tree) -> Self {
        let mut places: BTreeMap<_, Vec<&TreePath>> = BTreeMap::new();
        for (path, node) in image.iter() {
            if let Some(PackedContent { item, offset, size }) = packed(node) {
                places.entry((*item, *offset, *size)).or_default().push(path);
            }
        }
        Self(places)
    }

    fn places(&self, content: &PackedContent) -> &[&'t TreePath] {
        self.0.get(&(content.item, content.offset, content.size)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Compares an item's own entries with what the image has in the end.
pub fn changes(image: &Tree, contents: &Contents<'_>, entries: &[(TreePath, Node)]) -> ItemChanges {
    let own: BTreeSet<&TreePath> = entries.iter().map(|(path, _)| path).collect();
    let mut taken: BTreeSet<&TreePath> = BTreeSet::new();
    let mut changes = ItemChanges::default();
    for (path, node) in entries {
        let change = match packed(node) {
            Some(content) => {
                let moved =
                    contents.places(content).iter().find(|place| !own.contains(**place) && !taken.contains(**place));
                match image.get(path) {
                    Some(last) if packed(last) == Some(content) => changed_meta(path, node, last),
                    _ => Some(moved.and_then(|place| image.get(place).map(|last| (*place, last))).map_or(
                        EntryChange::Omit,
                        |(place, last)| {
                            taken.insert(place);
                            placed(place, node, last)
                        },
                    )),
                }
            }
            None => hidden(image.get(path), node).then_some(EntryChange::Omit),
        };
        if let Some(change) = change {
            changes.insert(path.clone(), change);
        }
    }
    changes
}

/// Whether an entry whose bytes are few cannot stay in a lower layer.
fn hidden(last: Option<&Node>, own: &Node) -> bool {
    match last {
        None => true,
        // Another item brings this path's bytes: which one is seen must not depend on the order of layers.
        Some(last) if packed(last).is_some() => true,
        Some(last) => last.is_directory() != own.is_directory(),
    }
}

fn changed_meta(path: &TreePath, own: &Node, last: &Node) -> Option<EntryChange> {
    (!last.meta.same_but_for_time(&own.meta)).then(|| placed(path, own, last))
}

fn placed(path: &TreePath, own: &Node, last: &Node) -> EntryChange {
    EntryChange::Place { path: path.clone(), meta: Meta { mtime: own.meta.mtime, ..last.meta.clone() } }
}

fn packed(node: &Node) -> Option<&PackedContent> {
    match &node.kind {
        NodeKind::File { content: Content::Packed(packed), .. } => Some(packed),
        _ => None,
    }
}

/// What the layers below leave at each path, as far as they have been stacked.
#[derive(Debug, Default)]
pub struct Stacked<'e>(BTreeMap<&'e TreePath, (&'e Meta, &'e NodeKind)>);

impl<'e> Stacked<'e> {
    /// Puts the entries of the next item, with its changes, on top.
    pub fn push(&mut self, entries: &'e [(TreePath, Node)], changes: &'e ItemChanges) {
        for (path, node) in entries {
            match changes.get(path) {
                None => _ = self.0.insert(path, (&node.meta, &node.kind)),
                Some(EntryChange::Omit) => {}
                Some(EntryChange::Place { path, meta }) => {
                    self.0.insert(path, (meta, &node.kind));
                }
            }
        }
    }

    /// What the image has that the stacked items do not leave as it should be: the entries of the generated layer,
    /// each with the directories on the way to it, in the order of paths.
    pub fn missing(&self, image: &Tree) -> Vec<(TreePath, Node)> {
        let mut stated: BTreeMap<&TreePath, &Node> = BTreeMap::new();
        for (path, node) in image.iter() {
            if self.0.get(path).is_some_and(|(meta, kind)| leaves(meta, kind, node)) {
                continue;
            }
            stated.insert(path, node);
            // A layer that has a file but not its directory resets the directory to root's 0755.
            for above in path.ancestors() {
                if let Some((above, node)) = image.get_key_value(&above) {
                    stated.insert(above, node);
                }
            }
        }
        stated.into_iter().map(|(path, node)| (path.clone(), node.clone())).collect()
    }
}

/// Whether an entry is already as the image has it, whatever the times and names of hard links.
fn leaves(meta: &Meta, kind: &NodeKind, last: &Node) -> bool {
    let same_kind = match (kind, &last.kind) {
        (NodeKind::File { content: own, .. }, NodeKind::File { content: last, .. }) => own == last,
        (own, last) => own == last,
    };
    let is_link = matches!(kind, NodeKind::Symlink { .. });
    same_kind
        && (is_link && (meta.uid, meta.gid) == (last.meta.uid, last.meta.gid) || last.meta.same_but_for_time(meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed_file(item: &str, mode: u16) -> Node {
        let content =
            Content::Packed(PackedContent { item: ItemId::of_parts([item.as_bytes()]), offset: 512, size: 9 });
        Node { meta: Meta::root(mode, 7), kind: NodeKind::File { content, link: None } }
    }

    fn file(text: &str) -> Node {
        Node::file(Meta::root(0o644, 7), text.as_bytes())
    }

    fn check(own: Node, image: &[(&'static str, Node)], expect: Option<EntryChange>) {
        let path = TreePath::literal("f");
        let image: Tree = image.iter().map(|(path, node)| (TreePath::literal(path), node.clone())).collect();
        let changes = changes(&image, &Contents::of(&image), &[(path.clone(), own)]);
        assert_eq!(changes.get(&path), expect.as_ref());
    }

    #[test]
    fn what_an_image_changes_of_an_item() {
        let place = |path, mode| Some(EntryChange::Place { path: TreePath::literal(path), meta: Meta::root(mode, 7) });
        check(packed_file("a", 0o755), &[("f", packed_file("a", 0o755))], None);
        check(packed_file("a", 0o755), &[("f", packed_file("a", 0o4755))], place("f", 0o4755));
        check(
            packed_file("a", 0o755),
            &[("f.distrib", packed_file("a", 0o755)), ("f", file("new"))],
            place("f.distrib", 0o755),
        );
        check(packed_file("a", 0o755), &[("f", packed_file("b", 0o755))], Some(EntryChange::Omit));
        check(packed_file("a", 0o755), &[("f", Node::directory(Meta::root(0o755, 0)))], Some(EntryChange::Omit));
        check(packed_file("a", 0o755), &[], Some(EntryChange::Omit));
        check(file("old"), &[("f", file("new"))], None);
        check(file("old"), &[("f", packed_file("b", 0o755))], Some(EntryChange::Omit));
        check(file("old"), &[], Some(EntryChange::Omit));
    }

    #[test]
    fn the_generated_layer_has_what_no_item_leaves() {
        let directory = |uid| Node::directory(Meta { uid, ..Meta::root(0o755, 3) });
        let image: Tree = [
            ("a", directory(7)),
            ("a/same", file("x")),
            ("a/b/new", file("y")),
            ("c", directory(0)),
            ("c/same", file("z")),
        ]
        .into_iter()
        .map(|(path, node)| (TreePath::literal(path), node))
        .collect();
        let entries: Vec<_> = [
            ("", directory(0)),
            ("a", directory(0)),
            ("a/same", file("x")),
            ("c", directory(0)),
            ("c/same", file("z")),
        ]
        .into_iter()
        .map(|(path, node)| (TreePath::literal(path), node))
        .collect();
        let changes = ItemChanges::default();
        let mut stacked = Stacked::default();
        stacked.push(&entries, &changes);
        let missing: Vec<_> = stacked.missing(&image).iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(missing, ["/", "/a", "/a/b", "/a/b/new"]);
    }
}
