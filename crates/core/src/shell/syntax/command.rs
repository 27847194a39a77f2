//! Lists, pipelines, simple commands and redirections (XCU 2.9, 2.7).

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::ByteSlice;

use super::ast::{
    AndOr, AssignedValue, Assignment, Command, CommandKind, DuplicateDirection, List, ListItem, Part, Pipeline,
    Redirect, RedirectKind, Simple, Word,
};
use super::cursor::{Dialect, Parser, PendingHeredoc, is_meta, is_name};
use super::word::Context;
use crate::shell::ShellError;

/// Reserved words that end a list instead of starting a command.
const CLOSERS: [&[u8]; 8] = [b"then", b"else", b"elif", b"fi", b"do", b"done", b"esac", b"}"];

impl Parser<'_> {
    /// The next complete command of a script; `None` at its end. Scripts are read as they are run: what follows an
    /// `exit` need not be shell.
    ///
    /// # Errors
    /// [`ShellError::Syntax`], or [`ShellError::Limit`] for too deep nesting.
    pub(crate) fn next_command(&mut self) -> Result<Option<List>, ShellError> {
        self.skip_lines()?;
        if self.at_end() {
            return Ok(None);
        }
        let mut list = List::default();
        loop {
            let (item, ended) = self.list_item()?;
            list.items.push(item);
            self.skip_blanks();
            if self.at_end() || self.newline()? {
                // At the end of the script an unfinished here-document is empty.
                self.read_heredocs()?;
                return Ok(Some(list));
            }
            if self.at_closer() {
                return self.expected("a command");
            }
            if !ended {
                return self.expected("the end of the command");
            }
        }
    }

    /// A list up to `)`, `;;` or a closing reserved word, which is not taken.
    pub(super) fn list(&mut self) -> Result<List, ShellError> {
        let mut list = List::default();
        self.skip_lines()?;
        while !self.at_end() && !self.at_closer() {
            let (item, ended) = self.list_item()?;
            list.items.push(item);
            self.skip_blanks();
            if !ended && self.peek() != Some(b'\n') && !self.at_end() && !self.at_closer() {
                return self.expected("the end of the command");
            }
            self.skip_lines()?;
        }
        Ok(list)
    }

    /// A list that must not be empty.
    pub(super) fn required_list(&mut self) -> Result<List, ShellError> {
        let list = self.nested(Self::list)?;
        if list.items.is_empty() {
            return self.expected("a command");
        }
        Ok(list)
    }

    fn at_closer(&self) -> bool {
        self.peek() == Some(b')')
            || self.looking_at(b";;")
            || (self.dialect == Dialect::Bash && self.looking_at(b";&"))
            || CLOSERS.iter().any(|closer| self.at_reserved(closer))
    }

    /// Whether the reserved word stands here as a word of its own.
    pub(super) fn at_reserved(&self, word: &[u8]) -> bool {
        self.looking_at(word) && self.peek_at(word.len()).is_none_or(is_meta)
    }

    pub(super) fn eat_reserved(&mut self, word: &[u8]) -> bool {
        let found = self.at_reserved(word);
        if found {
            self.position += word.len();
        }
        found
    }

    pub(super) fn expect_reserved(&mut self, word: &str) -> Result<(), ShellError> {
        self.skip_lines()?;
        if self.eat_reserved(word.as_bytes()) { Ok(()) } else { self.expected(&format!("`{word}`")) }
    }

    /// An and-or list with the `;` or `&` after it, and whether there was one.
    fn list_item(&mut self) -> Result<(ListItem, bool), ShellError> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let joined = if self.eat(b"&&") {
                AndOr::And
            } else if self.eat(b"||") {
                AndOr::Or
            } else {
                break;
            };
            self.skip_lines()?;
            rest.push((joined, self.pipeline()?));
        }
        let background = self.peek() == Some(b'&');
        let ended = background || (self.peek() == Some(b';') && !self.at_closer());
        if ended {
            self.position += 1;
        }
        Ok((ListItem { first, rest, background }, ended))
    }

    fn pipeline(&mut self) -> Result<Pipeline, ShellError> {
        self.skip_blanks();
        let mut negated = false;
        while self.eat_reserved(b"!") {
            negated = !negated;
            self.skip_blanks();
        }
        let mut commands = vec![self.command()?];
        loop {
            self.skip_blanks();
            if self.looking_at(b"||") || !self.eat(b"|") {
                return Ok(Pipeline { negated, commands });
            }
            if self.dialect == Dialect::Bash && self.eat(b"&") {
                return Err(ShellError::Unsupported { construct: "`|&`".to_owned(), line: self.line });
            }
            self.skip_lines()?;
            commands.push(self.command()?);
        }
    }

    fn command(&mut self) -> Result<Command, ShellError> {
        self.nested(|parser| {
            let line = parser.line;
            let Some(kind) = parser.compound()? else { return parser.simple(line) };
            let mut redirects = Vec::new();
            if !matches!(kind, CommandKind::Function { .. }) {
                parser.skip_blanks();
                while let Some(redirect) = parser.redirect()? {
                    redirects.push(redirect);
                    parser.skip_blanks();
                }
            }
            Ok(Command { line, kind, redirects })
        })
    }

    fn simple(&mut self, line: u32) -> Result<Command, ShellError> {
        let mut simple = Simple::default();
        let mut redirects = Vec::new();
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let Some(byte) = self.peek() else { break };
            if byte == b'(' && simple.words.len() == 1 && simple.assignments.is_empty() && redirects.is_empty() {
                return self.function(&simple, line);
            }
            if is_meta(byte) {
                break;
            }
            let declares = simple.words.first().and_then(|word| word.bare()).is_some_and(|name| is_declaration(name));
            if (simple.words.is_empty() || (declares && self.dialect == Dialect::Bash))
                && let Some(assignment) = self.assignment()?
            {
                if simple.words.is_empty() {
                    simple.assignments.push(assignment);
                } else {
                    self.declared(&mut simple, assignment)?;
                }
                continue;
            }
            simple.words.push(self.word()?);
        }
        if simple.words.is_empty() && simple.assignments.is_empty() && redirects.is_empty() {
            return self.expected("a command");
        }
        Ok(Command { line, kind: CommandKind::Simple(simple), redirects })
    }

    /// bash: `local name=value` keeps its value together, as an assignment does.
    fn declared(&self, simple: &mut Simple, assignment: Assignment) -> Result<(), ShellError> {
        let AssignedValue::Scalar(value) = assignment.value else {
            // The array is assigned after the declaration; see `declare` in the builtins.
            simple.words.push(Word { parts: vec![Part::Literal(assignment.name.clone())] });
            simple.assignments.push(assignment);
            return Ok(());
        };
        let mut parts = vec![Part::Literal([assignment.name.as_slice(), b"="].concat().into())];
        if !value.parts.is_empty() {
            parts.push(Part::DoubleQuoted(value.parts));
        }
        simple.words.push(Word { parts });
        Ok(())
    }

    fn assignment(&mut self) -> Result<Option<Assignment>, ShellError> {
        let rest = self.rest();
        let length =
            rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(length);
        let bash = self.dialect == Dialect::Bash;
        let starts = match after {
            [b'=', ..] => true,
            [b'+', b'=', ..] | [b'[', ..] => bash,
            _ => false,
        };
        if !starts || !is_name(name) {
            return Ok(None);
        }
        let (position, line) = (self.position, self.line);
        self.position += length;
        let index = if self.eat(b"[") {
            let index = self.word_in(Context::Index)?;
            self.position += 1;
            Some(index)
        } else {
            None
        };
        let append = self.eat(b"+");
        if !self.eat(b"=") {
            (self.position, self.line) = (position, line);
            return Ok(None);
        }
        let value = if bash && self.eat(b"(") {
            AssignedValue::Array(self.array_words()?)
        } else {
            AssignedValue::Scalar(self.word_in(Context::Assignment)?)
        };
        Ok(Some(Assignment { name: name.into(), index, append, value }))
    }

    fn array_words(&mut self) -> Result<Vec<Word>, ShellError> {
        let mut words = Vec::new();
        loop {
            self.skip_lines()?;
            if self.eat(b")") {
                return Ok(words);
            }
            words.push(self.word()?);
        }
    }

    /// A redirection, if one comes next.
    pub(super) fn redirect(&mut self) -> Result<Option<Redirect>, ShellError> {
        let start = self.position;
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let fd = digits.to_str().ok().and_then(|digits| digits.parse().ok());
        let kind = match self.redirect_operator()? {
            Some(kind) if digits.is_empty() || fd.is_some() => kind,
            _ => {
                self.position = start;
                return Ok(None);
            }
        };
        Ok(Some(Redirect { fd, kind }))
    }

    fn redirect_operator(&mut self) -> Result<Option<RedirectKind>, ShellError> {
        let bash = self.dialect == Dialect::Bash;
        if bash && self.looking_at(b"<<<") {
            self.position += 3;
            return Ok(Some(RedirectKind::HereString(self.redirect_target()?)));
        }
        if self.eat(b"<<") {
            let strip_tabs = self.eat(b"-");
            let (delimiter, quoted) = self.heredoc_delimiter()?;
            let body = Rc::new(OnceCell::new());
            self.heredocs.push(PendingHeredoc { delimiter, quoted, strip_tabs, body: body.clone() });
            return Ok(Some(RedirectKind::Here(body)));
        }
        if bash && self.looking_at(b"&>") {
            self.position += 2;
            let append = self.eat(b">");
            return Ok(Some(RedirectKind::Both(self.redirect_target()?, append)));
        }
        if bash && (self.looking_at(b"<(") || self.looking_at(b">(")) {
            return Err(ShellError::Unsupported { construct: "process substitution".to_owned(), line: self.line });
        }
        let kind: fn(Word) -> RedirectKind = if self.eat(b"<&") {
            |word| RedirectKind::Duplicate(word, DuplicateDirection::Input)
        } else if self.eat(b">&") {
            |word| RedirectKind::Duplicate(word, DuplicateDirection::Output)
        } else if self.eat(b"<>") {
            RedirectKind::ReadWrite
        } else if self.eat(b">>") {
            RedirectKind::Append
        } else if self.eat(b">|") || self.eat(b">") {
            RedirectKind::Write
        } else if self.eat(b"<") {
            RedirectKind::Read
        } else {
            return Ok(None);
        };
        Ok(Some(kind(self.redirect_target()?)))
    }

    fn redirect_target(&mut self) -> Result<Word, ShellError> {
        self.skip_blanks();
        self.word()
    }
}

fn is_declaration(name: &[u8]) -> bool {
    matches!(name, b"local" | b"declare" | b"typeset" | b"export" | b"readonly")
}
