//! Nix's own state in an image: its database, what keeps store paths from being collected, and who owns them.

use std::sync::Arc;

use super::files::absolute;
use crate::nix::StorePath;
use crate::tree::{Meta, Node, Tree, TreeError, TreePath};

/// Root's link to every registered path that nothing else keeps: Nix's collector dies of one path that it may not remove.
const GC_ROOTS: TreePath = TreePath::literal("nix/var/nix/gcroots/plywood");

/// The folders that Nix itself makes, all of which belong to whoever uses it.
const FOLDERS: [TreePath; 9] = [
    TreePath::literal("nix"),
    TreePath::literal("nix/store"),
    TreePath::literal("nix/var"),
    TreePath::literal("nix/var/nix"),
    TreePath::literal("nix/var/nix/db"),
    TreePath::literal("nix/var/nix/gcroots"),
    GC_ROOTS,
    TreePath::literal("nix/var/nix/profiles"),
    TreePath::literal("nix/var/nix/temproots"),
];

/// What Nix needs to use the store of an image.
#[derive(Debug, Clone)]
pub struct NixState {
    /// The database.
    pub database: Arc<[u8]>,
    /// The version of its schema, as the file beside it says.
    pub schema: &'static str,
    /// The registered paths that no other refers to.
    pub roots: Vec<StorePath>,
    /// Who uses it: user and group id.
    pub owner: (u32, u32),
}

/// Puts Nix's state into a tree.
///
/// # Errors
/// When something else is at one of the paths.
pub fn place_state(tree: &mut Tree, state: &NixState) -> Result<(), TreeError> {
    let (uid, gid) = state.owner;
    let own = |mode| Meta { uid, gid, ..Meta::root(mode, 1) };
    for folder in FOLDERS {
        tree.insert(folder, Node::directory(own(0o755)))?;
    }
    let schema = state.schema.as_bytes();
    tree.insert(TreePath::literal("nix/var/nix/db/schema"), Node::file(own(0o644), schema))?;
    tree.insert(TreePath::literal("nix/var/nix/db/db.sqlite"), Node::file(own(0o644), state.database.clone()))?;
    for root in &state.roots {
        let mut link = Node::symlink(absolute(root, &TreePath::ROOT), 1);
        (link.meta.uid, link.meta.gid) = (uid, gid);
        tree.insert(GC_ROOTS.join(root.to_string())?, link)?;
    }
    Ok(())
}
