//! `rm` and `rmdir`.

use super::super::invocation::reason;
use super::super::{Invocation, ShellError, Status};
use super::fs::base_name;
use super::options::{flag, optional, parse};

pub(super) fn rm<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'r', "recursive"),
            flag(b'R', "recursive"),
            flag(b'f', "force"),
            flag(b'd', "dir"),
            flag(b'i', "interactive-always"),
            flag(b'v', "verbose"),
            flag(0, "one-file-system"),
            optional(0, "preserve-root"),
        ],
    )?;
    let mut status = Status::SUCCESS;
    for operand in &options.operands {
        let found = call.stat(operand, operand.ends_with(b"/")).map(|(path, node)| (path, node.is_directory()));
        let Some((path, is_directory)) = found else {
            if !options.has("force") {
                call.complain(format!("cannot remove '{operand}': No such file or directory"))?;
                status = Status::FAILURE;
            }
            continue;
        };
        if matches!(base_name(operand), b"." | b"..") || path.is_root() {
            call.complain(format!("refusing to remove '{operand}'"))?;
            status = Status::FAILURE;
        } else if is_directory && !options.has("recursive") {
            let removed = options.has("dir") && call.machine.tree.remove(&path).is_ok();
            if !removed {
                call.complain(format!("cannot remove '{operand}': Is a directory"))?;
                status = Status::FAILURE;
            }
        } else {
            call.machine.tree.remove_all(&path);
            if options.has("verbose") {
                call.out(format!("removed '{operand}'\n"))?;
            }
        }
    }
    Ok(status)
}

pub(super) fn rmdir<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'p', "parents"), flag(0, "ignore-fail-on-non-empty"), flag(b'v', "verbose")])?;
    let mut status = Status::SUCCESS;
    for operand in &options.operands {
        let mut path: &[u8] = operand;
        loop {
            if !remove_empty(call, path, options.has("ignore-fail-on-non-empty"))? {
                status = Status::FAILURE;
                break;
            }
            let gone = call.stat(path, false).is_none();
            let trimmed = path.strip_suffix(base_name(path)).unwrap_or_default();
            let parent = trimmed.strip_suffix(b"/").unwrap_or(trimmed);
            if !options.has("parents") || parent.is_empty() || !gone {
                break;
            }
            path = parent;
        }
    }
    Ok(status)
}

fn remove_empty<S>(call: &mut Invocation<'_, '_, S>, path: &[u8], tolerant: bool) -> Result<bool, ShellError> {
    let found = call.stat(path, false).map(|(at, node)| (at, node.is_directory()));
    let message = match found {
        None => "No such file or directory",
        Some((_, false)) => "Not a directory",
        Some((at, true)) => match call.machine.tree.remove(&at) {
            Ok(_) => return Ok(true),
            Err(crate::tree::TreeError::NotEmpty(_)) if tolerant => return Ok(true),
            Err(error) => reason(&error),
        },
    };
    call.complain([b"failed to remove '", path, b"': ", message.as_bytes()].concat())?;
    Ok(false)
}
