//! The parser of relation fields.

use super::{ArchQualifier, Operator, OrGroup, Relation, VersionConstraint, is_package_name};
use crate::debian::version::{DebVersion, ParseVersionError};

/// The most alternatives and groups in one field; the archive's longest has about 1,000.
const MAX_RELATIONS: usize = 16_384;

/// Why a text is no relation. Offsets are in bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseRelationError {
    /// Where a package name should be stands something else.
    #[error("`{name}` at byte {offset} is no package name")]
    Name {
        /// What stands there.
        name: String,
        /// Where.
        offset: usize,
    },
    /// No operator after the opening parenthesis.
    #[error("at byte {offset} one of `<<`, `<=`, `=`, `>=`, `>>` is expected")]
    Operator {
        /// Where.
        offset: usize,
    },
    /// The version in parentheses is none.
    #[error("malformed version at byte {offset}")]
    Version {
        /// Where.
        offset: usize,
        /// What is wrong with it.
        source: ParseVersionError,
    },
    /// A parenthesis or bracket without its end.
    #[error("the bracket that opens at byte {offset} is never closed")]
    Unclosed {
        /// Where it opens.
        offset: usize,
    },
    /// Something that belongs to no relation, such as a second version.
    #[error("unexpected `{character}` at byte {offset}")]
    Unexpected {
        /// The first character of it.
        character: char,
        /// Where.
        offset: usize,
    },
    /// More relations than any package has.
    #[error("a relation field has at most {MAX_RELATIONS} relations")]
    TooMany,
}

struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    relations: usize,
}

pub(super) fn single_group(text: &str) -> Result<OrGroup, ParseRelationError> {
    let mut cursor = Cursor { text, offset: 0, relations: 0 };
    let group = cursor.group()?;
    cursor.end()?;
    Ok(group)
}

pub(super) fn group_list(text: &str) -> Result<Vec<OrGroup>, ParseRelationError> {
    let mut cursor = Cursor { text, offset: 0, relations: 0 };
    let mut groups = Vec::new();
    loop {
        cursor.skip_space();
        if !cursor.eat(',') {
            if cursor.rest().is_empty() {
                return Ok(groups);
            }
            groups.push(cursor.group()?);
            cursor.skip_space();
            if !cursor.eat(',') {
                cursor.end()?;
                return Ok(groups);
            }
        }
    }
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.offset += self.rest().len() - self.rest().trim_ascii_start().len();
    }

    fn eat(&mut self, expected: char) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.offset += expected.len_utf8();
        }
        found
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.offset += end;
        rest.get(..end).unwrap_or_default()
    }

    fn end(&mut self) -> Result<(), ParseRelationError> {
        self.skip_space();
        match self.rest().chars().next() {
            None => Ok(()),
            Some(character) => Err(ParseRelationError::Unexpected { character, offset: self.offset }),
        }
    }

    fn group(&mut self) -> Result<OrGroup, ParseRelationError> {
        let mut alternatives = Vec::with_capacity(1);
        loop {
            alternatives.push(self.relation()?);
            self.skip_space();
            if !self.eat('|') {
                return Ok(OrGroup(alternatives));
            }
        }
    }

    fn relation(&mut self) -> Result<Relation, ParseRelationError> {
        self.relations += 1;
        if self.relations > MAX_RELATIONS {
            return Err(ParseRelationError::TooMany);
        }
        self.skip_space();
        let offset = self.offset;
        let name =
            self.take_while(|c| !c.is_ascii_whitespace() && !matches!(c, '(' | ')' | '[' | ']' | '|' | ',' | ':'));
        if !is_package_name(name) {
            return Err(ParseRelationError::Name { name: name.to_owned(), offset });
        }
        let qualifier = self.qualifier()?;
        self.skip_space();
        let constraint = if self.rest().starts_with('(') { Some(self.constraint()?) } else { None };
        self.skip_space();
        let architectures = if self.rest().starts_with('[') { self.architectures()? } else { Vec::new() };
        Ok(Relation { name: name.into(), qualifier, constraint, architectures })
    }

    fn qualifier(&mut self) -> Result<Option<ArchQualifier>, ParseRelationError> {
        let offset = self.offset;
        if !self.eat(':') {
            return Ok(None);
        }
        Ok(Some(match self.take_while(|c| c.is_ascii_alphanumeric() || c == '-') {
            "any" => ArchQualifier::Any,
            "native" => ArchQualifier::Native,
            "" => return Err(ParseRelationError::Unexpected { character: ':', offset }),
            architecture => ArchQualifier::Architecture(architecture.into()),
        }))
    }

    fn constraint(&mut self) -> Result<VersionConstraint, ParseRelationError> {
        let open = self.offset;
        self.eat('(');
        self.skip_space();
        let offset = self.offset;
        let operator = match self.take_while(|c| matches!(c, '<' | '=' | '>')) {
            "<<" => Operator::Earlier,
            "<=" | "<" => Operator::EarlierOrEqual,
            "=" => Operator::Equal,
            ">=" | ">" => Operator::LaterOrEqual,
            ">>" => Operator::Later,
            _ => return Err(ParseRelationError::Operator { offset }),
        };
        self.skip_space();
        let offset = self.offset;
        let text = self.take_while(|c| !c.is_ascii_whitespace() && c != ')');
        let version: DebVersion = text.parse().map_err(|source| ParseRelationError::Version { offset, source })?;
        self.skip_space();
        if !self.eat(')') {
            return Err(ParseRelationError::Unclosed { offset: open });
        }
        Ok(VersionConstraint { operator, version })
    }

    fn architectures(&mut self) -> Result<Vec<Box<str>>, ParseRelationError> {
        let open = self.offset;
        self.eat('[');
        let listed = self.take_while(|c| c != ']');
        if !self.eat(']') {
            return Err(ParseRelationError::Unclosed { offset: open });
        }
        Ok(listed.split_ascii_whitespace().map(Into::into).collect())
    }
}
