//! `mkdir`, `touch`, `mktemp`, `tempfile`, `mkfifo` and `mknod`.

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::fs::join;
use super::mode::Change;
use super::options::{flag, optional, parse, value};
use crate::tree::{Node, NodeKind, TreeError};

/// The mode in an option's value.
pub(super) fn mode_of<S>(
    call: &Invocation<'_, '_, S>,
    text: Option<&BString>,
    base: u16,
    directory: bool,
) -> Result<Option<u16>, ShellError> {
    let Some(text) = text else { return Ok(None) };
    let change = Change::parse(text).ok_or_else(|| call.unsupported(text))?;
    Ok(Some(change.apply(base, directory, call.shell.umask)))
}

pub(super) fn mkdir<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options =
        parse(call, &[flag(b'p', "parents"), value(b'm', "mode"), flag(b'v', "verbose"), flag(b'Z', "context")])?;
    let mode = mode_of(call, options.value("mode"), 0o777, true)?;
    let mut status = Status::SUCCESS;
    for operand in &options.operands {
        let made = make_directory(call, operand, options.has("parents"), mode);
        match made {
            Ok(_) => {}
            Err(error @ TreeError::Content(_)) => return Err(error.into()),
            Err(error) => {
                let reason = super::super::invocation::reason(&error);
                call.complain(format!("cannot create directory '{operand}': {reason}"))?;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}

/// Makes a directory, with those above it if asked for; says whether it is new.
pub(super) fn make_directory<S>(
    call: &mut Invocation<'_, '_, S>,
    path: &[u8],
    parents: bool,
    mode: Option<u16>,
) -> Result<bool, TreeError> {
    if parents {
        let trimmed = path.trim_end_with(|c| c == '/');
        for (slash, _) in trimmed.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 0) {
            let above = path.get(..slash).unwrap_or_default();
            let at = call.resolve(above, true)?;
            match call.machine.tree.get(&at).map(Node::is_directory) {
                Some(true) => {}
                Some(false) => return Err(TreeError::NotADirectory(at)),
                None => _ = call.machine.tree.insert(at, Node::directory(call.new_meta(0o777)))?,
            }
        }
    }
    let at = call.resolve(path, parents)?;
    match call.machine.tree.get(&at).map(Node::is_directory) {
        Some(true) if parents => return Ok(false),
        Some(_) => return Err(TreeError::Exists(at)),
        None => {}
    }
    let mut meta = call.new_meta(0o777);
    if let Some(mode) = mode {
        meta.mode = mode;
    }
    call.machine.tree.insert(at, Node::directory(meta))?;
    Ok(true)
}

pub(super) fn touch<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'c', "no-create"),
            flag(b'a', "access"),
            flag(b'm', "modification"),
            flag(b'f', "ignored"),
            flag(b'h', "no-dereference"),
            value(b'r', "reference"),
            value(b'd', "date"),
        ],
    )?;
    let mut time = call.machine.now;
    if let Some(reference) = options.value("reference") {
        match call.stat(reference, true) {
            Some((_, node)) => time = node.meta.mtime,
            None => return call.fail(format!("failed to get attributes of '{reference}': No such file or directory")),
        }
    }
    if let Some(date) = options.value("date") {
        time = super::date::parse(date, call.machine.now).ok_or_else(|| call.unsupported(date))?;
    }
    let mut status = Status::SUCCESS;
    for operand in &options.operands {
        let resolved = call.resolve(operand, !options.has("no-dereference"));
        let Some(at) = call.checked(operand, resolved)? else {
            status = Status::FAILURE;
            continue;
        };
        if call.machine.tree.contains(&at) {
            call.machine.tree.set_meta(&at, |meta| meta.mtime = time)?;
        } else if !options.has("no-create") {
            let meta = crate::tree::Meta { mtime: time, ..call.new_meta(0o666) };
            let made = call.machine.tree.insert(at, Node::file(meta, []));
            if call.checked(operand, made)?.is_none() {
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}

pub(super) fn mktemp<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'd', "directory"),
            flag(b'u', "dry-run"),
            flag(b'q', "quiet"),
            flag(b't', "in-tmp"),
            value(b'p', "in"),
            optional(0, "tmpdir"),
            value(0, "suffix"),
        ],
    )?;
    let given = options.operands.first().cloned();
    let template = given.clone().unwrap_or_else(|| "tmp.XXXXXXXXXX".into());
    let in_tmp = given.is_none() || ["in-tmp", "in", "tmpdir"].iter().any(|name| options.has(name));
    let directory = options
        .value("in")
        .or(options.value("tmpdir"))
        .or(call.var("TMPDIR"))
        .cloned()
        .unwrap_or_else(|| "/tmp".into());
    let directory = if directory.is_empty() { "/tmp".into() } else { directory };
    let path = if in_tmp { join(&directory, &template) } else { template };
    let Some(end) = path.rfind(b"XXX").map(|at| at + 3) else {
        return call.fail(format!("too few X's in template '{path}'"));
    };
    let start = path.get(..end).unwrap_or_default().iter().rposition(|byte| *byte != b'X').map_or(0, |at| at + 1);
    let suffix = options.value("suffix").cloned().unwrap_or_default();
    loop {
        // Numbered instead of random: the same script makes the same names.
        let number = format!("{:0width$}", call.temporary_number(), width = end - start);
        let name =
            [path.get(..start).unwrap_or_default(), number.as_bytes(), path.get(end..).unwrap_or_default(), &suffix]
                .concat();
        let resolved = call.resolve(&name, false);
        let Some(at) = call.checked(&name, resolved)? else { return Ok(Status::FAILURE) };
        if call.machine.tree.contains(&at) {
            continue;
        }
        if !options.has("dry-run") {
            let directory = options.has("directory");
            let meta = call.new_meta(if directory { 0o700 } else { 0o600 });
            let node = if directory { Node::directory(meta) } else { Node::file(meta, []) };
            let made = call.machine.tree.insert(at, node);
            if call.checked(&name, made)?.is_none() {
                return Ok(Status::FAILURE);
            }
        }
        call.out([&name, b"\n".as_slice()].concat())?;
        return Ok(Status::SUCCESS);
    }
}

