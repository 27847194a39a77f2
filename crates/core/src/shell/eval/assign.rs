//! Assignments.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::super::state::{Value, Variable};
use super::super::syntax::ast::{AssignedValue, Assignment, Word};
use super::{Eval, Interpreter};

impl<S> Interpreter<'_, '_, S> {
    /// Sets a variable; a read-only one ends the shell (XCU 2.8.1).
    pub(in crate::shell) fn assign(&mut self, name: &[u8], value: &[u8]) -> Eval<()> {
        self.check_writable(name)?;
        self.shell.assign_raw(name, value);
        Ok(())
    }

    pub(in crate::shell) fn check_writable(&mut self, name: &[u8]) -> Eval<()> {
        if self.shell.variables.get(name.as_bstr()).is_some_and(|variable| variable.readonly) {
            return self.fatal([name, b": is read only"].concat());
        }
        Ok(())
    }

    pub(super) fn run_assignment(&mut self, assignment: &Assignment) -> Eval<()> {
        let name = &assignment.name;
        match &assignment.value {
            AssignedValue::Array(words) => self.assign_array(name, words, assignment.append),
            AssignedValue::Scalar(word) => {
                let mut value = self.single(word)?;
                if let Some(index) = &assignment.index {
                    return self.assign_element(name, index, value, assignment.append);
                }
                if assignment.append {
                    value =
                        [self.shell.get(name).map(|old| old.as_slice()).unwrap_or_default(), &value].concat().into();
                }
                self.assign(name, &value)
            }
        }
    }

    fn assign_array(&mut self, name: &BString, words: &[Word], append: bool) -> Eval<()> {
        self.check_writable(name)?;
        let values = self.fields(words)?;
        let variable = self.shell.variables.entry(name.clone()).or_default();
        let mut items = match variable.value.take() {
            Some(Value::Indexed(items)) if append => items,
            Some(Value::Scalar(text)) if append => BTreeMap::from([(0, text)]),
            _ => BTreeMap::new(),
        };
        let first = items.last_key_value().map_or(0, |(last, _)| last + 1);
        items.extend((first..).zip(values));
        variable.value = Some(Value::Indexed(items));
        Ok(())
    }

    fn assign_element(&mut self, name: &BString, index: &Word, value: BString, append: bool) -> Eval<()> {
        self.check_writable(name)?;
        let associative =
            matches!(self.shell.variables.get(name), Some(Variable { value: Some(Value::Associative(_)), .. }));
        let key = self.single(index)?;
        let number = if associative { 0 } else { self.arithmetic_text(&key)? };
        let variable = self.shell.variables.entry(name.clone()).or_default();
        let slot = match variable.value.get_or_insert_with(|| Value::Indexed(BTreeMap::new())) {
            Value::Associative(items) => items.entry(key).or_default(),
            Value::Indexed(items) => items.entry(number).or_default(),
            scalar => {
                let first = scalar.scalar().cloned().unwrap_or_default();
                *scalar = Value::Indexed(BTreeMap::from([(0, first)]));
                let Value::Indexed(items) = scalar else { return Ok(()) };
                items.entry(number).or_default()
            }
        };
        if append {
            slot.extend_from_slice(&value);
        } else {
            *slot = value;
        }
        Ok(())
    }
}
