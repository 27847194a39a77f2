//! `install`.

use bstr::BString;

use super::super::{Invocation, ShellError, Status};
use super::accounts;
use super::copy::targets;
use super::fs::{Keep, base_name, put};
use super::make::{make_directory, mode_of};
use super::options::{Parsed, flag, parse, value};
use super::owner::Owner;
use crate::tree::{Meta, Node, NodeKind, TreePath};

pub(super) fn install<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'd', "directory"),
            flag(b'D', "leading-directories"),
            value(b'm', "mode"),
            value(b'o', "owner"),
            value(b'g', "group"),
            flag(b'p', "preserve-timestamps"),
            flag(b'c', "ignored"),
            flag(b'v', "verbose"),
            value(b't', "target-directory"),
            flag(b'T', "no-target-directory"),
            flag(b'C', "compare"),
            flag(b'Z', "context"),
        ],
    )?;
    let mut owner = Owner::default();
    if let Some(name) = options.value("owner") {
        match accounts::user(call.machine, name) {
            Some((uid, _)) => owner.uid = Some(uid),
            None => return call.fail(format!("invalid user '{name}'")),
        }
    }
    if let Some(name) = options.value("group") {
        match accounts::group(call.machine, name) {
            Some(gid) => owner.gid = Some(gid),
            None => return call.fail(format!("invalid group '{name}'")),
        }
    }
    let mode = mode_of(call, options.value("mode"), 0, options.has("directory"))?.unwrap_or(0o755);
    if options.has("directory") {
        return directories(call, &options, mode, owner);
    }
    if options.has("leading-directories") {
        let above = match options.value("target-directory") {
            Some(directory) => directory.clone(),
            None => {
                let last = options.operands.last().cloned().unwrap_or_default();
                BString::from(last.strip_suffix(base_name(&last)).unwrap_or_default())
            }
        };
        if !above.is_empty() {
            let made = make_directory(call, &above, true, Some(0o755));
            if call.checked(&above, made)?.is_none() {
                return Ok(Status::FAILURE);
            }
        }
    }
    let Some(pairs) = targets(call, &options)? else { return Ok(Status::FAILURE) };
    let mut status = Status::SUCCESS;
    for (source, to) in pairs {
        if !file(call, &options, &source, &to, mode, owner)? {
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn directories<S>(
    call: &mut Invocation<'_, '_, S>,
    options: &Parsed,
    mode: u16,
    owner: Owner,
) -> Result<Status, ShellError> {
    for operand in &options.operands {
        let made = make_directory(call, operand, true, Some(mode));
        if call.checked(operand, made)?.is_none() {
            return Ok(Status::FAILURE);
        }
        let at = call.resolve(operand, true)?;
        call.machine.tree.set_meta(&at, |meta| {
            owner.apply(meta, false);
            meta.mode = mode;
        })?;
    }
    Ok(Status::SUCCESS)
}

fn file<S>(
    call: &mut Invocation<'_, '_, S>,
    options: &Parsed,
    source: &[u8],
    to: &[u8],
    mode: u16,
    owner: Owner,
) -> Result<bool, ShellError> {
    let content = match source {
        b"/dev/null" => Some((crate::tree::Content::Inline([].into()), call.machine.now)),
        _ => match call.stat(source, true).map(|(_, node)| node) {
            Some(Node { kind: NodeKind::File { content, .. }, meta }) => Some((content.clone(), meta.mtime)),
            _ => None,
        },
    };
    let Some((content, mtime)) = content else {
        call.complain([b"cannot stat '", source, b"': No such file or directory"].concat())?;
        return Ok(false);
    };
    let resolved = call.resolve(to, false);
    let Some(at): Option<TreePath> = call.checked(to, resolved)? else { return Ok(false) };
    // install removes what is there first, so links are not written through.
    if call.machine.tree.get(&at).is_some_and(|node| !node.is_directory()) {
        call.machine.tree.remove_all(&at);
    }
    let mtime = if options.has("preserve-timestamps") { mtime } else { call.machine.now };
    let mut meta = Meta::root(mode, mtime);
    owner.apply(&mut meta, false);
    let node = Node { meta, kind: NodeKind::File { content, link: None } };
    let done = put(call, &at, node, Keep { mode: true, owner: true, ..Keep::default() });
    Ok(call.checked(to, done)?.is_some())
}
