//! The script of `sed`.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use regex::bytes::Regex;

use super::super::regex::{basic, extended};
use super::{Action, Address, Command, Piece, Substitution};

/// Longer scripts than any package has.
const MAX_COMMANDS: usize = 10_000;

/// Parses a script; the error names what is not understood.
pub(super) fn parse(script: &[u8], is_extended: bool) -> Result<Vec<Command>, BString> {
    let mut parser = Parser {
        script,
        at: 0,
        is_extended,
        commands: Vec::new(),
        blocks: Vec::new(),
        labels: BTreeMap::new(),
        jumps: Vec::new(),
    };
    parser.commands()?;
    parser.finish()
}

struct Parser<'s> {
    script: &'s [u8],
    at: usize,
    is_extended: bool,
    commands: Vec<Command>,
    blocks: Vec<usize>,
    labels: BTreeMap<BString, usize>,
    jumps: Vec<(usize, BString)>,
}

impl<'s> Parser<'s> {
    fn peek(&self) -> Option<u8> {
        self.script.get(self.at).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn blanks(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\t'));
    }

    fn bad<T>(&self) -> Result<T, BString> {
        Err(self.script.into())
    }

    fn commands(&mut self) -> Result<(), BString> {
        loop {
            self.skip(|byte| byte.is_ascii_whitespace() || byte == b';');
            let Some(byte) = self.peek() else { return Ok(()) };
            if byte == b'#' {
                self.skip(|byte| byte != b'\n');
                continue;
            }
            if self.commands.len() >= MAX_COMMANDS {
                return self.bad();
            }
            let mut addresses = Vec::new();
            if let Some(first) = self.address(false)? {
                addresses.push(first);
                self.blanks();
                if self.peek() == Some(b',') {
                    self.at += 1;
                    self.blanks();
                    let Some(second) = self.address(true)? else { return self.bad() };
                    addresses.push(second);
                }
            }
            self.blanks();
            let negated = self.peek() == Some(b'!');
            self.skip(|byte| matches!(byte, b'!' | b' ' | b'\t'));
            let action = self.action()?;
            self.commands.push(Command { addresses, negated, action });
            self.end()?;
        }
    }

    /// What may follow a command.
    fn end(&mut self) -> Result<(), BString> {
        self.blanks();
        match self.peek() {
            None | Some(b';' | b'\n' | b'}' | b'#') => Ok(()),
            _ if matches!(self.commands.last(), Some(Command { action: Action::Block { .. }, .. })) => Ok(()),
            _ => self.bad(),
        }
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_digit());
        self.script.get(start..self.at)?.to_str().ok()?.parse().ok()
    }

    fn address(&mut self, second: bool) -> Result<Option<Address>, BString> {
        Ok(match self.peek() {
            Some(b'$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some(b'+') if second => {
                self.at += 1;
                self.number().map(Address::Plus)
            }
            Some(byte) if byte.is_ascii_digit() => {
                let Some(line) = self.number() else { return self.bad() };
                if self.peek() == Some(b'~') && !second {
                    self.at += 1;
                    let step = self.number().unwrap_or(0);
                    return Ok(Some(Address::Step(line, step)));
                }
                Some(Address::Line(line))
            }
            Some(b'/') => {
                self.at += 1;
                self.match_address(b'/')?
            }
            Some(b'\\') => {
                self.at += 1;
                let Some(delimiter) = self.bump() else { return self.bad() };
                self.match_address(delimiter)?
            }
            _ => None,
        })
    }

    fn match_address(&mut self, delimiter: u8) -> Result<Option<Address>, BString> {
        let text = self.delimited(delimiter, true)?;
        let ignore_case = self.peek() == Some(b'I');
        self.skip(|byte| byte == b'I' || byte == b'M');
        Ok(Some(Address::Match(self.regex(&text, ignore_case)?)))
    }

    fn regex(&self, text: &[u8], ignore_case: bool) -> Result<Option<Regex>, BString> {
        if text.is_empty() {
            return Ok(None);
        }
        let compiled = if self.is_extended { extended(text, ignore_case) } else { basic(text, ignore_case) };
        compiled.map(Some).ok_or_else(|| text.into())
    }

