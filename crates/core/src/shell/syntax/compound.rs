//! Compound commands and function definitions (XCU 2.9.4, 2.9.5).

use std::rc::Rc;

use bstr::BString;

use super::ast::{CaseArm, Command, CommandKind, Simple, Word};
use super::cursor::{Dialect, Parser, is_name};
use super::word::Context;
use crate::shell::ShellError;

impl Parser<'_> {
    /// A compound command, if one starts here.
    pub(super) fn compound(&mut self) -> Result<Option<CommandKind>, ShellError> {
        let bash = self.dialect == Dialect::Bash;
        if bash && self.looking_at(b"((") {
            self.position += 2;
            let word = self.word_in(Context::Arithmetic)?;
            return if self.eat(b"))") { Ok(Some(CommandKind::Arithmetic(word))) } else { self.expected("`))`") };
        }
        if self.eat(b"(") {
            let body = self.required_list()?;
            return if self.eat(b")") { Ok(Some(CommandKind::Subshell(Rc::new(body)))) } else { self.expected("`)`") };
        }
        Ok(Some(if self.eat_reserved(b"{") {
            let body = self.required_list()?;
            self.expect_reserved("}")?;
            CommandKind::Group(body)
        } else if self.eat_reserved(b"if") {
            self.if_clause()?
        } else if self.eat_reserved(b"while") {
            self.loop_clause(false)?
        } else if self.eat_reserved(b"until") {
            self.loop_clause(true)?
        } else if self.eat_reserved(b"for") {
            self.for_clause()?
        } else if self.eat_reserved(b"case") {
            self.case_clause()?
        } else if bash && self.eat_reserved(b"[[") {
            let expression = self.test_expression()?;
            CommandKind::Test(Box::new(expression))
        } else if bash && self.eat_reserved(b"function") {
            self.skip_blanks();
            let name = self.word()?.bare().cloned().unwrap_or_default();
            self.skip_blanks();
            if self.eat(b"(") {
                self.skip_blanks();
                self.eat(b")");
            }
            self.function_body(name)?
        } else {
            return Ok(None);
        }))
    }

    fn if_clause(&mut self) -> Result<CommandKind, ShellError> {
        let mut arms = Vec::new();
        loop {
            let condition = self.required_list()?;
            self.expect_reserved("then")?;
            arms.push((condition, self.required_list()?));
            if self.eat_reserved(b"elif") {
                continue;
            }
            let otherwise = if self.eat_reserved(b"else") { Some(self.required_list()?) } else { None };
            self.expect_reserved("fi")?;
            return Ok(CommandKind::If { arms, otherwise });
        }
    }

    fn loop_clause(&mut self, until: bool) -> Result<CommandKind, ShellError> {
        let condition = self.required_list()?;
        let body = self.do_group()?;
        Ok(CommandKind::While { until, condition, body })
    }

    fn do_group(&mut self) -> Result<super::ast::List, ShellError> {
        self.expect_reserved("do")?;
        let body = self.required_list()?;
        self.expect_reserved("done")?;
        Ok(body)
    }

    fn for_clause(&mut self) -> Result<CommandKind, ShellError> {
        self.skip_blanks();
        if self.looking_at(b"((") {
            return Err(ShellError::Unsupported { construct: "`for ((`".to_owned(), line: self.line });
        }
        let name = self.word()?.bare().filter(|name| is_name(name)).cloned();
        let Some(name) = name else { return self.syntax("bad variable name after `for`") };
        self.skip_lines()?;
        let mut words = None;
        if self.eat_reserved(b"in") {
            let mut list = Vec::new();
            self.skip_blanks();
            while self.peek().is_some_and(|byte| !super::cursor::is_meta(byte)) {
                list.push(self.word()?);
                self.skip_blanks();
            }
            words = Some(list);
        }
        self.skip_blanks();
        if self.peek() == Some(b';') {
            self.position += 1;
        }
        let body = self.do_group()?;
        Ok(CommandKind::For { name, words, body })
    }

    fn case_clause(&mut self) -> Result<CommandKind, ShellError> {
        self.skip_blanks();
        let subject = self.word()?;
        self.expect_reserved("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_lines()?;
            if self.eat_reserved(b"esac") {
                return Ok(CommandKind::Case { subject, arms });
            }
            arms.push(self.case_arm()?);
        }
    }

    fn case_arm(&mut self) -> Result<CaseArm, ShellError> {
        if self.eat(b"(") {
            self.skip_blanks();
        }
        let mut patterns: Vec<Word> = Vec::new();
        loop {
            self.skip_blanks();
            patterns.push(self.word()?);
            self.skip_blanks();
            if !self.eat(b"|") {
                break;
            }
        }
        if !self.eat(b")") {
            return self.expected("`)` after a pattern");
        }
        let body = self.nested(Self::list)?;
        self.skip_lines()?;
        let falls_through = self.dialect == Dialect::Bash && self.looking_at(b";&");
        if falls_through || self.looking_at(b";;") {
            self.position += 2;
        } else if !self.at_reserved(b"esac") {
            return self.expected("`;;`");
        }
        Ok(CaseArm { patterns, body, falls_through })
    }

    /// `name ( )` and its body; the name has been read as the only word of a simple command.
    pub(super) fn function(&mut self, simple: &Simple, line: u32) -> Result<Command, ShellError> {
        self.position += 1;
        self.skip_blanks();
        if !self.eat(b")") {
            return self.expected("`)`");
        }
        let Some(name) = simple.words.first().and_then(Word::bare).cloned() else {
            return self.syntax("bad function name");
        };
        let kind = self.function_body(name)?;
        Ok(Command { line, kind, redirects: Vec::new() })
    }

    fn function_body(&mut self, name: BString) -> Result<CommandKind, ShellError> {
        self.skip_lines()?;
        let line = self.line;
        let Some(kind) = self.nested(Self::compound)? else { return self.expected("a function's body") };
        let mut redirects = Vec::new();
        self.skip_blanks();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
            self.skip_blanks();
        }
        Ok(CommandKind::Function { name, body: Rc::new(Command { line, kind, redirects }) })
    }
}
