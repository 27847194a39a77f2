//! Simple commands (XCU 2.9.1): expansion, redirection, assignment, and the command itself.

use bstr::{BString, ByteSlice};

use super::super::builtins::{self, Special};
use super::super::state::Variable;
use super::super::syntax::ast::{Redirect, Simple};
use super::{Eval, Found, Interpreter, Unwind};
use crate::shell::{CommandFn, Invocation, ShellError, Status};

impl<'c, S> Interpreter<'_, 'c, S> {
    pub(super) fn simple(&mut self, simple: &Simple, redirects: &[Redirect], tested: bool) -> Eval {
        self.shell.substituted = None;
        let words = self.fields(&simple.words)?;
        let saved = self.shell.descriptors.clone();
        let Some(name) = words.first().cloned() else {
            let redirected = self.redirect(redirects);
            self.shell.descriptors = saved;
            if !redirected? {
                return Ok(Status(2));
            }
            for assignment in &simple.assignments {
                self.run_assignment(assignment)?;
            }
            return Ok(self.shell.substituted.unwrap_or_default());
        };
        if self.shell.options.xtrace {
            self.write(2, &[b"+ ", bstr::join(" ", &words).as_slice(), b"\n"].concat())?;
        }
        let special = builtins::special::<S>(&name);
        match self.redirect(redirects) {
            Ok(true) => {}
            Ok(false) => {
                self.shell.descriptors = saved;
                return if special.is_some() { Err(Unwind::Exit(Status(2))) } else { Ok(Status(2)) };
            }
            Err(unwind) => {
                self.shell.descriptors = saved;
                return Err(unwind);
            }
        }
        let args = words.get(1..).unwrap_or_default().to_vec();
        let ended = match special {
            Some(special) => self.run_special(special, simple, name.clone(), args, tested),
            None => self.with_assignments(simple, |shell| shell.run_named(name.clone(), args, tested)),
        };
        // `exec` without a command keeps its redirections.
        if !(name == "exec" && words.len() == 1 && ended.is_ok()) {
            self.shell.descriptors = saved;
        }
        ended
    }

    /// Assignments before a special builtin stay.
    fn run_special(
        &mut self,
        special: Special<S>,
        simple: &Simple,
        name: BString,
        args: Vec<BString>,
        tested: bool,
    ) -> Eval {
        if !builtins::is_declaration(&name) {
            for assignment in &simple.assignments {
                self.run_assignment(assignment)?;
            }
            return special(self, args, tested);
        }
        let status = special(self, args, tested)?;
        for assignment in &simple.assignments {
            self.run_assignment(assignment)?;
        }
        Ok(status)
    }

    /// Runs `body` with a command's own assignments, exported, and takes them back.
    fn with_assignments(&mut self, simple: &Simple, body: impl FnOnce(&mut Self) -> Eval) -> Eval {
        if simple.assignments.is_empty() {
            return body(self);
        }
        let mut saved: Vec<(BString, Option<Variable>)> = Vec::new();
        let mut ended = Ok(Status::SUCCESS);
        for assignment in &simple.assignments {
            saved.push((assignment.name.clone(), self.shell.variables.get(&assignment.name).cloned()));
            ended = self.run_assignment(assignment).map(|()| Status::SUCCESS);
            if ended.is_err() {
                break;
            }
            self.shell.variables.entry(assignment.name.clone()).or_default().exported = true;
        }
        if ended.is_ok() {
            ended = body(self);
        }
        for (name, variable) in saved.into_iter().rev() {
            match variable {
                Some(variable) => _ = self.shell.variables.insert(name, variable),
                None => _ = self.shell.variables.remove(&name),
            }
        }
        ended
    }

    /// Runs a function, builtin or program by name.
    pub(in crate::shell) fn run_named(&mut self, name: BString, args: Vec<BString>, tested: bool) -> Eval {
        if let Some(body) = self.shell.functions.get(&name).cloned() {
            let parameters = std::mem::replace(&mut self.shell.parameters, args);
            let loops = std::mem::take(&mut self.shell.loops);
            self.shell.locals.push(Vec::new());
            let ended = self.command(&body, tested);
            for (name, variable) in self.shell.locals.pop().unwrap_or_default().into_iter().rev() {
                match variable {
                    Some(variable) => _ = self.shell.variables.insert(name, variable),
                    None => _ = self.shell.variables.remove(&name),
                }
            }
            self.shell.parameters = parameters;
            self.shell.loops = loops;
            return match ended {
                Err(Unwind::Return(status)) => Ok(status),
                other => other,
            };
        }
        if name == "command" || name == "builtin" {
            return self.run_command_builtin(args, tested);
        }
        Ok(self.run_found(name, args)?)
    }

    /// Runs a builtin or a program, passing functions over.
    pub(in crate::shell) fn run_found(&mut self, name: BString, args: Vec<BString>) -> Result<Status, ShellError> {
        let line = self.shell.line;
        let name_text = name.clone();
        match self.find(&name)? {
            Found::Builtin(command) | Found::Native(command) => self.call(command, name, args),
            Found::Script(path, text) => self.run_program(&text, path, args),
            Found::Unknown => Err(ShellError::UnknownCommand { name: name_text, line }),
            Found::Missing => {
                self.complain([name.as_slice(), b": not found"].concat())?;
                Ok(Status(127))
            }
            Found::Denied => {
                self.complain([name.as_slice(), b": Permission denied"].concat())?;
                Ok(Status(126))
            }
        }
    }

    pub(in crate::shell) fn call(
        &mut self,
        command: CommandFn<S>,
        name: BString,
        args: Vec<BString>,
    ) -> Result<Status, ShellError> {
        let line = self.shell.line;
        let name = name.rsplit_once_str("/").map_or(name.clone(), |(_, base)| base.into());
        command(&mut Invocation { name, args, line, machine: &mut *self.machine, shell: &mut *self.shell })
    }

    /// Runs a command that another command was given (`xargs`, `find -exec`), in a copy of the shell.
    pub(in crate::shell) fn run_words(&mut self, words: Vec<BString>, line: u32) -> Result<Status, ShellError> {
        let mut words = words.into_iter();
        let Some(name) = words.next() else { return Ok(Status::SUCCESS) };
        let args = words.collect();
        self.machine.usage.step(&self.machine.limits, line)?;
        self.machine.usage.deeper(&self.machine.limits, line)?;
        let mut copy = self.shell.clone();
        copy.line = line;
        let ended = Interpreter { machine: &mut *self.machine, shell: &mut copy }.run_found(name, args);
        self.machine.usage.depth -= 1;
        ended
    }
}

/// `str::rsplit_once` for bytes.
trait RsplitOnce {
    fn rsplit_once_str(&self, separator: &str) -> Option<(&[u8], &[u8])>;
}

impl RsplitOnce for BString {
    fn rsplit_once_str(&self, separator: &str) -> Option<(&[u8], &[u8])> {
        let at = self.rfind(separator)?;
        Some((self.get(..at)?, self.get(at + separator.len()..)?))
    }
}
