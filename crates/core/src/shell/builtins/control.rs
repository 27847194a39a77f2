//! Builtins that steer the flow: `break`, `continue`, `return`, `exit`, `eval`, `.`, `exec`, `shift`, `trap`.

use bstr::{BString, ByteSlice};

use super::super::eval::{Eval, Interpreter, Unwind};
use super::super::invocation::reason;
use super::super::syntax::Dialect;
use super::super::{Invocation, Status};

impl<S> Interpreter<'_, '_, S> {
    pub(super) fn break_or_continue(&mut self, name: &str, args: &[BString]) -> Eval {
        let levels = match args.first() {
            None => 1,
            Some(text) => {
                match text.to_str().ok().and_then(|text| text.parse::<u32>().ok()).filter(|levels| *levels > 0) {
                    Some(levels) => levels,
                    None => return self.fatal(format!("{name}: Illegal number: {text}")),
                }
            }
        };
        match levels.min(self.shell.loops) {
            0 => Ok(Status::SUCCESS),
            levels if name == "break" => Err(Unwind::Break(levels)),
            levels => Err(Unwind::Continue(levels)),
        }
    }

    /// The status in an operand; without one the last command's.
    fn status_operand(&mut self, name: &str, args: &[BString]) -> Eval {
        match args.first() {
            None => Ok(self.shell.status),
            Some(text) => match text.to_str().ok().and_then(|text| text.parse::<i64>().ok()) {
                Some(number) => Ok(Status((number & 0xff) as u8)),
                None => self.fatal(format!("{name}: Illegal number: {text}")),
            },
        }
    }

    pub(super) fn exit_builtin(&mut self, args: &[BString]) -> Eval {
        let status = self.status_operand("exit", args)?;
        Err(Unwind::Exit(status))
    }

    pub(super) fn return_builtin(&mut self, args: &[BString]) -> Eval {
        let status = self.status_operand("return", args)?;
        Err(Unwind::Return(status))
    }

    pub(super) fn eval_builtin(&mut self, args: &[BString], tested: bool) -> Eval {
        let text = bstr::join(" ", args);
        self.machine.usage.deeper(&self.machine.limits, self.shell.line)?;
        let line = self.shell.line;
        let ended = self.run_text(&text, tested);
        self.shell.line = line;
        self.machine.usage.depth -= 1;
        ended
    }

    /// `.`: runs a file's text in this shell, or what was registered in its stead.
    pub(super) fn source(&mut self, args: Vec<BString>, tested: bool) -> Eval {
        let mut args = args.into_iter();
        let Some(name) = args.next() else { return self.fatal(".: filename argument required") };
        let rest: Vec<BString> = args.collect();
        let path = if name.contains(&b'/') { Some(name.clone()) } else { self.find_sourced(&name) };
        let Some(path) = path else { return self.fatal(format!(".: {name}: not found")) };
        if let Some(command) = self.machine.commands.source(&path) {
            return Ok(self.call(command, name, rest)?);
        }
        let at = self.machine.tree.resolve(&self.shell.cwd, &path, true);
        let text = match at.and_then(|at| self.machine.tree.read(&at, self.machine.contents)) {
            Ok(text) => text,
            Err(error) => return self.fatal(format!(".: cannot open {path}: {}", reason(&error))),
        };
        self.machine.usage.deeper(&self.machine.limits, self.shell.line)?;
        let line = self.shell.line;
        let replaced = (self.shell.dialect == Dialect::Bash && !rest.is_empty())
            .then(|| std::mem::replace(&mut self.shell.parameters, rest));
        self.shell.sourced += 1;
        let ended = self.run_text(&text, tested);
        self.shell.sourced -= 1;
        if let Some(parameters) = replaced {
            self.shell.parameters = parameters;
        }
        self.shell.line = line;
        self.machine.usage.depth -= 1;
        match ended {
            Err(Unwind::Return(status)) => Ok(status),
            other => other,
        }
    }

