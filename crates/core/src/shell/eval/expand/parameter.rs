//! Parameter expansion (XCU 2.6.2).

use bstr::{BString, ByteSlice};

use super::super::super::state::Value;
use super::super::super::syntax::ast::{Operation, Parameter, Word};
use super::super::{Eval, Interpreter};
use super::{Char, Chars, Origin, Surroundings, push, text};

/// A parameter's value.
pub(super) enum Found {
    Unset,
    Text(BString),
    /// `$@` or, when `joined`, `$*`; also bash's `${array[@]}`.
    List {
        items: Vec<BString>,
        joined: bool,
    },
}

impl Parameter {
    /// Whether it gives one field per item.
    pub(super) fn is_list(&self) -> bool {
        self.name == "@" || self.index.as_ref().and_then(Word::bare).is_some_and(|index| index == "@")
    }
}

impl<S> Interpreter<'_, '_, S> {
    pub(super) fn expand_parameter(
        &mut self,
        parameter: &Parameter,
        around: Surroundings,
        chars: &mut Chars,
    ) -> Eval<()> {
        let found = self.find_parameter(parameter)?;
        let is_null = match &found {
            Found::Unset => true,
            Found::Text(text) => text.is_empty(),
            Found::List { items, .. } => items.iter().all(|item| item.is_empty()),
        };
        let is_unset = match &found {
            Found::Unset => true,
            Found::Text(_) => false,
            Found::List { items, .. } => items.is_empty(),
        };
        let missing = |colon: bool| if colon { is_null } else { is_unset };
        match &parameter.operation {
            Operation::Default { colon, word } if missing(*colon) => return self.expand_inner(word, around, chars),
            Operation::Alternative { colon, word } => {
                return if missing(*colon) { Ok(()) } else { self.expand_inner(word, around, chars) };
            }
            Operation::Assign { colon, word } if missing(*colon) => {
                let value = self.single(word)?;
                self.assign(&parameter.name, &value)?;
                push(chars, &value, around.expanded());
                return Ok(());
            }
            Operation::Require { colon, word } if missing(*colon) => {
                let mut message = self.single(word)?;
                if message.is_empty() {
                    message = if *colon { "parameter not set or null" } else { "parameter not set" }.into();
                }
                return self.fatal([parameter.name.as_slice(), b": ", &message].concat());
            }
            Operation::Default { .. } | Operation::Assign { .. } | Operation::Require { .. } => {}
            _ if is_unset && !parameter.is_list() && parameter.name != "*" => self.check_set(parameter)?,
            _ => {}
        }
        let changed = self.operate(parameter, found)?;
        self.emit(changed, around, chars);
        Ok(())
    }

    /// `set -u`.
    fn check_set(&mut self, parameter: &Parameter) -> Eval<()> {
        if self.shell.options.nounset {
            self.shell.line = parameter.line;
            return self.fatal([parameter.name.as_slice(), b": parameter not set"].concat());
        }
        Ok(())
    }

    /// The word inside an expansion: its literal text counts as a result of the expansion.
    fn expand_inner(&mut self, word: &Word, around: Surroundings, chars: &mut Chars) -> Eval<()> {
        let literal = if around.quoted { Origin::Quoted } else { Origin::Expanded };
        self.expand(&word.parts, Surroundings { literal, ..around }, chars)
    }

