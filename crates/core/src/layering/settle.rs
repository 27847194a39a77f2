//! From a finished tree back to layers: what stays in the segments of items, what differs, what comes from none.

use std::collections::{BTreeMap, BTreeSet};

use super::overlay::{same_kind, shows_same};
use super::{EntryChange, ItemChanges, Overlay};
use crate::item::ItemId;
use crate::tree::{Content, Meta, Node, NodeKind, PackedContent, Tree, TreePath};

/// An item with the entries of its segment, in their order.
#[derive(Debug, Clone, Copy)]
pub struct ItemEntries<'e> {
    /// The item.
    pub item: ItemId,
    /// Its entries.
    pub entries: &'e [(TreePath, Node)],
}

/// How a tree is made of items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// For each layer, for each of its items, what the tree has otherwise than the item's segment; mostly nothing.
    pub changes: Vec<Vec<ItemChanges>>,
    /// What comes from no item, and the directories to be stated anew: the entries of the layer on top.
    pub generated: Vec<(TreePath, Node)>,
    /// What a base shows and the tree has not, without what is below it: the whiteouts of the layer on top.
    pub whiteouts: Vec<TreePath>,
}

impl Settled {
    /// All entries of the layer on top in the order of their paths, whiteouts as the files that stand for them (OCI
    /// image-spec, "Whiteouts").
    pub fn top_layer(&self) -> Vec<(TreePath, Node)> {
        let whiteouts = self.whiteouts.iter().filter_map(|path| {
            let name = [WHITEOUT, path.file_name()?].concat();
            let at = path.parent()?.join(name).ok()?;
            Some((at, Node::file(Meta::root(0, 0), *b"")))
        });
        let mut entries: Vec<_> = self.generated.iter().cloned().chain(whiteouts).collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries
    }
}

/// The prefix of files that remove what lower layers have.
pub const WHITEOUT: &[u8] = b".wh.";

/// Finds out how layers of items, bottom up, show a tree: which entries to leave out, move or give other metadata, and
/// what to put on top.
///
/// A directory's metadata never changes an item, the top layer states it. Files of other metadata, and large files
/// under another path, stay with their item, so that their bytes are not in the top layer as well.
pub fn settle(tree: &Tree, layers: &[Vec<ItemEntries<'_>>]) -> Settled {
    let settled = settle_over(Overlay::default(), tree, layers);
    debug_assert!(settled.whiteouts.is_empty(), "what the tree has not was left out: {:?}", settled.whiteouts);
    settled
}

/// As [`settle`], for layers that are put on those of a base. A base's layers stay as they are: what the tree has
/// otherwise is generated or whited out.
pub fn settle_over(base: Overlay, tree: &Tree, layers: &[Vec<ItemEntries<'_>>]) -> Settled {
    let mut moves = Moves::new(tree, layers);
    let mut overlay = base;
    let mut all_changes = Vec::with_capacity(layers.len());
    for layer in layers {
        let mut taken = BTreeSet::new();
        let changes: Vec<_> = layer.iter().map(|item| changes_of(tree, item, &mut moves, &mut taken)).collect();
        let items = layer.iter().zip(&changes);
        let entries: Vec<_> = items.flat_map(|(item, changes)| changed_entries(item.entries, changes)).collect();
        overlay.push(entries.iter().map(|(path, node)| (path, node)));
        all_changes.push(changes);
    }
    let restated = overlay.restate(tree);
    Settled { changes: all_changes, generated: restated.entries, whiteouts: restated.leftovers }
}

/// The entries of an item with an image's changes.
pub fn changed_entries<'e>(
    entries: &'e [(TreePath, Node)],
    changes: &'e ItemChanges,
) -> impl Iterator<Item = (TreePath, Node)> + use<'e> {
    entries.iter().filter_map(|(path, node)| match changes.get(path) {
        None => Some((path.clone(), node.clone())),
        Some(EntryChange::Omit) => None,
        Some(EntryChange::Place { path, meta }) => {
            Some((path.clone(), Node { meta: meta.clone(), kind: node.kind.clone() }))
        }
    })
}

/// What to change of an item. `taken` are the files that the layer has already: engines refuse a path twice in one
/// layer, even where two items have the same file.
fn changes_of(
    tree: &Tree,
    item: &ItemEntries<'_>,
    moves: &mut Moves<'_>,
    taken: &mut BTreeSet<TreePath>,
) -> ItemChanges {
    let change = |(path, node): &(TreePath, Node)| {
        let change = match tree.get(path) {
            Some(there) if node.is_directory() && there.is_directory() => return None,
            Some(there) if same_kind(there, node) && !taken.insert(path.clone()) => EntryChange::Omit,
            Some(there) if shows_same(there, node) => return None,
            Some(there) if same_kind(there, node) => {
                EntryChange::Place { path: path.clone(), meta: there.meta.clone() }
            }
            _ => {
                moves.take(tree, node).filter(|moved| taken.insert(moved.0.clone())).map_or(EntryChange::Omit, place_at)
            }
        };
        Some((path.clone(), change))
    };
    item.entries.iter().filter_map(change).collect()
}

