//! What a bootstrap does after the last trigger: debconf's database is written, traces of the run are removed.

use std::collections::BTreeSet;

use super::over::merged_database;
use super::system::System;
use crate::shell::Machine;
use crate::tree::{Meta, Node, NodeKind, TreeError, TreePath};

/// Directories whose contents belong to a running system.
const EMPTIED: [TreePath; 2] = [TreePath::literal("run"), TreePath::literal("tmp")];
/// What mmdebstrap keeps of them.
const KEPT: TreePath = TreePath::literal("run/lock");
/// Logs and identities that would differ from run to run.
const REMOVED: [TreePath; 6] = [
    TreePath::literal("var/log/dpkg.log"),
    TreePath::literal("var/log/alternatives.log"),
    TreePath::literal("var/log/bootstrap.log"),
    TreePath::literal("var/log/fontconfig.log"),
    TreePath::literal("var/cache/ldconfig/aux-cache"),
    TreePath::literal("var/lib/dbus/machine-id"),
];
const MACHINE_ID: TreePath = TreePath::literal("etc/machine-id");

/// Finishes a tree that was there before: what a container's run leaves behind of itself goes, what the base has stays.
pub(super) fn finish_over(machine: &mut Machine<'_, System>, before: &BTreeSet<TreePath>) -> Result<(), TreeError> {
    let now = machine.now;
    if machine.state.debconf.is_used() {
        let files = [
            ("config.dat", machine.state.debconf.config_dat()),
            ("templates.dat", machine.state.debconf.templates_dat()),
        ];
        for (name, text) in files {
            let path = TreePath::literal("var/cache/debconf").join(name)?;
            let Ok(old) = machine.tree.read(&path, machine.contents) else { continue };
            machine.tree.write(&path, merged_database(&old, &text), &Meta::root(0o644, now))?;
        }
    }
    let tree = &mut machine.tree;
    let left: Vec<TreePath> = EMPTIED
        .iter()
        .flat_map(|directory| tree.below(directory).map(|(path, _)| path.clone()).collect::<Vec<_>>())
        .chain(REMOVED)
        .filter(|path| !before.contains(path))
        .collect();
    left.iter().for_each(|path| _ = tree.remove_all(path));
    Ok(())
}

/// Finishes the tree.
pub(super) fn finish(machine: &mut Machine<'_, System>) -> Result<(), TreeError> {
    let now = machine.now;
    let tree = &mut machine.tree;
    let cache = TreePath::literal("var/cache/debconf");
    if tree.contains(&cache) && machine.state.debconf.is_used() {
        let files = [
            ("config.dat", 0o644, machine.state.debconf.config_dat()),
            ("templates.dat", 0o644, machine.state.debconf.templates_dat()),
            ("passwords.dat", 0o600, Vec::new()),
        ];
        for (name, mode, text) in files {
            tree.insert(cache.join(name)?, Node::file(Meta::root(mode, now), text))?;
        }
    }
    for directory in &EMPTIED {
        let gone: Vec<TreePath> =
            tree.children(directory).map(|(path, _)| path.clone()).filter(|path| *path != KEPT).collect();
        gone.iter().for_each(|path| _ = tree.remove_all(path));
    }
    REMOVED.iter().for_each(|path| _ = tree.remove_all(path));
    if matches!(tree.get(&MACHINE_ID), Some(Node { kind: NodeKind::File { .. }, .. })) {
        // Empty, so that each container is a machine of its own (machine-id(5)).
        tree.write(&MACHINE_ID, *b"", &Meta::root(0o644, now))?;
    }
    Ok(())
}
