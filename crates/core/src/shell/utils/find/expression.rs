//! What `find` asks of each file, and what it does with it.

use bstr::{BString, ByteSlice};

use super::super::super::eval::Pattern;

/// An expression over one file.
pub(super) enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    True,
    Name(Pattern, bool),
    Path(Pattern),
    LinkName(Pattern),
    Regex(regex::bytes::Regex),
    Type(Vec<u8>, bool),
    Empty,
    User(u32),
    Group(u32),
    NoUser(bool),
    Mode(u16, u8),
    Links(Comparison),
    Size(Comparison, u64),
    Newer(i64),
    Days(Comparison),
    Executable,
    Print(u8),
    /// `-printf` with `%f`, `%p` and escapes.
    Printf(BString),
    Delete,
    Prune,
    Quit,
    Exec {
        command: Vec<BString>,
        batch: Option<usize>,
    },
}

/// `+n`, `-n` or `n`.
#[derive(Clone, Copy)]
pub(super) struct Comparison {
    sign: u8,
    number: u64,
}

impl Comparison {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (sign, digits) = match text.split_first()? {
            (sign @ (b'+' | b'-'), digits) => (*sign, digits),
            _ => (b'=', text),
        };
        Some(Self { sign, number: digits.to_str().ok()?.parse().ok()? })
    }

    pub(super) fn holds(self, value: u64) -> bool {
        match self.sign {
            b'+' => value > self.number,
            b'-' => value < self.number,
            _ => value == self.number,
        }
    }
}