    fn emit(&self, found: Found, around: Surroundings, chars: &mut Chars) {
        let origin = around.expanded();
        match found {
            Found::Unset => {}
            Found::Text(text) => push(chars, &text, origin),
            Found::List { items, joined } if !around.split || (joined && around.quoted) => {
                let ifs = self.ifs();
                let separator = if joined { ifs.first().copied() } else { Some(b' ') };
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        push(chars, separator.as_slice(), origin);
                    }
                    push(chars, item, origin);
                }
                if around.quoted {
                    chars.push(Char::EMPTY);
                }
            }
            Found::List { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        chars.push(Char::BREAK);
                    }
                    if around.quoted {
                        chars.push(Char::EMPTY);
                    }
                    push(chars, item, origin);
                }
            }
        }
    }

    fn find_parameter(&mut self, parameter: &Parameter) -> Eval<Found> {
        if parameter.indirect {
            return self.find_indirect(parameter);
        }
        if let Some(index) = &parameter.index {
            return self.find_element(&parameter.name, index);
        }
        Ok(self.named(&parameter.name))
    }

    fn named(&self, name: &[u8]) -> Found {
        let number = |value: usize| Found::Text(value.to_string().into());
        match name {
            b"@" | b"*" => Found::List { items: self.shell.parameters.clone(), joined: name == b"*" },
            b"#" => number(self.shell.parameters.len()),
            b"?" => number(self.shell.status.0.into()),
            b"-" => Found::Text(self.shell.options.letters()),
            // Any number will do for a process that does not exist, if it is the same each time.
            b"$" | b"BASHPID" => number(1000),
            b"!" => number(1001),
            b"0" => Found::Text(self.shell.name.clone()),
            b"LINENO" => number(self.shell.line as usize),
            _ if name.first().is_some_and(u8::is_ascii_digit) => {
                let position = name.to_str().ok().and_then(|digits| digits.parse::<usize>().ok());
                let value = position.and_then(|position| self.shell.parameters.get(position.checked_sub(1)?));
                value.map_or(Found::Unset, |value| Found::Text(value.clone()))
            }
            _ => self.shell.get(name).map_or(Found::Unset, |value| Found::Text(value.clone())),
        }
    }

    /// bash's `${!name}`, and `${!array[@]}` for the keys.
    fn find_indirect(&mut self, parameter: &Parameter) -> Eval<Found> {
        if parameter.is_list() {
            let variable = self.shell.variables.get(&parameter.name).and_then(|variable| variable.value.as_ref());
            let items = match variable {
                Some(Value::Indexed(items)) => items.keys().map(|key| key.to_string().into()).collect(),
                Some(Value::Associative(items)) => items.keys().cloned().collect(),
                Some(Value::Scalar(_)) => vec!["0".into()],
                None => Vec::new(),
            };
            return Ok(Found::List { items, joined: false });
        }
        match self.named(&parameter.name) {
            Found::Text(name) => Ok(self.named(&name)),
            other => Ok(other),
        }
    }

    /// bash's `${name[index]}`.
    fn find_element(&mut self, name: &BString, index: &Word) -> Eval<Found> {
        let key = self.single(index)?;
        let value = self.shell.variables.get(name).and_then(|variable| variable.value.clone());
        if key == "@" || key == "*" {
            let items = match value {
                Some(Value::Indexed(items)) => items.into_values().collect(),
                Some(Value::Associative(items)) => items.into_values().collect(),
                Some(Value::Scalar(text)) => vec![text],
                None => Vec::new(),
            };
            return Ok(Found::List { items, joined: key == "*" });
        }
        let found = match value {
            Some(Value::Associative(items)) => items.get(&key).cloned(),
            Some(Value::Indexed(items)) => {
                let mut number = self.arithmetic_text(&key)?;
                if number < 0 {
                    number += items.last_key_value().map_or(0, |(last, _)| last + 1);
                }
                items.get(&number).cloned()
            }
            Some(Value::Scalar(text)) => (self.arithmetic_text(&key)? == 0).then_some(text),
            None => None,
        };
        Ok(found.map_or(Found::Unset, Found::Text))
    }

    /// Applies an operation that changes the value.
    fn operate(&mut self, parameter: &Parameter, found: Found) -> Eval<Found> {
        match &parameter.operation {
            Operation::Length => Ok(Found::Text(match found {
                Found::Unset => "0".into(),
                Found::Text(text) => text.len().to_string().into(),
                Found::List { items, .. } => items.len().to_string().into(),
            })),
            Operation::Slice { offset, length } => self.slice(found, offset, length.as_ref()),
            Operation::RemovePrefix { longest, pattern } => {
                let pattern = self.pattern(pattern)?;
                Ok(map(found, |text| match pattern.prefix(&text, *longest) {
                    Some(length) => text.get(length..).unwrap_or_default().into(),
                    None => text,
                }))
            }
            Operation::RemoveSuffix { longest, pattern } => {
                let pattern = self.pattern(pattern)?;
                Ok(map(found, |text| match pattern.suffix(&text, *longest) {
                    Some(start) => text.get(..start).unwrap_or_default().into(),
                    None => text,
                }))
            }
            Operation::Replace { anchor, pattern, with } => {
                let pattern = self.pattern(pattern)?;
                let with = text(&self.chars(&with.parts, Surroundings::SINGLE)?);
                Ok(map(found, |text| super::text::replace(&text, &pattern, &with, *anchor)))
            }
            Operation::Case { upper, all } => Ok(map(found, |text| super::text::change_case(text, *upper, *all))),
            _ => Ok(found),
        }
    }

    fn slice(&mut self, found: Found, offset: &Word, length: Option<&Word>) -> Eval<Found> {
        let offset = self.arithmetic(&offset.parts)?;
        let length = match length {
            Some(length) => Some(self.arithmetic(&length.parts)?),
            None => None,
        };
        Ok(match found {
            Found::List { mut items, joined } => {
                // `${@:1}` starts at `$1`: offset 0 would be `$0`.
                items.insert(0, self.shell.name.clone());
                let range = super::text::range(items.len(), offset, length);
                Found::List { items: items.get(range).unwrap_or_default().to_vec(), joined }
            }
            other => {
                map(other, |text| text.get(super::text::range(text.len(), offset, length)).unwrap_or_default().into())
            }
        })
    }
}

fn map(found: Found, change: impl Fn(BString) -> BString) -> Found {
    match found {
        Found::Unset => Found::Unset,
        Found::Text(text) => Found::Text(change(text)),
        Found::List { items, joined } => Found::List { items: items.into_iter().map(change).collect(), joined },
    }
}
