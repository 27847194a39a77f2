//! Arithmetic expansion (XCU 2.6.4): C's integer operators on 64 bits, variables by name, assignment.

use bstr::ByteSlice;

use super::super::syntax::Dialect;
use super::super::syntax::ast::{Part, Word};
use super::{Eval, Interpreter};

/// Deeper nesting than any expression has.
const MAX_DEPTH: u32 = 100;

impl<S> Interpreter<'_, '_, S> {
    /// The value of an expression whose expansions have still to be made.
    pub(super) fn arithmetic(&mut self, parts: &[Part]) -> Eval<i64> {
        let text = self.single(&Word { parts: parts.to_vec() })?;
        self.arithmetic_text(&text)
    }

    /// The value of an expression.
    pub(in crate::shell) fn arithmetic_text(&mut self, text: &[u8]) -> Eval<i64> {
        let mut expression = Expression { text, at: 0, depth: 0, skip: 0, interpreter: self };
        expression.blanks();
        if expression.at == text.len() {
            return Ok(0);
        }
        let value = expression.comma()?;
        if expression.at < text.len() {
            return expression.bad();
        }
        Ok(value)
    }
}

struct Expression<'e, 'i, 'c, S> {
    text: &'e [u8],
    at: usize,
    depth: u32,
    /// More than 0 in an operand that is only read over (`0 && x=1`).
    skip: u32,
    interpreter: &'e mut Interpreter<'i, 'c, S>,
}

/// Binary operators by level, loosest first; longer ones before their own beginnings.
const LEVELS: [&[&[u8]]; 10] = [
    &[b"||"],
    &[b"&&"],
    &[b"|"],
    &[b"^"],
    &[b"&"],
    &[b"==", b"!="],
    &[b"<=", b">=", b"<", b">"],
    &[b"<<", b">>"],
    &[b"+", b"-"],
    &[b"*", b"/", b"%"],
];

const ASSIGNMENTS: [&[u8]; 11] = [b"<<=", b">>=", b"+=", b"-=", b"*=", b"/=", b"%=", b"&=", b"|=", b"^=", b"="];

