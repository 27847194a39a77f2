//! POSIX regular expressions (XBD 9, with GNU's escapes) on bytes, by translation for the regex crate.
//!
//! Two differences are known: alternatives are tried in order instead of preferring the longest match, and back
//! references are refused.

use regex::bytes::{Regex, RegexBuilder};

use super::super::eval::class;

/// Larger expressions than any script has.
const SIZE_LIMIT: usize = 1 << 20;

/// A basic regular expression; `None` when it cannot be translated.
pub(in crate::shell) fn basic(pattern: &[u8], ignore_case: bool) -> Option<Regex> {
    compile(&Translator::new(pattern, false).translate()?, ignore_case)
}

/// An extended regular expression; `None` when it cannot be translated.
pub(in crate::shell) fn extended(pattern: &[u8], ignore_case: bool) -> Option<Regex> {
    compile(&Translator::new(pattern, true).translate()?, ignore_case)
}

/// Text that stands for itself.
pub(in crate::shell) fn fixed(text: &[u8]) -> String {
    let mut result = String::new();
    text.iter().for_each(|byte| literal(&mut result, *byte));
    result
}

/// A POSIX expression in the regex crate's own notation.
pub(in crate::shell) fn translated(pattern: &[u8], is_extended: bool) -> Option<String> {
    Translator::new(pattern, is_extended).translate()
}

/// Compiles an expression in the regex crate's own notation.
pub(in crate::shell) fn compile(pattern: &str, ignore_case: bool) -> Option<Regex> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .dot_matches_new_line(true)
        .case_insensitive(ignore_case)
        .size_limit(SIZE_LIMIT)
        .nest_limit(50)
        .build()
        .ok()
}

fn literal(result: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'/' | b'_' | b':' | b',' | b'=' | b'@') {
        result.push(byte.into());
    } else {
        result.push_str(&format!("\\x{byte:02x}"));
    }
}

struct Translator<'p> {
    pattern: &'p [u8],
    at: usize,
    extended: bool,
    result: String,
    /// At the start of an expression or group, where `*` is literal and `^` an anchor.
    at_start: bool,
}

impl<'p> Translator<'p> {
    fn new(pattern: &'p [u8], extended: bool) -> Self {
        Self { pattern, at: 0, extended, result: String::new(), at_start: true }
    }

    fn rest(&self) -> &'p [u8] {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    fn translate(mut self) -> Option<String> {
        while let Some(byte) = self.pattern.get(self.at).copied() {
            self.at += 1;
            let started = std::mem::replace(&mut self.at_start, false);
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.bracket()?,
                b'.' => self.result.push('.'),
                b'*' if started => literal(&mut self.result, b'*'),
                b'*' => self.result.push('*'),
                b'^' if started || self.extended => {
                    self.result.push('^');
                    self.at_start = !self.extended;
                }
                b'$' if self.extended || self.is_last() => self.result.push('$'),
                b'(' | b'|' if self.extended => {
                    self.result.push(byte.into());
                    self.at_start = true;
                }
                b')' if self.extended => self.result.push(')'),
                b'+' | b'?' if self.extended && !started => self.result.push(byte.into()),
                b'{' if self.extended && !started => self.interval(b"}")?,
                _ => literal(&mut self.result, byte),
            }
        }
        Some(self.result)
    }

    fn is_last(&self) -> bool {
        let rest = self.rest();
        rest.is_empty() || rest.starts_with(b"\\)") || rest.starts_with(b"\\|")
    }

    fn escape(&mut self) -> Option<()> {
        let byte = self.pattern.get(self.at).copied()?;
        self.at += 1;
        match byte {
            b'(' | b'|' if !self.extended => {
                self.result.push(byte.into());
                self.at_start = true;
            }
            b')' | b'+' | b'?' if !self.extended => self.result.push(byte.into()),
            b'{' if !self.extended => self.interval(b"\\}")?,
            b'1'..=b'9' => return None,
            b'w' | b'W' | b's' | b'S' | b'b' | b'B' => {
                self.result.push('\\');
                self.result.push(byte.into());
            }
            b'<' => self.result.push_str(r"\b{start}"),
            b'>' => self.result.push_str(r"\b{end}"),
            b'`' => self.result.push_str(r"\A"),
            b'\'' => self.result.push_str(r"\z"),
            b'n' => literal(&mut self.result, b'\n'),
            b't' => literal(&mut self.result, b'\t'),
            _ => literal(&mut self.result, byte),
        }
        Some(())
    }

    /// `{n,m}`; in extended expressions a brace that starts none is literal.
    fn interval(&mut self, end: &[u8]) -> Option<()> {
        let rest = self.rest();
        let length = rest.windows(end.len()).position(|window| window == end);
        let bounds = length.and_then(|length| rest.get(..length)).filter(|bounds| {
            !bounds.is_empty() && bounds.iter().all(|byte| byte.is_ascii_digit() || *byte == b',') && bounds.len() < 8
        });
        match bounds {
            Some(bounds) => {
                let text = std::str::from_utf8(bounds).ok()?;
                let text = if text.starts_with(',') { format!("0{text}") } else { text.to_owned() };
                self.result.push_str(&format!("{{{text}}}"));
                self.at += bounds.len() + end.len();
                Some(())
            }
            None if self.extended => {
                literal(&mut self.result, b'{');
                Some(())
            }
            None => None,
        }
    }

    /// A bracket expression after its `[`.
    fn bracket(&mut self) -> Option<()> {
        let mut members = String::new();
        let negated = self.rest().first() == Some(&b'^');
        if negated {
            self.at += 1;
        }
        let start = self.at;
        loop {
            let byte = *self.pattern.get(self.at)?;
            if byte == b']' && self.at > start {
                self.at += 1;
                break;
            }
            if let Some(rest) = self.rest().strip_prefix(b"[:") {
                let length = rest.windows(2).position(|window| window == b":]")?;
                let name = rest.get(..length)?;
                class(name)?;
                members.push_str(&format!("[:{}:]", std::str::from_utf8(name).ok()?));
                self.at += length + 4;
                continue;
            }
            let low = self.member()?;
            literal(&mut members, low);
            if self.rest().first() == Some(&b'-') && self.rest().get(1).is_some_and(|byte| *byte != b']') {
                self.at += 1;
                let high = self.member()?;
                members.push('-');
                literal(&mut members, high);
            }
        }
        self.result.push_str(if negated { "[^" } else { "[" });
        self.result.push_str(&members);
        self.result.push(']');
        Some(())
    }

    /// One character of a bracket expression; GNU sed reads `\n` and `\t` there.
    fn member(&mut self) -> Option<u8> {
        let byte = *self.pattern.get(self.at)?;
        self.at += 1;
        Some(match (byte, self.rest().first()) {
            (b'\\', Some(b'n')) => {
                self.at += 1;
                b'\n'
            }
            (b'\\', Some(b't')) => {
                self.at += 1;
                b'\t'
            }
            _ => byte,
        })
    }
}
