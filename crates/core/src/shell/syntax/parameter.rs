//! Parameter expansions: `$name` and `${...}` (XCU 2.6.2).

use bstr::BString;

use super::ast::{Anchor, Operation, Parameter, Part, Word};
use super::cursor::{Dialect, Parser, is_name};
use super::word::Context;
use crate::shell::ShellError;

fn is_special(byte: u8) -> bool {
    matches!(byte, b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')
}

impl Parser<'_> {
    /// What follows a `$`; `None` when it starts no expansion.
    pub(super) fn parameter(&mut self, quoted: bool) -> Result<Option<Part>, ShellError> {
        let line = self.line;
        let simple = |name: &[u8]| {
            let (name, operation) = (name.into(), Operation::None);
            Ok(Some(Part::Parameter(Box::new(Parameter { name, index: None, indirect: false, operation, line }))))
        };
        match self.peek() {
            Some(b'{') => {
                self.position += 1;
                self.nested(|parser| parser.braced(quoted, line)).map(Some)
            }
            Some(byte) if is_special(byte) || byte.is_ascii_digit() => {
                self.position += 1;
                simple(&[byte])
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                simple(self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
            }
            _ => Ok(None),
        }
    }

    fn braced(&mut self, quoted: bool, line: u32) -> Result<Part, ShellError> {
        let bash = self.dialect == Dialect::Bash;
        let length = self.peek() == Some(b'#') && self.peek_at(1).is_some_and(|byte| byte != b'}') && {
            // `${#-word}` is about `$#`, `${#-}` is the length of `$-`.
            !(self.peek_at(1).is_some_and(|byte| matches!(byte, b'-' | b'?' | b'%' | b':' | b'=' | b'+' | b'#'))
                && self.peek_at(2) != Some(b'}'))
        };
        let indirect = bash && self.peek() == Some(b'!') && self.peek_at(1).is_some_and(|byte| byte != b'}');
        if length || indirect {
            self.position += 1;
        }
        let name = self.braced_name()?;
        let index = if bash && self.eat(b"[") {
            let index = self.word_in(Context::Index)?;
            self.position += 1;
            Some(index)
        } else {
            None
        };
        let operation = if length { Operation::Length } else { self.operation(quoted)? };
        if !self.eat(b"}") {
            return self.expected("`}`");
        }
        Ok(Part::Parameter(Box::new(Parameter { name, index, indirect, operation, line })))
    }

    fn braced_name(&mut self) -> Result<BString, ShellError> {
        match self.peek() {
            Some(byte) if byte.is_ascii_digit() => Ok(self.take_while(|byte| byte.is_ascii_digit()).into()),
            Some(byte) if is_special(byte) => {
                self.position += 1;
                Ok([byte].as_slice().into())
            }
            _ => {
                let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if is_name(name) { Ok(name.into()) } else { self.syntax("bad substitution") }
            }
        }
    }

    fn operation(&mut self, quoted: bool) -> Result<Operation, ShellError> {
        let bash = self.dialect == Dialect::Bash;
        let colon = self.peek() == Some(b':') && self.peek_at(1).is_some_and(|byte| b"-=?+".contains(&byte));
        if colon {
            self.position += 1;
        }
        let Some(operator) = self.peek() else { return self.expected("`}`") };
        match operator {
            b'}' => return Ok(Operation::None),
            b':' if bash => return self.slice(),
            b'/' if bash => return self.replace(),
            b'^' | b',' if bash => return Ok(self.case_change(operator)),
            b'-' | b'=' | b'?' | b'+' | b'#' | b'%' => self.position += 1,
            _ => return self.syntax("bad substitution"),
        }
        Ok(match operator {
            b'#' => {
                let longest = self.eat(b"#");
                Operation::RemovePrefix { longest, pattern: self.pattern_word()? }
            }
            b'%' => {
                let longest = self.eat(b"%");
                Operation::RemoveSuffix { longest, pattern: self.pattern_word()? }
            }
            _ => {
                let word = self.word_in(Context::Braces { quoted })?;
                match operator {
                    b'-' => Operation::Default { colon, word },
                    b'=' => Operation::Assign { colon, word },
                    b'?' => Operation::Require { colon, word },
                    _ => Operation::Alternative { colon, word },
                }
            }
        })
    }

    /// Quotes quote in patterns even when the whole expansion stands in double quotes.
    fn pattern_word(&mut self) -> Result<Word, ShellError> {
        self.word_in(Context::Braces { quoted: false })
    }

    fn slice(&mut self) -> Result<Operation, ShellError> {
        self.position += 1;
        let offset = self.word_in(Context::SliceOffset)?;
        let length = if self.eat(b":") { Some(self.word_in(Context::Braces { quoted: false })?) } else { None };
        Ok(Operation::Slice { offset, length })
    }

    fn replace(&mut self) -> Result<Operation, ShellError> {
        self.position += 1;
        let anchor = match self.peek() {
            Some(b'/') => Anchor::All,
            Some(b'#') => Anchor::Start,
            Some(b'%') => Anchor::End,
            _ => Anchor::First,
        };
        if anchor != Anchor::First {
            self.position += 1;
        }
        let pattern = self.word_in(Context::ReplacePattern)?;
        let with = if self.eat(b"/") { self.pattern_word()? } else { Word::default() };
        Ok(Operation::Replace { anchor, pattern, with })
    }

    fn case_change(&mut self, operator: u8) -> Operation {
        self.position += 1;
        let all = self.eat(&[operator]);
        Operation::Case { upper: operator == b'^', all }
    }
}
