//! What dpkg and apt keep in `/var/lib`: written as a real dpkg leaves it when the last package is configured.

mod apt;
mod stanza;
mod triggers;

use std::collections::BTreeSet;

use bstr::BString;

use super::Installer;
use crate::tree::{Meta, Node, Tree, TreeError, TreePath};

pub use apt::extended_states;
pub use stanza::status_file;

const DPKG: TreePath = TreePath::literal("var/lib/dpkg");

/// What the database depends on besides the packages.
#[derive(Debug, Clone)]
pub struct DatabaseOptions<'o> {
    /// Names of the packages that the user asked for; apt takes all others for installed automatically.
    pub requested: &'o BTreeSet<String>,
    /// Modification time of every file, in seconds since 1970.
    pub mtime: i64,
}

/// Writes dpkg's database and apt's marks into the installer's tree. Info files are there since the packages were
/// unpacked, alternatives since they were configured; backups (`status-old`) and what apt downloads stay out.
///
/// # Errors
/// When something else is in the way of a directory or file of the database.
pub fn write_database(installer: &mut Installer, options: &DatabaseOptions<'_>) -> Result<(), TreeError> {
    let mut files = vec![
        ("status", 0o644, status_file(installer.packages())),
        ("lock", 0o640, BString::default()),
        ("lock-frontend", 0o640, BString::default()),
        ("info/format", 0o644, "1\n".into()),
        ("arch", 0o644, format!("{}\n", installer.platform().architecture()).into()),
        ("triggers/Lock", 0o600, BString::default()),
        ("triggers/Unincorp", 0o644, BString::default()),
    ];
    // dpkg makes these two with the first of their kind.
    if !installer.diversions.is_empty() {
        files.push(("diversions", 0o644, installer.diversions.to_file()));
    }
    if !installer.statoverrides.is_empty() {
        files.push(("statoverride", 0o644, installer.statoverrides.to_file()));
    }
    let triggers = triggers::interest_files(installer.packages());
    let marks = extended_states(installer.packages(), options.requested, installer.platform());

    let tree = &mut installer.tree;
    for directory in ["alternatives", "info", "parts", "triggers", "updates"] {
        tree.create_dir_all(&DPKG.join(directory)?, &Meta::root(0o755, options.mtime))?;
    }
    for (name, mode, content) in files {
        put(tree, &DPKG.join(name)?, mode, content, options.mtime)?;
    }
    for (name, content) in triggers {
        put(tree, &DPKG.join("triggers")?.join(name)?, 0o644, content, options.mtime)?;
    }
    tree.create_dir_all(&TreePath::literal("var/lib/apt"), &Meta::root(0o755, options.mtime))?;
    put(tree, &TreePath::literal("var/lib/apt/extended_states"), 0o644, marks, options.mtime)
}

fn put(tree: &mut Tree, path: &TreePath, mode: u16, content: BString, mtime: i64) -> Result<(), TreeError> {
    tree.insert(path.clone(), Node::file(Meta::root(mode, mtime), Vec::from(content))).map(drop)
}
