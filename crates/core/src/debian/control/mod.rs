//! Control data: stanzas of `Field: value` lines as in deb822(5) and Debian Policy 5.1.
//!
//! One parser for every file of this form: `control` in a `.deb`, dpkg's `status`, `Packages` and `Release`.

mod reader;

pub use reader::{StanzaReader, StanzaReaderError};

/// The longest stanza accepted, in bytes. A `Release` file of the archive is one stanza of about 150 KiB.
pub const MAX_STANZA: usize = 8 << 20;

/// The most fields accepted in one stanza; those of the archive have about 25.
const MAX_FIELDS: usize = 256;

/// One field of a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as written; names are compared without regard to case.
    pub name: &'a str,
    /// The value without surrounding white space; the continuation lines of a folded or multi-line value follow as
    /// written, each after a line feed and with its leading white space.
    pub value: &'a str,
}

/// The fields of one stanza, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza<'a> {
    fields: Vec<Field<'a>>,
}

/// Why a text is no stanza. Lines count from 1, at the stanza's first line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// More than [`MAX_STANZA`] bytes.
    #[error("a stanza has at most {MAX_STANZA} bytes")]
    TooLong,
    /// More than 256 fields.
    #[error("a stanza has at most {MAX_FIELDS} fields")]
    TooManyFields,
    /// A continuation line before any field.
    #[error("line {line} continues a field, but none came before")]
    Continuation {
        /// The line.
        line: usize,
    },
    /// A line without a colon, or with something other than a field name before it.
    #[error("line {line} is no `Field: value`")]
    NoField {
        /// The line.
        line: usize,
    },
    /// A field that came twice; readers would disagree about which counts.
    #[error("field `{field}` comes twice")]
    Duplicate {
        /// The field's name.
        field: String,
    },
    /// A field that must be there.
    #[error("field `{0}` is missing")]
    Missing(&'static str),
}

impl<'a> Stanza<'a> {
    /// Parses the lines of one stanza; blank lines around it and comment lines (`#`) are left out.
    ///
    /// # Errors
    /// [`ControlError`] for a text that is no stanza or is beyond the limits. A blank line in the middle is one too: see
    /// [`stanzas`] for texts of several.
    pub fn parse(text: &'a str) -> Result<Self, ControlError> {
        if text.len() > MAX_STANZA {
            return Err(ControlError::TooLong);
        }
        let mut lines = Lines { text, position: 0, number: 0 };
        let mut fields: Vec<Field<'a>> = Vec::with_capacity(24);
        while let Some((start, line)) = lines.next() {
            if line.trim_ascii().is_empty() && (fields.is_empty() || text.get(start..).is_none_or(is_blank)) {
                continue;
            }
            if line.starts_with('#') {
                continue;
            }
            let field = parse_field(&mut lines, start, line)?;
            if fields.iter().any(|known| known.name.eq_ignore_ascii_case(field.name)) {
                return Err(ControlError::Duplicate { field: field.name.to_owned() });
            }
            if fields.len() == MAX_FIELDS {
                return Err(ControlError::TooManyFields);
            }
            fields.push(field);
        }
        Ok(Self { fields })
    }

    /// The value of a field, its name compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The value of a field that must be there.
    ///
    /// # Errors
    /// [`ControlError::Missing`] without it.
    pub fn require(&self, name: &'static str) -> Result<&'a str, ControlError> {
        self.get(name).ok_or(ControlError::Missing(name))
    }

    /// The fields in their order.
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }
}

/// The stanzas of a text, separated by blank lines. A text without any gives none.
pub fn stanzas(text: &str) -> impl Iterator<Item = Result<Stanza<'_>, ControlError>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = skip_blank_lines(rest);
        if rest.is_empty() {
            return None;
        }
        let end = stanza_length(rest);
        let (stanza, after) = rest.split_at(end);
        rest = after;
        Some(Stanza::parse(stanza))
    })
}

/// Length of the stanza at the start of `text`: up to the first blank line.
fn stanza_length(text: &str) -> usize {
    let mut lines = Lines { text, position: 0, number: 0 };
    while let Some((start, line)) = lines.next() {
        if line.trim_ascii().is_empty() {
            return start;
        }
    }
    text.len()
}

fn skip_blank_lines(text: &str) -> &str {
    let mut lines = Lines { text, position: 0, number: 0 };
    while let Some((start, line)) = lines.next() {
        if !line.trim_ascii().is_empty() {
            return text.get(start..).unwrap_or_default();
        }
    }
    ""
}

fn is_blank(text: &str) -> bool {
    text.trim_ascii().is_empty()
}

/// Reads the field that begins at `start` with its continuation lines.
fn parse_field<'a>(lines: &mut Lines<'a>, start: usize, line: &'a str) -> Result<Field<'a>, ControlError> {
    let number = lines.number;
    if line.starts_with([' ', '\t']) {
        return Err(ControlError::Continuation { line: number });
    }
    let colon = line.find(':').ok_or(ControlError::NoField { line: number })?;
    let name = line.get(..colon).map(str::trim_ascii_end).unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ControlError::NoField { line: number });
    }
    while lines.peek().is_some_and(|next| next.starts_with([' ', '\t']) && !is_blank(next)) {
        lines.next();
    }
    let value = lines.text.get(start + colon + 1..lines.position).unwrap_or_default();
    Ok(Field { name, value: value.trim_ascii() })
}

/// The lines of a text with their positions, without line ends.
struct Lines<'a> {
    text: &'a str,
    position: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    fn peek(&self) -> Option<&'a str> {
        let rest = self.text.get(self.position..).filter(|rest| !rest.is_empty())?;
        rest.split('\n').next()
    }

    fn next(&mut self) -> Option<(usize, &'a str)> {
        let line = self.peek()?;
        let start = self.position;
        self.position = (start + line.len() + 1).min(self.text.len());
        self.number += 1;
        Some((start, line))
    }
}

#[cfg(test)]
mod tests;
