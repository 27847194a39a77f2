//! `chmod`, `chown` and `chgrp`.

use bstr::{BString, ByteSlice};

use super::super::{Invocation, Machine, ShellError, Status};
use super::accounts;
use super::mode::Change;
use super::options::{Known, Parsed, flag, parse, parse_leading, value};
use crate::tree::{Meta, NodeKind, TreePath};

const COMMON: &[Known] = &[
    flag(b'R', "recursive"),
    flag(b'c', "changes"),
    flag(b'v', "verbose"),
    flag(b'f', "silent"),
    flag(0, "quiet"),
    flag(b'h', "no-dereference"),
    flag(0, "dereference"),
    flag(b'H', "follow-operands"),
    flag(b'P', "follow-none"),
    flag(0, "preserve-root"),
    flag(0, "no-preserve-root"),
    value(0, "reference"),
    value(0, "from"),
];

pub(super) fn chmod<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    // A mode may look like options: `chmod -x file`.
    let (options, mut change) = match call.args.iter().position(is_removal) {
        Some(at) => {
            let text = call.args.remove(at);
            (parse(call, COMMON)?, Change::parse(&text))
        }
        None => (parse_leading(call, COMMON)?, None),
    };
    let mut operands = options.operands.as_slice();
    if let Some(reference) = options.value("reference") {
        match call.stat(reference, true) {
            Some((_, node)) => change = Some(Change::Octal { bits: node.meta.mode, explicit: true }),
            None => return call.fail(format!("failed to get attributes of '{reference}': No such file or directory")),
        }
    } else if change.is_none() {
        let Some((text, rest)) = operands.split_first() else { return call.fail("missing operand") };
        operands = rest;
        change = Change::parse(text);
        if change.is_none() {
            return call.fail(format!("invalid mode: '{text}'"));
        }
    }
    let Some(change) = change else { return Ok(Status::FAILURE) };
    let umask = call.shell.umask;
    each(call, &options, operands, true, |meta, is_directory, _| {
        meta.mode = change.apply(meta.mode, is_directory, umask)
    })
}

fn is_removal(arg: &BString) -> bool {
    arg.len() > 1 && arg.starts_with(b"-") && arg.iter().skip(1).all(|letter| b"rwxXst".contains(letter))
}

/// Numeric ids to set; `None` leaves one as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Owner {
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
}

impl Owner {
    /// `user`, `user:group`, `user:`, `:group`, and the old `user.group`.
    fn parse<S>(machine: &Machine<'_, S>, text: &[u8]) -> Result<Self, BString> {
        if let Some((uid, _)) = accounts::user(machine, text) {
            return Ok(Self { uid: Some(uid), gid: None });
        }
        let separator = text.find_byte(b':').or_else(|| text.find_byte(b'.'));
        let Some(separator) = separator else { return Err(text.into()) };
        let (user, group) = (text.get(..separator).unwrap_or_default(), text.get(separator + 1..).unwrap_or_default());
        let mut owner = Self::default();
        if !user.is_empty() {
            let (uid, primary) = accounts::user(machine, user).ok_or_else(|| BString::from(text))?;
            owner.uid = Some(uid);
            owner.gid = primary.filter(|_| group.is_empty());
        }
        if !group.is_empty() {
            owner.gid = Some(accounts::group(machine, group).ok_or_else(|| BString::from(text))?);
        }
        Ok(owner)
    }

    /// What chown(2) does: it takes setuid, setgid and capabilities from what is no directory.
    pub(super) fn apply(self, meta: &mut Meta, is_file: bool) {
        meta.uid = self.uid.unwrap_or(meta.uid);
        meta.gid = self.gid.unwrap_or(meta.gid);
        if is_file {
            meta.mode &= !0o4000;
            if meta.mode & 0o010 != 0 {
                meta.mode &= !0o2000;
            }
            meta.xattrs.remove(b"security.capability".as_bstr());
        }
    }
}

pub(super) fn chown<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, COMMON)?;
    let mut operands = options.operands.as_slice();
    let owner = if let Some(reference) = options.value("reference") {
        match call.stat(reference, true) {
            Some((_, node)) => Owner { uid: Some(node.meta.uid), gid: Some(node.meta.gid) },
            None => return call.fail(format!("failed to get attributes of '{reference}': No such file or directory")),
        }
    } else {
        let Some((text, rest)) = operands.split_first() else { return call.fail("missing operand") };
        operands = rest;
        let parsed = if call.name == "chgrp" {
            accounts::group(call.machine, text)
                .map(|gid| Owner { uid: None, gid: Some(gid) })
                .ok_or_else(|| text.clone())
        } else {
            Owner::parse(call.machine, text)
        };
        match parsed {
            Ok(owner) => owner,
            Err(_) if call.name == "chgrp" => return call.fail(format!("invalid group: '{text}'")),
            Err(_) => return call.fail(format!("invalid user: '{text}'")),
        }
    };
    let from = match options.value("from") {
        Some(text) => match Owner::parse(call.machine, text) {
            Ok(from) => from,
            Err(text) => return call.fail(format!("invalid user: '{text}'")),
        },
        None => Owner::default(),
    };
    each(call, &options, operands, false, |meta, _, is_file| {
        if from.uid.is_none_or(|uid| uid == meta.uid) && from.gid.is_none_or(|gid| gid == meta.gid) {
            owner.apply(meta, is_file);
        }
    })
}

/// Changes the metadata of every operand, and of what is below it with `-R`. Symbolic links met on the way are
/// left alone by `chmod` and changed themselves by `chown`.
fn each<S>(
    call: &mut Invocation<'_, '_, S>,
    options: &Parsed,
    operands: &[BString],
    is_chmod: bool,
    change: impl Fn(&mut Meta, bool, bool),
) -> Result<Status, ShellError> {
    let mut status = Status::SUCCESS;
    let recursive = options.has("recursive");
    let follow = !options.has("no-dereference") && (!recursive || options.has("follow-operands") || is_chmod);
    for operand in operands {
        let Some(path) = call.stat(operand, follow).map(|(path, _)| path) else {
            if !options.has("silent") && !options.has("quiet") {
                call.complain(format!("cannot access '{operand}': No such file or directory"))?;
            }
            status = Status::FAILURE;
            continue;
        };
        let mut paths = vec![path.clone()];
        if recursive {
            paths.extend(call.machine.tree.below(&path).map(|(path, _)| path.clone()));
        }
        for path in paths {
            change_one(call, &path, is_chmod, &change)?;
        }
    }
    Ok(status)
}

fn change_one<S>(
    call: &mut Invocation<'_, '_, S>,
    path: &TreePath,
    is_chmod: bool,
    change: &impl Fn(&mut Meta, bool, bool),
) -> Result<(), ShellError> {
    let Some(node) = call.machine.tree.get(path) else { return Ok(()) };
    let (is_directory, is_file) = (node.is_directory(), matches!(node.kind, NodeKind::File { .. }));
    if is_chmod && matches!(node.kind, NodeKind::Symlink { .. }) {
        return Ok(());
    }
    call.machine.tree.set_meta(path, |meta| change(meta, is_directory, is_file))?;
    Ok(())
}
