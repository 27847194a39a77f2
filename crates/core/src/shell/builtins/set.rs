//! `set` (XCU 2.15).

use bstr::{BString, ByteSlice};

use super::super::Status;
use super::super::eval::{Eval, Interpreter};
use super::super::state::Value;

impl<S> Interpreter<'_, '_, S> {
    pub(super) fn set_builtin(&mut self, args: Vec<BString>) -> Eval {
        if args.is_empty() {
            return self.print_variables();
        }
        let mut args = args.into_iter().peekable();
        while let Some(arg) = args.peek().cloned() {
            let on = match arg.as_slice() {
                b"--" => {
                    args.next();
                    self.shell.parameters = args.collect();
                    return Ok(Status::SUCCESS);
                }
                [b'-'] => {
                    args.next();
                    self.shell.options.xtrace = false;
                    break;
                }
                [b'-', _, ..] => true,
                [b'+', _, ..] => false,
                _ => break,
            };
            args.next();
            for flag in arg.iter().skip(1) {
                let known = if *flag == b'o' {
                    match args.next() {
                        Some(name) => self.shell.options.set_name(&name, on),
                        None => true,
                    }
                } else {
                    self.shell.options.set_flag(*flag, on)
                };
                if !known {
                    return self.fatal(format!("set: Illegal option {arg}"));
                }
            }
        }
        if args.peek().is_some() {
            self.shell.parameters = args.collect();
        }
        Ok(Status::SUCCESS)
    }

    fn print_variables(&mut self) -> Eval {
        let mut text = Vec::new();
        for (name, variable) in &self.shell.variables {
            if let Some(value) = variable.value.as_ref().and_then(Value::scalar) {
                text.extend_from_slice(name);
                text.extend_from_slice(b"='");
                text.extend_from_slice(&value.replace("'", "'\"'\"'"));
                text.extend_from_slice(b"'\n");
            }
        }
        self.write(1, &text)?;
        Ok(Status::SUCCESS)
    }
}
