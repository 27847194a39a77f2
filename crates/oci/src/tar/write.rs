//! Writing archives.

use std::io::{self, Read, Write};

use plywood_core::item::EntryKind;
use plywood_core::tree::{Meta, TreePath};

use super::header::{BLOCK, encode, padding};
use crate::codec::END_OF_ARCHIVE;

/// How much is copied at once, in bytes.
const BUFFER: usize = 128 << 10;

/// Writes canonical entries.
pub(crate) struct TarWriter<W> {
    out: W,
    /// How much was written so far, in bytes.
    offset: u64,
    buffer: Vec<u8>,
}

impl<W: Write> TarWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, offset: 0, buffer: vec![0; BUFFER] }
    }

    /// Adds an entry; returns where its data starts, in bytes.
    pub(crate) fn append(
        &mut self,
        path: &TreePath,
        meta: &Meta,
        kind: &EntryKind,
        data: &mut dyn Read,
    ) -> io::Result<u64> {
        let mut header = Vec::with_capacity(BLOCK);
        encode(path, meta, kind, &mut header);
        self.put(&header)?;
        let offset = self.offset;
        self.copy(if let EntryKind::File { size } = kind { *size } else { 0 }, data)?;
        Ok(offset)
    }

    /// How much was written so far, in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the entries go, without an end of archive.
    pub(crate) fn into_inner(self) -> W {
        self.out
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.put(&END_OF_ARCHIVE)?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Copies exactly `size` bytes, and zeros up to the next block.
    fn copy(&mut self, size: u64, data: &mut dyn Read) -> io::Result<()> {
        let mut left = size;
        loop {
            // One byte more than there may be: data that goes on is an error, not cut off.
            let room = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1));
            let read = match data.read(&mut self.buffer[..room]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let over = || io::Error::new(io::ErrorKind::InvalidData, format!("the data has more than {size} bytes"));
            left = left.checked_sub(read as u64).ok_or_else(over)?;
            self.out.write_all(&self.buffer[..read])?;
            self.offset += read as u64;
        }
        if left > 0 {
            let message = format!("the data ends {left} bytes before its {size}");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        self.put(&[0; BLOCK][..padding(size)])
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}
