//! What bash's parameter expansions do to text.

use std::ops::Range;

use bstr::BString;

use super::super::super::syntax::ast::Anchor;
use super::super::Pattern;

/// `${name/pattern/with}`: always the longest match.
pub(super) fn replace(text: &[u8], pattern: &Pattern, with: &[u8], anchor: Anchor) -> BString {
    let tail = |at: usize| text.get(at..).unwrap_or_default();
    match anchor {
        Anchor::Start => match pattern.prefix(text, true) {
            Some(length) => [with, tail(length)].concat().into(),
            None => text.into(),
        },
        Anchor::End => match pattern.suffix(text, true) {
            Some(start) => [text.get(..start).unwrap_or_default(), with].concat().into(),
            None => text.into(),
        },
        Anchor::First | Anchor::All => {
            let mut result = Vec::new();
            let mut at = 0;
            while let Some(byte) = text.get(at) {
                match pattern.prefix(tail(at), true).filter(|length| *length > 0) {
                    Some(length) => {
                        result.extend_from_slice(with);
                        at += length;
                        if anchor == Anchor::First {
                            break;
                        }
                    }
                    None => {
                        result.push(*byte);
                        at += 1;
                    }
                }
            }
            result.extend_from_slice(tail(at));
            result.into()
        }
    }
}

/// `${name:offset:length}` as a range of what has `total` items; negative numbers count from the end.
pub(super) fn range(total: usize, offset: i64, length: Option<i64>) -> Range<usize> {
    let from_end = |value: i64| if value < 0 { value.saturating_add(total as i64) } else { value };
    let start = from_end(offset).clamp(0, total as i64);
    let end = match length {
        None => total as i64,
        Some(length) if length < 0 => from_end(length),
        Some(length) => start.saturating_add(length),
    };
    start as usize..end.clamp(start, total as i64) as usize
}

/// `${name^}`, `${name^^}`, `${name,}`, `${name,,}`.
pub(super) fn change_case(mut text: BString, upper: bool, all: bool) -> BString {
    let length = if all { text.len() } else { text.len().min(1) };
    if let Some(part) = text.get_mut(..length) {
        if upper { part.make_ascii_uppercase() } else { part.make_ascii_lowercase() }
    }
    text
}
