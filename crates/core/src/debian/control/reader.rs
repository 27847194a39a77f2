//! Stanzas read one by one, so that an index of 60 MB never lies in memory as a whole.

use std::io::{self, BufRead, Read};

use super::{ControlError, MAX_STANZA, Stanza};

/// Reads stanzas from a source, each into the same buffer.
#[derive(Debug)]
pub struct StanzaReader<R> {
    source: R,
    raw: Vec<u8>,
    text: String,
    read: u64,
}

/// Why the next stanza cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StanzaReaderError {
    /// The source failed.
    #[error("cannot read a stanza")]
    Read(#[from] io::Error),
    /// What was read is no stanza.
    #[error("malformed stanza at byte {offset}")]
    Malformed {
        /// Where the stanza begins, in bytes from the start.
        offset: u64,
        /// What is wrong with it.
        source: ControlError,
    },
}

impl<R: BufRead> StanzaReader<R> {
    /// Reads stanzas from `source`.
    pub fn new(source: R) -> Self {
        Self { source, raw: Vec::new(), text: String::new(), read: 0 }
    }

    /// The next stanza, `None` at the end. Bytes that are no UTF-8 (old descriptions) are replaced by U+FFFD.
    ///
    /// # Errors
    /// When the source fails, or the stanza is malformed or longer than [`MAX_STANZA`].
    pub fn next_stanza(&mut self) -> Result<Option<Stanza<'_>>, StanzaReaderError> {
        let offset = self.fill()?;
        if self.raw.is_empty() {
            return Ok(None);
        }
        let malformed = |source| StanzaReaderError::Malformed { offset, source };
        if self.raw.len() > MAX_STANZA {
            return Err(malformed(ControlError::TooLong));
        }
        let text = match std::str::from_utf8(&self.raw) {
            Ok(text) => text,
            Err(_) => {
                self.text = String::from_utf8_lossy(&self.raw).into_owned();
                &self.text
            }
        };
        Stanza::parse(text).map(Some).map_err(malformed)
    }

    /// Reads the lines up to the next blank one; returns where they begin.
    fn fill(&mut self) -> io::Result<u64> {
        self.raw.clear();
        let mut offset = self.read;
        loop {
            let before = self.raw.len();
            // One byte beyond the limit tells a stanza that is too long from one that just fits.
            let room = (MAX_STANZA + 1 - before) as u64;
            let taken = self.source.by_ref().take(room).read_until(b'\n', &mut self.raw)?;
            self.read += taken as u64;
            let blank = self.raw.get(before..).is_none_or(|line| line.trim_ascii().is_empty());
            if blank {
                self.raw.truncate(before);
            }
            if taken == 0 || (blank && before > 0) {
                return Ok(offset);
            }
            if blank {
                offset = self.read;
            }
        }
    }
}
