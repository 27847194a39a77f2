//! Word expansion (XCU 2.6): parts become characters that remember where they came from, characters become fields.

mod fields;
mod parameter;
mod text;

use bstr::{BString, ByteSlice};

use super::super::files::Description;
use super::super::syntax::ast::{List, Part, Word};
use super::{Eval, Interpreter, Pattern};

/// Where a character of an expanded word came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The script's own unquoted text: special in patterns, never split.
    Literal,
    /// Quoted: stands for itself.
    Quoted,
    /// An unquoted expansion: special in patterns, and split at `IFS`.
    Expanded,
    /// No character: an empty pair of quotes was here, so there is a field even if it is empty.
    Empty,
    /// No character: one field of `$@` ends here.
    Break,
}

/// One byte of an expanded word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Char {
    pub(super) byte: u8,
    origin: Origin,
}

impl Char {
    pub(super) fn literal(byte: u8) -> Self {
        Self { byte, origin: Origin::Literal }
    }

    pub(super) fn is_quoted(self) -> bool {
        self.origin == Origin::Quoted
    }

    /// Whether it is a byte at all, not a mark between them.
    pub(super) fn is_text(self) -> bool {
        !matches!(self.origin, Origin::Empty | Origin::Break)
    }

    const EMPTY: Char = Char { byte: 0, origin: Origin::Empty };
    const BREAK: Char = Char { byte: 0, origin: Origin::Break };
}

/// How the surroundings treat what is expanded.
#[derive(Debug, Clone, Copy)]
struct Surroundings {
    /// In double quotes.
    quoted: bool,
    /// Whether fields may come of it.
    split: bool,
    /// What literal text counts as: in `${x:-a b}` it is split like the result of the expansion.
    literal: Origin,
}

impl Surroundings {
    const FIELDS: Self = Self { quoted: false, split: true, literal: Origin::Literal };
    const SINGLE: Self = Self { quoted: false, split: false, literal: Origin::Literal };

    fn quoted(self) -> Self {
        Self { quoted: true, literal: Origin::Quoted, ..self }
    }

    /// What the result of an expansion counts as.
    fn expanded(self) -> Origin {
        if self.quoted { Origin::Quoted } else { Origin::Expanded }
    }
}

type Chars = Vec<Char>;

impl<S> Interpreter<'_, '_, S> {
    /// The fields of several words: everything applies.
    pub(super) fn fields(&mut self, words: &[Word]) -> Eval<Vec<BString>> {
        let mut all = Vec::new();
        for word in words {
            // Most words are plain text.
            if let Some(text) = word.bare().filter(|text| !text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))) {
                all.push(text.clone());
                continue;
            }
            let chars = self.chars(&word.parts, Surroundings::FIELDS)?;
            for field in fields::split(&chars, &self.ifs()) {
                let paths = if self.shell.options.noglob { Vec::new() } else { self.pathnames(&field)? };
                if paths.is_empty() {
                    all.push(text(&field));
                } else {
                    all.extend(paths);
                }
            }
        }
        Ok(all)
    }

    /// A word where no fields can come of it: assignments, redirections, `case`.
    pub(super) fn single(&mut self, word: &Word) -> Eval<BString> {
        Ok(text(&self.chars(&word.parts, Surroundings::SINGLE)?))
    }

    /// A word as a pattern.
    pub(super) fn pattern(&mut self, word: &Word) -> Eval<Pattern> {
        Ok(Pattern::from_chars(&self.chars(&word.parts, Surroundings::SINGLE)?))
    }

    /// bash's `=~`.
    pub(super) fn regex_matches(&mut self, subject: &[u8], word: &Word) -> Eval<bool> {
        let mut source = Vec::new();
        for char in self.chars(&word.parts, Surroundings::SINGLE)?.iter().filter(|char| char.is_text()) {
            if char.is_quoted() && !char.byte.is_ascii_alphanumeric() {
                source.push(b'\\');
            }
            source.push(char.byte);
        }
        let regex = super::super::utils::extended_regex(&source, false);
        let regex = regex.ok_or_else(|| self.unsupported(format!("the regular expression {}", source.as_bstr())))?;
        Ok(regex.is_match(subject))
    }

    fn chars(&mut self, parts: &[Part], around: Surroundings) -> Eval<Chars> {
        let mut chars = Chars::new();
        self.expand(parts, around, &mut chars)?;
        self.machine.usage.bytes(&self.machine.limits, chars.len(), self.shell.line)?;
        Ok(chars)
    }

    fn expand(&mut self, parts: &[Part], around: Surroundings, chars: &mut Chars) -> Eval<()> {
        for part in parts {
            match part {
                Part::Literal(text) => push(chars, text, around.literal),
                Part::Quoted(text) => {
                    chars.push(Char::EMPTY);
                    push(chars, text, Origin::Quoted);
                }
                Part::DoubleQuoted(inner) => self.expand_quoted(inner, around, chars)?,
                Part::Parameter(parameter) => self.expand_parameter(parameter, around, chars)?,
                Part::Command(list) => {
                    let output = self.substitute(list)?;
                    push(chars, &output, around.expanded());
                }
                Part::Arithmetic(parts) => {
                    let value = self.arithmetic(parts)?;
                    push(chars, value.to_string().as_bytes(), around.expanded());
                }
                Part::Tilde(user) => {
                    let home = self.home(user);
                    push(chars, &home, Origin::Quoted);
                }
            }
        }
        Ok(())
    }

    fn expand_quoted(&mut self, inner: &[Part], around: Surroundings, chars: &mut Chars) -> Eval<()> {
        let before = chars.len();
        self.expand(inner, around.quoted(), chars)?;
        // `"$@"` without parameters is no field at all.
        let is_list = |part: &Part| matches!(part, Part::Parameter(parameter) if parameter.is_list());
        if chars.len() == before && !inner.iter().any(is_list) {
            chars.push(Char::EMPTY);
        }
        Ok(())
    }

    /// Command substitution (XCU 2.6.3): the output without its last newlines.
    fn substitute(&mut self, list: &List) -> Eval<Vec<u8>> {
        let sink = Description::Sink(Vec::new()).open();
        let status = self.subshell(|inner| {
            inner.shell.descriptors.insert(1, sink.clone());
            inner.list(list, false)
        })?;
        self.shell.substituted = Some(status);
        self.shell.status = status;
        let mut output = Description::drain(&sink);
        output.retain(|byte| *byte != 0);
        while output.last() == Some(&b'\n') {
            output.pop();
        }
        Ok(output)
    }

    fn home(&self, user: &[u8]) -> BString {
        if user.is_empty() {
            return self.shell.get(b"HOME").cloned().unwrap_or_else(|| "/root".into());
        }
        super::super::utils::accounts::home(self.machine, user).unwrap_or_else(|| [b"~", user].concat().into())
    }

    fn ifs(&self) -> BString {
        self.shell.get(b"IFS").cloned().unwrap_or_else(|| " \t\n".into())
    }
}

fn push(chars: &mut Chars, text: &[u8], origin: Origin) {
    chars.extend(text.iter().map(|byte| Char { byte: *byte, origin }));
}

/// The bytes of expanded characters.
fn text(chars: &[Char]) -> BString {
    chars.iter().filter(|char| char.is_text()).map(|char| char.byte).collect::<Vec<u8>>().into()
}
