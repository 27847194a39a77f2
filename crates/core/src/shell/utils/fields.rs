//! `cut` and `tr`.

use bstr::{BString, ByteSlice};

use super::super::eval::class;
use super::super::{Invocation, ShellError, Status};
use super::options::{flag, parse, value};
use super::text::each_input;

/// Ranges of positions from 1, as `1,3-5,7-`.
fn ranges(list: &[u8]) -> Option<Vec<(usize, usize)>> {
    let number = |text: &[u8]| text.to_str().ok()?.parse::<usize>().ok();
    let range = |text: &[u8]| {
        let Some(dash) = text.find_byte(b'-') else {
            let only = number(text)?;
            return Some((only, only));
        };
        let (low, high) = (text.get(..dash)?, text.get(dash + 1..)?);
        Some((if low.is_empty() { 1 } else { number(low)? }, if high.is_empty() { usize::MAX } else { number(high)? }))
    };
    list.split(|byte| matches!(byte, b',' | b' ')).map(range).collect()
}

pub(super) fn cut<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            value(b'd', "delimiter"),
            value(b'f', "fields"),
            value(b'b', "bytes"),
            value(b'c', "characters"),
            flag(b's', "only-delimited"),
            flag(0, "complement"),
            value(0, "output-delimiter"),
            flag(b'n', "ignored"),
        ],
    )?;
    let list = options.value("fields").or(options.value("bytes")).or(options.value("characters"));
    let Some(list) = list else { return call.fail("you must specify a list of bytes, characters, or fields") };
    let ranges = ranges(list).ok_or_else(|| call.unsupported(list))?;
    let delimiter = options.value("delimiter").cloned().unwrap_or_else(|| "\t".into());
    let joined = options.value("output-delimiter").cloned().unwrap_or_else(|| delimiter.clone());
    let takes = |position: usize| {
        ranges.iter().any(|(low, high)| (*low..=*high).contains(&position)) != options.has("complement")
    };
    each_input(call, &options.operands, |call, _, text| {
        let mut output = Vec::new();
        for line in text.lines() {
            if !options.has("fields") {
                output.extend(line.iter().enumerate().filter(|(at, _)| takes(at + 1)).map(|(_, byte)| *byte));
            } else if !line.contains_str(&delimiter) {
                if options.has("only-delimited") {
                    continue;
                }
                output.extend_from_slice(line);
            } else {
                let fields =
                    line.split_str(&delimiter).enumerate().filter(|(at, _)| takes(at + 1)).map(|(_, field)| field);
                output.extend_from_slice(&bstr::join(&joined, fields));
            }
            output.push(b'\n');
        }
        call.out(output)
    })
}

pub(super) fn tr<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'd', "delete"),
            flag(b's', "squeeze-repeats"),
            flag(b'c', "complement"),
            flag(b'C', "complement"),
            flag(b't', "truncate-set1"),
        ],
    )?;
    let mut sets = Vec::new();
    for operand in &options.operands {
        sets.push(set(operand).ok_or_else(|| call.unsupported(operand))?);
    }
    let Some(mut first) = sets.first().cloned() else { return call.fail("missing operand") };
    if options.has("complement") {
        first = (0..=255).filter(|byte| !first.contains(byte)).collect();
    }
    let second = sets.get(1);
    let deletes = options.has("delete");
    let mut map: [u8; 256] = std::array::from_fn(|byte| byte as u8);
    if let (Some(second), false) = (second, deletes) {
        for (index, from) in first.iter().enumerate() {
            // The last character of the second set fills it up.
            if let (Some(to), Some(slot)) = (second.get(index).or(second.last()), map.get_mut(usize::from(*from))) {
                *slot = *to;
            }
        }
    }
    let squeezed = if options.has("squeeze-repeats") { second.unwrap_or(&first).clone() } else { Vec::new() };
    let mut output: Vec<u8> = Vec::new();
    for byte in call.read_stdin()? {
        if deletes && first.contains(&byte) {
            continue;
        }
        let byte = map.get(usize::from(byte)).copied().unwrap_or(byte);
        if output.last() == Some(&byte) && squeezed.contains(&byte) {
            continue;
        }
        output.push(byte);
    }
    call.out(output)?;
    Ok(Status::SUCCESS)
}

/// A set of `tr`: characters, escapes, ranges, classes.
fn set(text: &BString) -> Option<Vec<u8>> {
    let mut members: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..)?;
        if let Some(name) = rest.strip_prefix(b"[:").and_then(|rest| rest.get(..rest.find(":]")?)) {
            let class = class(name)?;
            members.extend((0..=255).filter(class));
            at += name.len() + 4;
            continue;
        }
        let (low, length) = member(rest)?;
        at += length;
        let rest = text.get(at..)?;
        if rest.len() > 1 && rest.starts_with(b"-") {
            let (high, length) = member(rest.get(1..)?)?;
            at += 1 + length;
            if high < low {
                return None;
            }
            members.extend(low..=high);
        } else {
            members.push(low);
        }
    }
    Some(members)
}

/// One character of a set and its length.
fn member(text: &[u8]) -> Option<(u8, usize)> {
    let first = *text.first()?;
    let Some(next) = text.get(1).copied().filter(|_| first == b'\\') else { return Some((first, 1)) };
    Some(match next {
        b'n' => (b'\n', 2),
        b't' => (b'\t', 2),
        b'r' => (b'\r', 2),
        b'f' => (0x0c, 2),
        b'v' => (0x0b, 2),
        b'a' => (7, 2),
        b'b' => (8, 2),
        b'0'..=b'7' => {
            let digits = text.iter().skip(1).take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            let value = u16::from_str_radix(text.get(1..=digits)?.to_str().ok()?, 8).ok()?;
            (value as u8, 1 + digits)
        }
        other => (other, 2),
    })
}