    /// `PATH` is searched for sourced files too, which need not be executable.
    fn find_sourced(&self, name: &[u8]) -> Option<BString> {
        let search = self.shell.get(b"PATH").cloned().unwrap_or_default();
        let here = (self.shell.dialect == Dialect::Bash).then_some(b"." as &[u8]);
        search.split_str(":").chain(here).map(|directory| [directory, b"/", name].concat()).find_map(|path| {
            let at = self.machine.tree.resolve(&self.shell.cwd, &path, true).ok()?;
            self.machine.tree.get(&at).filter(|node| !node.is_directory()).map(|_| path.into())
        })
    }

    /// `exec`: without a command its redirections stay, which the caller sees to; with one the shell ends with it.
    pub(super) fn exec_builtin(&mut self, args: Vec<BString>) -> Eval {
        let mut args = args.into_iter().peekable();
        args.next_if(|arg| arg == "--");
        let Some(name) = args.next() else { return Ok(Status::SUCCESS) };
        self.shell.traps.remove(b"EXIT".as_bstr());
        let status = self.run_found(name, args.collect())?;
        Err(Unwind::Exit(status))
    }

    pub(super) fn shift_builtin(&mut self, args: &[BString]) -> Eval {
        let count = match args.first() {
            None => 1,
            Some(text) => match text.to_str().ok().and_then(|text| text.parse::<usize>().ok()) {
                Some(count) => count,
                None => return self.fatal(format!("shift: Illegal number: {text}")),
            },
        };
        if count > self.shell.parameters.len() {
            if self.shell.dialect == Dialect::Bash {
                return Ok(Status::FAILURE);
            }
            return self.fatal("shift: can't shift that many");
        }
        self.shell.parameters.drain(..count);
        Ok(Status::SUCCESS)
    }

    /// `trap`: only the exit of the shell ever happens here; other signals are noted, nothing more.
    pub(super) fn trap_builtin(&mut self, args: &[BString]) -> Eval {
        let args = args.strip_prefix(&["--".into()]).unwrap_or(args);
        let Some((action, signals)) = args.split_first() else {
            let list: Vec<(BString, BString)> =
                self.shell.traps.iter().map(|(signal, action)| (signal.clone(), action.clone())).collect();
            for (signal, action) in list {
                self.write(1, format!("trap -- '{action}' {signal}\n").as_bytes())?;
            }
            return Ok(Status::SUCCESS);
        };
        let resets = action == "-" || signals.is_empty() || action.iter().all(u8::is_ascii_digit) && !action.is_empty();
        let signals = if signals.is_empty() || (resets && action != "-") { args } else { signals };
        for signal in signals {
            let name = signal_name(signal);
            if resets {
                self.shell.traps.remove(&name);
            } else {
                self.shell.traps.insert(name, action.clone());
            }
        }
        Ok(Status::SUCCESS)
    }
}

fn signal_name(signal: &BString) -> BString {
    let name = signal.to_ascii_uppercase();
    let name = name.strip_prefix(b"SIG").unwrap_or(&name);
    match name {
        b"0" => "EXIT".into(),
        _ => name.into(),
    }
}

impl<S> Invocation<'_, '_, S> {
    /// Runs a function, builtin or program in this very shell, as the body of a command would.
    ///
    /// # Errors
    /// As the command's; an `exit` inside ends only the command.
    pub fn run_here(&mut self, command: Vec<BString>) -> Result<Status, super::super::ShellError> {
        let mut words = command.into_iter();
        let Some(name) = words.next() else { return Ok(Status::SUCCESS) };
        let mut interpreter = Interpreter { machine: &mut *self.machine, shell: &mut *self.shell };
        match interpreter.run_named(name, words.collect(), true) {
            Ok(status) | Err(Unwind::Exit(status) | Unwind::Return(status)) => Ok(status),
            Err(Unwind::Break(_) | Unwind::Continue(_)) => Ok(Status::SUCCESS),
            Err(Unwind::Error(error)) => Err(error),
        }
    }
}
