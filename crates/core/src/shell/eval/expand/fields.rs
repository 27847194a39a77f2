//! Field splitting (XCU 2.6.5).

use super::{Char, Chars, Origin};

/// Gathers fields as characters come in.
#[derive(Default)]
struct Splitter {
    fields: Vec<Chars>,
    current: Option<Chars>,
    /// The last field was ended by white space alone: one other separator still belongs to that end.
    ended_by_space: bool,
}

impl Splitter {
    fn end(&mut self) -> bool {
        match self.current.take() {
            Some(field) => {
                self.fields.push(field);
                true
            }
            None => false,
        }
    }
}

/// Splits what expansions gave at the characters of `ifs`; an unquoted nothing gives no field.
pub(super) fn split(chars: &[Char], ifs: &[u8]) -> Vec<Chars> {
    let mut splitter = Splitter::default();
    for char in chars {
        match char.origin {
            Origin::Break => {
                splitter.end();
                splitter.ended_by_space = false;
            }
            Origin::Empty => _ = splitter.current.get_or_insert_default(),
            Origin::Expanded if ifs.contains(&char.byte) => {
                if matches!(char.byte, b' ' | b'\t' | b'\n') {
                    splitter.ended_by_space |= splitter.end();
                } else if !splitter.end() && !std::mem::take(&mut splitter.ended_by_space) {
                    splitter.fields.push(Chars::new());
                }
            }
            _ => {
                splitter.current.get_or_insert_default().push(*char);
                splitter.ended_by_space = false;
            }
        }
    }
    splitter.end();
    splitter.fields
}
