//! bash's `[[ ]]` (bash(1), "Compound Commands").

use bstr::BString;

use super::ast::{TestExpression, Word};
use super::cursor::Parser;
use super::word::Context;
use crate::shell::ShellError;

impl Parser<'_> {
    /// The expression after `[[`, with the closing `]]`.
    pub(super) fn test_expression(&mut self) -> Result<TestExpression, ShellError> {
        let expression = self.nested(Self::test_or)?;
        self.skip_lines()?;
        if self.eat_reserved(b"]]") { Ok(expression) } else { self.expected("`]]`") }
    }

    fn test_or(&mut self) -> Result<TestExpression, ShellError> {
        let mut left = self.test_and()?;
        loop {
            self.skip_lines()?;
            if !self.eat(b"||") {
                return Ok(left);
            }
            left = TestExpression::Or(Box::new(left), Box::new(self.test_and()?));
        }
    }

    fn test_and(&mut self) -> Result<TestExpression, ShellError> {
        let mut left = self.test_primary()?;
        loop {
            self.skip_lines()?;
            if !self.eat(b"&&") {
                return Ok(left);
            }
            left = TestExpression::And(Box::new(left), Box::new(self.test_primary()?));
        }
    }

    fn test_primary(&mut self) -> Result<TestExpression, ShellError> {
        self.skip_lines()?;
        if self.eat_reserved(b"!") {
            return Ok(TestExpression::Not(Box::new(self.nested(Self::test_primary)?)));
        }
        if self.eat(b"(") {
            let inner = self.nested(Self::test_or)?;
            return if self.eat(b")") { Ok(inner) } else { self.expected("`)`") };
        }
        let first = self.word()?;
        self.skip_blanks();
        if let Some(operator) = first.bare().filter(|text| text.len() == 2 && text.starts_with(b"-")).cloned()
            && !self.at_reserved(b"]]")
        {
            return Ok(TestExpression::Unary(operator, self.word()?));
        }
        let Some(operator) = self.test_operator()? else { return Ok(TestExpression::Unary("-n".into(), first)) };
        self.skip_blanks();
        let second = if operator == "=~" { self.word_in(Context::Regex)? } else { self.word()? };
        Ok(TestExpression::Binary(first, operator, second))
    }

    fn test_operator(&mut self) -> Result<Option<BString>, ShellError> {
        for operator in ["<", ">"] {
            if self.eat(operator.as_bytes()) {
                return Ok(Some(operator.into()));
            }
        }
        if self.at_reserved(b"]]") || self.looking_at(b"&&") || self.looking_at(b"||") || self.peek() == Some(b')') {
            return Ok(None);
        }
        let word: Word = self.word()?;
        match word.bare() {
            Some(operator) => Ok(Some(operator.clone())),
            None => self.expected("an operator"),
        }
    }
}
