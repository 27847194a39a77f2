//! What an image changes of an item: the difference between what a package ships and what the image has at its paths.
//!
//! Most packages end in an image exactly as they ship. Where a script took a file away, or gave a large file another
//! owner or mode, the item is written once more as a *variant*, so that no layer carries bytes that a later one hides.
//! What is small and has other content is left to the layer of generated state above.

use std::collections::{BTreeMap, BTreeSet};

use crate::item::ItemId;
use crate::tree::{Content, Meta, Node, NodeKind, Tree, TreePath};

/// Bumped when the same patch would be written differently.
const VARIANT_FORMAT: &[u8] = b"variant 1";

/// How an item differs in an image from what it is by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// Paths that the image does not have, or has from another item.
    pub omit: BTreeSet<TreePath>,
    /// Paths whose owner, mode or attributes the image changed.
    pub meta: BTreeMap<TreePath, Meta>,
}

impl Patch {
    /// Whether the item is used as it is.
    pub fn is_empty(&self) -> bool {
        self.omit.is_empty() && self.meta.is_empty()
    }

    /// The id of the patched item: that of the item itself when there is nothing to patch.
    pub fn variant_of(&self, item: ItemId) -> ItemId {
        if self.is_empty() {
            return item;
        }
        let mut parts: Vec<Vec<u8>> = vec![VARIANT_FORMAT.to_vec(), item.to_hex().into_bytes()];
        parts.extend(self.omit.iter().map(|path| [b"-", path.as_bytes()].concat()));
        for (path, meta) in &self.meta {
            parts.push([b"=", path.as_bytes()].concat());
            parts.push(format!("{:o} {} {}", meta.mode, meta.uid, meta.gid).into_bytes());
            parts.extend(meta.xattrs.iter().flat_map(|(name, value)| [name.to_vec(), value.to_vec()]));
            parts.push(Vec::new());
        }
        ItemId::of_parts(parts.iter().map(Vec::as_slice))
    }

    /// The patched entries of an item, in their order.
    pub fn apply<'e>(
        &'e self,
        entries: &'e [(TreePath, Node)],
    ) -> impl Iterator<Item = (&'e TreePath, std::borrow::Cow<'e, Node>)> {
        entries.iter().filter(|(path, _)| !self.omit.contains(path)).map(|(path, node)| match self.meta.get(path) {
            Some(meta) => (path, std::borrow::Cow::Owned(Node { meta: meta.clone(), kind: node.kind.clone() })),
            None => (path, std::borrow::Cow::Borrowed(node)),
        })
    }
}

/// Compares an item's own entries with what the image has in the end.
pub fn patch(image: &Tree, entries: &[(TreePath, Node)]) -> Patch {
    let mut patch = Patch::default();
    for (path, own) in entries {
        let Some(last) = image.get(path) else {
            patch.omit.insert(path.clone());
            continue;
        };
        match (content(own), content(last)) {
            // The bytes are this item's own and too many to state twice: carry the change in the item.
            (Some(own_content), Some(last_content @ Content::Packed(_))) if own_content == last_content => {
                if !last.meta.same_but_for_time(&own.meta) {
                    patch.meta.insert(path.clone(), Meta { mtime: own.meta.mtime, ..last.meta.clone() });
                }
            }
            // Another item brings this path's bytes: it must not depend on the order of layers which one is seen.
            (_, Some(Content::Packed(_))) => {
                patch.omit.insert(path.clone());
            }
            // A non-directory below what is now a directory, or the other way round, cannot stay in a lower layer.
            _ if own.is_directory() != last.is_directory() => {
                patch.omit.insert(path.clone());
            }
            _ => {}
        }
    }
    patch
}

fn content(node: &Node) -> Option<&Content> {
    match &node.kind {
        NodeKind::File { content, .. } => Some(content),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::PackedContent;

    fn packed(item: ItemId, mode: u16) -> Node {
        let content = Content::Packed(PackedContent { item, offset: 512, size: 9 });
        Node { meta: Meta::root(mode, 7), kind: NodeKind::File { content, link: None } }
    }

    fn item(name: &str) -> ItemId {
        ItemId::of_parts([name.as_bytes()])
    }

    fn check(own: Node, last: Option<Node>, expect: &Patch) {
        let path = TreePath::literal("f");
        let image: Tree = last.into_iter().map(|node| (path.clone(), node)).collect();
        assert_eq!(&patch(&image, &[(path, own)]), expect);
    }

    fn omit() -> Patch {
        Patch { omit: [TreePath::literal("f")].into(), ..Patch::default() }
    }

    #[test]
    fn an_untouched_item_is_used_as_it_is() {
        check(packed(item("a"), 0o755), Some(packed(item("a"), 0o755)), &Patch::default());
        assert_eq!(Patch::default().variant_of(item("a")), item("a"));
    }

    #[test]
    fn removed_and_replaced_paths_leave_the_item() {
        check(packed(item("a"), 0o755), None, &omit());
        check(packed(item("a"), 0o755), Some(packed(item("b"), 0o755)), &omit());
        check(packed(item("a"), 0o755), Some(Node::directory(Meta::root(0o755, 0))), &omit());
        assert_ne!(omit().variant_of(item("a")), item("a"));
    }

    #[test]
    fn a_changed_mode_of_a_large_file_is_carried_by_the_item() {
        let expect = Patch { meta: [(TreePath::literal("f"), Meta::root(0o4755, 7))].into(), ..Patch::default() };
        check(packed(item("a"), 0o755), Some(packed(item("a"), 0o4755)), &expect);
    }

    #[test]
    fn small_changed_files_are_left_to_generated_state() {
        let file = |text: &str| Node::file(Meta::root(0o644, 0), text.as_bytes());
        check(file("old"), Some(file("new")), &Patch::default());
    }
}
