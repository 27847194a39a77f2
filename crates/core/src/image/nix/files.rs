//! Files inside store paths, links followed.

use std::sync::Arc;

use crate::nix::StorePath;
use crate::tree::{Node, NodeKind, ReadContent, ReadContentError, Tree, TreePath};

/// As many symbolic links as Linux follows in one path (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// What is in store paths, without their contents, which [`ReadContent`] has.
pub trait StoreFiles {
    /// The files of a store path by their paths below it; the path itself is at the root. `None` when the path is not
    /// among those of the image.
    ///
    /// # Errors
    /// When the path is the image's and its files cannot be listed.
    fn files(&self, path: &StorePath) -> Result<Option<Arc<Tree>>, StoreFilesError>;

    /// Contents of its files.
    fn contents(&self) -> &dyn ReadContent;
}

/// The files of a store path cannot be listed or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreFilesError {
    /// They cannot be listed.
    #[error("cannot list the files of {path}")]
    List {
        /// The store path.
        path: StorePath,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A content cannot be read.
    #[error(transparent)]
    Content(#[from] ReadContentError),
}

/// Something in a store path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The store path.
    pub store_path: StorePath,
    /// Where below it.
    pub path: TreePath,
    /// What it is; no link.
    pub node: Node,
}

impl Found {
    /// Its absolute path in the image.
    pub fn absolute(&self) -> String {
        absolute(&self.store_path, &self.path)
    }
}

/// The absolute path of what is at `path` below a store path.
pub(super) fn absolute(store_path: &StorePath, path: &TreePath) -> String {
    match path.is_root() {
        true => store_path.absolute(),
        false => format!("{}{path}", store_path.absolute()),
    }
}

/// What is at `path` below a store path once links are followed, into other store paths too. `None` when nothing is, or
/// the way leads out of the store.
///
/// # Errors
/// As [`StoreFiles::files`].
pub fn find(store: &dyn StoreFiles, store_path: &StorePath, path: &TreePath) -> Result<Option<Found>, StoreFilesError> {
    let mut at = (store_path.clone(), TreePath::ROOT);
    let mut pending: Vec<Vec<u8>> = path.components().rev().map(|name| name.to_vec()).collect();
    let mut links = 0;
    loop {
        let Some(files) = store.files(&at.0)? else { return Ok(None) };
        let Some(node) = files.get(&at.1) else { return Ok(None) };
        if let NodeKind::Symlink { target } = &node.kind {
            links += 1;
            let Some(next) = follow(&at.0, &at.1, target, &mut pending).filter(|_| links <= MAX_LINKS) else {
                return Ok(None);
            };
            at = next;
            continue;
        }
        match pending.pop() {
            None => return Ok(Some(Found { store_path: at.0, path: at.1, node: node.clone() })),
            Some(component) if component == b".." => match at.1.parent() {
                Some(parent) => at.1 = parent,
                // Out of a store path, into the store: the next component names another.
                None => match pending.pop().as_deref().and_then(store_path_named) {
                    Some(other) => at = (other, TreePath::ROOT),
                    None => return Ok(None),
                },
            },
            Some(component) => match at.1.join(&component) {
                Ok(next) => at.1 = next,
                Err(_) => return Ok(None),
            },
        }
    }
}

/// Where the way goes on after a link, its target's components put before those that are left.
fn follow(
    store_path: &StorePath,
    link: &TreePath,
    target: &[u8],
    pending: &mut Vec<Vec<u8>>,
) -> Option<(StorePath, TreePath)> {
    let mut components: Vec<Vec<u8>> = target
        .split(|byte| *byte == b'/')
        .filter(|component| !matches!(*component, b"" | b"."))
        .map(<[u8]>::to_vec)
        .collect();
    let start = if target.starts_with(b"/") {
        let rest = components.split_off(components.len().min(3));
        let [nix, store, name] = &components[..] else { return None };
        if (nix.as_slice(), store.as_slice()) != (b"nix", b"store") {
            return None;
        }
        let other = store_path_named(name)?;
        components = rest;
        (other, TreePath::ROOT)
    } else {
        // A link that is a store path itself lies in the store.
        match link.parent() {
            Some(parent) => (store_path.clone(), parent),
            None if components.is_empty() => return None,
            None => (store_path_named(&components.remove(0))?, TreePath::ROOT),
        }
    };
    pending.extend(components.into_iter().rev());
    Some(start)
}

fn store_path_named(name: &[u8]) -> Option<StorePath> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::nix::StoreHash;
    use crate::tree::{Meta, NoPackedContent};

    /// Store paths by name; `files` are `path`, `path -> target`, or `path = text`.
    pub(in crate::image::nix) struct TestStore(BTreeMap<StorePath, Arc<Tree>>);

    /// A store path whose hash follows from its name.
    pub(in crate::image::nix) fn store_path(name: &str) -> StorePath {
        let mut hash = [0; 20];
        name.bytes().zip(&mut hash).for_each(|(byte, place)| *place = byte);
        StorePath::new(StoreHash::from_bytes(hash), name).expect("a store path")
    }

    impl TestStore {
        pub(in crate::image::nix) fn new(paths: &[(&str, &[&str])]) -> Self {
            let meta = |mode| Meta::root(mode, 1);
            let entry = |text: &&str| {
                let (path, node) = match (text.split_once(" -> "), text.split_once(" = ")) {
                    (Some((path, target)), _) => (path, Node::symlink(expand(target), 1)),
                    (_, Some((path, text))) => (path, Node::file(meta(0o444), text.as_bytes())),
                    _ => (*text, Node::file(meta(0o555), text.as_bytes())),
                };
                (TreePath::parse(path).expect("a path"), node)
            };
            let tree = |files: &[&str]| Arc::new(files.iter().map(entry).collect::<Tree>());
            Self(paths.iter().map(|(name, files)| (store_path(name), tree(files))).collect())
        }
    }

    /// `{name}` in a target stands for a store path.
    fn expand(target: &str) -> String {
        match target.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
            Some((before, (name, after))) => format!("{before}{}{after}", store_path(name)),
            None => target.to_owned(),
        }
    }

    impl StoreFiles for TestStore {
        fn files(&self, path: &StorePath) -> Result<Option<Arc<Tree>>, StoreFilesError> {
            Ok(self.0.get(path).cloned())
        }

        fn contents(&self) -> &dyn ReadContent {
            &NoPackedContent
        }
    }

    #[test]
    fn links_are_followed_through_the_store_and_not_out_of_it() {
        let store = TestStore::new(&[
            ("tool", &["bin/tool", "bin/link -> tool", "bin/up -> ../lib/x", "lib -> /nix/store/{library}/lib"]),
            ("library", &["lib/x", "lib/far -> ../../{tool}/bin/link", "lib/out -> /etc/passwd", "lib/loop -> loop"]),
        ]);
        let check = |path: &str, expect: Option<(&str, &str)>| {
            let path = TreePath::parse(path).expect("a path");
            let found = find(&store, &store_path("tool"), &path).expect("listed");
            let found = found.map(|found| (found.store_path.name().to_owned(), found.path.to_string()));
            assert_eq!(found, expect.map(|(name, path)| (name.to_owned(), path.to_owned())), "{path}");
        };
        check("bin/tool", Some(("tool", "/bin/tool")));
        check("bin/link", Some(("tool", "/bin/tool")));
        check("bin/up", Some(("library", "/lib/x")));
        check("lib", Some(("library", "/lib")));
        check("lib/far", Some(("tool", "/bin/tool")));
        for nowhere in ["bin/none", "lib/out", "lib/loop", "bin/tool/x"] {
            check(nowhere, None);
        }
    }
}