impl<S> Expression<'_, '_, '_, S> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn bad<T>(&mut self) -> Eval<T> {
        let message = format!("arithmetic expression: syntax error: \"{}\"", self.text.as_bstr());
        self.interpreter.fatal(message)
    }

    fn eat(&mut self, token: &[u8]) -> bool {
        self.blanks();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
            self.blanks();
        }
        found
    }

    fn comma(&mut self) -> Eval<i64> {
        let mut value = self.assignment()?;
        // dash has no comma operator.
        while self.interpreter.shell.dialect == Dialect::Bash && self.eat(b",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Eval<i64> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.bad();
        }
        let value = stacker::maybe_grow(128 << 10, 1 << 20, || self.assignment_inner());
        self.depth -= 1;
        value
    }

    fn assignment_inner(&mut self) -> Eval<i64> {
        let start = self.at;
        let name = self.name();
        if !name.is_empty() {
            self.blanks();
            let operator = ASSIGNMENTS.iter().find(|operator| self.rest().starts_with(operator)).copied();
            if let Some(operator) = operator.filter(|operator| *operator != b"=" || !self.rest().starts_with(b"==")) {
                self.at += operator.len();
                self.blanks();
                let right = self.assignment()?;
                let value = match operator.strip_suffix(b"=") {
                    Some(b"") | None => right,
                    Some(operator) => {
                        let left = self.variable(&name)?;
                        self.apply(operator, left, right)?
                    }
                };
                self.store(&name, value)?;
                return Ok(value);
            }
        }
        self.at = start;
        self.ternary()
    }

    fn ternary(&mut self) -> Eval<i64> {
        let condition = self.binary(0)?;
        if !self.eat(b"?") {
            return Ok(condition);
        }
        let taken = self.skipping(condition == 0, Self::comma)?;
        if !self.eat(b":") {
            return self.bad();
        }
        let other = self.skipping(condition != 0, Self::assignment)?;
        Ok(if condition != 0 { taken } else { other })
    }

    fn skipping(&mut self, skip: bool, parse: impl FnOnce(&mut Self) -> Eval<i64>) -> Eval<i64> {
        self.skip += u32::from(skip);
        let value = parse(self);
        self.skip -= u32::from(skip);
        value
    }

    fn binary(&mut self, level: usize) -> Eval<i64> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            self.at += operator.len();
            self.blanks();
            left = match operator {
                b"||" => {
                    let right = self.skipping(left != 0, |inner| inner.binary(level + 1))?;
                    i64::from(left != 0 || right != 0)
                }
                b"&&" => {
                    let right = self.skipping(left == 0, |inner| inner.binary(level + 1))?;
                    i64::from(left != 0 && right != 0)
                }
                _ => {
                    let right = self.binary(level + 1)?;
                    self.apply(operator, left, right)?
                }
            };
        }
        Ok(left)
    }

    /// The operator of a level that comes next, if it is not the start of another one.
    fn operator(&mut self, operators: &[&'static [u8]]) -> Option<&'static [u8]> {
        self.blanks();
        let rest = self.rest();
        let operator = operators.iter().copied().find(|operator| rest.starts_with(operator))?;
        let after = rest.get(operator.len()).copied();
        let longer = match operator {
            b"|" | b"&" => after == operator.first().copied() || after == Some(b'='),
            b"<" | b">" => after == operator.first().copied(),
            b"==" | b"!=" | b"<=" | b">=" | b"||" | b"&&" => false,
            _ => after == Some(b'='),
        };
        (!longer).then_some(operator)
    }

    fn apply(&mut self, operator: &[u8], left: i64, right: i64) -> Eval<i64> {
        Ok(match operator {
            b"+" => left.wrapping_add(right),
            b"-" => left.wrapping_sub(right),
            b"*" => left.wrapping_mul(right),
            b"/" | b"%" if right == 0 && self.skip > 0 => 0,
            b"/" | b"%" if right == 0 => return self.interpreter.fatal("arithmetic expression: division by zero"),
            b"/" => left.wrapping_div(right),
            b"%" => left.wrapping_rem(right),
            b"<<" => left.wrapping_shl(right as u32),
            b">>" => left.wrapping_shr(right as u32),
            b"&" => left & right,
            b"|" => left | right,
            b"^" => left ^ right,
            b"==" => i64::from(left == right),
            b"!=" => i64::from(left != right),
            b"<=" => i64::from(left <= right),
            b">=" => i64::from(left >= right),
            b"<" => i64::from(left < right),
            _ => i64::from(left > right),
        })
    }

    fn unary(&mut self) -> Eval<i64> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.bad();
        }
        self.blanks();
        let value = if self.rest().starts_with(b"++") || self.rest().starts_with(b"--") {
            let step = if self.eat(b"++") { 1 } else { -i64::from(self.eat(b"--")) };
            let name = self.name();
            if name.is_empty() {
                return self.bad();
            }
            let value = self.variable(&name)?.wrapping_add(step);
            self.store(&name, value)?;
            value
        } else if self.eat(b"!") {
            i64::from(self.unary()? == 0)
        } else if self.eat(b"~") {
            !self.unary()?
        } else if self.eat(b"-") {
            self.unary()?.wrapping_neg()
        } else if self.eat(b"+") {
            self.unary()?
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(value)
    }

    fn primary(&mut self) -> Eval<i64> {
        if self.eat(b"(") {
            let value = self.comma()?;
            return if self.eat(b")") { Ok(value) } else { self.bad() };
        }
        let name = self.name();
        if !name.is_empty() {
            self.blanks();
            let value = self.variable(&name)?;
            for (token, step) in [(b"++", 1), (b"--", -1)] {
                if self.eat(token) {
                    self.store(&name, value.wrapping_add(step))?;
                }
            }
            return Ok(value);
        }
        let length = self
            .rest()
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#')
            .unwrap_or(self.rest().len());
        let digits = self.rest().get(..length).unwrap_or_default().to_vec();
        self.at += length;
        self.blanks();
        match number(&digits) {
            Some(value) => Ok(value),
            None => self.bad(),
        }
    }

    fn name(&mut self) -> Vec<u8> {
        let rest = self.rest();
        if rest.first().is_none_or(u8::is_ascii_digit) {
            return Vec::new();
        }
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default().to_vec();
        self.at += length;
        name
    }

    fn variable(&mut self, name: &[u8]) -> Eval<i64> {
        let Some(value) = self.interpreter.shell.get(name).cloned() else {
            if self.interpreter.shell.options.nounset && self.skip == 0 {
                return self.interpreter.fatal([name, b": parameter not set"].concat());
            }
            return Ok(0);
        };
        let trimmed = value.trim();
        let (negative, digits) = match trimmed.strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, trimmed.strip_prefix(b"+").unwrap_or(trimmed)),
        };
        match number(digits) {
            _ if trimmed.is_empty() => Ok(0),
            Some(value) => Ok(if negative { value.wrapping_neg() } else { value }),
            None => self.interpreter.fatal(format!("Illegal number: {value}")),
        }
    }

    fn store(&mut self, name: &[u8], value: i64) -> Eval<()> {
        if self.skip > 0 {
            return Ok(());
        }
        self.interpreter.assign(name, value.to_string().as_bytes())
    }
}

/// A constant as C writes it; also bash's `base#digits`.
fn number(digits: &[u8]) -> Option<i64> {
    let text = digits.to_str().ok()?;
    let (base, digits) = if let Some((base, digits)) = text.split_once('#') {
        (base.parse().ok().filter(|base| (2..=36).contains(base))?, digits)
    } else if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        (16, digits)
    } else if text.len() > 1 && text.starts_with('0') {
        (8, &text[1..])
    } else {
        (10, text)
    };
    // `from_str_radix` would take a sign here.
    if !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(digits, base)
        .ok()
        .or_else(|| (base == 10 && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some(i64::MAX))
}
