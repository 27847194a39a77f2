//! The files under `/var/lib/dpkg/alternatives`: one link group each, in update-alternatives' own format.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

/// Bound on the choices of a link group and on its slaves.
const MAX_ENTRIES: usize = 10_000;

/// Who decides which choice the link points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The choice with the highest priority.
    Auto,
    /// The administrator.
    Manual,
}

/// One choice of a link group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The file the master link may point to.
    pub path: BString,
    /// Higher wins in [`Mode::Auto`].
    pub priority: i32,
    /// Files for the slave links, by slave name.
    pub slaves: BTreeMap<BString, BString>,
}

/// A link group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkGroup {
    /// Who decides.
    pub mode: Mode,
    /// The generic path, such as `/usr/bin/editor`.
    pub link: BString,
    /// Slave links by slave name.
    pub slaves: BTreeMap<BString, BString>,
    /// The choices in the order they became known.
    pub choices: Vec<Choice>,
}

/// The file is not in update-alternatives' format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the link group's file is not as update-alternatives writes it")]
pub struct ParseLinkGroupError {
    /// From 1.
    pub line: usize,
}

impl LinkGroup {
    /// Parses a file of `/var/lib/dpkg/alternatives`.
    ///
    /// # Errors
    /// [`ParseLinkGroupError`] with the line where the format ends to be update-alternatives'.
    pub fn parse(text: &[u8]) -> Result<Self, ParseLinkGroupError> {
        let mut lines = Lines { lines: text.lines(), at: 0 };
        let mode = match lines.next()?.as_slice() {
            b"auto" => Mode::Auto,
            b"manual" => Mode::Manual,
            _ => return Err(lines.error()),
        };
        let link = lines.next()?;
        let mut slaves = BTreeMap::new();
        let mut order = Vec::new();
        loop {
            let name = lines.next()?;
            if name.is_empty() {
                break;
            }
            order.push(name.clone());
            slaves.insert(name, lines.next()?);
            if slaves.len() > MAX_ENTRIES {
                return Err(lines.error());
            }
        }
        let mut choices = Vec::new();
        loop {
            let path = lines.next()?;
            if path.is_empty() {
                return Ok(Self { mode, link, slaves, choices });
            }
            let priority =
                lines.next()?.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| lines.error())?;
            let mut of_choice = BTreeMap::new();
            for name in &order {
                let file = lines.next()?;
                if !file.is_empty() {
                    of_choice.insert(name.clone(), file);
                }
            }
            choices.push(Choice { path, priority, slaves: of_choice });
            if choices.len() > MAX_ENTRIES {
                return Err(lines.error());
            }
        }
    }

    /// The file's bytes: slaves by name, choices by path.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut line = |bytes: &[u8]| {
            text.extend_from_slice(bytes);
            text.push(b'\n');
        };
        line(match self.mode {
            Mode::Auto => b"auto",
            Mode::Manual => b"manual",
        });
        line(&self.link);
        for (name, link) in &self.slaves {
            line(name);
            line(link);
        }
        line(b"");
        let mut choices: Vec<&Choice> = self.choices.iter().collect();
        choices.sort_by_key(|choice| &choice.path);
        for choice in choices {
            line(&choice.path);
            line(choice.priority.to_string().as_bytes());
            for name in self.slaves.keys() {
                line(choice.slaves.get(name).map_or(b"", |file| file.as_slice()));
            }
        }
        line(b"");
        text
    }

    /// The choice with the highest priority; of equals the one known first.
    pub fn best(&self) -> Option<&Choice> {
        self.choices.iter().rev().max_by_key(|choice| choice.priority)
    }
}

struct Lines<'a> {
    lines: bstr::Lines<'a>,
    at: usize,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<BString, ParseLinkGroupError> {
        self.at += 1;
        self.lines.next().map(BString::from).ok_or(ParseLinkGroupError { line: self.at })
    }

    fn error(&self) -> ParseLinkGroupError {
        ParseLinkGroupError { line: self.at }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AWK: &str = "auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\nnawk\n/usr/bin/nawk\n\n\
        /usr/bin/gawk\n10\n\n/usr/bin/gawk\n/usr/bin/mawk\n5\n/usr/share/man/man1/mawk.1.gz\n/usr/bin/mawk\n\n";

    #[test]
    fn a_real_file_survives() {
        let group = LinkGroup::parse(AWK.as_bytes()).expect("as dpkg writes it");
        assert_eq!(group.choices.len(), 2);
        assert_eq!(group.best().map(|choice| choice.path.as_bstr()), Some("/usr/bin/gawk".into()));
        assert_eq!(group.to_bytes().as_bstr(), AWK);
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_survives(text in "(auto|manual)?\n([a-z/0-9-]{0,6}\n){0,12}") {
            if let Ok(group) = LinkGroup::parse(text.as_bytes()) {
                let again = LinkGroup::parse(&group.to_bytes()).expect("what we write");
                prop_assert_eq!(again.to_bytes(), group.to_bytes());
            }
        }
    }
}
