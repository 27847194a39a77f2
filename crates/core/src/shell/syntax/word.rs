//! Words: quoting and the start of expansions (XCU 2.2, 2.6).

use std::rc::Rc;

use bstr::BString;

use super::ast::{Part, Word};
use super::cursor::{Dialect, Parser, is_meta};
use crate::shell::ShellError;

/// Where a run of parts stands, which decides what is special in it and what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// An ordinary word, up to an unquoted metacharacter.
    Word,
    /// The value of an assignment: as a word, and a tilde may follow a colon.
    Assignment,
    /// In double quotes, up to the closing one.
    DoubleQuotes,
    /// The body of a here-document, to its end.
    Heredoc,
    /// The word of `${name-word}`, up to `}`; `quoted` when the whole stands in double quotes.
    Braces { quoted: bool },
    /// bash: the pattern of `${name/pattern/with}`, up to `/` or `}`.
    ReplacePattern,
    /// bash: the offset of `${name:offset:length}`, up to `:` or `}`.
    SliceOffset,
    /// bash: an index, up to `]`.
    Index,
    /// An arithmetic expression, up to `))`.
    Arithmetic,
    /// bash: the right side of `=~`, up to a blank.
    Regex,
}

impl Context {
    /// Whether quotes have no meaning because the whole is quoted already.
    fn is_quoted(self) -> bool {
        matches!(
            self,
            Context::DoubleQuotes | Context::Heredoc | Context::Arithmetic | Context::Braces { quoted: true }
        )
    }
}

/// Gathers parts, joining neighbouring text.
#[derive(Default)]
struct Parts {
    parts: Vec<Part>,
    literal: BString,
}

impl Parts {
    fn push(&mut self, part: Part) {
        self.flush();
        self.parts.push(part);
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.literal)));
        }
    }

    fn finish(mut self) -> Vec<Part> {
        self.flush();
        self.parts
    }
}

