//! `date`, in UTC and the C locale.

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::options::{flag, optional, parse as parse_options, value};
use crate::calendar::{civil, days_from_civil};

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn date<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse_options(
        call,
        &[
            flag(b'u', "utc"),
            flag(0, "universal"),
            value(b'd', "date"),
            value(b'r', "reference"),
            flag(b'R', "rfc-email"),
            optional(b'I', "iso-8601"),
        ],
    )?;
    let mut time = call.machine.now;
    if let Some(text) = options.value("date") {
        time = parse(text, call.machine.now).ok_or_else(|| call.unsupported(format!("-d {text}")))?;
    }
    if let Some(file) = options.value("reference") {
        match call.stat(file, true) {
            Some((_, node)) => time = node.meta.mtime,
            None => return call.fail(format!("{file}: No such file or directory")),
        }
    }
    let format = match options.operands.first() {
        Some(operand) => operand.strip_prefix(b"+").ok_or_else(|| call.unsupported(operand))?.to_vec(),
        None if options.has("rfc-email") => b"%a, %d %b %Y %H:%M:%S %z".to_vec(),
        None if options.has("iso-8601") => b"%Y-%m-%d".to_vec(),
        None => b"%a %b %e %H:%M:%S %Z %Y".to_vec(),
    };
    let mut text = formatted(&format, time).map_err(|letter| call.unsupported(format!("%{}", char::from(letter))))?;
    text.push(b'\n');
    call.out(text)?;
    Ok(Status::SUCCESS)
}

/// What `date` itself prints: `Mon Nov 23 08:11:00 UTC 2026`.
fn parse_printed(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, month, day, time, "UTC", year] = words.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| name.get(..3) == Some(*month))? + 1;
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let days = days_from_civil(year.parse().ok()?, i64::try_from(month).ok()?, day.parse().ok()?);
    Some(days * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

/// An instant as scripts write it: `@seconds`, `now`, `YYYY-MM-DD`, or what `date` prints.
pub(super) fn parse(text: &BString, now: i64) -> Option<i64> {
    if text == "now" {
        return Some(now);
    }
    let text = text.to_str().ok()?;
    if let Some(printed) = parse_printed(text) {
        return Some(printed);
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| days_from_civil(year, month, day) * 86_400)
}

/// strftime(3); the error is a letter that is not known.
fn formatted(format: &[u8], time: i64) -> Result<Vec<u8>, u8> {
    let days = time.div_euclid(86_400);
    let seconds = time.rem_euclid(86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let weekday = DAYS.get((days + 4).rem_euclid(7) as usize).copied().unwrap_or_default();
    let month_name = MONTHS.get((month - 1) as usize).copied().unwrap_or_default();
    let mut text = Vec::new();
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let letter = bytes.next().unwrap_or(b'%');
        let field = match letter {
            b'%' => "%".to_owned(),
            b'n' => "\n".to_owned(),
            b'Y' => year.to_string(),
            b'y' => format!("{:02}", year.rem_euclid(100)),
            b'm' => format!("{month:02}"),
            b'd' => format!("{day:02}"),
            b'e' => format!("{day:2}"),
            b'H' => format!("{hour:02}"),
            b'I' => format!("{:02}", (hour + 11) % 12 + 1),
            b'M' => format!("{minute:02}"),
            b'S' => format!("{second:02}"),
            b'N' => "000000000".to_owned(),
            b's' => time.to_string(),
            b'j' => format!("{:03}", days - days_from_civil(year, 1, 1) + 1),
            b'a' => weekday.get(..3).unwrap_or_default().to_owned(),
            b'A' => weekday.to_owned(),
            b'b' | b'h' => month_name.get(..3).unwrap_or_default().to_owned(),
            b'B' => month_name.to_owned(),
            b'F' => format!("{year}-{month:02}-{day:02}"),
            b'T' => format!("{hour:02}:{minute:02}:{second:02}"),
            b'R' => format!("{hour:02}:{minute:02}"),
            b'z' => "+0000".to_owned(),
            b'Z' => "UTC".to_owned(),
            b'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            other => return Err(other),
        };
        text.extend_from_slice(field.as_bytes());
    }
    Ok(text)
}
