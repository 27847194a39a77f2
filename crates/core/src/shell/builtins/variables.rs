//! `export`, `readonly`, `local`, bash's `declare`, and `unset`.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::super::Status;
use super::super::eval::{Eval, Interpreter};
use super::super::state::{Value, Variable};
use super::super::syntax::is_name;

/// What `export` and `readonly` mark a variable as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Exported,
    Readonly,
}

/// `name` or `name=value`.
fn split(arg: &BString) -> (&[u8], Option<&[u8]>) {
    match arg.split_once_str("=") {
        Some((name, value)) => (name, Some(value)),
        None => (arg, None),
    }
}

impl<S> Interpreter<'_, '_, S> {
    pub(super) fn export_builtin(&mut self, args: &[BString], attribute: Attribute) -> Eval {
        let mut unmark = false;
        for arg in args {
            match arg.as_slice() {
                b"-p" if args.len() == 1 => break,
                b"-n" => {
                    unmark = true;
                    continue;
                }
                b"-f" | b"--" => continue,
                _ => {}
            }
            let (name, value) = split(arg);
            if !is_name(name) {
                return self.fatal(format!("export: {arg}: bad variable name"));
            }
            if let Some(value) = value {
                self.assign(name, value)?;
            }
            let variable = self.shell.variables.entry(name.into()).or_default();
            match attribute {
                Attribute::Exported => variable.exported = !unmark,
                Attribute::Readonly => variable.readonly = true,
            }
        }
        if args.is_empty() || args.first().is_some_and(|arg| arg == "-p") {
            self.print_marked(attribute)?;
        }
        Ok(Status::SUCCESS)
    }

    fn print_marked(&mut self, attribute: Attribute) -> Eval<()> {
        let mut text = Vec::new();
        for (name, variable) in &self.shell.variables {
            let (marked, word): (bool, &[u8]) = match attribute {
                Attribute::Exported => (variable.exported, b"export "),
                Attribute::Readonly => (variable.readonly, b"readonly "),
            };
            if marked {
                text.extend_from_slice(word);
                text.extend_from_slice(name);
                if let Some(value) = variable.value.as_ref().and_then(Value::scalar) {
                    text.extend_from_slice(&[b"='", value.replace("'", "'\"'\"'").as_slice(), b"'"].concat());
                }
                text.push(b'\n');
            }
        }
        self.write(1, &text)?;
        Ok(())
    }

    /// `local` and `declare`; outside a function `declare` sets the variable itself.
    pub(super) fn local_builtin(&mut self, args: &[BString]) -> Eval {
        let mut flags = Vec::new();
        for arg in args {
            if let Some(letters) = arg.strip_prefix(b"-").filter(|letters| !letters.is_empty()) {
                if let Some(unknown) = letters.iter().find(|letter| !b"aAgilprux-".contains(letter)) {
                    return Err(self.unsupported(format!("declare -{}", char::from(*unknown))).into());
                }
                flags.extend_from_slice(letters);
                continue;
            }
            let (name, value) = split(arg);
            if !is_name(name) {
                return self.fatal(format!("local: {arg}: bad variable name"));
            }
            if !flags.contains(&b'g') {
                self.make_local(name);
            }
            self.declare(name, value, &flags)?;
        }
        Ok(Status::SUCCESS)
    }

    fn make_local(&mut self, name: &[u8]) {
        let Some(layer) = self.shell.locals.last_mut() else { return };
        if !layer.iter().any(|(saved, _)| saved == name) {
            layer.push((name.into(), self.shell.variables.get(name.as_bstr()).cloned()));
            if self.shell.dialect == super::super::syntax::Dialect::Bash {
                // dash lets a local start with the outer value, bash does not.
                let exported = self.shell.variables.get(name.as_bstr()).is_some_and(|variable| variable.exported);
                self.shell.variables.insert(name.into(), Variable { exported, ..Variable::default() });
            }
        }
    }

    fn declare(&mut self, name: &[u8], value: Option<&[u8]>, flags: &[u8]) -> Eval<()> {
        let array = if flags.contains(&b'A') {
            Some(Value::Associative(BTreeMap::new()))
        } else {
            flags.contains(&b'a').then(|| Value::Indexed(BTreeMap::new()))
        };
        if let Some(array) = array {
            self.shell.variables.entry(name.into()).or_default().value.get_or_insert(array);
        }
        if let Some(value) = value {
            let value = if flags.contains(&b'i') {
                BString::from(self.arithmetic_text(value)?.to_string())
            } else {
                value.into()
            };
            self.assign(name, &value)?;
        }
        let variable = self.shell.variables.entry(name.into()).or_default();
        variable.exported |= flags.contains(&b'x');
        variable.readonly |= flags.contains(&b'r');
        Ok(())
    }

    pub(super) fn unset_builtin(&mut self, args: &[BString]) -> Eval {
        let mut functions = false;
        for arg in args {
            match arg.as_slice() {
                b"-f" => functions = true,
                b"-v" => functions = false,
                b"--" => {}
                name if functions => _ = self.shell.functions.remove(name.as_bstr()),
                name => {
                    self.check_writable(name)?;
                    self.shell.unset(name);
                }
            }
        }
        Ok(Status::SUCCESS)
    }
}

/// `str::split_once` for bytes.
trait SplitOnce {
    fn split_once_str(&self, separator: &str) -> Option<(&[u8], &[u8])>;
}

impl SplitOnce for BString {
    fn split_once_str(&self, separator: &str) -> Option<(&[u8], &[u8])> {
        let at = self.find(separator)?;
        Some((self.get(..at)?, self.get(at + separator.len()..)?))
    }
}
