//! What a bootstrap puts into the empty system before the first package (mmdebstrap(1), "SETUP").

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::tree::{Meta, Node, Tree, TreeError, TreePath};

/// Files and directories that no package brings but scripts expect.
pub(super) fn prepare(tree: &mut Tree, now: i64) -> Result<(), TreeError> {
    for directory in
        ["etc", "var/lib/dpkg/info", "var/lib/dpkg/alternatives", "var/lib/dpkg/triggers", "var/lib/dpkg/updates"]
    {
        tree.create_dir_all(&TreePath::parse(directory)?, &Meta::root(0o755, now))?;
    }
    for (path, text) in [("etc/fstab", "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n"), ("etc/environment", "")] {
        let path = TreePath::parse(path)?;
        tree.insert(path, Node::file(Meta::root(0o644, now), text.as_bytes()))?;
    }
    Ok(())
}

/// Puts files of the administrator into the tree, with the directories above them.
pub(super) fn add(tree: &mut Tree, files: &BTreeMap<TreePath, Arc<[u8]>>, now: i64) -> Result<(), TreeError> {
    for (path, bytes) in files {
        if let Some(parent) = path.parent() {
            tree.create_dir_all(&parent, &Meta::root(0o755, now))?;
        }
        tree.insert(path.clone(), Node::file(Meta::root(0o644, now), bytes.clone()))?;
    }
    Ok(())
}