    /// Text up to a delimiter; an escaped delimiter stands for itself. Brackets hide it in expressions.
    fn delimited(&mut self, delimiter: u8, is_regex: bool) -> Result<Vec<u8>, BString> {
        let mut text = Vec::new();
        let mut in_brackets = false;
        let mut bracket_start = 0;
        loop {
            let Some(byte) = self.bump() else { return self.bad() };
            match byte {
                b'\\' if !in_brackets => {
                    let Some(next) = self.bump() else { return self.bad() };
                    if next == delimiter && !(is_regex && b".*[]^$+?(){}|".contains(&delimiter)) {
                        // In a replacement `\&` stays special when the delimiter is not involved.
                        text.push(delimiter);
                    } else {
                        text.extend_from_slice(&[b'\\', next]);
                    }
                }
                b'[' if is_regex && !in_brackets => {
                    in_brackets = true;
                    text.push(byte);
                    bracket_start = text.len() + usize::from(self.peek() == Some(b'^'));
                }
                b']' if in_brackets && text.len() > bracket_start => {
                    in_brackets = false;
                    text.push(byte);
                }
                b'[' if in_brackets && self.peek() == Some(b':') => {
                    let rest = self.script.get(self.at..).unwrap_or_default();
                    let length = rest.find(b":]").map_or(0, |length| length + 2);
                    text.push(b'[');
                    text.extend_from_slice(rest.get(..length).unwrap_or_default());
                    self.at += length;
                }
                // GNU ends an expression at the delimiter even inside brackets only when they are never closed.
                byte if byte == delimiter && !in_brackets => return Ok(text),
                b'\n' if is_regex && in_brackets => return self.bad(),
                byte => text.push(byte),
            }
        }
    }

    fn action(&mut self) -> Result<Action, BString> {
        let Some(letter) = self.bump() else { return self.bad() };
        Ok(match letter {
            b'{' => {
                self.blocks.push(self.commands.len());
                Action::Block { end: 0 }
            }
            b'}' => {
                let Some(start) = self.blocks.pop() else { return self.bad() };
                let place = self.commands.len();
                if let Some(Command { action: Action::Block { end }, .. }) = self.commands.get_mut(start) {
                    *end = place;
                }
                Action::BlockEnd
            }
            b's' => Action::Substitute(self.substitution()?),
            b'y' => {
                let Some(delimiter) = self.bump() else { return self.bad() };
                let (from, to) = (self.delimited(delimiter, false)?, self.delimited(delimiter, false)?);
                let (from, to) = (unescape(&from), unescape(&to));
                if from.len() != to.len() {
                    return self.bad();
                }
                Action::Transliterate(from, to)
            }
            b'a' => Action::Append(self.text()),
            b'i' => Action::Insert(self.text()),
            b'c' => Action::Change(self.text()),
            b'd' => Action::Delete,
            b'D' => Action::DeleteFirst,
            b'p' => Action::Print,
            b'P' => Action::PrintFirst,
            b'=' => Action::LineNumber,
            b'n' => Action::Next,
            b'N' => Action::NextAppend,
            b'h' => Action::Hold,
            b'H' => Action::HoldAppend,
            b'g' => Action::Get,
            b'G' => Action::GetAppend,
            b'x' => Action::Exchange,
            b'q' | b'Q' => {
                self.blanks();
                let code = self.number().unwrap_or(0) as u8;
                if letter == b'q' { Action::Quit(code) } else { Action::QuitSilently(code) }
            }
            b':' => {
                self.blanks();
                let label = self.label();
                self.labels.insert(label, self.commands.len());
                Action::Label
            }
            b'b' | b't' => {
                self.blanks();
                let label = self.label();
                if !label.is_empty() {
                    self.jumps.push((self.commands.len(), label));
                }
                if letter == b'b' { Action::Branch(usize::MAX) } else { Action::BranchIfSubstituted(usize::MAX) }
            }
            b'r' | b'w' => {
                self.blanks();
                let start = self.at;
                self.skip(|byte| byte != b'\n');
                let name = BString::from(self.script.get(start..self.at).unwrap_or_default());
                if letter == b'r' { Action::Read(name) } else { Action::Write(name) }
            }
            _ => return Err([letter].as_slice().into()),
        })
    }

