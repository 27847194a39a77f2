//! What Nix 2.8 cannot read although it is TOML.
//!
//! Nix 2.8 reads TOML 1.0 through toml11 3.7; the `toml` crate reads TOML 1.1, and both have limits of their own. The values show dates
//! and large integers; the rest has to be seen in the text itself, so its events are walked once more.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::Source;
use toml_parser::decoder::Encoding;
use toml_parser::parser::{Event, EventKind, parse_document};

use super::NotForNix;
use super::read::Problems;

/// Notes what Nix 2.8's `builtins.fromTOML` refuses, or reads otherwise, in a text that is valid TOML 1.1.
pub(super) fn check(text: &str, document: &DeTable<'_>, problems: &mut Problems) {
    document.values().for_each(|value| check_value(value, problems));
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut events = Vec::new();
    parse_document(&tokens, &mut events, &mut ());
    check_inline_tables(&events, problems);
    check_strings(text, &events, problems);
    check_headers(text, &events, problems);
}

fn check_value(value: &Spanned<DeValue<'_>>, problems: &mut Problems) {
    match value.get_ref() {
        DeValue::Datetime(_) => problems.add(value.span(), NotForNix::DateTime),
        // Nix takes the nearest integer of 64 bits in silence.
        DeValue::Integer(integer) if i64::from_str_radix(integer.as_str(), integer.radix()).is_err() => {
            problems.add(value.span(), NotForNix::Integer);
        }
        DeValue::Array(array) => array.iter().for_each(|member| check_value(member, problems)),
        DeValue::Table(table) => table.values().for_each(|member| check_value(member, problems)),
        _ => {}
    }
}

/// Inline tables are on one line and end without a comma, until TOML 1.1.
fn check_inline_tables(events: &[Event], problems: &mut Problems) {
    // Whether each open bracket is an inline table's, and whether that one has been noted.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut comma: Option<Range<usize>> = None;
    for event in events {
        match event.kind() {
            EventKind::InlineTableOpen => open.push((true, false)),
            EventKind::ArrayOpen => open.push((false, false)),
            EventKind::ArrayClose => _ = open.pop(),
            EventKind::InlineTableClose => {
                open.pop();
                if let Some(comma) = comma.take() {
                    problems.add(comma, NotForNix::TrailingCommaInInlineTable);
                }
            }
            EventKind::Newline | EventKind::Comment => {
                if let Some((true, noted @ false)) = open.last_mut() {
                    *noted = true;
                    problems.add(span(event), NotForNix::MultiLineInlineTable);
                }
            }
            _ => {}
        }
        match event.kind() {
            EventKind::ValueSep => comma = Some(span(event)),
            EventKind::Whitespace | EventKind::Newline | EventKind::Comment => {}
            _ => comma = None,
        }
    }
}

/// `\e` and `\xHH` are of TOML 1.1, and a NUL ends a string of Nix.
fn check_strings(text: &str, events: &[Event], problems: &mut Problems) {
    let basic = |event: &&Event| matches!(event.encoding(), Some(Encoding::BasicString | Encoding::MlBasicString));
    for event in events.iter().filter(basic) {
        let Range { start, end } = span(event);
        let mut rest = text.get(start..end).unwrap_or_default();
        while let Some((before, after)) = rest.split_once('\\') {
            let at = end - rest.len() + before.len();
            let escape = |length: usize, problem| (at..(at + length).min(end), problem);
            let found = match after.as_bytes() {
                [b'e', ..] => Some(escape(2, NotForNix::Escape)),
                [b'x', ..] => Some(escape(4, NotForNix::Escape)),
                [b'u', b'0', b'0', b'0', b'0', ..] => Some(escape(6, NotForNix::Nul)),
                [b'U', digits @ ..] if digits.starts_with(b"00000000") => Some(escape(10, NotForNix::Nul)),
                _ => None,
            };
            if let Some((span, problem)) = found {
                problems.add(span, problem);
            }
            // What is escaped may itself be a backslash, so it is stepped over.
            let mut after = after.chars();
            after.next();
            rest = after.as_str();
        }
    }
}

/// `[a]` after `[[a.b]]` is a table that "already exists" to toml11, which takes only those for announced that `[a.b]` has made.
fn check_headers(text: &str, events: &[Event], problems: &mut Problems) {
    let mut first_by_array: BTreeMap<Vec<String>, bool> = BTreeMap::new();
    for header in headers(text, events) {
        if header.array {
            first_by_array.retain(|path, _| !(path.len() > header.path.len() && path.starts_with(&header.path)));
        } else if first_by_array.get(&header.path) == Some(&true) {
            problems.add(header.span.clone(), NotForNix::TableAfterArray);
        }
        for length in 1..header.path.len() {
            first_by_array.entry(header.path[..length].to_vec()).or_insert(header.array);
        }
        first_by_array.insert(header.path, false);
    }
}

/// A header of a table, or of an array's member.
struct Header {
    path: Vec<String>,
    span: Range<usize>,
    array: bool,
}

fn headers(text: &str, events: &[Event]) -> Vec<Header> {
    let source = Source::new(text);
    let mut headers: Vec<Header> = Vec::new();
    let mut inside = false;
    for event in events {
        match event.kind() {
            kind @ (EventKind::StdTableOpen | EventKind::ArrayTableOpen) => {
                inside = true;
                headers.push(Header { path: Vec::new(), span: span(event), array: kind == EventKind::ArrayTableOpen });
            }
            EventKind::StdTableClose | EventKind::ArrayTableClose => {
                inside = false;
                if let Some(header) = headers.last_mut() {
                    header.span.end = span(event).end;
                }
            }
            EventKind::SimpleKey if inside => {
                let mut key = std::borrow::Cow::Borrowed("");
                if let Some(raw) = source.get(event) {
                    raw.decode_key(&mut key, &mut ());
                }
                if let Some(header) = headers.last_mut() {
                    header.path.push(key.into_owned());
                }
            }
            _ => {}
        }
    }
    headers
}

fn span(event: &Event) -> Range<usize> {
    event.span().start()..event.span().end()
}
