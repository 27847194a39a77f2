//! What dpkg and apt keep in `/var/lib`: written as a real dpkg leaves it when the last package is configured.

mod apt;
mod stanza;
mod triggers;

use std::collections::BTreeSet;

use bstr::BString;

use super::{InstalledPackage, Installer};
use crate::tree::{Content, Meta, Node, NodeKind, Tree, TreeError, TreePath};

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
    // A base's own files are written anew only where they say something else now.
    let over_base = installer.packages().iter().any(|package| package.recorded.is_some());
    let mut files = vec![
        ("status", 0o644, status_file(installer.packages(), installer.remains())),
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
    let fresh: Vec<InstalledPackage> =
        installer.packages().iter().filter(|package| package.recorded.is_none()).cloned().collect();
    let mut triggers = triggers::interest_files(&fresh);
    let mut marks = extended_states(&fresh, options.requested, installer.platform());
    if over_base {
        if !installer.has_changed() {
            files.retain(|(name, ..)| *name != "status");
        }
        files.retain(|(name, ..)| match DPKG.join(name) {
            Ok(path) => matches!(*name, "status" | "diversions" | "statoverride") || !installer.tree.contains(&path),
            Err(_) => false,
        });
        triggers = triggers::merged_files(&installer.tree, triggers, &fresh);
        marks = apt::merged_states(&installer.tree, marks, options.requested);
    }

    let tree = &mut installer.tree;
    // apt's marks are of no use to who has no apt, and a base may have none.
    let has_marks = !over_base || tree.contains(&apt::STATES) || !marks.is_empty() && tree.contains(&apt::FOLDER);
    for directory in ["alternatives", "info", "parts", "triggers", "updates"] {
        tree.create_dir_all(&DPKG.join(directory)?, &Meta::root(0o755, options.mtime))?;
    }
    for (name, mode, content) in files {
        put(tree, &DPKG.join(name)?, mode, content, options.mtime)?;
    }
    for (name, content) in triggers {
        put(tree, &DPKG.join("triggers")?.join(name)?, 0o644, content, options.mtime)?;
    }
    if has_marks {
        tree.create_dir_all(&apt::FOLDER, &Meta::root(0o755, options.mtime))?;
        put(tree, &apt::STATES, 0o644, marks, options.mtime)?;
    }
    Ok(())
}

fn put(tree: &mut Tree, path: &TreePath, mode: u16, content: BString, mtime: i64) -> Result<(), TreeError> {
    if let Some(Node { kind: NodeKind::File { content: Content::Inline(there), .. }, .. }) = tree.get(path)
        && there[..] == content[..]
    {
        return Ok(());
    }
    tree.insert(path.clone(), Node::file(Meta::root(mode, mtime), Vec::from(content))).map(drop)
}
