//! `xargs`.

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::options::{flag, optional, parse_leading, value};

pub(super) fn xargs<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse_leading(
        call,
        &[
            flag(b'0', "null"),
            flag(b'r', "no-run-if-empty"),
            value(b'n', "max-args"),
            value(b'L', "max-lines"),
            value(b'd', "delimiter"),
            value(b'I', "replace"),
            optional(b'i', "replace-default"),
            value(b'P', "max-procs"),
            flag(b't', "verbose"),
        ],
    )?;
    let input = call.read_stdin()?;
    let replace = options.value("replace").cloned().or_else(|| options.has("replace-default").then(|| "{}".into()));
    let items: Vec<BString> = if options.has("null") {
        input.split_str("\0").filter(|item| !item.is_empty()).map(BString::from).collect()
    } else if let Some(delimiter) = options.value("delimiter") {
        let delimiter: &[u8] = if delimiter == r"\n" { b"\n" } else { delimiter };
        let input = input.strip_suffix(delimiter).unwrap_or(&input);
        if input.is_empty() { Vec::new() } else { input.split_str(delimiter).map(BString::from).collect() }
    } else if replace.is_some() {
        input.lines().map(|line| BString::from(line.trim_start())).filter(|line| !line.is_empty()).collect()
    } else {
        quoted_words(&input)
    };
    let mut command = options.operands.clone();
    if command.is_empty() {
        command.push("echo".into());
    }
    let mut status = Status::SUCCESS;
    let mut run = |call: &mut Invocation<'_, '_, S>, words: Vec<BString>| -> Result<(), ShellError> {
        match call.run(words)?.0 {
            0 => {}
            code @ (126 | 127) => status = Status(code),
            _ => status = Status(123),
        }
        Ok(())
    };
    if let Some(mark) = replace {
        for item in items {
            run(call, command.iter().map(|word| word.replace(&mark, &item).into()).collect())?;
        }
        return Ok(status);
    }
    let size =
        options.number("max-args").or(options.number("max-lines")).map_or(usize::MAX, |size| size.max(1) as usize);
    if items.is_empty() && !options.has("no-run-if-empty") {
        run(call, command.clone())?;
    }
    for chunk in items.chunks(size) {
        run(call, command.iter().chain(chunk).cloned().collect())?;
    }
    Ok(status)
}

/// Words separated by blanks, with quotes and backslashes.
fn quoted_words(input: &[u8]) -> Vec<BString> {
    let mut words = Vec::new();
    let mut current: Option<BString> = None;
    let mut bytes = input.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' => words.extend(current.take()),
            b'\\' => current.get_or_insert_default().extend(bytes.next()),
            quote @ (b'"' | b'\'') => {
                current.get_or_insert_default().extend(bytes.by_ref().take_while(|byte| *byte != quote));
            }
            byte => current.get_or_insert_default().push(byte),
        }
    }
    words.extend(current);
    words
}
