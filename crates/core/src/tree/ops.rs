//! Looking up, adding, changing and removing nodes.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::{Content, HardLinkId, Meta, Node, NodeKind, ReadContent, ReadContentError, Tree, TreePath};

/// As many symbolic links as Linux follows in one path (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// Why an operation on a tree failed; the cases are those of the system calls it stands for.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// `ENOENT`.
    #[error("{0}: no such file or directory")]
    NotFound(TreePath),
    /// `EEXIST`.
    #[error("{0}: file exists")]
    Exists(TreePath),
    /// `ENOTDIR`.
    #[error("{0}: not a directory")]
    NotADirectory(TreePath),
    /// `EISDIR`.
    #[error("{0}: is a directory")]
    IsADirectory(TreePath),
    /// `ENOTEMPTY`.
    #[error("{0}: directory not empty")]
    NotEmpty(TreePath),
    /// `ELOOP`.
    #[error("{0}: too many levels of symbolic links")]
    Loop(TreePath),
    /// `EINVAL` and `ENAMETOOLONG`.
    #[error(transparent)]
    Path(#[from] super::ParseTreePathError),
    /// The content is not at hand.
    #[error(transparent)]
    Content(#[from] ReadContentError),
}

impl Tree {
    /// An empty tree: just the root directory, owned by root, mode 0755.
    pub fn new() -> Self {
        Self::default()
    }

    /// The node at exactly this path; symbolic links are not followed.
    pub fn get(&self, path: &TreePath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Whether there is a node at exactly this path.
    pub fn contains(&self, path: &TreePath) -> bool {
        self.nodes.contains_key(path)
    }

    /// Every node with its path, the root first, directories before what is in them.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Node)> {
        self.nodes.iter()
    }

    /// How many nodes there are, the root included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing but the root.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// Everything below a directory at any depth, without itself.
    pub fn below<'t>(&'t self, directory: &TreePath) -> impl Iterator<Item = (&'t TreePath, &'t Node)> + use<'t> {
        let (start, end) = if directory.is_root() {
            (Bound::Excluded(Vec::new()), Bound::Unbounded)
        } else {
            let prefix = |last: u8| [directory.as_bytes(), &[last]].concat();
            (Bound::Included(prefix(b'/')), Bound::Excluded(prefix(b'/' + 1)))
        };
        self.nodes.range::<[u8], _>((as_slice(&start), as_slice(&end)))
    }

    /// The entries of a directory, by name.
    pub fn children<'t>(&'t self, directory: &TreePath) -> impl Iterator<Item = (&'t TreePath, &'t Node)> + use<'t> {
        let depth = directory.components().count() + 1;
        self.below(directory).filter(move |(path, _)| path.components().count() == depth)
    }

    /// Puts a node at a path, replacing what is there (a directory's contents stay). The parents must be directories.
    ///
    /// # Errors
    /// [`TreeError::NotFound`] or [`TreeError::NotADirectory`] for a parent.
    pub fn insert(&mut self, path: TreePath, node: Node) -> Result<Option<Node>, TreeError> {
        if let Some(parent) = path.parent() {
            match self.nodes.get(&parent) {
                None => return Err(TreeError::NotFound(parent)),
                Some(node) if !node.is_directory() => return Err(TreeError::NotADirectory(parent)),
                Some(_) => {}
            }
        }
        if !node.is_directory() && self.below(&path).next().is_some() {
            return Err(TreeError::IsADirectory(path));
        }
        Ok(self.nodes.insert(path, node))
    }

    /// Makes a directory and those above it, as `mkdir -p`: existing ones keep their metadata.
    ///
    /// # Errors
    /// [`TreeError::NotADirectory`] when something else is in the way.
    pub fn create_dir_all(&mut self, path: &TreePath, meta: &Meta) -> Result<(), TreeError> {
        for directory in path.ancestors().chain([path.clone()]) {
            match self.nodes.get(&directory) {
                Some(node) if node.is_directory() => {}
                Some(_) => return Err(TreeError::NotADirectory(directory)),
                None => {
                    self.nodes.insert(directory, Node::directory(meta.clone()));
                }
            }
        }
        Ok(())
    }

    /// Removes one node that is not a directory with entries.
    ///
    /// # Errors
    /// [`TreeError::NotFound`], or [`TreeError::NotEmpty`].
    pub fn remove(&mut self, path: &TreePath) -> Result<Node, TreeError> {
        if self.below(path).next().is_some() {
            return Err(TreeError::NotEmpty(path.clone()));
        }
        self.nodes.remove(path).ok_or_else(|| TreeError::NotFound(path.clone()))
    }

    /// Removes a node with all that is below it; says how many nodes went.
    pub fn remove_all(&mut self, path: &TreePath) -> usize {
        let mut gone: Vec<TreePath> = self.below(path).map(|(path, _)| path.clone()).collect();
        if !path.is_root() && self.contains(path) {
            gone.push(path.clone());
        }
        for path in &gone {
            self.nodes.remove(path);
        }
        gone.len()
    }

    /// Moves a node with all that is below it. What is at `to` is replaced, as by `rename(2)`.
    ///
    /// # Errors
    /// [`TreeError::NotFound`], [`TreeError::NotEmpty`], or as [`Tree::insert`] for the new place.
    pub fn rename(&mut self, from: &TreePath, to: &TreePath) -> Result<(), TreeError> {
        if from == to {
            return Ok(());
        }
        let node = self.get(from).ok_or_else(|| TreeError::NotFound(from.clone()))?.clone();
        if to.starts_with(from) {
            return Err(TreeError::Exists(to.clone()));
        }
        if self.below(to).next().is_some() {
            return Err(TreeError::NotEmpty(to.clone()));
        }
        self.insert(to.clone(), node)?;
        let below: Vec<TreePath> = self.below(from).map(|(path, _)| path.clone()).collect();
        for path in below {
            let target = to.join(path.strip_prefix(from).unwrap_or_default())?;
            if let Some(node) = self.nodes.remove(&path) {
                self.nodes.insert(target, node);
            }
        }
        self.nodes.remove(from);
        Ok(())
    }

    /// Changes a node's metadata; all hard links of a file change together.
    ///
    /// # Errors
    /// [`TreeError::NotFound`].
    pub fn set_meta(&mut self, path: &TreePath, change: impl Fn(&mut Meta)) -> Result<(), TreeError> {
        let node = self.nodes.get_mut(path).ok_or_else(|| TreeError::NotFound(path.clone()))?;
        change(&mut node.meta);
        if let NodeKind::File { link: Some(link), .. } = node.kind {
            for other in self.hard_links(link) {
                if other != *path
                    && let Some(node) = self.nodes.get_mut(&other)
                {
                    change(&mut node.meta);
                }
            }
        }
        Ok(())
    }

    /// The paths that are names of one file, in order.
    pub fn hard_links(&self, id: HardLinkId) -> Vec<TreePath> {
        let is = |node: &Node| matches!(node.kind, NodeKind::File { link: Some(link), .. } if link == id);
        self.nodes.iter().filter(|(_, node)| is(node)).map(|(path, _)| path.clone()).collect()
    }

    /// Resolves `text` as a process would whose working directory is `cwd`: `.`, `..` and symbolic links on the way,
    /// and a link at the end when `follow_last`. The last component need not exist.
    ///
    /// # Errors
    /// [`TreeError::NotFound`], [`TreeError::NotADirectory`] on the way, [`TreeError::Loop`].
    pub fn resolve(&self, cwd: &TreePath, text: impl AsRef<[u8]>, follow_last: bool) -> Result<TreePath, TreeError> {
        let text = text.as_ref();
        let mut at = if text.starts_with(b"/") { TreePath::ROOT } else { cwd.clone() };
        let mut pending: Vec<Vec<u8>> = split(text);
        let mut links = 0;
        while let Some(component) = pending.pop() {
            if component == b".." {
                at = at.parent().unwrap_or(TreePath::ROOT);
                continue;
            }
            let next = at.join(&component)?;
            match self.nodes.get(&next).map(|node| &node.kind) {
                Some(NodeKind::Symlink { target }) if follow_last || !pending.is_empty() => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(TreeError::Loop(next));
                    }
                    if target.starts_with(b"/") {
                        at = TreePath::ROOT;
                    }
                    pending.extend(split(target));
                }
                Some(NodeKind::Directory) => at = next,
                Some(_) if pending.is_empty() => at = next,
                Some(_) => return Err(TreeError::NotADirectory(next)),
                None if pending.is_empty() => at = next,
                None => return Err(TreeError::NotFound(next)),
            }
        }
        Ok(at)
    }

    /// The node that an absolute path leads to, symbolic links followed; `None` when it leads nowhere.
    pub fn lookup(&self, text: impl AsRef<[u8]>) -> Option<(TreePath, &Node)> {
        let path = self.resolve(&TreePath::ROOT, text, true).ok()?;
        let node = self.nodes.get(&path)?;
        Some((path, node))
    }

    /// The bytes of the regular file at exactly this path.
    ///
    /// # Errors
    /// [`TreeError::NotFound`], [`TreeError::IsADirectory`] for what is not a regular file, [`TreeError::Content`].
    pub fn read(&self, path: &TreePath, contents: &dyn ReadContent) -> Result<Arc<[u8]>, TreeError> {
        match self.get(path).map(|node| &node.kind) {
            Some(NodeKind::File { content: Content::Inline(bytes), .. }) => Ok(bytes.clone()),
            Some(NodeKind::File { content: Content::Packed(packed), .. }) => Ok(contents.read(packed)?),
            Some(_) => Err(TreeError::IsADirectory(path.clone())),
            None => Err(TreeError::NotFound(path.clone())),
        }
    }

    /// Writes a regular file at exactly this path: an existing file keeps its owner and mode, all its hard links
    /// change with it; a new one gets `meta`.
    ///
    /// # Errors
    /// [`TreeError::IsADirectory`] for what is not a regular file, and as [`Tree::insert`].
    pub fn write(&mut self, path: &TreePath, bytes: impl Into<Arc<[u8]>>, meta: &Meta) -> Result<(), TreeError> {
        let bytes = bytes.into();
        match self.nodes.get(path).map(|node| &node.kind) {
            None => {
                self.insert(path.clone(), Node::file(meta.clone(), bytes))?;
            }
            Some(NodeKind::File { link, .. }) => {
                let paths = link.map_or_else(|| vec![path.clone()], |link| self.hard_links(link));
                for path in paths {
                    if let Some(Node { meta: old, kind: NodeKind::File { content, .. } }) = self.nodes.get_mut(&path) {
                        *content = Content::Inline(bytes.clone());
                        old.mtime = meta.mtime;
                    }
                }
            }
            Some(_) => return Err(TreeError::IsADirectory(path.clone())),
        }
        Ok(())
    }
}

