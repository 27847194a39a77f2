//! Here-documents (XCU 2.7.4).

use bstr::{BString, ByteSlice};

use super::ast::{Part, Word};
use super::cursor::Parser;
use crate::shell::ShellError;

impl Parser<'_> {
    /// Reads the bodies of the here-documents of the line that just ended.
    pub(super) fn read_heredocs(&mut self) -> Result<(), ShellError> {
        for pending in std::mem::take(&mut self.heredocs) {
            let line = self.line;
            let text = self.heredoc_text(&pending.delimiter, pending.strip_tabs);
            let word = if pending.quoted {
                Word { parts: vec![Part::Quoted(text)] }
            } else {
                let mut body = self.inner(&text, line);
                body.nested(|body| body.heredoc_body())?
            };
            // The cell belongs to this one redirection, so it cannot have been filled before.
            _ = pending.body.set(word);
        }
        Ok(())
    }

    /// The lines up to the delimiter; up to the end of the script when there is none, as dash does.
    fn heredoc_text(&mut self, delimiter: &BString, strip_tabs: bool) -> BString {
        let mut text = BString::default();
        while !self.at_end() {
            let mut line = self.take_while(|byte| byte != b'\n');
            self.eat(b"\n");
            if strip_tabs {
                line = line.trim_start_with(|c| c == '\t').as_bytes();
            }
            if line == delimiter.as_slice() {
                break;
            }
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text
    }

    /// The delimiter word after `<<`: its text with quotes removed, and whether it had any.
    pub(super) fn heredoc_delimiter(&mut self) -> Result<(BString, bool), ShellError> {
        self.skip_blanks();
        let word = self.word()?;
        let mut text = BString::default();
        let mut quoted = false;
        for part in &word.parts {
            match part {
                Part::Literal(bytes) => text.extend_from_slice(bytes),
                Part::Quoted(bytes) => {
                    quoted = true;
                    text.extend_from_slice(bytes);
                }
                Part::DoubleQuoted(parts) => {
                    quoted = true;
                    for part in parts {
                        let (Part::Literal(bytes) | Part::Quoted(bytes)) = part else {
                            return self.syntax("a here-document's delimiter is not plain text");
                        };
                        text.extend_from_slice(bytes);
                    }
                }
                _ => return self.syntax("a here-document's delimiter is not plain text"),
            }
        }
        Ok((text, quoted))
    }
}
