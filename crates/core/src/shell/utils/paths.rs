//! `basename`, `dirname`, `readlink`, `realpath` and `which`.

use bstr::{BString, ByteSlice};

use super::super::eval::Interpreter;
use super::super::{Invocation, ShellError, Status};
use super::fs::{base_name, relative};
use super::options::{flag, parse, value};
use crate::tree::{NodeKind, TreePath};

pub(super) fn basename<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'a', "multiple"), value(b's', "suffix"), flag(b'z', "zero")])?;
    let multiple = options.has("multiple") || options.has("suffix");
    let (names, suffix) = match options.operands.as_slice() {
        [] => return call.fail("missing operand"),
        [name, suffix] if !multiple => (std::slice::from_ref(name), Some(suffix)),
        names => (names, options.value("suffix")),
    };
    for name in names {
        let mut base = base_name(name);
        if base.is_empty() && !name.is_empty() {
            base = b"/";
        }
        let stripped = suffix.and_then(|suffix| base.strip_suffix(suffix.as_slice())).filter(|rest| !rest.is_empty());
        call.out([stripped.unwrap_or(base), if options.has("zero") { b"\0" } else { b"\n" }].concat())?;
    }
    Ok(Status::SUCCESS)
}

pub(super) fn dirname<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'z', "zero")])?;
    if options.operands.is_empty() {
        return call.fail("missing operand");
    }
    for name in &options.operands {
        let trimmed = name.trim_end_with(|c| c == '/').as_bytes();
        let directory: &[u8] = match trimmed.rfind_byte(b'/') {
            _ if trimmed.is_empty() && name.starts_with(b"/") => b"/",
            None => b".",
            Some(slash) => match trimmed.get(..slash).unwrap_or_default().trim_end_with(|c| c == '/').as_bytes() {
                b"" => b"/",
                directory => directory,
            },
        };
        call.out([directory, b"\n"].concat())?;
    }
    Ok(Status::SUCCESS)
}

/// What must exist of a path that is made canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    All,
    AllButLast,
    Nothing,
}

/// A path without links, `.` and `..`; `None` when what must exist does not.
fn canonical<S>(call: &Invocation<'_, '_, S>, path: &[u8], existing: Existing) -> Option<TreePath> {
    match call.resolve(path, true) {
        _ if path.is_empty() => None,
        Ok(at) => (existing != Existing::All || call.machine.tree.contains(&at)).then_some(at),
        Err(_) if existing == Existing::Nothing => {
            // From the first missing component on, the rest is taken as text.
            let slash = path.trim_end_with(|c| c == '/').as_bytes().rfind_byte(b'/');
            let (above, name) = match slash {
                Some(0) => (b"/".as_slice(), path.get(1..)?),
                Some(slash) => (path.get(..slash)?, path.get(slash + 1..)?),
                None => (b".".as_slice(), path),
            };
            let above = canonical(call, above, existing)?;
            match name.trim_end_with(|c| c == '/').as_bytes() {
                b".." => Some(above.parent().unwrap_or(TreePath::ROOT)),
                name => above.join(name).ok(),
            }
        }
        Err(_) => None,
    }
}

pub(super) fn readlink<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'f', "canonicalize"),
            flag(b'e', "canonicalize-existing"),
            flag(b'm', "canonicalize-missing"),
            flag(b'n', "no-newline"),
            flag(b'q', "quiet"),
            flag(b's', "silent"),
            flag(b'v', "verbose"),
            flag(b'z', "zero"),
        ],
    )?;
    let existing = options.given().filter_map(|name| match name {
        "canonicalize" => Some(Existing::AllButLast),
        "canonicalize-existing" => Some(Existing::All),
        "canonicalize-missing" => Some(Existing::Nothing),
        _ => None,
    });
    let existing = existing.last();
    let mut status = Status::SUCCESS;
    for operand in &options.operands {
        let text = match existing {
            Some(existing) => canonical(call, operand, existing).map(|path| BString::from(path.to_string())),
            None => match call.stat(operand, false).map(|(_, node)| &node.kind) {
                Some(NodeKind::Symlink { target }) => Some(target.clone()),
                _ => None,
            },
        };
        match text {
            Some(mut text) => {
                if !options.has("no-newline") {
                    text.push(if options.has("zero") { 0 } else { b'\n' });
                }
                call.out(text)?;
            }
            None => status = Status::FAILURE,
        }
    }
    Ok(status)
}

pub(super) fn realpath<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'e', "canonicalize-existing"),
            flag(b'm', "canonicalize-missing"),
            flag(b'q', "quiet"),
            flag(b'P', "physical"),
            flag(b'z', "zero"),
            value(0, "relative-to"),
        ],
    )?;
    let existing = if options.has("canonicalize-missing") {
        Existing::Nothing
    } else if options.has("canonicalize-existing") {
        Existing::All
    } else {
        Existing::AllButLast
    };
    let mut status = Status::SUCCESS;
    for operand in &options.operands {
        let Some(path) = canonical(call, operand, existing) else {
            if !options.has("quiet") {
                call.complain(format!("{operand}: No such file or directory"))?;
            }
            status = Status::FAILURE;
            continue;
        };
        let text = match options.value("relative-to").and_then(|base| canonical(call, base, Existing::Nothing)) {
            Some(base) => relative(&base, &path),
            None => path.to_string().into(),
        };
        call.out([text.as_slice(), if options.has("zero") { b"\0" } else { b"\n" }].concat())?;
    }
    Ok(status)
}

pub(super) fn which<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'a', "all"), flag(b's', "silent")])?;
    let mut status = Status::SUCCESS;
    for name in &options.operands {
        let interpreter = Interpreter { machine: &mut *call.machine, shell: &mut *call.shell };
        match interpreter.find_file(name) {
            Some(path) if !options.has("silent") => call.out([path.as_slice(), b"\n"].concat())?,
            Some(_) => {}
            None => status = Status::FAILURE,
        }
    }
    Ok(status)
}