    fn label(&mut self) -> BString {
        let start = self.at;
        self.skip(|byte| !matches!(byte, b'\n' | b';' | b'}' | b' '));
        self.script.get(start..self.at).unwrap_or_default().into()
    }

    /// The text of `a`, `i` and `c`: GNU's one-line form, or after a backslash and newline.
    fn text(&mut self) -> BString {
        self.blanks();
        if self.peek() == Some(b'\\') {
            self.at += 1;
            self.blanks();
            if self.peek() == Some(b'\n') {
                self.at += 1;
            }
            // `$a\` with nothing after it only ends a last line that lacks its newline.
            if self.peek().is_none() {
                return BString::default();
            }
        }
        let mut text = BString::default();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\n' => {
                    self.at -= 1;
                    break;
                }
                b'\\' => match self.bump() {
                    Some(b't') => text.push(b'\t'),
                    Some(b'n') if !text.is_empty() => text.push(b'\n'),
                    Some(next) => text.push(next),
                    None => {}
                },
                _ => text.push(byte),
            }
        }
        text.push(b'\n');
        text
    }

    fn substitution(&mut self) -> Result<Substitution, BString> {
        let Some(delimiter) = self.bump() else { return self.bad() };
        let pattern = self.delimited(delimiter, true)?;
        let replacement = self.delimited(delimiter, false)?;
        let mut substitution = Substitution {
            regex: None,
            replacement: pieces(&replacement),
            global: false,
            print: false,
            number: 1,
            file: None,
        };
        let mut ignore_case = false;
        loop {
            match self.peek() {
                Some(b'g') => substitution.global = true,
                Some(b'p') => substitution.print = true,
                Some(b'i' | b'I') => ignore_case = true,
                Some(byte) if byte.is_ascii_digit() => {
                    substitution.number = self.number().unwrap_or(1).max(1);
                    continue;
                }
                Some(b'w') => {
                    self.at += 1;
                    self.blanks();
                    let start = self.at;
                    self.skip(|byte| byte != b'\n');
                    substitution.file = self.script.get(start..self.at).map(BString::from);
                    break;
                }
                Some(b'e' | b'm' | b'M') => return Err("s///e".into()),
                _ => break,
            }
            self.at += 1;
        }
        substitution.regex = self.regex(&pattern, ignore_case)?;
        Ok(substitution)
    }

    fn finish(mut self) -> Result<Vec<Command>, BString> {
        if !self.blocks.is_empty() {
            return self.bad();
        }
        for (at, label) in std::mem::take(&mut self.jumps) {
            let Some(place) = self.labels.get(&label).copied() else { return Err(label) };
            if let Some(Command { action: Action::Branch(target) | Action::BranchIfSubstituted(target), .. }) =
                self.commands.get_mut(at)
            {
                *target = place;
            }
        }
        Ok(self.commands)
    }
}

/// The strings of `y`.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => result.push(b'\n'),
                Some(b't') => result.push(b'\t'),
                Some(next) => result.push(next),
                None => result.push(b'\\'),
            },
            _ => result.push(byte),
        }
    }
    result
}

fn pieces(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut bytes = text.iter().copied();
    let mut push = |literal: &mut Vec<u8>, piece: Option<Piece>| {
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(literal)));
        }
        pieces.extend(piece);
    };
    while let Some(byte) = bytes.next() {
        match byte {
            b'&' => push(&mut literal, Some(Piece::Group(0))),
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => push(&mut literal, Some(Piece::Group(usize::from(digit - b'0')))),
                Some(b'n') => literal.push(b'\n'),
                Some(b't') => literal.push(b'\t'),
                Some(b'U') => push(&mut literal, Some(Piece::Upper)),
                Some(b'L') => push(&mut literal, Some(Piece::Lower)),
                Some(b'u') => push(&mut literal, Some(Piece::UpperNext)),
                Some(b'l') => push(&mut literal, Some(Piece::LowerNext)),
                Some(b'E') => push(&mut literal, Some(Piece::EndCase)),
                Some(next) => literal.push(next),
                None => literal.push(b'\\'),
            },
            _ => literal.push(byte),
        }
    }
    push(&mut literal, None);
    pieces
}
