//! Utilities that pass text through: `cat`, `head`, `tail`, `tee`, `tac`, `rev`, `wc`, `uniq`.

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::options::{Parsed, flag, parse, value};

/// Hands the text of every operand, or standard input, to `each`; fails when one cannot be read.
pub(super) fn each_input<S>(
    call: &mut Invocation<'_, '_, S>,
    operands: &[BString],
    mut each: impl FnMut(&mut Invocation<'_, '_, S>, &BString, &[u8]) -> Result<(), ShellError>,
) -> Result<Status, ShellError> {
    let stdin = [BString::from("-")];
    let mut status = Status::SUCCESS;
    for operand in if operands.is_empty() { &stdin } else { operands } {
        match call.read_operand(operand)? {
            Some(text) => each(call, operand, &text)?,
            None => status = Status::FAILURE,
        }
    }
    Ok(status)
}

/// All input in one.
pub(super) fn all_input<S>(
    call: &mut Invocation<'_, '_, S>,
    operands: &[BString],
) -> Result<(Vec<u8>, Status), ShellError> {
    let mut all = Vec::new();
    let status = each_input(call, operands, |_, _, text| {
        all.extend_from_slice(text);
        Ok(())
    })?;
    Ok((all, status))
}

pub(super) fn cat<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'u', "unbuffered"), flag(b'n', "number"), flag(b's', "squeeze-blank")])?;
    if options.has("squeeze-blank") {
        return Err(call.unsupported("-s"));
    }
    let mut line = 0;
    each_input(call, &options.operands, |call, _, text| {
        if !options.has("number") {
            return call.out(text);
        }
        let mut numbered = Vec::new();
        for content in text.lines_with_terminator() {
            line += 1;
            numbered.extend_from_slice(format!("{line:6}\t").as_bytes());
            numbered.extend_from_slice(content);
        }
        call.out(numbered)
    })
}

/// How much `head` and `tail` take.
struct Amount {
    number: usize,
    bytes: bool,
    /// `head -n -5`: all but the last; `tail -n +5`: from there on.
    other_way: bool,
}

fn amount<S>(call: &mut Invocation<'_, '_, S>, sign: u8) -> Result<(Amount, Parsed), ShellError> {
    // The old form: `head -5`, and `tail +5` is no longer one.
    if let Some(arg) = call.args.first_mut()
        && arg.len() > 1
        && arg.starts_with(b"-")
        && arg.iter().skip(1).all(u8::is_ascii_digit)
    {
        *arg = [b"-n".as_slice(), arg.get(1..).unwrap_or_default()].concat().into();
    }
    let known =
        [value(b'n', "lines"), value(b'c', "bytes"), flag(b'q', "quiet"), flag(b'v', "verbose"), flag(b's', "ignored")];
    let options = parse(call, &known)?;
    let bytes = options.has("bytes");
    let text = options.value(if bytes { "bytes" } else { "lines" }).cloned().unwrap_or_else(|| "10".into());
    let other_way = text.first() == Some(&sign);
    let digits = text.trim_start_with(|c| c == '+' || c == '-');
    let number = digits.to_str().ok().and_then(|digits| digits.parse().ok()).ok_or_else(|| call.unsupported(&text))?;
    Ok((Amount { number, bytes, other_way }, options))
}

/// Where the first `count` lines end.
fn end_of_lines(text: &[u8], count: usize) -> usize {
    text.lines_with_terminator().take(count).map(<[u8]>::len).sum()
}

pub(super) fn head<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let (amount, options) = amount(call, b'-')?;
    let named = options.operands.len() > 1 && !options.has("quiet");
    let mut gap = "";
    each_input(call, &options.operands, |call, name, text| {
        let total = if amount.bytes { text.len() } else { text.lines_with_terminator().count() };
        let count = if amount.other_way { total.saturating_sub(amount.number) } else { amount.number };
        let end = if amount.bytes { count.min(text.len()) } else { end_of_lines(text, count) };
        if named || options.has("verbose") {
            call.out(format!("{gap}==> {name} <==\n"))?;
            gap = "\n";
        }
        call.out(text.get(..end).unwrap_or_default())
    })
}

