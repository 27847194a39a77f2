//! Finding commands (XCU 2.9.1.4): through `PATH` in the tree, as a shell in the image would.

use std::sync::Arc;

use bstr::{BString, ByteSlice};

use super::super::builtins;
use super::super::utils::base_name;
use super::Interpreter;
use crate::shell::{CommandFn, Machine, ShellError};
use crate::tree::{NodeKind, TreePath};

/// Directories whose programs are known by their bare name.
const PROGRAM_DIRECTORIES: [&[u8]; 6] = [b"usr/bin", b"usr/sbin", b"bin", b"sbin", b"usr/local/bin", b"usr/local/sbin"];

/// What a command name leads to.
pub(in crate::shell) enum Found<S> {
    /// A command of the shell itself.
    Builtin(CommandFn<S>),
    /// A program with a native function.
    Native(CommandFn<S>),
    /// A shell script in the tree: its path and text.
    Script(BString, Arc<[u8]>),
    /// A program that cannot be evaluated.
    Unknown,
    /// Not there.
    Missing,
    /// There, but not executable.
    Denied,
}

impl<S> Interpreter<'_, '_, S> {
    /// What a name leads to, functions and special builtins aside.
    pub(in crate::shell) fn find(&self, name: &[u8]) -> Result<Found<S>, ShellError> {
        if let Some(command) = self.machine.commands.builtin(name) {
            return Ok(Found::Builtin(command));
        }
        let Some(path) = self.find_file(name) else {
            let assumed =
                self.machine.assume_programs.then(|| self.machine.commands.program(base_name(name))).flatten();
            return Ok(assumed.map_or(Found::Missing, Found::Native));
        };
        let Ok(at) = self.machine.tree.resolve(&self.shell.cwd, &path, true) else { return Ok(Found::Missing) };
        let Some(node) = self.machine.tree.get(&at) else { return Ok(Found::Missing) };
        if node.meta.mode & 0o111 == 0 || !matches!(node.kind, NodeKind::File { .. }) {
            return Ok(Found::Denied);
        }
        if let Some(command) = self.native(&path, &at) {
            return Ok(Found::Native(command));
        }
        let text = self.machine.tree.read(&at, self.machine.contents)?;
        Ok(if is_shell_script::<S>(&text) { Found::Script(path, text) } else { Found::Unknown })
    }

    /// The native function for a program: under its full path as called or as resolved, or, in the usual
    /// directories, under its bare name.
    fn native(&self, path: &[u8], at: &TreePath) -> Option<CommandFn<S>> {
        let commands = &self.machine.commands;
        let full = at.to_string();
        if let Some(command) = commands.program(path).or_else(|| commands.program(full.as_bytes())) {
            return Some(command);
        }
        let (directory, name) = path.rsplit_once_byte(b'/').unwrap_or((b"", path));
        let directory = directory.strip_prefix(b"/").unwrap_or(directory);
        PROGRAM_DIRECTORIES.contains(&directory).then(|| commands.program(name)).flatten()
    }

    /// The file a name leads to: itself with a slash, else the first executable on `PATH`.
    pub(in crate::shell) fn find_file(&self, name: &[u8]) -> Option<BString> {
        if name.contains(&b'/') {
            return self
                .machine
                .tree
                .resolve(&self.shell.cwd, name, true)
                .ok()
                .filter(|at| self.machine.tree.contains(at))
                .map(|_| name.into());
        }
        let search = self.shell.get(b"PATH").cloned().unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        search.split_str(":").filter(|_| !name.is_empty()).find_map(|directory| {
            let path = if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() };
            let at = self.machine.tree.resolve(&self.shell.cwd, &path, true).ok()?;
            let node = self.machine.tree.get(&at)?;
            (matches!(node.kind, NodeKind::File { .. }) && node.meta.mode & 0o111 != 0).then(|| path.into())
        })
    }

    /// Whether a name is any command at all.
    pub(in crate::shell) fn describe(&self, name: &[u8]) -> Option<Description> {
        if builtins::special::<S>(name).is_some() || name == b"command" {
            return Some(Description::SpecialBuiltin);
        }
        if is_reserved(name) {
            return Some(Description::Reserved);
        }
        if self.shell.functions.contains_key(name.as_bstr()) {
            return Some(Description::Function);
        }
        if self.machine.commands.builtin(name).is_some() {
            return Some(Description::Builtin);
        }
        self.find_file(name).map(Description::File)
    }
}

/// The reserved words of the grammar (XCU 2.4).
fn is_reserved(name: &[u8]) -> bool {
    const WORDS: [&[u8]; 16] = [
        b"!", b"{", b"}", b"case", b"do", b"done", b"elif", b"else", b"esac", b"fi", b"for", b"if", b"then", b"until",
        b"while", b"in",
    ];
    WORDS.contains(&name)
}

/// What `command -v` and `type` tell.
pub(in crate::shell) enum Description {
    SpecialBuiltin,
    Reserved,
    Function,
    Builtin,
    File(BString),
}

/// Whether a program is a script that this shell evaluates: of sh, dash or bash, or text without an interpreter
/// line, which a shell runs itself (XCU 2.9.1.6).
fn is_shell_script<S>(text: &[u8]) -> bool {
    match Machine::<S>::interpreter(text) {
        Some(interpreter) => {
            matches!(
                interpreter.as_bytes(),
                b"/bin/sh" | b"/bin/dash" | b"/bin/bash" | b"/usr/bin/sh" | b"/usr/bin/dash" | b"/usr/bin/bash"
            )
        }
        None => !text.iter().take(1024).any(|byte| *byte == 0),
    }
}

trait RsplitOnceByte {
    fn rsplit_once_byte(&self, separator: u8) -> Option<(&[u8], &[u8])>;
}

impl RsplitOnceByte for [u8] {
    fn rsplit_once_byte(&self, separator: u8) -> Option<(&[u8], &[u8])> {
        let at = self.iter().rposition(|byte| *byte == separator)?;
        Some((self.get(..at)?, self.get(at + 1..)?))
    }
}
