//! Reading a script byte by byte: blanks, comments, line counting and the bound on nesting.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::ast::Word;
use crate::shell::ShellError;

/// Deeper nesting than any package's script has; keeps recursion, here and in evaluation, within bounds.
const MAX_NESTING: u32 = 100;

/// Which shell a script is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `#!/bin/sh`: dash.
    Posix,
    /// `#!/bin/bash`.
    Bash,
}

/// A here-document whose body comes after the current line.
pub(super) struct PendingHeredoc {
    pub(super) delimiter: BString,
    pub(super) quoted: bool,
    pub(super) strip_tabs: bool,
    pub(super) body: Rc<OnceCell<Word>>,
}

/// A recursive-descent parser without a separate lexer: what a character means in shell depends on where it stands.
pub(crate) struct Parser<'s> {
    pub(super) source: &'s [u8],
    pub(super) position: usize,
    pub(super) line: u32,
    pub(super) dialect: Dialect,
    pub(super) heredocs: Vec<PendingHeredoc>,
    nesting: u32,
}

impl<'s> Parser<'s> {
    /// A parser at the start of a script.
    pub(crate) fn new(source: &'s [u8], dialect: Dialect) -> Self {
        Self { source, position: 0, line: 1, dialect, heredocs: Vec::new(), nesting: 0 }
    }

    /// A parser of a part that had to be taken out first: backquotes, the body of a here-document.
    pub(super) fn inner<'t>(&self, source: &'t [u8], line: u32) -> Parser<'t> {
        Parser { source, position: 0, line, dialect: self.dialect, heredocs: Vec::new(), nesting: self.nesting + 1 }
    }

    pub(super) fn rest(&self) -> &'s [u8] {
        self.source.get(self.position..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.source.get(self.position).copied()
    }

    pub(super) fn peek_at(&self, offset: usize) -> Option<u8> {
        self.source.get(self.position + offset).copied()
    }

    pub(super) fn at_end(&self) -> bool {
        self.position >= self.source.len()
    }

    pub(super) fn looking_at(&self, text: &[u8]) -> bool {
        self.rest().starts_with(text)
    }

    /// Takes the next byte.
    pub(super) fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        if byte == b'\n' {
            self.line += 1;
        }
        Some(byte)
    }

    /// Takes `text` if it comes next.
    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.looking_at(text);
        if found {
            self.line += text.iter().filter(|byte| **byte == b'\n').count() as u32;
            self.position += text.len();
        }
        found
    }

    /// Takes bytes as long as they satisfy `wanted`.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'s [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
        self.position += length;
        let taken = &rest[..length];
        self.line += taken.iter().filter(|byte| **byte == b'\n').count() as u32;
        taken
    }

    /// Skips blanks, joined lines and a comment.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.position += 1,
                Some(b'\\') if self.peek_at(1) == Some(b'\n') => _ = self.eat(b"\\\n"),
                Some(b'#') => _ = self.take_while(|byte| byte != b'\n'),
                _ => return,
            }
        }
    }

    /// Takes one newline and the here-documents that start after it.
    pub(super) fn newline(&mut self) -> Result<bool, ShellError> {
        if !self.eat(b"\n") {
            return Ok(false);
        }
        self.read_heredocs()?;
        Ok(true)
    }

    /// Skips blanks, comments and newlines.
    pub(super) fn skip_lines(&mut self) -> Result<(), ShellError> {
        self.skip_blanks();
        while self.newline()? {
            self.skip_blanks();
        }
        Ok(())
    }

    pub(super) fn syntax<T>(&self, message: impl Into<String>) -> Result<T, ShellError> {
        Err(ShellError::Syntax { message: message.into(), line: self.line })
    }

    /// The error of finding something else than `wanted`.
    pub(super) fn expected<T>(&self, wanted: &str) -> Result<T, ShellError> {
        let found = match self.peek() {
            None => "the end of the script".to_owned(),
            Some(b'\n') => "the end of the line".to_owned(),
            Some(_) => format!(
                "`{}`",
                self.rest().get(..12).unwrap_or(self.rest()).lines().next().unwrap_or_default().as_bstr()
            ),
        };
        self.syntax(format!("expected {wanted}, found {found}"))
    }

    /// Runs `parse` one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, ShellError>,
    ) -> Result<T, ShellError> {
        if self.nesting >= MAX_NESTING {
            return Err(ShellError::Limit { limit: format!("{MAX_NESTING} nested commands"), line: self.line });
        }
        self.nesting += 1;
        let parsed = stacker::maybe_grow(128 << 10, 1 << 20, || parse(self));
        self.nesting -= 1;
        parsed
    }
}

/// Whether a byte ends an unquoted word (XCU 2.3).
pub(super) fn is_meta(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')')
}

/// Whether the bytes are a variable's name (XBD 3.216).
pub(crate) fn is_name(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| !byte.is_ascii_digit())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