fn place_at((path, meta): (TreePath, Meta)) -> EntryChange {
    EntryChange::Place { path, meta }
}

/// Where contents of segments are in the tree under a path that their item does not have.
struct Moves<'t>(BTreeMap<Place, Vec<&'t TreePath>>);

/// A place in an uncompressed segment.
type Place = (ItemId, u64);

impl<'t> Moves<'t> {
    fn new(tree: &'t Tree, layers: &[Vec<ItemEntries<'_>>]) -> Self {
        let items = layers.iter().flatten();
        let at_home: BTreeSet<(Place, &TreePath)> =
            items.flat_map(|item| item.entries).filter_map(|(path, node)| Some((place(packed(node)?), path))).collect();
        let mut moves: BTreeMap<Place, Vec<&TreePath>> = BTreeMap::new();
        for (path, node) in tree.iter() {
            if let Some(place) = packed(node).map(place)
                && !at_home.contains(&(place, path))
            {
                moves.entry(place).or_default().push(path);
            }
        }
        // They are handed out from the end, the first path first.
        moves.values_mut().for_each(|paths| paths.reverse());
        Self(moves)
    }

    /// The next path that a file's content went to.
    fn take(&mut self, tree: &Tree, node: &Node) -> Option<(TreePath, Meta)> {
        let path = self.0.get_mut(&place(packed(node)?))?.pop()?;
        Some((path.clone(), tree.get(path)?.meta.clone()))
    }
}

fn packed(node: &Node) -> Option<&PackedContent> {
    match &node.kind {
        NodeKind::File { content: Content::Packed(packed), .. } => Some(packed),
        _ => None,
    }
}

