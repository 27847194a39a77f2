//! Pattern matching notation (XCU 2.13), on bytes as dash does.

use super::expand::Char;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::shell) struct Pattern {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Byte(u8),
    Any,
    Star,
    Set { negated: bool, ranges: Vec<(u8, u8)>, classes: Vec<fn(&u8) -> bool> },
}

impl Item {
    fn accepts(&self, byte: u8) -> bool {
        match self {
            Item::Byte(own) => *own == byte,
            Item::Any => true,
            Item::Star => false,
            Item::Set { negated, ranges, classes } => {
                let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte))
                    || classes.iter().any(|class| class(&byte));
                within != *negated
            }
        }
    }
}

impl Pattern {
    /// From text where everything special is special, as in `find -name`; a backslash quotes.
    pub(in crate::shell) fn new(text: &[u8]) -> Self {
        let chars: Vec<Char> = text.iter().map(|byte| Char::literal(*byte)).collect();
        Self::from_chars(&chars)
    }

    /// From expanded text, where quoted characters stand for themselves.
    pub(super) fn from_chars(chars: &[Char]) -> Self {
        let chars: Vec<Char> = chars.iter().copied().filter(|char| char.is_text()).collect();
        let mut items = Vec::new();
        let mut at = 0;
        while let Some(char) = chars.get(at) {
            at += 1;
            items.push(match char.byte {
                byte if char.is_quoted() => Item::Byte(byte),
                b'*' if items.last() == Some(&Item::Star) => continue,
                b'*' => Item::Star,
                b'?' => Item::Any,
                b'[' => match set(chars.get(at..).unwrap_or_default()) {
                    Some((item, length)) => {
                        at += length;
                        item
                    }
                    None => Item::Byte(b'['),
                },
                b'\\' => match chars.get(at) {
                    Some(next) => {
                        at += 1;
                        Item::Byte(next.byte)
                    }
                    None => Item::Byte(b'\\'),
                },
                byte => Item::Byte(byte),
            });
        }
        Self { items }
    }

    /// Whether the whole text matches.
    pub(in crate::shell) fn matches(&self, text: &[u8]) -> bool {
        let (mut item, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match (self.items.get(item), text.get(at)) {
                (Some(Item::Star), _) => {
                    retry = Some((item + 1, at));
                    item += 1;
                }
                (None, None) => return true,
                (Some(own), Some(byte)) if own.accepts(*byte) => {
                    item += 1;
                    at += 1;
                }
                _ => match retry {
                    Some((after, start)) if start < text.len() => {
                        retry = Some((after, start + 1));
                        (item, at) = (after, start + 1);
                    }
                    _ => return false,
                },
            }
        }
    }

    /// The length of the shortest or longest start of `text` that matches.
    pub(super) fn prefix(&self, text: &[u8], longest: bool) -> Option<usize> {
        let fits = |length: &usize| self.matches(text.get(..*length).unwrap_or_default());
        if longest { (0..=text.len()).rev().find(fits) } else { (0..=text.len()).find(fits) }
    }

    /// Where the shortest or longest end of `text` that matches starts.
    pub(super) fn suffix(&self, text: &[u8], longest: bool) -> Option<usize> {
        let fits = |start: &usize| self.matches(text.get(*start..).unwrap_or_default());
        if longest { (0..=text.len()).find(fits) } else { (0..=text.len()).rev().find(fits) }
    }

    /// Whether nothing in it is special.
    pub(super) fn is_plain(&self) -> bool {
        self.items.iter().all(|item| matches!(item, Item::Byte(_)))
    }

    /// Whether it matches a leading dot explicitly, as file names demand.
    pub(super) fn starts_with_dot(&self) -> bool {
        self.items.first() == Some(&Item::Byte(b'.'))
    }
}

/// A bracket expression after its `[`, and how many characters it takes; `None` when it is not closed.
fn set(chars: &[Char]) -> Option<(Item, usize)> {
    let mut at = 0;
    let negated = chars.first().is_some_and(|char| !char.is_quoted() && matches!(char.byte, b'!' | b'^'));
    if negated {
        at += 1;
    }
    let (mut ranges, mut classes) = (Vec::new(), Vec::new());
    let start = at;
    loop {
        let char = chars.get(at)?;
        if char.byte == b']' && !char.is_quoted() && at > start {
            return Some((Item::Set { negated, ranges, classes }, at + 1));
        }
        if char.byte == b'[' && !char.is_quoted() && chars.get(at + 1).is_some_and(|next| next.byte == b':') {
            let name: Vec<u8> =
                chars.get(at + 2..)?.iter().map(|char| char.byte).take_while(|byte| *byte != b':').collect();
            if let Some(class) = class(&name) {
                classes.push(class);
                at += name.len() + 4;
                continue;
            }
        }
        let mut low = char.byte;
        if low == b'\\' && !char.is_quoted() {
            at += 1;
            low = chars.get(at)?.byte;
        }
        at += 1;
        let high = match (chars.get(at), chars.get(at + 1)) {
            (Some(dash), Some(high)) if dash.byte == b'-' && !dash.is_quoted() && high.byte != b']' => {
                at += 2;
                high.byte
            }
            _ => low,
        };
        ranges.push((low, high));
    }
}

/// The test of a character class, in the C locale.
pub(in crate::shell) fn class(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alpha" => u8::is_ascii_alphabetic,
        b"digit" => u8::is_ascii_digit,
        b"alnum" => u8::is_ascii_alphanumeric,
        b"upper" => u8::is_ascii_uppercase,
        b"lower" => u8::is_ascii_lowercase,
        b"space" => |byte| byte.is_ascii_whitespace() || *byte == 0x0b,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"punct" => u8::is_ascii_punctuation,
        b"print" => |byte| (0x20..0x7f).contains(byte),
        b"graph" => u8::is_ascii_graphic,
        b"cntrl" => u8::is_ascii_control,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}
