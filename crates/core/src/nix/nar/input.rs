//! Reading words and bytes of a NAR, hashed as they come.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::{NarError, NarSummary};
use crate::digest::{NarHash, Sha256Hash};

/// How much is read at once, in bytes.
const BUFFER: usize = 256 << 10;

/// A NAR's bytes, buffered.
pub(super) struct Input<'i> {
    source: &'i mut dyn Read,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    hasher: Sha256,
    /// How many bytes were taken out of the buffer.
    taken: u64,
    limit: u64,
}

impl<'i> Input<'i> {
    pub(super) fn new(source: &'i mut dyn Read, limit: u64) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { source, buffer, start: 0, end: 0, hasher: Sha256::new(), taken: 0, limit }
    }

    /// How many bytes were read so far.
    pub(super) fn at(&self) -> u64 {
        self.taken
    }

    /// Makes sure that something is in the buffer; `false` at the end.
    fn fill(&mut self) -> Result<bool, NarError> {
        while self.start == self.end {
            match self.source.read(&mut self.buffer) {
                Ok(0) => return Ok(false),
                Ok(length) => {
                    self.hasher.update(&self.buffer[..length]);
                    (self.start, self.end) = (0, length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(NarError::Read(error)),
            }
        }
        Ok(true)
    }

    fn take(&mut self, length: usize) -> Result<(), NarError> {
        self.start += length;
        self.taken += length as u64;
        match self.taken > self.limit {
            true => Err(NarError::TooMuch { what: "bytes", limit: self.limit }),
            false => Ok(()),
        }
    }

    fn exact(&mut self, out: &mut [u8]) -> Result<(), NarError> {
        let mut length = 0;
        while length < out.len() {
            if !self.fill()? {
                return Err(NarError::Truncated { at: self.taken });
            }
            let part = (out.len() - length).min(self.end - self.start);
            out[length..length + part].copy_from_slice(&self.buffer[self.start..self.start + part]);
            self.take(part)?;
            length += part;
        }
        Ok(())
    }

    pub(super) fn number(&mut self) -> Result<u64, NarError> {
        let mut bytes = [0; 8];
        self.exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn padding(&mut self, length: u64) -> Result<(), NarError> {
        let mut bytes = [0; 8];
        let padding = &mut bytes[..(length.wrapping_neg() % 8) as usize];
        self.exact(padding)?;
        match padding.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(NarError::Padding { at: self.taken }),
        }
    }

    /// A string of at most `limit` bytes; `None` when it is longer, of which nothing is read then.
    pub(super) fn string(&mut self, limit: usize) -> Result<Option<Vec<u8>>, NarError> {
        let length = self.number()?;
        let Some(fits) = usize::try_from(length).ok().filter(|length| *length <= limit) else { return Ok(None) };
        let mut bytes = vec![0; fits];
        self.exact(&mut bytes)?;
        self.padding(length)?;
        Ok(Some(bytes))
    }

    /// One of a few words; which one it is.
    pub(super) fn word(&mut self, words: &[&[u8]], expected: &'static str) -> Result<usize, NarError> {
        let at = self.taken;
        let unexpected = NarError::Unexpected { expected, at };
        let mut bytes = [0; 16];
        let length = self.number()?;
        let Some(word) = usize::try_from(length).ok().and_then(|length| bytes.get_mut(..length)) else {
            return Err(unexpected);
        };
        self.exact(word)?;
        let found = words.iter().position(|known| *known == word).ok_or(unexpected)?;
        self.padding(length)?;
        Ok(found)
    }

    /// The next `length` bytes as a reader of their own.
    pub(super) fn contents(&mut self, length: u64) -> Contents<'_, 'i> {
        Contents { input: self, left: length, failed: None }
    }

    /// What was read, when nothing follows.
    pub(super) fn end(mut self) -> Result<NarSummary, NarError> {
        match self.fill()? {
            true => Err(NarError::Trailing { at: self.taken }),
            false => {
                let hash = Sha256Hash::from_bytes(self.hasher.finalize().into());
                Ok(NarSummary { size: self.taken, hash: NarHash::new(hash) })
            }
        }
    }
}

/// The bytes of one file.
pub(super) struct Contents<'c, 'i> {
    input: &'c mut Input<'i>,
    left: u64,
    failed: Option<NarError>,
}

impl Contents<'_, '_> {
    /// Passes over what was not read. When reading failed, why.
    pub(super) fn finish(mut self) -> Result<(), NarError> {
        while self.left > 0 && self.failed.is_none() {
            if let Err(error) = self.some(None) {
                self.failed = Some(error);
            }
        }
        self.failed.map_or(Ok(()), Err)
    }

    fn some(&mut self, out: Option<&mut [u8]>) -> Result<usize, NarError> {
        if !self.input.fill()? {
            return Err(NarError::Truncated { at: self.input.taken });
        }
        let there = self.input.end - self.input.start;
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(there);
        let length = out.as_ref().map_or(wanted, |out| wanted.min(out.len()));
        if let Some(out) = out {
            let start = self.input.start;
            out[..length].copy_from_slice(&self.input.buffer[start..start + length]);
        }
        self.input.take(length)?;
        self.left -= length as u64;
        Ok(length)
    }
}

impl Read for Contents<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || out.is_empty() {
            return Ok(0);
        }
        self.some(Some(out)).map_err(|error| {
            let shown = io::Error::new(io::ErrorKind::UnexpectedEof, error.to_string());
            self.failed = Some(error);
            shown
        })
    }
}
