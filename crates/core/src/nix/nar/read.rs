//! Reading a NAR as a stream.

use std::io::Read;

use bstr::ByteSlice as _;

use super::input::Input;
use super::{MAGIC, MAX_NAME, MAX_TARGET, NameFault, NarError, NarLimits, NarSink, NarSummary};
use crate::tree::TreePath;

/// Reads a whole NAR into a sink. Memory depends on how deep directories go, not on sizes.
///
/// What the sink got is only worth something when this returns, and its hash is the one that was expected.
///
/// # Errors
/// Anything that Nix would not have written, too much of it, and failures of either end.
pub fn read(source: &mut dyn Read, sink: &mut dyn NarSink, limits: &NarLimits) -> Result<NarSummary, NarError> {
    let mut input = Input::new(source, limits.size);
    if let Err(error) = input.word(&[MAGIC], "the start of a NAR") {
        return Err(match (error, input.at()) {
            (error @ NarError::Read(_), _) => error,
            (_, 0) => NarError::Truncated { at: 0 },
            _ => NarError::Magic,
        });
    }
    Reader { input: &mut input, sink, limits, entries: 0 }.tree()?;
    input.end()
}

struct Reader<'r, 'i> {
    input: &'r mut Input<'i>,
    sink: &'r mut dyn NarSink,
    limits: &'r NarLimits,
    entries: u64,
}

/// A directory whose members are being read.
struct Open {
    path: TreePath,
    last: Vec<u8>,
}

impl Reader<'_, '_> {
    /// The root and all below it, with a stack of its own.
    fn tree(&mut self) -> Result<(), NarError> {
        let mut open: Vec<Open> = Vec::new();
        open.extend(self.node(TreePath::ROOT)?);
        while let Some(directory) = open.last_mut() {
            if self.input.word(&[b"entry", b")"], "an entry or the end of a directory")? == 1 {
                open.pop();
                if !open.is_empty() {
                    self.close("the end of an entry")?;
                }
                continue;
            }
            self.input.word(&[b"("], "an entry")?;
            self.input.word(&[b"name"], "an entry's name")?;
            let name = self.name(directory)?;
            self.input.word(&[b"node"], "an entry's node")?;
            let path = directory.path.join(&name).map_err(|_| NarError::Path { path: directory.path.clone() })?;
            directory.last = name;
            match self.node(path)? {
                Some(inner) if open.len() >= self.limits.depth => {
                    return Err(NarError::Depth { path: inner.path, limit: self.limits.depth });
                }
                Some(inner) => open.push(inner),
                None => self.close("the end of an entry")?,
            }
        }
        Ok(())
    }

    fn close(&mut self, expected: &'static str) -> Result<(), NarError> {
        self.input.word(&[b")"], expected).map(drop)
    }

    /// One node; of a directory its start.
    fn node(&mut self, path: TreePath) -> Result<Option<Open>, NarError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(NarError::TooMuch { what: "entries", limit: self.limits.entries });
        }
        self.input.word(&[b"("], "a node")?;
        self.input.word(&[b"type"], "a node's type")?;
        match self.input.word(&[b"regular", b"symlink", b"directory"], "a type of nodes")? {
            0 => self.file(&path).map(|()| None),
            1 => self.symlink(&path).map(|()| None),
            _ => {
                self.sink.directory(&path).map_err(|source| NarError::Sink { path: path.clone(), source })?;
                Ok(Some(Open { path, last: Vec::new() }))
            }
        }
    }

    fn file(&mut self, path: &TreePath) -> Result<(), NarError> {
        let executable = self.input.word(&[b"contents", b"executable"], "a file's contents")? == 1;
        if executable {
            self.input.word(&[b""], "an empty word")?;
            self.input.word(&[b"contents"], "a file's contents")?;
        }
        let size = self.input.number()?;
        let mut contents = self.input.contents(size);
        let taken = self.sink.file(path, executable, size, &mut contents);
        contents.finish()?;
        taken.map_err(|source| NarError::Sink { path: path.clone(), source })?;
        self.input.padding(size)?;
        self.close("the end of a file")
    }

    fn symlink(&mut self, path: &TreePath) -> Result<(), NarError> {
        self.input.word(&[b"target"], "a symlink's target")?;
        let target = self.input.string(MAX_TARGET)?;
        let target = target.filter(|target| !target.is_empty() && !target.contains(&0));
        let target = target.ok_or_else(|| NarError::Path { path: path.clone() })?;
        let taken = self.sink.symlink(path, target.as_bstr());
        taken.map_err(|source| NarError::Sink { path: path.clone(), source })?;
        self.close("the end of a symlink")
    }

    fn name(&mut self, directory: &Open) -> Result<Vec<u8>, NarError> {
        let fault =
            |name: Vec<u8>, fault| NarError::Name { directory: directory.path.clone(), name: name.into(), fault };
        let Some(name) = self.input.string(MAX_NAME)? else { return Err(fault(Vec::new(), NameFault::TooLong)) };
        match fault_of(&name, &directory.last) {
            Some(what) => Err(fault(name, what)),
            None => Ok(name),
        }
    }
}

/// What is wrong with a name that follows `last`, which is empty for the first.
pub(super) fn fault_of(name: &[u8], last: &[u8]) -> Option<NameFault> {
    match name {
        b"" => Some(NameFault::Empty),
        b"." | b".." => Some(NameFault::Dots),
        name if name.contains(&b'/') => Some(NameFault::Slash),
        name if name.contains(&0) => Some(NameFault::Nul),
        name if name.len() > MAX_NAME => Some(NameFault::TooLong),
        name if name == last => Some(NameFault::Duplicate),
        name if name < last => Some(NameFault::Order),
        _ => None,
    }
}
