//! Evaluation: commands are run in order, each on the one interpreter; pipelines pass their data through buffers.

mod arithmetic;
mod assign;
mod compound;
mod expand;
pub(super) mod find;
mod pathname;
mod pattern;
mod redirect;
mod simple;

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::files::Description;
use super::syntax::ast::{AndOr, List, ListItem, Pipeline};
use super::syntax::{Dialect, Parser};
use super::{Machine, ScriptOutcome, Shell, ShellError, Status};

use find::Found;
pub(super) use pattern::{Pattern, class};

/// Why a run of commands ended early.
#[derive(Debug)]
pub(super) enum Unwind {
    Error(ShellError),
    Exit(Status),
    Return(Status),
    Break(u32),
    Continue(u32),
}

impl From<ShellError> for Unwind {
    fn from(error: ShellError) -> Self {
        Unwind::Error(error)
    }
}

/// What evaluation gives: a value, usually a status, or the reason it ended early.
pub(super) type Eval<T = Status> = Result<T, Unwind>;

/// The machine with one shell on it.
pub(super) struct Interpreter<'i, 'c, S> {
    pub(super) machine: &'i mut Machine<'c, S>,
    pub(super) shell: &'i mut Shell,
}

pub(super) fn run_script<S>(
    machine: &mut Machine<'_, S>,
    script: &[u8],
    args: &[&str],
    environment: &BTreeMap<String, String>,
) -> Result<ScriptOutcome, ShellError> {
    let mut shell = machine.shell(environment);
    let [stdout, stderr] = [(); 2].map(|()| Description::Sink(Vec::new()).open());
    shell.descriptors.insert(1, stdout.clone());
    shell.descriptors.insert(2, stderr.clone());
    let name = BString::from(args.first().copied().unwrap_or("sh"));
    let rest = args.iter().skip(1).map(|arg| BString::from(*arg)).collect();
    let status = Interpreter { machine, shell: &mut shell }.run_main(script, name, rest)?;
    let (stdout, stderr) = (Description::drain(&stdout).into(), Description::drain(&stderr).into());
    Ok(ScriptOutcome { status, stdout, stderr })
}

