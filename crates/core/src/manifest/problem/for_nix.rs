//! TOML that Nix does not read as we do.

use std::fmt;

use super::Problem;

impl From<NotForNix> for Problem {
    fn from(what: NotForNix) -> Self {
        Problem::NotForNix(what)
    }
}

/// A TOML construct that Nix 2.8 (toml11 3.7) does not read as we do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotForNix {
    /// A date, a time, or both.
    DateTime,
    /// A line break or comment between the braces of an inline table (TOML 1.1).
    MultiLineInlineTable,
    /// A comma before the closing brace of an inline table (TOML 1.1).
    TrailingCommaInInlineTable,
    /// `\e` or `\xHH` in a string (TOML 1.1).
    Escape,
    /// A NUL character in a string: Nix's strings end there.
    Nul,
    /// A header `[a]` after `[[a.b]]`.
    TableAfterArray,
    /// An integer outside 64 bits.
    Integer,
}

impl fmt::Display for NotForNix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotForNix::DateTime => "dates and times",
            NotForNix::MultiLineInlineTable => "an inline table of several lines",
            NotForNix::TrailingCommaInInlineTable => "an inline table that ends in a comma",
            NotForNix::Escape => "this escape",
            NotForNix::Nul => "a NUL character",
            NotForNix::TableAfterArray => "this table after an array of tables inside it",
            NotForNix::Integer => "an integer of more than 64 bits",
        })
    }
}

impl NotForNix {
    /// What to write instead.
    pub(super) fn hint(self) -> &'static str {
        match self {
            NotForNix::DateTime => "write it as a string, in quotes",
            NotForNix::MultiLineInlineTable => {
                "keep it on one line, or give the table a header of its own: [table.name]"
            }
            NotForNix::TrailingCommaInInlineTable => "leave the last comma out",
            NotForNix::Escape => "write it as \\u0000 with four hexadecimal digits",
            NotForNix::Nul => "leave it out: no value of the manifest can hold it",
            NotForNix::TableAfterArray => "move the table before the array",
            NotForNix::Integer => "write it as a string, in quotes",
        }
    }
}
