//! `read` (XCU, utilities).

use bstr::BString;

use super::super::{Invocation, ShellError, Status};

pub(super) fn read<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut raw = false;
    let mut fd = 0;
    let mut names: Vec<BString> = Vec::new();
    let mut args = call.args.clone().into_iter();
    while let Some(arg) = args.next() {
        match arg.as_slice() {
            b"-r" => raw = true,
            b"-s" | b"-rs" | b"-sr" => raw |= arg.contains(&b'r'),
            b"-p" | b"-t" => _ = args.next(),
            b"-rp" => {
                raw = true;
                args.next();
            }
            b"-u" => {
                fd = args.next().and_then(|fd| fd.to_string().parse().ok()).ok_or_else(|| call.unsupported("-u"))?;
            }
            [b'-', _, ..] => return Err(call.unsupported(&arg)),
            _ => names.push(arg),
        }
    }
    let (line, complete) = logical_line(call, fd, raw);
    let ifs = call.shell.get(b"IFS").cloned().unwrap_or_else(|| " \t\n".into());
    if names.is_empty() {
        names.push("REPLY".into());
    }
    for (name, value) in names.iter().zip(distribute(&line, &ifs, names.len())) {
        call.shell.assign_raw(name, &value);
    }
    Ok(Status::from_bool(complete))
}

/// A byte of the line, and whether a backslash protects it from splitting.
type Protected = (u8, bool);

/// A line without its newline, continued over backslashes unless `raw`; and whether a newline ended it.
fn logical_line<S>(call: &mut Invocation<'_, '_, S>, fd: u32, raw: bool) -> (Vec<Protected>, bool) {
    let mut result = Vec::new();
    while let Some(line) = call.read_line(fd) {
        let (text, complete) = match line.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (line.as_slice(), false),
        };
        let mut bytes = text.iter().copied();
        let mut continued = false;
        while let Some(byte) = bytes.next() {
            if byte != b'\\' || raw {
                result.push((byte, false));
            } else if let Some(next) = bytes.next() {
                result.push((next, true));
            } else {
                continued = complete;
            }
        }
        if !continued {
            return (result, complete);
        }
    }
    (result, false)
}

/// One value per name; the last gets what is left.
fn distribute(line: &[Protected], ifs: &[u8], count: usize) -> Vec<Vec<u8>> {
    let space = |char: &Protected| !char.1 && ifs.contains(&char.0) && matches!(char.0, b' ' | b'\t' | b'\n');
    let separator = |char: &Protected| !char.1 && ifs.contains(&char.0);
    let plain = |chars: &[Protected]| chars.iter().map(|char| char.0).collect::<Vec<u8>>();
    let skip_space = |rest: &mut &[Protected]| {
        while let Some((_, tail)) = rest.split_first().filter(|(first, _)| space(first)) {
            *rest = tail;
        }
    };
    let mut values = Vec::new();
    let mut rest = line;
    skip_space(&mut rest);
    while values.len() + 1 < count {
        let (field, tail) = rest.split_at(rest.iter().position(separator).unwrap_or(rest.len()));
        values.push(plain(field));
        rest = tail;
        skip_space(&mut rest);
        if let Some((_, tail)) = rest.split_first().filter(|(first, _)| separator(first)) {
            rest = tail;
            skip_space(&mut rest);
        }
    }
    while let Some((_, head)) = rest.split_last().filter(|(last, _)| space(last)) {
        rest = head;
    }
    // A single field with its separator is that field alone.
    if let Some((_, head)) = rest.split_last().filter(|(last, head)| separator(last) && !head.iter().any(separator)) {
        rest = head;
    }
    values.push(plain(rest));
    values
}
