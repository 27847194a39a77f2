//! Readers that look at bytes on their way from a package into a segment.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use md5::{Digest as _, Md5};

use super::elf::ElfProbe;

/// Fails once more than its budget was read.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    exceeded: Rc<Cell<bool>>,
}

impl<R: Read> Bounded<R> {
    /// With the flag that tells whether the budget was the reason of a failure.
    pub(super) fn new(inner: R, budget: u64) -> (Self, Rc<Cell<bool>>) {
        let exceeded = Rc::new(Cell::new(false));
        (Self { inner, left: budget, exceeded: exceeded.clone() }, exceeded)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                self.exceeded.set(true);
                return Err(io::Error::other("more data than the package may have"));
            }
        }
        Ok(count)
    }
}

/// Hashes and probes what is read through it, and remembers whether reading failed.
pub(super) struct Watched<R> {
    inner: R,
    left: u64,
    pub(super) md5: Option<Md5>,
    pub(super) elf: Option<ElfProbe>,
    pub(super) failed: bool,
}

impl<R: Read> Watched<R> {
    /// Of a file with exactly `size` bytes.
    pub(super) fn new(inner: R, size: u64) -> Self {
        Self { inner, left: size, md5: None, elf: None, failed: false }
    }

    /// The MD5 of what was read, when it was asked for.
    pub(super) fn finish_md5(&mut self) -> Option<[u8; 16]> {
        self.md5.take().map(|md5| md5.finalize().into())
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer).and_then(|count| match count {
            0 if self.left > 0 && !buffer.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        });
        let count = match result {
            Ok(count) => count,
            Err(error) => {
                self.failed |= error.kind() != io::ErrorKind::Interrupted;
                return Err(error);
            }
        };
        self.left = self.left.saturating_sub(count as u64);
        let bytes = buffer.get(..count).unwrap_or_default();
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(elf) = &mut self.elf {
            elf.push(bytes);
        }
        Ok(count)
    }
}
