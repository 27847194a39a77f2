//! The machine that scripts run on: a tree, a table of commands, and limits.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use super::limits::Usage;
use super::state::Shell;
use super::{Invocation, Limits, ShellError, builtins, eval, utils};
use crate::platform::Platform;
use crate::tree::{ReadContent, Tree};

/// A command's exit status: 0 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status(pub u8);

impl Status {
    /// Success.
    pub const SUCCESS: Status = Status(0);
    /// The common failure, 1.
    pub const FAILURE: Status = Status(1);

    /// Whether it is 0.
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    /// Success when `condition` holds, else 1.
    pub const fn from_bool(condition: bool) -> Self {
        if condition { Self::SUCCESS } else { Self::FAILURE }
    }
}

/// A command as a native function. What the command would print goes to the invocation's descriptors.
///
/// # Errors
/// Only for what cannot be evaluated; a command that fails returns its status.
pub type CommandFn<S> = for<'i, 'c> fn(&mut Invocation<'i, 'c, S>) -> Result<Status, ShellError>;

/// How a command comes to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Part of the shell: always there.
    Builtin,
    /// A program: there when the tree has its file.
    Program,
}

/// The commands that have a native function.
pub struct Commands<S> {
    by_name: BTreeMap<BString, (CommandFn<S>, Presence)>,
    sources: BTreeMap<BString, CommandFn<S>>,
}

impl<S> Clone for Commands<S> {
    fn clone(&self) -> Self {
        Self { by_name: self.by_name.clone(), sources: self.sources.clone() }
    }
}

impl<S> Commands<S> {
    /// No command at all but the shell's special builtins, which need no table.
    pub const fn empty() -> Self {
        Self { by_name: BTreeMap::new(), sources: BTreeMap::new() }
    }

    /// The shell's builtins and the utilities of an ordinary Debian system.
    pub fn standard() -> Self {
        let mut commands = Self::empty();
        builtins::register(&mut commands);
        utils::register(&mut commands);
        commands
    }

    /// Adds a program. It exists for scripts when the tree has a file of that name on `PATH`. A `name` with slashes
    /// stands for just that file, whatever its content. A later registration of a name replaces an earlier one.
    pub fn register(&mut self, name: &str, command: CommandFn<S>) {
        self.by_name.insert(name.into(), (command, Presence::Program));
    }

    /// Adds a command that exists whatever the tree has, such as the functions of a sourced library.
    pub fn register_builtin(&mut self, name: &str, command: CommandFn<S>) {
        self.by_name.insert(name.into(), (command, Presence::Builtin));
    }

    /// Runs `command` wherever a script sources the file at the absolute `path` (`. /usr/share/debconf/confmodule`),
    /// instead of reading the file; its arguments are those of the `.` command after the path.
    pub fn register_source(&mut self, path: &str, command: CommandFn<S>) {
        self.sources.insert(path.into(), command);
    }

    /// Names of all commands, in order.
    pub fn names(&self) -> impl Iterator<Item = &BStr> {
        self.by_name.keys().map(|name| name.as_bstr())
    }

    pub(super) fn builtin(&self, name: &[u8]) -> Option<CommandFn<S>> {
        self.by_name
            .get(name.as_bstr())
            .filter(|(_, presence)| *presence == Presence::Builtin)
            .map(|(command, _)| *command)
    }

    pub(super) fn program(&self, name: &[u8]) -> Option<CommandFn<S>> {
        self.by_name.get(name.as_bstr()).map(|(command, _)| *command)
    }

    pub(super) fn source(&self, path: &[u8]) -> Option<CommandFn<S>> {
        self.sources.get(path.as_bstr()).copied()
    }
}

/// What scripts are evaluated over. `S` is whatever the registered commands keep between calls.
pub struct Machine<'c, S> {
    /// The file system; scripts change it.
    pub tree: Tree,
    /// Where contents that are not in the tree itself are read.
    pub contents: &'c dyn ReadContent,
    /// What `uname` and `dpkg --print-architecture` answer.
    pub platform: Platform,
    /// The registered commands' own state.
    pub state: S,
    /// The instant that every change happens at and that `date` tells, in seconds since 1970.
    pub now: i64,
    /// What scripts may run.
    pub commands: Commands<S>,
    /// Whether a registered program runs even where the tree does not have its file yet: so do `preinst` scripts of a
    /// bootstrap, whose tools are there before any package is unpacked. `command -v` still tells what the tree has.
    pub assume_programs: bool,
    /// Bounds on each script.
    pub limits: Limits,
    pub(super) usage: Usage,
    /// How many temporary names have been given out; names are numbered, so that they are the same each time.
    pub(super) temporary: u64,
}

/// How a script ended and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptOutcome {
    /// Its exit status.
    pub status: Status,
    /// What went to descriptor 1.
    pub stdout: BString,
    /// What went to descriptor 2.
    pub stderr: BString,
}

impl<'c, S> Machine<'c, S> {
    /// A machine with the default limits.
    pub fn new(
        tree: Tree,
        contents: &'c dyn ReadContent,
        platform: Platform,
        state: S,
        now: i64,
        commands: Commands<S>,
    ) -> Self {
        let (limits, usage) = (Limits::default(), Usage::default());
        Self { tree, contents, platform, state, now, commands, assume_programs: false, limits, usage, temporary: 0 }
    }

    /// Evaluates a script as root in `/`, with nothing on standard input. `args[0]` is the script's own name (`$0`).
    ///
    /// The environment is exactly `environment`; a `PATH` that is missing is set to Debian's for root. The
    /// interpreter line decides between sh and bash.
    ///
    /// # Errors
    /// See [`ShellError`]; what the script did to the tree up to there stays done.
    pub fn run_script(
        &mut self,
        script: &[u8],
        args: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> Result<ScriptOutcome, ShellError> {
        self.usage = Usage::default();
        eval::run_script(self, script, args, environment)
    }

    /// The interpreter in a script's first line, without its arguments; `None` when it has no such line.
    pub fn interpreter(script: &[u8]) -> Option<&BStr> {
        let line = script.strip_prefix(b"#!")?.lines().next()?;
        line.fields().next().map(ByteSlice::as_bstr)
    }

    pub(super) fn shell(&self, environment: &BTreeMap<String, String>) -> Shell {
        Shell::new(environment)
    }
}