impl FromIterator<(TreePath, Node)> for Tree {
    /// Builds a tree from nodes in any order; missing parents become root's directories of mode 0755.
    fn from_iter<I: IntoIterator<Item = (TreePath, Node)>>(nodes: I) -> Self {
        let mut tree = Self { nodes: nodes.into_iter().collect::<BTreeMap<_, _>>() };
        let above = tree.nodes.keys().flat_map(|path| path.ancestors().collect::<Vec<_>>());
        let missing: Vec<TreePath> = above.filter(|path| !tree.nodes.contains_key(path)).collect();
        for parent in missing.into_iter().chain([TreePath::ROOT]) {
            tree.nodes.entry(parent).or_insert_with(|| Node::directory(Meta::root(0o755, 0)));
        }
        tree
    }
}

/// The components of a path from the last to the first, without empty ones and `.`.
fn split(text: &[u8]) -> Vec<Vec<u8>> {
    text.rsplit(|byte| *byte == b'/')
        .filter(|component| !matches!(*component, b"" | b"."))
        .map(<[u8]>::to_vec)
        .collect()
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(bytes) => Bound::Included(bytes),
        Bound::Excluded(bytes) => Bound::Excluded(bytes),
        Bound::Unbounded => Bound::Unbounded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let dir = || Node::directory(Meta::root(0o755, 0));
        let file = |text: &str| Node::file(Meta::root(0o644, 0), text.as_bytes());
        [
            ("usr/bin/sh", file("sh")),
            ("usr/bin-x", dir()),
            ("bin", Node::symlink("usr/bin", 0)),
            ("etc/alternatives/vi", Node::symlink("/bin/vim", 0)),
            ("usr/bin/vim", file("vim")),
            ("loop", Node::symlink("loop", 0)),
        ]
        .into_iter()
        .map(|(path, node)| (TreePath::literal(path), node))
        .collect()
    }

    #[test]
    fn symbolic_links_are_followed_as_the_kernel_does() {
        let tree = tree();
        let check = |text: &str, follow, expect: Option<&str>| {
            let found = tree.resolve(&TreePath::literal("usr"), text, follow).ok().map(|path| path.to_string());
            assert_eq!(found.as_deref(), expect, "{text}");
        };
        check("/bin/sh", true, Some("/usr/bin/sh"));
        check("/bin", false, Some("/bin"));
        check("/bin", true, Some("/usr/bin"));
        check("bin/../../etc/alternatives/vi", true, Some("/usr/bin/vim"));
        check("/bin/new", true, Some("/usr/bin/new"));
        check("/bin/new/deeper", true, None);
        check("/loop", true, None);
        check("/bin/sh/x", true, None);
        check("/../bin/sh", true, Some("/usr/bin/sh"));
    }

    #[test]
    fn below_takes_no_siblings_with_the_same_prefix() {
        let tree = tree();
        let below: Vec<_> = tree.below(&TreePath::literal("usr/bin")).map(|(path, _)| path.to_string()).collect();
        assert_eq!(below, ["/usr/bin/sh", "/usr/bin/vim"]);
        let children: Vec<_> = tree.children(&TreePath::ROOT).map(|(path, _)| path.to_string()).collect();
        assert_eq!(children, ["/bin", "/etc", "/loop", "/usr"]);
    }

    #[test]
    fn rename_moves_all_that_is_below() {
        let mut tree = tree();
        tree.rename(&TreePath::literal("usr/bin"), &TreePath::literal("usr/sbin")).expect("renamed");
        assert!(tree.contains(&TreePath::literal("usr/sbin/vim")));
        assert!(!tree.contains(&TreePath::literal("usr/bin")));
    }

    #[test]
    fn hard_links_change_together() {
        let mut tree = Tree::new();
        let node = Node {
            meta: Meta::root(0o755, 0),
            kind: NodeKind::File { content: Content::Inline(Arc::from(*b"x")), link: Some(HardLinkId(1)) },
        };
        let (a, b) = (TreePath::literal("a"), TreePath::literal("b"));
        tree.insert(a.clone(), node.clone()).expect("inserted");
        tree.insert(b.clone(), node).expect("inserted");
        tree.set_meta(&a, |meta| meta.mode = 0o4755).expect("there");
        tree.write(&a, *b"y", &Meta::root(0o644, 5)).expect("there");
        assert_eq!(tree.get(&a), tree.get(&b));
        assert_eq!(tree.get(&b).map(|node| node.meta.mode), Some(0o4755));
    }
}
