//! What an engine sees when it mounts layers over each other.

use std::collections::BTreeMap;

use crate::tree::{Meta, Node, NodeKind, Tree, TreePath};

/// The layers so far, as overlayfs shows them.
///
/// An upper file hides whatever is below it, an upper directory joins the one below and gives it all its metadata. A
/// directory that a layer has entries in but no entry of is made by the engine as root's, mode 0755, at the time of
/// unpacking: it hides the metadata below, too (tried with podman and Docker). Whiteouts are not looked for: layers of
/// items have none, and whoever reads or writes other layers calls [`Overlay::remove`].
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    nodes: BTreeMap<TreePath, Seen>,
}

/// A node as the layers leave it.
#[derive(Debug, Clone)]
enum Seen {
    /// As an entry says it.
    Stated(Node),
    /// A directory that the engine made up.
    MadeUp,
}

impl Seen {
    fn is_directory(&self) -> bool {
        match self {
            Self::Stated(node) => node.is_directory(),
            Self::MadeUp => true,
        }
    }
}

impl Overlay {
    /// Puts a layer on top: its entries in the order of its tar, of which later ones replace earlier ones.
    pub fn push<'e>(&mut self, entries: impl IntoIterator<Item = (&'e TreePath, &'e Node)>) {
        let mut layer = Self::default();
        for (path, node) in entries {
            for directory in path.ancestors() {
                if !layer.nodes.get(&directory).is_some_and(Seen::is_directory) {
                    layer.nodes.insert(directory, Seen::MadeUp);
                }
            }
            layer.put(path.clone(), Seen::Stated(node.clone()));
        }
        for (path, seen) in layer.nodes {
            self.put(path, seen);
        }
    }

    /// The node that the layers show at a path; `None` where there is none, or a directory that engines made up.
    pub fn node(&self, path: &TreePath) -> Option<&Node> {
        match self.nodes.get(path)? {
            Seen::Stated(node) => Some(node),
            Seen::MadeUp => None,
        }
    }

    /// Removes a node with all that is below it, as a whiteout does (OCI image-spec, "Whiteouts").
    pub fn remove(&mut self, path: &TreePath) {
        self.nodes.retain(|node, _| !node.starts_with(path));
    }

    /// Removes all that is below a directory, as an opaque whiteout does.
    pub fn remove_below(&mut self, directory: &TreePath) {
        self.nodes.retain(|node, _| node == directory || !node.starts_with(directory));
    }

    /// What differs from `tree`: the entries that a layer on top must have so that the layers show just that tree.
    pub fn restate(&self, tree: &Tree) -> Restated {
        let mut entries: BTreeMap<TreePath, Node> = BTreeMap::new();
        for (path, node) in tree.iter() {
            let right = matches!(self.nodes.get(path), Some(Seen::Stated(seen)) if shows_same(seen, node));
            if right {
                continue;
            }
            entries.insert(path.clone(), node.clone());
            state_above(tree, path, &mut entries);
        }
        let mut leftovers: Vec<TreePath> = Vec::new();
        for path in self.nodes.keys().filter(|path| !tree.contains(path)) {
            let parent = path.parent().unwrap_or(TreePath::ROOT);
            // What is gone goes with the directory it was in, be that gone or another thing now.
            if tree.get(&parent).is_some_and(Node::is_directory) {
                state_above(tree, path, &mut entries);
                leftovers.push(path.clone());
            }
        }
        Restated { entries: entries.into_iter().collect(), leftovers }
    }

    /// The tree that the layers show; directories that engines make up are root's of mode 0755 and time 0.
    pub fn to_tree(&self) -> Tree {
        let node = |seen: &Seen| match seen {
            Seen::Stated(node) => node.clone(),
            Seen::MadeUp => Node::directory(Meta::root(0o755, 0)),
        };
        self.nodes.iter().map(|(path, seen)| (path.clone(), node(seen))).collect()
    }

    fn put(&mut self, path: TreePath, seen: Seen) {
        let hides = !seen.is_directory() && self.nodes.get(&path).is_some_and(Seen::is_directory);
        if hides {
            self.nodes.retain(|below, _| !below.starts_with(&path));
        }
        self.nodes.insert(path, seen);
    }
}

/// A layer must state the directories above what it has as well, or the engine makes them up.
fn state_above(tree: &Tree, path: &TreePath, entries: &mut BTreeMap<TreePath, Node>) {
    for directory in path.ancestors() {
        if let Some(node) = tree.get(&directory) {
            entries.entry(directory).or_insert_with(|| node.clone());
        }
    }
}

/// What a layer must have so that, on top of others, it shows a given tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restated {
    /// Its entries, by path.
    pub entries: Vec<(TreePath, Node)>,
    /// What the layers below show and the tree has not, without what is below it: entries cannot remove it, whiteouts do.
    pub leftovers: Vec<TreePath>,
}

/// Whether two nodes are the same to whoever looks at the file system; the numbers of hard links do not count.
pub(super) fn shows_same(a: &Node, b: &Node) -> bool {
    a.meta == b.meta && same_kind(a, b)
}

/// Whether two nodes are the same but for their metadata.
pub(super) fn same_kind(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (NodeKind::File { content: a, .. }, NodeKind::File { content: b, .. }) => a == b,
        (a, b) => a == b,
    }
}
