//! Open files: what descriptors refer to.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::tree::TreePath;

/// An open file description, shared by every descriptor that was duplicated from it (open(2)).
pub(super) type OpenFile = Rc<RefCell<Description>>;

/// What an open file reads from or writes to.
#[derive(Debug)]
pub(super) enum Description {
    /// `/dev/null`.
    Null,
    /// Bytes to be read, from `position` on.
    Input { bytes: Arc<[u8]>, position: usize },
    /// A pipe's writing end, or the output of the script itself.
    Sink(Vec<u8>),
    /// A file in the tree, written through at once.
    File { path: TreePath, append: bool, position: usize },
    /// `/dev/full`: every write fails.
    Full,
}

impl Description {
    pub(super) fn open(self) -> OpenFile {
        Rc::new(RefCell::new(self))
    }

    pub(super) fn input(bytes: impl Into<Arc<[u8]>>) -> OpenFile {
        Description::Input { bytes: bytes.into(), position: 0 }.open()
    }

    /// Takes everything that was written to a sink.
    pub(super) fn drain(file: &OpenFile) -> Vec<u8> {
        match &mut *file.borrow_mut() {
            Description::Sink(bytes) => std::mem::take(bytes),
            _ => Vec::new(),
        }
    }

    /// Everything that is left to read.
    pub(super) fn read_all(&mut self) -> Vec<u8> {
        match self {
            Description::Input { bytes, position } => {
                let rest = bytes.get(*position..).unwrap_or_default().to_vec();
                *position = bytes.len();
                rest
            }
            _ => Vec::new(),
        }
    }

    /// The next line with its newline, or what is left of the last one; `None` at the end.
    pub(super) fn read_line(&mut self) -> Option<Vec<u8>> {
        let Description::Input { bytes, position } = self else { return None };
        let rest = bytes.get(*position..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |newline| newline + 1);
        let line = rest.get(..length)?.to_vec();
        *position += length;
        Some(line)
    }
}
