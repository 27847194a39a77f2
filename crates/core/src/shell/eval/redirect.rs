//! Redirections (XCU 2.7) and writing to descriptors.

use bstr::{BString, ByteSlice};

use super::super::files::{Description, OpenFile};
use super::super::invocation::reason;
use super::super::syntax::Dialect;
use super::super::syntax::ast::{DuplicateDirection, Redirect, RedirectKind, Word};
use super::{Eval, Interpreter, Unwind};
use crate::shell::ShellError;
use crate::tree::{Meta, NodeKind, TreeError, TreePath};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
    Append,
    ReadWrite,
}

impl<S> Interpreter<'_, '_, S> {
    /// Applies redirections in order; `false` when one failed, after a complaint.
    pub(super) fn redirect(&mut self, redirects: &[Redirect]) -> Eval<bool> {
        for redirect in redirects {
            if !self.redirect_one(redirect)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn redirect_one(&mut self, redirect: &Redirect) -> Eval<bool> {
        let (default, word, mode) = match &redirect.kind {
            RedirectKind::Read(word) => (0, word, Mode::Read),
            RedirectKind::Write(word) => (1, word, Mode::Write),
            RedirectKind::Append(word) => (1, word, Mode::Append),
            RedirectKind::ReadWrite(word) => (0, word, Mode::ReadWrite),
            RedirectKind::Both(word, append) => {
                let mode = if *append { Mode::Append } else { Mode::Write };
                return self.redirect_both(word, mode);
            }
            RedirectKind::Duplicate(word, direction) => return self.duplicate(redirect.fd, word, *direction),
            RedirectKind::Here(body) => {
                let text = match body.get() {
                    Some(word) => self.single(word)?,
                    None => BString::default(),
                };
                self.shell.descriptors.insert(redirect.fd.unwrap_or(0), Description::input(Vec::from(text)));
                return Ok(true);
            }
            RedirectKind::HereString(word) => {
                let mut text = self.single(word)?;
                text.push(b'\n');
                self.shell.descriptors.insert(redirect.fd.unwrap_or(0), Description::input(Vec::from(text)));
                return Ok(true);
            }
        };
        let path = self.single(word)?;
        let Some(file) = self.open(&path, mode)? else { return Ok(false) };
        self.shell.descriptors.insert(redirect.fd.unwrap_or(default), file);
        Ok(true)
    }

    fn redirect_both(&mut self, word: &Word, mode: Mode) -> Eval<bool> {
        let path = self.single(word)?;
        let Some(file) = self.open(&path, mode)? else { return Ok(false) };
        self.shell.descriptors.insert(1, file.clone());
        self.shell.descriptors.insert(2, file);
        Ok(true)
    }

    fn duplicate(&mut self, fd: Option<u32>, word: &Word, direction: DuplicateDirection) -> Eval<bool> {
        let source = self.single(word)?;
        let target = fd.unwrap_or(u32::from(direction == DuplicateDirection::Output));
        if source == "-" {
            self.shell.descriptors.remove(&target);
            return Ok(true);
        }
        match source.to_str().ok().and_then(|text| text.parse::<u32>().ok()) {
            Some(number) => match self.shell.descriptors.get(&number).cloned() {
                Some(file) => {
                    self.shell.descriptors.insert(target, file);
                    Ok(true)
                }
                None => {
                    self.complain(format!("{number}: Bad file descriptor"))?;
                    Ok(false)
                }
            },
            None if self.shell.dialect == Dialect::Bash && fd.is_none() => self.redirect_both(word, Mode::Write),
            None => Err(Unwind::Error(ShellError::Syntax {
                message: "bad descriptor number".into(),
                line: self.shell.line,
            })),
        }
    }

    /// Opens a file for a redirection; `None` after a complaint.
    fn open(&mut self, path: &[u8], mode: Mode) -> Eval<Option<OpenFile>> {
        if let Some(file) = self.open_special(path)? {
            return Ok(Some(file));
        }
        match self.open_path(path, mode) {
            Ok(file) => Ok(Some(file)),
            Err(error @ TreeError::Content(_)) => Err(Unwind::Error(error.into())),
            Err(error) => {
                let verb = if mode == Mode::Read { "open" } else { "create" };
                let message = format!("cannot {verb} {}: {}", path.as_bstr(), reason(&error));
                self.complain(message)?;
                Ok(None)
            }
        }
    }

    /// The device files that are not in a tree.
    fn open_special(&self, path: &[u8]) -> Result<Option<OpenFile>, ShellError> {
        let fd = match path {
            b"/dev/null" => return Ok(Some(Description::Null.open())),
            b"/dev/full" => return Ok(Some(Description::Full.open())),
            b"/dev/urandom" | b"/dev/random" | b"/dev/zero" => {
                return Err(self.unsupported(format!("reading {}", path.as_bstr())));
            }
            b"/dev/stdin" => 0,
            b"/dev/stdout" => 1,
            b"/dev/stderr" => 2,
            _ => match path.strip_prefix(b"/dev/fd/").or_else(|| path.strip_prefix(b"/proc/self/fd/")) {
                Some(number) => match number.to_str().ok().and_then(|number| number.parse().ok()) {
                    Some(fd) => fd,
                    None => return Ok(None),
                },
                None => return Ok(None),
            },
        };
        Ok(self.shell.descriptors.get(&fd).cloned())
    }

    fn open_path(&mut self, path: &[u8], mode: Mode) -> Result<OpenFile, TreeError> {
        let tree = &mut self.machine.tree;
        let at: TreePath = tree.resolve(&self.shell.cwd, path, true)?;
        let meta = Meta::root(0o666 & !self.shell.umask, self.machine.now);
        let existing = tree.get(&at).map(|node| &node.kind);
        match (mode, existing) {
            (Mode::Read | Mode::ReadWrite, Some(NodeKind::File { .. })) => {
                Ok(Description::input(tree.read(&at, self.machine.contents)?))
            }
            (Mode::Read, None) => Err(TreeError::NotFound(at)),
            (_, Some(NodeKind::CharDevice { major: 1, minor: 3 })) => Ok(Description::Null.open()),
            (_, Some(kind)) if !matches!(kind, NodeKind::File { .. }) => Err(TreeError::IsADirectory(at)),
            (Mode::Append, Some(_)) => Ok(Description::File { path: at, append: true, position: 0 }.open()),
            _ => {
                tree.write(&at, [], &meta)?;
                Ok(Description::File { path: at, append: mode == Mode::Append, position: 0 }.open())
            }
        }
    }

    /// Writes to a descriptor; `false` when it is closed or cannot be written to.
    pub(in crate::shell) fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<bool, ShellError> {
        self.machine.usage.bytes(&self.machine.limits, bytes.len(), self.shell.line)?;
        let Some(file) = self.shell.descriptors.get(&fd).cloned() else { return Ok(false) };
        match &mut *file.borrow_mut() {
            Description::Null => Ok(true),
            Description::Sink(sink) => {
                sink.extend_from_slice(bytes);
                Ok(true)
            }
            Description::File { path, append, position } => {
                self.write_through(path, *append, position, bytes)?;
                Ok(true)
            }
            Description::Input { .. } | Description::Full => Ok(false),
        }
    }

    fn write_through(
        &mut self,
        path: &TreePath,
        append: bool,
        position: &mut usize,
        bytes: &[u8],
    ) -> Result<(), ShellError> {
        // A file that was removed while open takes its writes with it.
        if bytes.is_empty() || !self.machine.tree.contains(path) {
            return Ok(());
        }
        let mut content = self.machine.tree.read(path, self.machine.contents)?.to_vec();
        self.machine.usage.bytes(&self.machine.limits, content.len(), self.shell.line)?;
        let start = if append { content.len() } else { *position };
        let end = start + bytes.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        if let Some(place) = content.get_mut(start..end) {
            place.copy_from_slice(bytes);
        }
        *position = end;
        let meta = Meta::root(0o666 & !self.shell.umask, self.machine.now);
        self.machine.tree.write(path, content, &meta)?;
        Ok(())
    }
}
