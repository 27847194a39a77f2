//! The tokens of `awk`.

use bstr::BString;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(BString),
    /// What a slash may start is known to the parser only, so it asks for this.
    Regex(Vec<u8>),
    Name(String),
    /// A name with `(` right after it.
    Function(String),
    Symbol(&'static str),
    Newline,
    End,
}

const SYMBOLS: [&str; 40] = [
    "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "==", "<=", ">=", "!=", "!~", ">>", "{", "}", "(", ")", "[",
    "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "~", "?", ":", "=", "$", "|", "&", "^=",
];

pub(super) struct Lexer<'p> {
    program: &'p [u8],
    at: usize,
    /// Whether a slash divides here, because what came before is a value.
    after_value: bool,
}

impl<'p> Lexer<'p> {
    pub(super) fn new(program: &'p [u8]) -> Self {
        Self { program, at: 0, after_value: false }
    }

    fn rest(&self) -> &'p [u8] {
        self.program.get(self.at..).unwrap_or_default()
    }

    /// The next token; the error is what cannot be read.
    pub(super) fn next(&mut self) -> Result<Token, BString> {
        let token = self.read()?;
        self.after_value = matches!(
            &token,
            Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Symbol(")" | "]" | "$" | "++" | "--")
        );
        Ok(token)
    }

    fn read(&mut self) -> Result<Token, BString> {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\r', ..] => self.at += 1,
                [b'\\', b'\n', ..] => self.at += 2,
                [b'#', rest @ ..] => self.at += 1 + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
                _ => break,
            }
        }
        let rest = self.rest();
        match rest.first() {
            None => Ok(Token::End),
            Some(b'\n') => {
                self.at += 1;
                Ok(Token::Newline)
            }
            Some(b'"') => self.text(),
            Some(b'/') if !self.after_value => self.regex(),
            Some(byte) if byte.is_ascii_digit() || *byte == b'.' => self.number(),
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => Ok(self.name()),
            Some(_) => {
                let symbol = SYMBOLS
                    .iter()
                    .filter(|symbol| rest.starts_with(symbol.as_bytes()))
                    .max_by_key(|symbol| symbol.len());
                let symbol = symbol.ok_or_else(|| BString::from(rest.get(..1).unwrap_or_default()))?;
                self.at += symbol.len();
                Ok(Token::Symbol(symbol))
            }
        }
    }

    fn text(&mut self) -> Result<Token, BString> {
        let rest = self.rest().get(1..).unwrap_or_default();
        let mut escaped = false;
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'"' if !escaped => {
                    self.at += at + 2;
                    return Ok(Token::Text(super::run::unescape(rest.get(..at).unwrap_or_default())));
                }
                _ => escaped = *byte == b'\\' && !escaped,
            }
        }
        Err("an unterminated string".into())
    }

    fn regex(&mut self) -> Result<Token, BString> {
        let rest = self.rest().get(1..).unwrap_or_default();
        let mut source = Vec::new();
        let (mut escaped, mut in_brackets) = (false, false);
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'/' if !escaped && !in_brackets => {
                    self.at += at + 2;
                    return Ok(Token::Regex(source));
                }
                b'\n' => break,
                b'[' if !escaped => in_brackets = true,
                b']' if !escaped => in_brackets = false,
                _ => {}
            }
            if *byte == b'/' && escaped {
                source.pop();
            }
            source.push(*byte);
            escaped = *byte == b'\\' && !escaped;
        }
        Err("an unterminated regular expression".into())
    }

    fn number(&mut self) -> Result<Token, BString> {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(rest.len());
        let digits = rest.get(..length).unwrap_or_default();
        self.at += length;
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        number.map(Token::Number).ok_or_else(|| digits.into())
    }

    fn name(&mut self) -> Token {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
        self.at += length;
        let name = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned();
        if self.rest().first() == Some(&b'(') { Token::Function(name) } else { Token::Name(name) }
    }
}
