//! What a native command is given: its arguments, descriptors, and the machine.

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::eval::Interpreter;
use super::files::Description;
use super::{Machine, Shell, ShellError, Status};
use crate::tree::{Meta, Node, TreeError, TreePath};

/// One call of a command.
pub struct Invocation<'i, 'c, S> {
    /// The command's name as it was called.
    pub name: BString,
    /// Its arguments, without the name.
    pub args: Vec<BString>,
    /// The line of the script, from 1.
    pub line: u32,
    /// The machine, with the tree.
    pub machine: &'i mut Machine<'c, S>,
    /// The shell that runs the command: a program sees of it the environment and the working directory, a builtin
    /// may change it.
    pub shell: &'i mut Shell,
}

impl<'c, S> Invocation<'_, 'c, S> {
    fn interpreter(&mut self) -> Interpreter<'_, 'c, S> {
        Interpreter { machine: &mut *self.machine, shell: &mut *self.shell }
    }

    /// Writes to standard output.
    ///
    /// # Errors
    /// [`ShellError::Limit`]. A closed descriptor swallows the bytes.
    pub fn out(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), ShellError> {
        self.write(1, bytes)
    }

    /// Writes a message to standard error, with the command's name before and a newline after it.
    ///
    /// # Errors
    /// As [`Invocation::out`].
    pub fn complain(&mut self, message: impl AsRef<[u8]>) -> Result<(), ShellError> {
        let line = [self.name.as_slice(), b": ", message.as_ref(), b"\n"].concat();
        self.write(2, line)
    }

    /// Complains and fails with status 1.
    ///
    /// # Errors
    /// As [`Invocation::out`].
    pub fn fail(&mut self, message: impl AsRef<[u8]>) -> Result<Status, ShellError> {
        self.complain(message)?;
        Ok(Status::FAILURE)
    }

    /// Writes to any open descriptor, such as debconf's 3.
    ///
    /// # Errors
    /// As [`Invocation::out`].
    pub fn write(&mut self, fd: u32, bytes: impl AsRef<[u8]>) -> Result<(), ShellError> {
        self.interpreter().write(fd, bytes.as_ref()).map(|_| ())
    }

    /// Everything that is left on standard input.
    ///
    /// # Errors
    /// When the content behind it is not at hand.
    pub fn read_stdin(&mut self) -> Result<Vec<u8>, ShellError> {
        Ok(self.shell.descriptors.get(&0).map(|file| file.borrow_mut().read_all()).unwrap_or_default())
    }

    /// The next line of a descriptor, with its newline; `None` at the end.
    pub fn read_line(&mut self, fd: u32) -> Option<Vec<u8>> {
        self.shell.descriptors.get(&fd).and_then(|file| file.borrow_mut().read_line())
    }

    /// A variable's value.
    pub fn var(&self, name: &str) -> Option<&BString> {
        self.shell.get(name.as_bytes())
    }

    /// The error for an option or form of this command that is not implemented.
    pub fn unsupported(&self, what: impl AsRef<[u8]>) -> ShellError {
        let construct = format!("`{}` of the command {}", what.as_ref().as_bstr(), self.name);
        ShellError::Unsupported { construct, line: self.line }
    }

    /// Runs another command with this one's descriptors, in a copy of its shell.
    ///
    /// # Errors
    /// As the command's.
    pub fn run(&mut self, command: Vec<BString>) -> Result<Status, ShellError> {
        let line = self.line;
        self.interpreter().run_words(command, line)
    }

    /// Runs another command with `input` on its standard input, and gives back what it printed.
    ///
    /// # Errors
    /// As the command's.
    pub fn capture(&mut self, command: Vec<BString>, input: &[u8]) -> Result<(Status, Vec<u8>), ShellError> {
        let sink = Description::Sink(Vec::new()).open();
        let mut interpreter = self.interpreter();
        let saved = interpreter.shell.descriptors.clone();
        interpreter.shell.descriptors.insert(0, Description::input(input));
        interpreter.shell.descriptors.insert(1, sink.clone());
        let line = interpreter.shell.line;
        let status = interpreter.run_words(command, line);
        interpreter.shell.descriptors = saved;
        Ok((status?, Description::drain(&sink)))
    }

    /// Evaluates a shell script in a child of this shell, with this command's descriptors.
    ///
    /// # Errors
    /// As [`Machine::run_script`].
    pub fn run_script(&mut self, script: &[u8], name: &BStr, args: Vec<BString>) -> Result<Status, ShellError> {
        self.interpreter().run_program(script, name.to_owned(), args)
    }

    /// Where a path leads, from the working directory; the last component need not exist.
    ///
    /// # Errors
    /// As [`Tree::resolve`](crate::tree::Tree::resolve).
    pub fn resolve(&self, path: &[u8], follow_last: bool) -> Result<TreePath, TreeError> {
        self.machine.tree.resolve(&self.shell.cwd, path, follow_last)
    }

    /// The node a path leads to; `None` when there is none.
    pub fn stat(&self, path: &[u8], follow: bool) -> Option<(TreePath, &Node)> {
        let at = self.resolve(path, follow).ok()?;
        // `file/` names a directory only.
        let node = self.machine.tree.get(&at)?;
        (!path.ends_with(b"/") || node.is_directory()).then_some((at, node))
    }

    /// The bytes of a file, with the special names `/dev/null` and `/dev/stdin`.
    ///
    /// # Errors
    /// As [`Tree::read`](crate::tree::Tree::read).
    pub fn read_file(&mut self, path: &[u8]) -> Result<Arc<[u8]>, TreeError> {
        match path {
            b"/dev/null" => Ok(Arc::from([])),
            b"/dev/stdin" | b"/dev/fd/0" | b"/proc/self/fd/0" => {
                Ok(self.shell.descriptors.get(&0).map(|file| file.borrow_mut().read_all()).unwrap_or_default().into())
            }
            _ => self.machine.tree.read(&self.resolve(path, true)?, self.machine.contents),
        }
    }

    /// The file an operand names, where `-` is standard input; an error is complained about as GNU does, giving `None`.
    ///
    /// # Errors
    /// When the content is not at hand.
    pub fn read_operand(&mut self, path: &[u8]) -> Result<Option<Arc<[u8]>>, ShellError> {
        if path == b"-" {
            return Ok(Some(self.read_stdin()?.into()));
        }
        let read = self.read_file(path);
        self.checked(path, read)
    }

    /// Turns what a program would be told by the kernel into a complaint about `subject`, giving `None`; what no
    /// program would meet stays an error.
    ///
    /// # Errors
    /// [`ShellError::Tree`] for contents not at hand.
    pub fn checked<T>(&mut self, subject: &[u8], result: Result<T, TreeError>) -> Result<Option<T>, ShellError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error @ TreeError::Content(_)) => Err(error.into()),
            Err(error) => {
                let reason = reason(&error);
                self.complain([subject, b": ", reason.as_bytes()].concat())?;
                Ok(None)
            }
        }
    }

    /// Root's metadata for something made now, with the mask applied.
    pub fn new_meta(&self, mode: u16) -> Meta {
        Meta::root(mode & !self.shell.umask, self.machine.now)
    }

    /// Writes a file: an existing one keeps its owner and mode.
    ///
    /// # Errors
    /// As [`Tree::write`](crate::tree::Tree::write).
    pub fn write_file(&mut self, path: &[u8], bytes: impl Into<Arc<[u8]>>) -> Result<(), TreeError> {
        let at = self.resolve(path, true)?;
        let meta = self.new_meta(0o666);
        self.machine.tree.write(&at, bytes, &meta)
    }

    /// A number that no earlier call gave, for deterministic temporary names.
    pub fn temporary_number(&mut self) -> u64 {
        self.machine.temporary += 1;
        self.machine.temporary
    }
}

/// strerror(3) of what a tree answers.
pub(super) fn reason(error: &TreeError) -> &'static str {
    match error {
        TreeError::NotFound(_) => "No such file or directory",
        TreeError::Exists(_) => "File exists",
        TreeError::NotADirectory(_) => "Not a directory",
        TreeError::IsADirectory(_) => "Is a directory",
        TreeError::NotEmpty(_) => "Directory not empty",
        TreeError::Loop(_) => "Too many levels of symbolic links",
        TreeError::Path(_) => "Invalid argument",
        TreeError::Content(_) => "Input/output error",
    }
}
