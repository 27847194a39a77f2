//! `cd`, `pwd` and `umask`.

use bstr::{BString, ByteSlice};

use super::super::utils::mode;
use super::super::{Invocation, ShellError, Status};

/// `cd`: the directory's name stays as it was walked (`-L`, the default), symbolic links and all.
pub(super) fn cd<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut physical = false;
    let mut target = None;
    for arg in call.args.clone() {
        match arg.as_slice() {
            b"-P" => physical = true,
            b"-L" | b"--" => {}
            _ => target = Some(arg),
        }
    }
    let previous = call.shell.get(b"PWD").cloned().unwrap_or_else(|| "/".into());
    let target = match target {
        None => call.shell.get(b"HOME").cloned().unwrap_or_else(|| "/root".into()),
        Some(dash) if dash == "-" => {
            let old = call.shell.get(b"OLDPWD").cloned().unwrap_or_else(|| previous.clone());
            call.out([old.as_slice(), b"\n"].concat())?;
            old
        }
        Some(target) => target,
    };
    let logical = logical(&previous, &target);
    let resolved = call.machine.tree.resolve(&call.shell.cwd, &logical, true);
    let directory = resolved.ok().filter(|at| call.machine.tree.get(at).is_some_and(|node| node.is_directory()));
    let Some(directory) = directory else {
        call.complain(format!("can't cd to {target}"))?;
        return Ok(Status(2));
    };
    let name = if physical { BString::from(directory.to_string()) } else { logical };
    call.shell.cwd = directory;
    call.shell.assign_raw(b"OLDPWD", &previous);
    call.shell.export(b"PWD", &name);
    Ok(Status::SUCCESS)
}

/// A path put after the current one, with `.` and `..` taken out textually.
fn logical(current: &[u8], target: &[u8]) -> BString {
    let mut parts: Vec<&[u8]> = Vec::new();
    let base = if target.starts_with(b"/") { &[] } else { current };
    for part in base.split_str("/").chain(target.split_str("/")) {
        match part {
            b"" | b"." => {}
            b".." => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    [b"/", bstr::join("/", parts).as_slice()].concat().into()
}

pub(super) fn pwd<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let physical = call.args.iter().any(|arg| arg == "-P");
    let name = match call.shell.get(b"PWD") {
        Some(name) if !physical => name.clone(),
        _ => call.shell.cwd.to_string().into(),
    };
    call.out([name.as_slice(), b"\n"].concat())?;
    Ok(Status::SUCCESS)
}

pub(super) fn umask<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    match call.args.first().cloned() {
        None => call.out(format!("{:04o}\n", call.shell.umask))?,
        Some(text) => {
            // A symbolic mask names the bits that stay, an octal one those that go.
            let mask = if text.first().is_some_and(u8::is_ascii_digit) {
                text.to_str().ok().and_then(|text| u16::from_str_radix(text, 8).ok())
            } else {
                mode::Change::parse(&text).map(|change| !change.apply(!call.shell.umask & 0o777, true, 0) & 0o777)
            };
            match mask {
                Some(mask) => call.shell.umask = mask & 0o777,
                None => {
                    call.complain(format!("Illegal mode: {text}"))?;
                    return Ok(Status(2));
                }
            }
        }
    }
    Ok(Status::SUCCESS)
}
