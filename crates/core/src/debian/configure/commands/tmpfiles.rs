//! `systemd-tmpfiles --create` (systemd-tmpfiles(8)).

use super::sysusers::configuration_files;
use super::{Outcome, arguments};
use crate::debian::configure::accounts::Accounts;
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::debian::configure::systemd::{TmpfilesKind, TmpfilesLine, parse_tmpfiles};
use crate::shell::{Commands, Invocation, ShellError, Status};
use crate::tree::{Meta, Node, TreePath};

const OPTIONS: OptionTable = &[
    ("--create", "create", Takes::Nothing),
    ("--remove", "remove", Takes::Nothing),
    ("--clean", "clean", Takes::Nothing),
    ("--boot", "boot", Takes::Nothing),
    ("--exclude-prefix", "exclude-prefix", Takes::Value),
    ("--prefix", "prefix", Takes::Value),
    ("--root", "root", Takes::Value),
    ("--graceful", "graceful", Takes::Nothing),
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("systemd-tmpfiles", tmpfiles);
    commands.register("systemd-machine-id-setup", machine_id_setup);
}

fn tmpfiles(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    if !given.has("create") {
        return Ok(Status::SUCCESS);
    }
    let mut status = Status::SUCCESS;
    for file in configuration_files(call, &["/etc/tmpfiles.d", "/usr/lib/tmpfiles.d"], &given.operands) {
        let text = call.machine.tree.read(&file, call.machine.contents)?;
        let lines = match parse_tmpfiles(&text) {
            Ok(lines) => lines,
            Err(error) => {
                call.complain(error.to_string())?;
                status = Status(65);
                continue;
            }
        };
        for line in lines.iter().filter(|line| given.value("prefix").is_none_or(|prefix| line.path.starts_with(prefix)))
        {
            create(call, line)?;
        }
    }
    Ok(status)
}

fn create(call: &mut Invocation<'_, '_, System>, line: &TmpfilesLine) -> Result<(), ShellError> {
    // Specifiers such as %b are of the running machine, patterns of what is there at boot.
    if line.path.contains(&b'%') || line.path.contains(&b'*') || line.kind == TmpfilesKind::Nothing {
        return Ok(());
    }
    let now = call.machine.now;
    let Ok(at) = call.resolve(&line.path, false) else {
        // Parents are made for what creates.
        let Ok(path) = TreePath::parse(&line.path) else { return Ok(()) };
        if !matches!(line.kind, TmpfilesKind::Adjust { .. } | TmpfilesKind::ExistingDirectory)
            && let Some(parent) = path.parent()
            && call.machine.tree.create_dir_all(&parent, &Meta::root(0o755, now)).is_ok()
        {
            return place(call, line, path);
        }
        return Ok(());
    };
    place(call, line, at)
}

fn place(call: &mut Invocation<'_, '_, System>, line: &TmpfilesLine, at: TreePath) -> Result<(), ShellError> {
    let now = call.machine.now;
    let exists = call.machine.tree.contains(&at);
    let tree = &mut call.machine.tree;
    match line.kind {
        TmpfilesKind::Directory if !exists => {
            tree.insert(at.clone(), Node::directory(Meta::root(0o755, now)))?;
        }
        TmpfilesKind::File if !exists => {
            tree.insert(at.clone(), Node::file(Meta::root(0o644, now), line.argument.as_slice()))?;
        }
        TmpfilesKind::TruncatedFile => tree.write(&at, line.argument.as_slice(), &Meta::root(0o644, now))?,
        TmpfilesKind::Link if exists => return Ok(()),
        TmpfilesKind::Link | TmpfilesKind::ForcedLink => {
            tree.remove_all(&at);
            let default = [b"../usr/share/factory", line.path.as_slice()].concat();
            let target = if line.argument.is_empty() { default } else { line.argument.to_vec() };
            tree.insert(at, Node::symlink(target, now))?;
            return Ok(());
        }
        TmpfilesKind::Copy if !exists => {
            let default = [b"/usr/share/factory", line.path.as_slice()].concat();
            let source = if line.argument.is_empty() { default } else { line.argument.to_vec() };
            let Some((source, _)) = tree.lookup(&source) else { return Ok(()) };
            copy(call, &source, &at)?;
        }
        _ if !exists => return Ok(()),
        _ => {}
    }
    adjust(call, line, &at)
}

fn copy(call: &mut Invocation<'_, '_, System>, from: &TreePath, to: &TreePath) -> Result<(), ShellError> {
    let tree = &mut call.machine.tree;
    let mut nodes: Vec<(TreePath, Node)> =
        tree.get(from).map(|node| (from.clone(), node.clone())).into_iter().collect();
    nodes.extend(tree.below(from).map(|(path, node)| (path.clone(), node.clone())));
    for (path, node) in nodes {
        let rest = path.strip_prefix(from).unwrap_or_default();
        let target = if rest.is_empty() { to.clone() } else { to.join(rest).map_err(crate::tree::TreeError::from)? };
        tree.insert(target, node)?;
    }
    Ok(())
}

fn adjust(call: &mut Invocation<'_, '_, System>, line: &TmpfilesLine, at: &TreePath) -> Result<(), ShellError> {
    let now = call.machine.now;
    let accounts = Accounts::new(&mut call.machine.tree, now);
    let uid = line.user.as_ref().and_then(|user| accounts.uid_of(user));
    let gid = line.group.as_ref().and_then(|group| accounts.gid_of(group));
    let mut paths = vec![at.clone()];
    if line.kind == (TmpfilesKind::Adjust { recursive: true }) {
        paths.extend(call.machine.tree.below(at).map(|(path, _)| path.clone()));
    }
    for path in paths {
        call.machine.tree.set_meta(&path, |meta| {
            meta.mode = line.mode.unwrap_or(meta.mode);
            meta.uid = uid.unwrap_or(meta.uid);
            meta.gid = gid.unwrap_or(meta.gid);
        })?;
    }
    Ok(())
}

/// An image's machine id must stay empty, or all its containers would be one machine (machine-id(5)).
fn machine_id_setup(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let path = TreePath::literal("etc/machine-id");
    let now = call.machine.now;
    if !call.machine.tree.contains(&path) {
        call.machine.tree.insert(path, Node::file(Meta::root(0o644, now), *b""))?;
    }
    Ok(Status::SUCCESS)
}