pub(super) fn tail<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let (amount, options) = amount(call, b'+')?;
    let named = options.operands.len() > 1 && !options.has("quiet");
    let mut gap = "";
    each_input(call, &options.operands, |call, name, text| {
        let total = if amount.bytes { text.len() } else { text.lines_with_terminator().count() };
        let skipped =
            if amount.other_way { amount.number.saturating_sub(1) } else { total.saturating_sub(amount.number) };
        let start = if amount.bytes { skipped.min(text.len()) } else { end_of_lines(text, skipped) };
        if named || options.has("verbose") {
            call.out(format!("{gap}==> {name} <==\n"))?;
            gap = "\n";
        }
        call.out(text.get(start..).unwrap_or_default())
    })
}

pub(super) fn tee<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'a', "append"), flag(b'i', "ignore-interrupts")])?;
    let input = call.read_stdin()?;
    let mut status = Status::SUCCESS;
    for file in &options.operands {
        if matches!(file.as_slice(), b"/dev/null" | b"/dev/stderr") {
            if file == "/dev/stderr" {
                call.write(2, &input)?;
            }
            continue;
        }
        let mut content = Vec::new();
        if options.has("append") && call.stat(file, true).is_some() {
            content.extend_from_slice(&call.read_file(file)?);
        }
        content.extend_from_slice(&input);
        let written = call.write_file(file, content);
        if call.checked(file, written)?.is_none() {
            status = Status::FAILURE;
        }
    }
    call.out(input)?;
    Ok(status)
}

pub(super) fn tac<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[])?;
    each_input(call, &options.operands, |call, _, text| {
        call.out(text.lines_with_terminator().rev().collect::<Vec<_>>().concat())
    })
}

pub(super) fn rev<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[])?;
    each_input(call, &options.operands, |call, _, text| {
        let mut output = Vec::new();
        for line in text.lines() {
            output.extend(line.iter().rev());
            output.push(b'\n');
        }
        call.out(output)
    })
}

pub(super) fn wc<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'l', "lines"), flag(b'w', "words"), flag(b'c', "bytes"), flag(b'm', "chars")])?;
    let chosen: Vec<&str> = ["lines", "words", "chars", "bytes"].into_iter().filter(|name| options.has(name)).collect();
    let chosen = if chosen.is_empty() { vec!["lines", "words", "bytes"] } else { chosen };
    let count = |text: &[u8], what: &str| match what {
        "lines" => text.iter().filter(|byte| **byte == b'\n').count(),
        "words" => text.fields().count(),
        _ => text.len(),
    };
    let mut rows: Vec<(Vec<usize>, Option<BString>)> = Vec::new();
    let status = each_input(call, &options.operands, |_, name, text| {
        let named = (!options.operands.is_empty()).then(|| name.clone());
        rows.push((chosen.iter().map(|what| count(text, what)).collect(), named));
        Ok(())
    })?;
    if rows.len() > 1 {
        let sums = (0..chosen.len()).map(|column| rows.iter().filter_map(|(row, _)| row.get(column)).sum()).collect();
        rows.push((sums, Some("total".into())));
    }
    let largest = rows.iter().flat_map(|(row, _)| row).max().copied().unwrap_or(0);
    // GNU pads to the size of the input, or to seven places where it cannot know.
    let width = match (rows.len(), chosen.len()) {
        (1, 1) => 0,
        _ if options.operands.is_empty() => 7,
        _ => largest.to_string().len(),
    };
    for (row, name) in rows {
        let numbers: Vec<String> = row.iter().map(|number| format!("{number:width$}")).collect();
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        call.out(format!("{}{name}\n", numbers.join(" ")))?;
    }
    Ok(status)
}

pub(super) fn uniq<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options =
        parse(call, &[flag(b'c', "count"), flag(b'd', "repeated"), flag(b'u', "unique"), flag(b'i', "ignore-case")])?;
    if options.operands.len() > 1 {
        return Err(call.unsupported("an output file"));
    }
    let (text, status) = all_input(call, &options.operands)?;
    let mut output = Vec::new();
    let mut lines = text.lines().peekable();
    let same =
        |left: &[u8], right: &[u8]| left == right || (options.has("ignore-case") && left.eq_ignore_ascii_case(right));
    while let Some(line) = lines.next() {
        let mut count = 1;
        while lines.next_if(|next| same(line, next)).is_some() {
            count += 1;
        }
        if (options.has("repeated") && count == 1) || (options.has("unique") && count > 1) {
            continue;
        }
        if options.has("count") {
            output.extend_from_slice(format!("{count:7} ").as_bytes());
        }
        output.extend_from_slice(line);
        output.push(b'\n');
    }
    call.out(output)?;
    Ok(status)
}