fn place(content: &PackedContent) -> Place {
    (content.item, content.offset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).expect("a path")
    }

    fn item(number: u8) -> ItemId {
        ItemId::of_parts([[number].as_slice()])
    }

    fn packed_file(number: u8, offset: u64, meta: Meta) -> Node {
        let content = Content::Packed(PackedContent { item: item(number), offset, size: 9 });
        Node { meta, kind: NodeKind::File { content, link: None } }
    }

    /// The tree that layers with these changes and the generated layer show.
    fn shown(base: &Overlay, layers: &[Vec<ItemEntries<'_>>], settled: &Settled) -> Tree {
        let mut overlay = base.clone();
        for (layer, changes) in layers.iter().zip(&settled.changes) {
            let items = layer.iter().zip(changes);
            let entries: Vec<_> = items.flat_map(|(item, changes)| changed_entries(item.entries, changes)).collect();
            let files: Vec<_> = entries.iter().filter(|(_, node)| !node.is_directory()).map(|(path, _)| path).collect();
            assert_eq!(files.len(), files.iter().collect::<BTreeSet<_>>().len(), "no file twice in a layer");
            overlay.push(entries.iter().map(|(path, node)| (path, node)));
        }
        settled.whiteouts.iter().for_each(|path| overlay.remove(path));
        overlay.push(settled.generated.iter().map(|(path, node)| (path, node)));
        overlay.to_tree()
    }

    #[test]
    fn each_kind_of_change_goes_where_it_belongs() {
        let (directory, file) = (Meta::root(0o755, 1), Meta::root(0o644, 1));
        let entries = [
            (TreePath::ROOT, Node::directory(directory.clone())),
            (path("bin"), Node::directory(directory.clone())),
            (path("bin/diverted"), packed_file(1, 1024, file.clone())),
            (path("bin/kept"), packed_file(1, 2048, file.clone())),
            (path("bin/setuid"), packed_file(1, 4096, file.clone())),
            (path("bin/small"), Node::file(file.clone(), *b"small")),
            (path("doc"), Node::directory(directory)),
            (path("doc/readme"), Node::file(file.clone(), *b"text")),
        ];
        let mut tree: Tree = entries.iter().cloned().collect();
        tree.remove_all(&path("doc"));
        tree.rename(&path("bin/diverted"), &path("bin/diverted.distrib")).expect("there");
        tree.set_meta(&path("bin/setuid"), |meta| meta.mode = 0o4755).expect("there");
        tree.set_meta(&path("bin"), |meta| meta.mode = 0o700).expect("there");
        tree.write(&path("bin/small"), *b"other", &file).expect("there");
        let layers = [vec![ItemEntries { item: item(1), entries: &entries }]];
        let settled = settle(&tree, &layers);
        let place = |at: &str, mode| EntryChange::Place { path: path(at), meta: Meta::root(mode, 1) };
        let expect: ItemChanges = [
            (path("bin/diverted"), place("bin/diverted.distrib", 0o644)),
            (path("bin/setuid"), place("bin/setuid", 0o4755)),
            (path("bin/small"), EntryChange::Omit),
            (path("doc"), EntryChange::Omit),
            (path("doc/readme"), EntryChange::Omit),
        ]
        .into_iter()
        .collect();
        assert_eq!(settled.changes, [[expect]]);
        let generated: Vec<String> = settled.generated.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(generated, ["/", "/bin", "/bin/small"]);
        assert_eq!(shown(&Overlay::default(), &layers, &settled), tree);
    }

    #[test]
    fn a_layer_without_a_directory_entry_hides_its_metadata() {
        let meta = Meta::root(0o1777, 5);
        let lower = [(path("tmp"), Node::directory(meta.clone()))];
        let upper = [(path("tmp/file"), Node::file(Meta::root(0o644, 5), *b""))];
        let tree: Tree = lower.iter().chain(&upper).cloned().collect();
        let of = |number, entries| vec![ItemEntries { item: item(number), entries }];
        let settled = settle(&tree, &[of(1, &lower), of(2, &upper)]);
        assert!(settled.generated.contains(&(path("tmp"), Node::directory(meta))));
    }

    /// A node at one of a few paths, so that items and changes meet.
    fn entry() -> impl Strategy<Value = (TreePath, Node)> {
        let meta = (prop::sample::select(vec![0o644u16, 0o755, 0o4755]), 0i64..2)
            .prop_map(|(mode, time)| Meta::root(mode, time));
        let node = (meta, 0u8..4, 0u64..3).prop_map(|(meta, kind, which)| match kind {
            0 => Node::directory(meta),
            1 => Node::symlink(if which == 0 { "a" } else { "b/c" }, meta.mtime),
            2 => Node::file(meta, vec![which as u8]),
            _ => packed_file(9, which * 512, meta),
        });
        (prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..4), node)
            .prop_map(|(parts, node)| (path(&parts.join("/")), node))
    }

    /// Entries as an item has them: each path once, directories before what is in them.
    fn item_entries(number: u8) -> impl Strategy<Value = Vec<(TreePath, Node)>> {
        prop::collection::vec(entry(), 0..8).prop_map(move |entries| {
            let mut tree = Tree::new();
            for (path, mut node) in entries {
                if let NodeKind::File { content: Content::Packed(packed), .. } = &mut node.kind {
                    // No two files of an item are at one place.
                    let text = path.to_string();
                    *packed = PackedContent {
                        item: item(number),
                        offset: text.bytes().map(u64::from).sum::<u64>() * 512,
                        size: 9,
                    };
                }
                let _ = tree.create_dir_all(&path.parent().unwrap_or(TreePath::ROOT), &Meta::root(0o755, 0));
                let _ = tree.insert(path, node);
            }
            tree.iter().map(|(path, node)| (path.clone(), node.clone())).collect()
        })
    }

    proptest! {
        #[test]
        fn layers_show_the_tree_they_were_settled_for(
            items in prop::collection::vec((0u8..5).prop_flat_map(item_entries), 1..5),
            edits in prop::collection::vec((entry(), 0u8..4), 0..8),
            together in 1usize..4,
        ) {
            let mut tree = Tree::new();
            for (path, node) in items.iter().flatten() {
                let _ = tree.insert(path.clone(), node.clone());
            }
            for ((path, node), edit) in edits {
                match edit {
                    0 => {
                        tree.remove_all(&path);
                    }
                    1 => drop(tree.set_meta(&path, |meta| meta.clone_from(&node.meta))),
                    2 => drop(tree.rename(&TreePath::literal("a/b"), &path)),
                    _ => drop(tree.insert(path, node)),
                }
            }
            let numbered: Vec<_> = items.iter().enumerate().map(|(at, entries)| {
                ItemEntries { item: item(at as u8), entries }
            }).collect();
            let layers: Vec<Vec<_>> = numbered.chunks(together).map(<[_]>::to_vec).collect();
            let settled = settle(&tree, &layers);
            prop_assert_eq!(shown(&Overlay::default(), &layers, &settled), tree.clone());
            // The same with the lowest layers for a base that stays as it is.
            let (below, above) = layers.split_at(layers.len() / 2);
            let mut base = Overlay::default();
            for layer in below {
                base.push(layer.iter().flat_map(|item| item.entries).map(|(path, node)| (path, node)));
            }
            let settled = settle_over(base.clone(), &tree, above);
            prop_assert_eq!(shown(&base, above, &settled), tree);
        }
    }

    #[test]
    fn what_a_base_has_and_the_tree_has_not_is_whited_out() {
        let file = |text: &str| Node::file(Meta::root(0o644, 1), text.as_bytes());
        let directory = || Node::directory(Meta::root(0o700, 1));
        let entries = [
            (TreePath::ROOT, Node::directory(Meta::root(0o755, 1))),
            (path("a"), directory()),
            (path("a/gone"), directory()),
            (path("a/gone/below"), file("x")),
            (path("a/kept"), file("y")),
            (path("b"), directory()),
            (path("b/c"), file("z")),
        ];
        let mut base = Overlay::default();
        base.push(entries.iter().map(|(path, node)| (path, node)));
        let mut tree: Tree = entries.iter().cloned().collect();
        tree.remove_all(&path("a/gone"));
        tree.remove_all(&path("b"));
        tree.insert(path("b"), file("now a file")).expect("inserted");
        let settled = settle_over(base.clone(), &tree, &[]);
        let top: Vec<String> = settled.top_layer().iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(top, ["/", "/a", "/a/.wh.gone", "/b"]);
        assert_eq!(shown(&base, &[], &settled), tree);
    }
}