/// debianutils' `tempfile`, gone since bookworm but still tried by old scripts.
pub(super) fn tempfile<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options =
        parse(call, &[value(b'd', "directory"), value(b'p', "prefix"), value(b's', "suffix"), value(b'm', "mode")])?;
    let text = |name, default: &str| options.value(name).cloned().unwrap_or_else(|| default.into());
    let (directory, prefix, suffix) = (text("directory", "/tmp"), text("prefix", "file"), text("suffix", ""));
    let mode = mode_of(call, options.value("mode"), 0, false)?.unwrap_or(0o600);
    let name = join(&directory, format!("{prefix}{:06}{suffix}", call.temporary_number()).as_bytes());
    let resolved = call.resolve(&name, false);
    let Some(at) = call.checked(&name, resolved)? else { return Ok(Status::FAILURE) };
    let meta = call.new_meta(mode);
    let made = call.machine.tree.insert(at, Node::file(meta, []));
    if call.checked(&name, made)?.is_none() {
        return Ok(Status::FAILURE);
    }
    call.out([name.as_slice(), b"\n"].concat())?;
    Ok(Status::SUCCESS)
}

pub(super) fn mknod<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[value(b'm', "mode"), flag(b'Z', "context")])?;
    let mode = mode_of(call, options.value("mode"), 0o666, false)?;
    let number = |at: usize| options.operands.get(at).and_then(|text| text.to_str().ok()?.parse::<u32>().ok());
    let kind = match (call.name.as_slice(), options.operands.get(1).map(|kind| kind.as_slice()), number(2), number(3)) {
        (b"mkfifo", ..) | (_, Some(b"p"), ..) => NodeKind::Fifo,
        (_, Some(b"c" | b"u"), Some(major), Some(minor)) => NodeKind::CharDevice { major, minor },
        (_, Some(b"b"), Some(major), Some(minor)) => NodeKind::BlockDevice { major, minor },
        _ => return call.fail("missing operand"),
    };
    let names = if call.name == "mkfifo" { options.operands.len() } else { 1 };
    for name in options.operands.iter().take(names) {
        let resolved = call.resolve(name, false);
        let Some(at) = call.checked(name, resolved)? else { return Ok(Status::FAILURE) };
        if call.machine.tree.contains(&at) {
            return call.fail(format!("{name}: File exists"));
        }
        let mut meta = call.new_meta(0o666);
        meta.mode = mode.unwrap_or(meta.mode);
        let made = call.machine.tree.insert(at, Node { meta, kind: kind.clone() });
        if call.checked(name, made)?.is_none() {
            return Ok(Status::FAILURE);
        }
    }
    Ok(Status::SUCCESS)
}
