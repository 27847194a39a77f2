//! `sort` and `comm`, in the C locale.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::options::{Known, flag, parse, value};
use super::text::all_input;

const KNOWN: &[Known] = &[
    flag(b'u', "unique"),
    flag(b'n', "numeric-sort"),
    flag(b'g', "general-numeric-sort"),
    flag(b'r', "reverse"),
    flag(b'f', "ignore-case"),
    flag(b'b', "ignore-leading-blanks"),
    flag(b'd', "dictionary-order"),
    flag(b's', "stable"),
    flag(b'V', "version-sort"),
    flag(b'z', "zero-terminated"),
    flag(b'c', "check"),
    value(b'k', "key"),
    value(b't', "field-separator"),
    value(b'o', "output"),
];

/// How keys are compared.
#[derive(Debug, Clone, Copy, Default)]
struct Order {
    numeric: bool,
    version: bool,
    ignore_case: bool,
    skip_blanks: bool,
    reverse: bool,
}

#[derive(Debug, Clone, Copy)]
struct Key {
    start: (usize, usize),
    end: Option<(usize, usize)>,
    order: Order,
}

pub(super) fn sort<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, KNOWN)?;
    if options.has("dictionary-order") || options.has("general-numeric-sort") {
        return Err(call.unsupported("-d or -g"));
    }
    let global = Order {
        numeric: options.has("numeric-sort"),
        version: options.has("version-sort"),
        ignore_case: options.has("ignore-case"),
        skip_blanks: options.has("ignore-leading-blanks"),
        reverse: options.has("reverse"),
    };
    let separator = options.value("field-separator").and_then(|text| text.first().copied());
    let mut keys = Vec::new();
    for text in options.values("key") {
        keys.push(key(text, global).ok_or_else(|| call.unsupported(format!("-k {text}")))?);
    }
    let end = if options.has("zero-terminated") { 0 } else { b'\n' };
    let (text, status) = all_input(call, &options.operands)?;
    let empty = text.is_empty();
    let text = text.strip_suffix(&[end]).unwrap_or(&text);
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == end).collect();
    if empty {
        lines.clear();
    }
    let by_keys = |left: &&[u8], right: &&[u8]| {
        if keys.is_empty() {
            return compare(left, right, global);
        }
        keys.iter()
            .map(|key| compare(part(left, key, separator), part(right, key, separator), key.order))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    let whole = |left: &&[u8], right: &&[u8]| {
        let last = if global.reverse { right.cmp(left) } else { left.cmp(right) };
        by_keys(left, right).then(if options.has("stable") || options.has("unique") { Ordering::Equal } else { last })
    };
    if options.has("check") {
        return Ok(Status::from_bool(lines.is_sorted_by(|left, right| whole(left, right).is_le())));
    }
    lines.sort_by(whole);
    if options.has("unique") {
        lines.dedup_by(|later, first| by_keys(first, later).is_eq());
    }
    let output: Vec<u8> = lines.iter().flat_map(|line| line.iter().copied().chain([end])).collect();
    match options.value("output") {
        Some(file) => {
            let written = call.write_file(file, output);
            Ok(call.checked(file, written)?.map_or(Status(2), |()| status))
        }
        None => {
            call.out(output)?;
            Ok(status)
        }
    }
}

/// `start[.char][opts][,end[.char][opts]]`
fn key(text: &BString, global: Order) -> Option<Key> {
    let mut order = Order::default();
    let mut own = false;
    let mut place = |text: &[u8]| -> Option<(usize, usize)> {
        let length = text.iter().position(|byte| byte.is_ascii_alphabetic()).unwrap_or(text.len());
        let (numbers, letters) = text.split_at(length);
        for letter in letters {
            own = true;
            match letter {
                b'n' => order.numeric = true,
                b'V' => order.version = true,
                b'f' => order.ignore_case = true,
                b'b' => order.skip_blanks = true,
                b'r' => order.reverse = true,
                _ => return None,
            }
        }
        let mut numbers = numbers.split_str(".").map(|number| number.to_str().ok()?.parse::<usize>().ok());
        Some((numbers.next()??, numbers.next().flatten().unwrap_or(0)))
    };
    let mut sides = text.splitn_str(2, ",");
    let start = place(sides.next()?)?;
    let end = match sides.next() {
        Some(side) => Some(place(side)?),
        None => None,
    };
    Some(Key { start, end, order: if own { order } else { global } })
}