impl Parser<'_> {
    /// A word; it must not be empty.
    pub(super) fn word(&mut self) -> Result<Word, ShellError> {
        let start = self.position;
        let word = self.word_in(Context::Word)?;
        if self.position == start {
            return self.expected("a word");
        }
        Ok(word)
    }

    /// The parts up to what ends `context`, which is not taken.
    pub(super) fn word_in(&mut self, context: Context) -> Result<Word, ShellError> {
        self.nested(|parser| Ok(Word { parts: parser.parts(context)? }))
    }

    pub(super) fn heredoc_body(&mut self) -> Result<Word, ShellError> {
        self.word_in(Context::Heredoc)
    }

    fn parts(&mut self, context: Context) -> Result<Vec<Part>, ShellError> {
        let mut parts = Parts::default();
        let mut parentheses = 0_u32;
        self.tilde(context, &mut parts);
        while let Some(byte) = self.peek() {
            if parentheses == 0 && self.ends(context, byte) {
                return Ok(parts.finish());
            }
            match byte {
                b'\\' => self.backslash(context, &mut parts),
                b'\'' if !context.is_quoted() => {
                    let text = self.single_quoted()?;
                    parts.push(Part::Quoted(text));
                }
                b'"' if context == Context::Arithmetic => self.position += 1,
                b'"' if !matches!(context, Context::Heredoc | Context::DoubleQuotes) => {
                    self.position += 1;
                    let inner = self.word_in(Context::DoubleQuotes)?.parts;
                    if !self.eat(b"\"") {
                        return self.expected("`\"`");
                    }
                    parts.push(Part::DoubleQuoted(inner));
                }
                b'`' => {
                    let part = self.backquotes(context)?;
                    parts.push(part);
                }
                b'$' => match self.dollar(context)? {
                    Some(part) => parts.push(part),
                    None => parts.literal.push(b'$'),
                },
                _ => {
                    match byte {
                        b'(' if context == Context::Arithmetic || context == Context::Regex => parentheses += 1,
                        b')' if context == Context::Arithmetic || context == Context::Regex => {
                            parentheses = parentheses.saturating_sub(1);
                        }
                        _ => {}
                    }
                    self.bump();
                    parts.literal.push(byte);
                    if byte == b':' && context == Context::Assignment {
                        self.tilde(context, &mut parts);
                    }
                }
            }
        }
        match context {
            Context::Word | Context::Assignment | Context::Heredoc | Context::Regex => Ok(parts.finish()),
            Context::DoubleQuotes => self.expected("`\"`"),
            Context::Arithmetic => self.expected("`))`"),
            Context::Index => self.expected("`]`"),
            _ => self.expected("`}`"),
        }
    }

    fn ends(&self, context: Context, byte: u8) -> bool {
        match context {
            Context::Word | Context::Assignment => is_meta(byte),
            Context::DoubleQuotes => byte == b'"',
            Context::Heredoc => false,
            Context::Braces { .. } => byte == b'}',
            Context::ReplacePattern => matches!(byte, b'}' | b'/'),
            Context::SliceOffset => matches!(byte, b'}' | b':'),
            Context::Index => byte == b']',
            Context::Arithmetic => self.looking_at(b"))"),
            Context::Regex => matches!(byte, b' ' | b'\t' | b'\n'),
        }
    }

    /// A tilde prefix, where one may stand.
    fn tilde(&mut self, context: Context, parts: &mut Parts) {
        if !matches!(context, Context::Word | Context::Assignment | Context::Braces { quoted: false })
            || self.peek() != Some(b'~')
        {
            return;
        }
        let rest = self.rest().get(1..).unwrap_or_default();
        let is_end =
            |byte: u8| byte == b'/' || self.ends(context, byte) || (byte == b':' && context == Context::Assignment);
        let length = rest.iter().position(|byte| is_end(*byte)).unwrap_or(rest.len());
        let user = &rest[..length];
        if user.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
            parts.push(Part::Tilde(user.into()));
            self.position += 1 + length;
        }
    }

    fn backslash(&mut self, context: Context, parts: &mut Parts) {
        self.position += 1;
        let Some(next) = self.peek() else {
            parts.literal.push(b'\\');
            return;
        };
        if next == b'\n' {
            self.bump();
            return;
        }
        let special = match context {
            Context::DoubleQuotes => matches!(next, b'$' | b'`' | b'"' | b'\\'),
            Context::Heredoc | Context::Arithmetic => matches!(next, b'$' | b'`' | b'\\'),
            Context::Braces { quoted: true } => matches!(next, b'$' | b'`' | b'"' | b'\\' | b'}'),
            _ => true,
        };
        if special {
            self.bump();
            parts.push(Part::Quoted([next].as_slice().into()));
        } else {
            parts.literal.push(b'\\');
        }
    }

    fn single_quoted(&mut self) -> Result<BString, ShellError> {
        self.position += 1;
        let text = self.take_while(|byte| byte != b'\'');
        if !self.eat(b"'") {
            return self.expected("`'`");
        }
        Ok(text.into())
    }

    /// What `$` starts; `None` when it stands for itself.
    fn dollar(&mut self, context: Context) -> Result<Option<Part>, ShellError> {
        if self.looking_at(b"$((") {
            let (position, line) = (self.position, self.line);
            self.position += 3;
            if let Ok(word) = self.word_in(Context::Arithmetic)
                && self.eat(b"))")
            {
                return Ok(Some(Part::Arithmetic(word.parts)));
            }
            // `$( (...) ...)` written without the blank.
            (self.position, self.line) = (position, line);
        }
        if self.eat(b"$(") {
            return self.command_substitution().map(Some);
        }
        if self.dialect == Dialect::Bash && !context.is_quoted() {
            if self.looking_at(b"$'") {
                self.position += 1;
                return self.ansi_quoted().map(Some);
            }
            if self.looking_at(b"$\"") {
                self.position += 1;
                return Ok(Some(Part::Literal(BString::default())));
            }
        }
        self.position += 1;
        self.parameter(context.is_quoted())
    }

    fn command_substitution(&mut self) -> Result<Part, ShellError> {
        // Here-documents of the outer line wait for its own end.
        let outer = std::mem::take(&mut self.heredocs);
        let list = self.nested(Self::list)?;
        if !self.eat(b")") {
            return self.expected("`)`");
        }
        self.heredocs.splice(0..0, outer);
        Ok(Part::Command(Rc::new(list)))
    }

    /// The old form of command substitution: its text is unescaped first, then parsed on its own.
    fn backquotes(&mut self, context: Context) -> Result<Part, ShellError> {
        let line = self.line;
        self.position += 1;
        let mut text = Vec::new();
        loop {
            match self.bump() {
                None => return self.expected("a closing backquote"),
                Some(b'`') => break,
                Some(b'\\') => match self.peek() {
                    Some(next @ (b'$' | b'`' | b'\\')) => {
                        self.position += 1;
                        text.push(next);
                    }
                    Some(b'"') if context == Context::DoubleQuotes => {
                        self.position += 1;
                        text.push(b'"');
                    }
                    _ => text.push(b'\\'),
                },
                Some(byte) => text.push(byte),
            }
        }
        let mut inner = self.inner(&text, line);
        let list = inner.nested(|inner| inner.list())?;
        if !inner.at_end() {
            return inner.expected("a command");
        }
        Ok(Part::Command(Rc::new(list)))
    }

    /// bash's `$'...'`.
    fn ansi_quoted(&mut self) -> Result<Part, ShellError> {
        self.position += 1;
        let mut text = Vec::new();
        loop {
            match self.bump() {
                None => return self.expected("`'`"),
                Some(b'\'') => return Ok(Part::Quoted(text.into())),
                Some(b'\\') => {
                    text.push(b'\\');
                    text.extend(self.bump());
                }
                Some(byte) => text.push(byte),
            }
            if let [.., b'\\', escaped] = text[..] {
                let plain = match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'e' => 0x1b,
                    b'a' => 7,
                    b'\\' | b'\'' | b'"' => escaped,
                    _ => {
                        return Err(ShellError::Unsupported {
                            construct: "an escape in $'...'".into(),
                            line: self.line,
                        });
                    }
                };
                text.truncate(text.len() - 2);
                text.push(plain);
            }
        }
    }
}
