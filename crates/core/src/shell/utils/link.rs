//! `ln`.

use super::super::{Invocation, ShellError, Status};
use super::copy::link_of;
use super::fs::{base_name, is_directory, join, relative};
use super::options::{Parsed, flag, parse, value};
use crate::tree::{Node, NodeKind, TreePath};

pub(super) fn ln<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b's', "symbolic"),
            flag(b'f', "force"),
            flag(b'i', "interactive"),
            flag(b'n', "no-dereference"),
            flag(b'r', "relative"),
            flag(b'T', "no-target-directory"),
            value(b't', "target-directory"),
            flag(b'v', "verbose"),
            flag(b'P', "physical"),
            flag(b'L', "logical"),
        ],
    )?;
    let mut sources = options.operands.clone();
    let directory = match options.value("target-directory").cloned() {
        Some(directory) => Some(directory),
        None if sources.len() == 1 => Some(".".into()),
        None => {
            let last = sources.pop().unwrap_or_default();
            let link = options.has("no-dereference")
                && call.stat(&last, false).is_some_and(|(_, node)| matches!(node.kind, NodeKind::Symlink { .. }));
            if is_directory(call, &last) && !link && !options.has("no-target-directory") {
                Some(last)
            } else {
                let Some(source) = sources.pop().filter(|_| sources.is_empty()) else {
                    return call.fail(format!("target '{last}' is not a directory"));
                };
                return Ok(Status::from_bool(make(call, &options, &source, &last)?));
            }
        }
    };
    let directory = directory.unwrap_or_default();
    let mut status = Status::SUCCESS;
    for source in sources {
        let name = join(&directory, base_name(&source));
        if !make(call, &options, &source, &name)? {
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn make<S>(call: &mut Invocation<'_, '_, S>, options: &Parsed, source: &[u8], name: &[u8]) -> Result<bool, ShellError> {
    let resolved = call.resolve(name.strip_suffix(b"/").unwrap_or(name), false);
    let Some(at) = call.checked(name, resolved)? else { return Ok(false) };
    let Some(node) = node(call, options, source, &at)? else { return Ok(false) };
    if let Some(old) = call.machine.tree.get(&at) {
        if !options.has("force") || old.is_directory() {
            let what = if options.has("symbolic") { "symbolic link" } else { "hard link" };
            call.complain([b"failed to create ", what.as_bytes(), b" '", name, b"': File exists"].concat())?;
            return Ok(false);
        }
        call.machine.tree.remove_all(&at);
    }
    if options.has("verbose") {
        call.out([b"'", name, b"' -> '", source, b"'\n"].concat())?;
    }
    let made = call.machine.tree.insert(at, node);
    Ok(call.checked(name, made)?.is_some())
}

/// The node of the new name; `None` after a complaint.
fn node<S>(
    call: &mut Invocation<'_, '_, S>,
    options: &Parsed,
    source: &[u8],
    at: &TreePath,
) -> Result<Option<Node>, ShellError> {
    if options.has("symbolic") {
        let target = if options.has("relative") {
            let resolved = call.resolve(source, true);
            let Some(source) = call.checked(source, resolved)? else { return Ok(None) };
            relative(&at.parent().unwrap_or(TreePath::ROOT), &source)
        } else {
            source.into()
        };
        return Ok(Some(Node::symlink(target, call.machine.now)));
    }
    let Some((from, original)) = call.stat(source, options.has("logical")).map(|(path, node)| (path, node.clone()))
    else {
        call.complain([b"failed to access '", source, b"': No such file or directory"].concat())?;
        return Ok(None);
    };
    if original.is_directory() {
        call.complain([source, b": hard link not allowed for directory"].concat())?;
        return Ok(None);
    }
    if from == *at {
        call.complain([b"'", source, b"' is the same file"].concat())?;
        return Ok(None);
    }
    if matches!(original.kind, NodeKind::File { .. }) {
        link_of(call, &from)?;
    }
    Ok(call.machine.tree.get(&from).cloned())
}