/// The part of a line that a key names.
fn part<'l>(line: &'l [u8], key: &Key, separator: Option<u8>) -> &'l [u8] {
    let bounds = fields(line, separator);
    let at = |(field, char): (usize, usize), is_end: bool| {
        let Some((start, end)) = field.checked_sub(1).and_then(|index| bounds.get(index).copied()) else {
            return line.len();
        };
        match (char, is_end) {
            (0, true) => end,
            (0, false) => start,
            (char, true) => (start + char).min(end),
            (char, false) => (start + char - 1).min(end),
        }
    };
    let start = at(key.start, false);
    let end = key.end.map_or(line.len(), |end| at(end, true));
    line.get(start..end.max(start)).unwrap_or_default()
}

/// Where fields start and end; without a separator a field takes the blanks before it.
fn fields(line: &[u8], separator: Option<u8>) -> Vec<(usize, usize)> {
    let mut bounds = Vec::new();
    let mut start = 0;
    for (at, byte) in line.iter().enumerate() {
        let ends = match separator {
            Some(separator) => *byte == separator,
            None => {
                byte.is_ascii_whitespace()
                    && at > start
                    && line.get(at - 1).is_some_and(|before| !before.is_ascii_whitespace())
            }
        };
        if ends {
            bounds.push((start, at));
            start = if separator.is_some() { at + 1 } else { at };
        }
    }
    bounds.push((start, line.len()));
    bounds
}

fn compare(left: &[u8], right: &[u8], order: Order) -> Ordering {
    let trim = |text| if order.skip_blanks { <[u8]>::trim_ascii_start(text) } else { text };
    let (left, right) = (trim(left), trim(right));
    let result = if order.numeric {
        numeric(left).partial_cmp(&numeric(right)).unwrap_or(Ordering::Equal)
    } else if order.version {
        version(left, right)
    } else if order.ignore_case {
        left.to_ascii_uppercase().cmp(&right.to_ascii_uppercase())
    } else {
        left.cmp(right)
    };
    if order.reverse { result.reverse() } else { result }
}

fn numeric(text: &[u8]) -> f64 {
    let text = text.trim_ascii_start();
    let length = text
        .iter()
        .enumerate()
        .position(|(at, byte)| !(byte.is_ascii_digit() || *byte == b'.' || (at == 0 && *byte == b'-')));
    text.get(..length.unwrap_or(text.len())).and_then(|number| number.to_str().ok()?.parse().ok()).unwrap_or(0.0)
}

/// Runs of digits by value, other runs by character with `~` before all and letters before the rest (filevercmp).
pub(super) fn version(left: &[u8], right: &[u8]) -> Ordering {
    let rank = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let (mut left, mut right) = (left, right);
    while !left.is_empty() || !right.is_empty() {
        while left.first().is_some_and(|byte| !byte.is_ascii_digit())
            || right.first().is_some_and(|byte| !byte.is_ascii_digit())
        {
            let order = rank(left.first()).cmp(&rank(right.first()));
            if order.is_ne() {
                return order;
            }
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
        }
        let digits = |text: &mut &[u8]| -> BString {
            let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
            let (number, rest) = text.split_at(length);
            *text = rest;
            number.trim_start_with(|c| c == '0').into()
        };
        let (first, second) = (digits(&mut left), digits(&mut right));
        let order = first.len().cmp(&second.len()).then(first.cmp(&second));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

pub(super) fn comm<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'1', "no-first"), flag(b'2', "no-second"), flag(b'3', "no-both")])?;
    let [first, second] = options.operands.as_slice() else { return call.fail("missing operand") };
    let (Some(first), Some(second)) = (call.read_operand(first)?, call.read_operand(second)?) else {
        return Ok(Status::FAILURE);
    };
    let (mut left, mut right) = (first.lines().peekable(), second.lines().peekable());
    let mut output = Vec::new();
    let indent = |columns: &[&str]| "\t".repeat(columns.iter().filter(|name| !options.has(name)).count());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(right),
        };
        let (hidden, columns): (&str, &[&str]) = match order {
            Ordering::Less => ("no-first", &[]),
            Ordering::Greater => ("no-second", &["no-first"]),
            Ordering::Equal => ("no-both", &["no-first", "no-second"]),
        };
        let from_left = if order.is_le() { left.next() } else { None };
        let from_right = if order.is_ge() { right.next() } else { None };
        if !options.has(hidden) {
            output.extend_from_slice(
                &[indent(columns).as_bytes(), from_left.or(from_right).unwrap_or_default(), b"\n"].concat(),
            );
        }
    }
    call.out(output)?;
    Ok(Status::SUCCESS)
}