impl<'c, S> Interpreter<'_, 'c, S> {
    /// Runs a whole program on this shell: the options of its first line, its text, its exit trap.
    fn run_main(&mut self, script: &[u8], name: BString, args: Vec<BString>) -> Result<Status, ShellError> {
        self.shell.name = name;
        self.shell.parameters = args;
        if let Some(line) = script.strip_prefix(b"#!").and_then(|rest| rest.lines().next()) {
            let mut fields = line.fields();
            if fields.next().is_some_and(|interpreter| interpreter.ends_with(b"bash")) {
                self.shell.dialect = Dialect::Bash;
            }
            for flag in fields.filter_map(|field| field.strip_prefix(b"-")).flatten() {
                self.shell.options.set_flag(*flag, true);
            }
        }
        let ended = self.run_text(script, false);
        self.finish(ended)
    }

    /// Runs a program in a child of this shell.
    pub(super) fn run_program(
        &mut self,
        script: &[u8],
        name: BString,
        args: Vec<BString>,
    ) -> Result<Status, ShellError> {
        self.machine.usage.deeper(&self.machine.limits, self.shell.line)?;
        let mut child = self.shell.child();
        let status = Interpreter { machine: &mut *self.machine, shell: &mut child }.run_main(script, name, args);
        self.machine.usage.depth -= 1;
        status
    }

    /// Runs a command string in a child of this shell that keeps its dialect (`sh -c`).
    pub(super) fn run_child(
        &mut self,
        script: &[u8],
        name: BString,
        args: Vec<BString>,
        setup: impl FnOnce(&mut Shell),
    ) -> Result<Status, ShellError> {
        self.machine.usage.deeper(&self.machine.limits, self.shell.line)?;
        let mut child = self.shell.child();
        (child.name, child.parameters) = (name, args);
        setup(&mut child);
        let mut inner = Interpreter { machine: &mut *self.machine, shell: &mut child };
        let ended = inner.run_text(script, false);
        let status = inner.finish(ended);
        self.machine.usage.depth -= 1;
        status
    }

    /// Ends a shell: what it was left by becomes its status, and its exit trap runs.
    fn finish(&mut self, ended: Eval) -> Result<Status, ShellError> {
        let status = self.left_by(ended)?;
        let Some(action) = self.shell.traps.remove(b"EXIT".as_bstr()) else { return Ok(status) };
        self.shell.status = status;
        match self.run_text(&action, false) {
            Err(Unwind::Exit(status)) => Ok(status),
            Err(Unwind::Error(error)) => Err(error),
            _ => Ok(status),
        }
    }

    fn left_by(&self, ended: Eval) -> Result<Status, ShellError> {
        match ended {
            Ok(status) | Err(Unwind::Exit(status) | Unwind::Return(status)) => Ok(status),
            Err(Unwind::Break(_) | Unwind::Continue(_)) => Ok(self.shell.status),
            Err(Unwind::Error(error)) => Err(error),
        }
    }

    /// Parses and runs text on this shell, command by command.
    pub(super) fn run_text(&mut self, text: &[u8], tested: bool) -> Eval {
        let mut parser = Parser::new(text, self.shell.dialect);
        let mut status = Status::SUCCESS;
        while let Some(list) = parser.next_command()? {
            if !self.shell.options.noexec {
                status = self.list(&list, tested)?;
            }
        }
        Ok(status)
    }

    /// Runs `body` on a copy of this shell; what it does to the tree stays.
    pub(super) fn subshell(
        &mut self,
        body: impl FnOnce(&mut Interpreter<'_, 'c, S>) -> Eval,
    ) -> Result<Status, ShellError> {
        let mut copy = self.shell.clone();
        copy.subshell = true;
        copy.loops = 0;
        copy.traps.retain(|_, action| action.is_empty());
        let mut inner = Interpreter { machine: &mut *self.machine, shell: &mut copy };
        let ended = body(&mut inner);
        inner.finish(ended)
    }

    /// Runs a list. `tested` says that its status is being tested, so that `set -e` does not act (XCU 2.15, `set`).
    pub(super) fn list(&mut self, list: &List, tested: bool) -> Eval {
        let mut status = Status::SUCCESS;
        for item in &list.items {
            status = if item.background { self.background(item)? } else { self.and_or(item, tested)? };
            self.shell.status = status;
        }
        Ok(status)
    }

    /// An asynchronous list is run to its end at once: nothing else could tell the difference but timing.
    fn background(&mut self, item: &ListItem) -> Eval {
        self.subshell(|inner| {
            inner.shell.descriptors.insert(0, Description::Null.open());
            inner.and_or(item, false)
        })?;
        Ok(Status::SUCCESS)
    }

    fn and_or(&mut self, item: &ListItem, tested: bool) -> Eval {
        let mut status = self.pipeline(&item.first, tested || !item.rest.is_empty())?;
        self.shell.status = status;
        for (index, (joined, pipeline)) in item.rest.iter().enumerate() {
            if status.is_success() == (*joined == AndOr::And) {
                let last = index + 1 == item.rest.len();
                status = self.pipeline(pipeline, tested || !last)?;
                self.shell.status = status;
            }
        }
        Ok(status)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, tested: bool) -> Eval {
        if let [command] = pipeline.commands.as_slice() {
            let status = self.command(command, tested || pipeline.negated)?;
            return Ok(if pipeline.negated { Status::from_bool(!status.is_success()) } else { status });
        }
        let status = self.piped(pipeline, tested || pipeline.negated)?;
        if pipeline.negated {
            return Ok(Status::from_bool(!status.is_success()));
        }
        self.check(status, tested)
    }

    /// Several commands, one after the other, each in a subshell of its own, its output kept for the next.
    fn piped(&mut self, pipeline: &Pipeline, tested: bool) -> Eval {
        let mut input: Option<Vec<u8>> = None;
        let mut failed = None;
        let mut status = Status::SUCCESS;
        for (index, command) in pipeline.commands.iter().enumerate() {
            let last = index + 1 == pipeline.commands.len();
            let sink = Description::Sink(Vec::new()).open();
            status = self.subshell(|inner| {
                if let Some(input) = input.take() {
                    inner.shell.descriptors.insert(0, Description::input(input));
                }
                if !last {
                    inner.shell.descriptors.insert(1, sink.clone());
                }
                inner.command(command, tested)
            })?;
            if !status.is_success() {
                failed = Some(status);
            }
            input = Some(Description::drain(&sink));
        }
        Ok(failed.filter(|_| self.shell.options.pipefail).unwrap_or(status))
    }

    /// Applies `set -e` to a status.
    fn check(&mut self, status: Status, tested: bool) -> Eval {
        self.shell.status = status;
        if !status.is_success() && !tested && self.shell.options.errexit {
            return Err(Unwind::Exit(status));
        }
        Ok(status)
    }

    /// Writes the shell's own message: `name: line: message`.
    pub(super) fn complain(&mut self, message: impl AsRef<[u8]>) -> Result<(), ShellError> {
        let head = format!("{}: {}: ", self.shell.name, self.shell.line);
        self.write(2, &[head.as_bytes(), message.as_ref(), b"\n"].concat())?;
        Ok(())
    }

    /// Complains, and leaves a shell that is not interactive with status 2 (XCU 2.8.1).
    pub(super) fn fatal<T>(&mut self, message: impl AsRef<[u8]>) -> Eval<T> {
        self.complain(message)?;
        Err(Unwind::Exit(Status(2)))
    }

    pub(super) fn unsupported(&self, construct: impl Into<String>) -> ShellError {
        ShellError::Unsupported { construct: construct.into(), line: self.shell.line }
    }
}
