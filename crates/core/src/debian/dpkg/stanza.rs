//! deb822 stanzas as dpkg reads and writes them (deb822(5), deb-control(5)).
//!
//! [`crate::debian::control`] reads indexes as text and gives clean values. Here every byte counts, old descriptions that
//! are not UTF-8 and blanks at the start of lines included, because dpkg writes them back into its database.

use bstr::{BStr, BString, ByteSlice};
use serde::{Deserialize, Serialize};

/// The longest stanza that is read, in bytes.
pub const MAX_STANZA: usize = 4 << 20;

/// The fields of one stanza in their order.
///
/// A value is what follows the colon without blanks at its ends; the lines of a folded or multi-line value keep the
/// blanks they start with, because dpkg writes them back so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stanza {
    fields: Vec<(String, BString)>,
}

/// Why bytes are not a stanza; lines count from 1 within it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseStanzaError {
    /// A line that neither names a field nor continues one.
    #[error("line {line} is not `Field: value`")]
    NotAField {
        /// The line.
        line: usize,
    },
    /// The first line continues a field that is not there.
    #[error("line {line} continues no field")]
    Continuation {
        /// The line.
        line: usize,
    },
    /// A field comes twice.
    #[error("line {line} has the field `{field}` again")]
    Duplicate {
        /// The line.
        line: usize,
        /// The field's name.
        field: String,
    },
    /// Longer than [`MAX_STANZA`].
    #[error("a stanza is longer than {MAX_STANZA} bytes")]
    TooLong,
    /// Something follows the only stanza there may be.
    #[error("more than one stanza")]
    MoreThanOne,
    /// There is no field at all.
    #[error("no stanza")]
    Empty,
}

impl Stanza {
    /// Reads bytes that are exactly one stanza, such as the file `control` of a package.
    ///
    /// # Errors
    /// For anything else.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseStanzaError> {
        let mut stanzas = Stanzas::new(bytes);
        let first = stanzas.next().ok_or(ParseStanzaError::Empty)??;
        if stanzas.next().is_some() { Err(ParseStanzaError::MoreThanOne) } else { Ok(first) }
    }

    /// The value of a field; names match without regard to ASCII case (deb822(5)).
    pub fn get(&self, name: &str) -> Option<&BStr> {
        self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_bstr())
    }

    /// The value of a field that is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| value.to_str().ok())
    }

    /// Adds a field, or replaces its value where it is.
    pub fn set(&mut self, name: &str, value: impl Into<BString>) {
        let value = value.into();
        match self.fields.iter_mut().find(|(field, _)| field.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.fields.push((name.to_owned(), value)),
        }
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &BStr)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_bstr()))
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    fn parse_lines(bytes: &[u8]) -> Result<Self, ParseStanzaError> {
        let mut stanza = Self::default();
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            match line {
                [] => {}
                [b' ' | b'\t', ..] => {
                    let (_, value) = stanza.fields.last_mut().ok_or(ParseStanzaError::Continuation { line: number })?;
                    value.push(b'\n');
                    value.extend_from_slice(line);
                }
                _ => stanza.push_line(line, number)?,
            }
        }
        for (_, value) in &mut stanza.fields {
            let end = value.trim_ascii_end().len();
            value.truncate(end);
        }
        Ok(stanza)
    }

    fn push_line(&mut self, line: &[u8], number: usize) -> Result<(), ParseStanzaError> {
        let not_a_field = || ParseStanzaError::NotAField { line: number };
        let (name, value) = line.split_once_str(":").ok_or_else(not_a_field)?;
        let name = name.trim_ascii_end().to_str().map_err(|_| not_a_field())?;
        if name.is_empty() || name.starts_with('-') || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(not_a_field());
        }
        if self.get(name).is_some() {
            return Err(ParseStanzaError::Duplicate { line: number, field: name.to_owned() });
        }
        self.fields.push((name.to_owned(), value.trim_ascii_start().into()));
        Ok(())
    }
}

/// The stanzas of a file one after the other, such as dpkg's `status`.
#[derive(Debug, Clone)]
pub struct Stanzas<'b> {
    rest: &'b [u8],
}

impl<'b> Stanzas<'b> {
    /// Reads `bytes` from their start.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl Iterator for Stanzas<'_> {
    type Item = Result<Stanza, ParseStanzaError>;

    /// The next stanza. After an error the iterator goes on behind the blank line that ends the faulty one.
    fn next(&mut self) -> Option<Self::Item> {
        let is_blank = |line: &[u8]| line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
        let mut length = 0;
        for line in self.rest.split_inclusive(|byte| *byte == b'\n') {
            let blank = is_blank(line.strip_suffix(b"\n").unwrap_or(line));
            if blank && length == 0 {
                self.rest = self.rest.get(line.len()..).unwrap_or_default();
            } else if blank {
                break;
            } else {
                length += line.len();
            }
        }
        let (stanza, rest) = self.rest.split_at_checked(length).filter(|_| length > 0)?;
        self.rest = rest;
        Some(if stanza.len() > MAX_STANZA { Err(ParseStanzaError::TooLong) } else { Stanza::parse_lines(stanza) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str) -> Result<Vec<(String, String)>, ParseStanzaError> {
        let own = |(name, value): (&str, &BStr)| (name.to_owned(), value.to_string());
        Stanza::parse(text.as_bytes()).map(|stanza| stanza.iter().map(own).collect())
    }

    #[test]
    fn values_keep_their_lines() {
        let check = |text: &str, expect: &[(&str, &str)]| {
            let expect = expect.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(fields(text), Ok(expect), "{text:?}");
        };
        check("A: b\n", &[("A", "b")]);
        check("\n\nA:b\n\n", &[("A", "b")]);
        check("A:  b  \nC:\n", &[("A", "b"), ("C", "")]);
        check("A: b\n c \n  d\n", &[("A", "b\n c \n  d")]);
        check("A:\n c\n", &[("A", "\n c")]);
        check("A: b:c\n", &[("A", "b:c")]);
    }

    #[test]
    fn what_is_no_stanza_is_refused() {
        let check = |text: &str, expect| assert_eq!(fields(text), Err(expect), "{text:?}");
        check("", ParseStanzaError::Empty);
        check("A", ParseStanzaError::NotAField { line: 1 });
        check("A: b\n-C: d\n", ParseStanzaError::NotAField { line: 2 });
        check(" a\n", ParseStanzaError::Continuation { line: 1 });
        check("A: b\na: c\n", ParseStanzaError::Duplicate { line: 2, field: "a".to_owned() });
        check("A: b\n\nC: d\n", ParseStanzaError::MoreThanOne);
    }

    proptest! {
        #[test]
        fn arbitrary_text(text in "([A-C -]:? ?[a-b ]{0,3}\n{0,2}){0,8}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            // Each step takes something off, so this ends.
            prop_assert!(Stanzas::new(text.as_bytes()).count() <= text.len());
            prop_assert!(Stanzas::new(&bytes).count() <= bytes.len());
        }
    }
}
