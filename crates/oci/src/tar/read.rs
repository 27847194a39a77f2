//! Reading archives: our own segments, and layers that others made.
//!
//! ustar, pax and GNU's long names. (The `tar` crate splits pax records at line feeds, which extended attributes may
//! hold.) Sparse files are refused: no image builder writes them into layers.

use std::io::{self, Read};

use plywood_core::item::EntryKind;
use plywood_core::tree::{Meta, TreePath};

use super::header::{BLOCK, padding};
use super::pax::{Overrides, invalid};
use crate::fill::fill;

/// The longest pax header or GNU long name, in bytes.
const MAX_EXTENSION: u64 = 1 << 20;

/// An entry of a segment or layer, without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarEntry {
    /// Where it is.
    pub path: TreePath,
    /// Owner, mode, times, attributes.
    pub meta: Meta,
    /// What it is.
    pub kind: EntryKind,
    /// Where its data starts in the uncompressed archive, in bytes.
    pub offset: u64,
}

/// Hands every entry with its data to `take`, in the archive's order. An archive may end without end blocks.
pub(crate) fn for_each_entry(
    archive: impl Read,
    mut take: impl FnMut(TarEntry, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = Counting { inner: archive, offset: 0 };
    let mut overrides = Overrides::default();
    while let Some(header) = Header::read(&mut archive)? {
        let size = header.number(124, 12)?;
        match header.type_flag() {
            b'x' => overrides.read_pax(&archive.extension(size)?)?,
            // Global headers hold comments, such as git's; nothing that an entry needs.
            b'g' => drop(archive.extension(size)?),
            b'L' => overrides.set_path(archive.extension(size)?),
            b'K' => overrides.set_link(archive.extension(size)?),
            _ => {
                let overrides = std::mem::take(&mut overrides);
                let entry = header.entry(overrides, size, archive.offset)?;
                let size = if let EntryKind::File { size } = entry.kind { size } else { 0 };
                let mut data = archive.by_ref().take(size);
                take(entry, &mut data)?;
                let left = data.limit();
                archive.skip(left + padding(size) as u64)?;
            }
        }
    }
    Ok(())
}

/// A header block with a right checksum.
struct Header([u8; BLOCK]);

impl Header {
    /// The next header; `None` at the end of the archive.
    fn read<R: Read>(archive: &mut Counting<R>) -> io::Result<Option<Self>> {
        let mut block = [0; BLOCK];
        let length = fill(archive, &mut block)?;
        if length == 0 || block == [0; BLOCK] {
            return Ok(None);
        }
        if length < BLOCK {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let header = Self(block);
        let spaces = 8 * u64::from(b' ');
        let sum = |from: usize, to: usize| block[from..to].iter().map(|byte| u64::from(*byte)).sum::<u64>();
        if header.number(148, 8)? != sum(0, 148) + spaces + sum(156, BLOCK) {
            return Err(invalid("an entry's checksum is wrong"));
        }
        Ok(Some(header))
    }

    fn type_flag(&self) -> u8 {
        self.0[156]
    }

    /// A text field up to its first NUL.
    fn text(&self, at: usize, width: usize) -> &[u8] {
        let field = &self.0[at..at + width];
        field.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// An octal field, or GNU's base 256.
    fn number(&self, at: usize, width: usize) -> io::Result<u64> {
        let field = &self.0[at..at + width];
        if let [first @ 0x80..=0xff, rest @ ..] = field {
            let digit = |value: u64, byte: &u8| value.checked_mul(256)?.checked_add(u64::from(*byte));
            let value = rest.iter().try_fold(u64::from(first & 0x7f), digit);
            return value.ok_or_else(|| invalid("a number of an entry is too large"));
        }
        let digits = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
        let digit = |value: u64, byte: &u8| {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 8)?;
            value.checked_mul(8)?.checked_add(u64::from(digit))
        };
        digits.iter().try_fold(0, digit).ok_or_else(|| invalid("a number of an entry is not octal"))
    }

    fn name(&self) -> Vec<u8> {
        let (prefix, name) = (self.text(345, 155), self.text(0, 100));
        // GNU's older format keeps times where ustar has the prefix.
        let is_ustar = &self.0[257..263] == b"ustar\0";
        if is_ustar && !prefix.is_empty() { [prefix, b"/", name].concat() } else { name.to_vec() }
    }

    fn entry(&self, overrides: Overrides, size: u64, offset: u64) -> io::Result<TarEntry> {
        let id = |at| u32::try_from(self.number(at, 8)?).map_err(|_| invalid("an owner's number is too large"));
        let mut meta = Meta::root((self.number(100, 8)? & 0o7777) as u16, 0);
        meta.uid = overrides.uid.map_or_else(|| id(108), Ok)?;
        meta.gid = overrides.gid.map_or_else(|| id(116), Ok)?;
        meta.mtime = match overrides.mtime {
            Some(mtime) => mtime,
            None => i64::try_from(self.number(136, 12)?).map_err(|_| invalid("a time is too large"))?,
        };
        meta.xattrs = overrides.xattrs;
        let name = overrides.path.unwrap_or_else(|| self.name());
        let path = TreePath::parse(&name).map_err(io::Error::other)?;
        let target = || overrides.link.clone().unwrap_or_else(|| self.text(157, 100).to_vec());
        let device = |at| u32::try_from(self.number(at, 8)?).map_err(|_| invalid("a device number is too large"));
        let kind = match self.type_flag() {
            // Before ustar, a slash at the end made a directory.
            b'0' | 0 if name.ends_with(b"/") => EntryKind::Directory,
            b'0' | 0 | b'7' => EntryKind::File { size: overrides.size.unwrap_or(size) },
            b'1' => EntryKind::HardLink { target: TreePath::parse(target()).map_err(io::Error::other)? },
            b'2' => EntryKind::Symlink { target: target().into() },
            b'3' => EntryKind::CharDevice { major: device(329)?, minor: device(337)? },
            b'4' => EntryKind::BlockDevice { major: device(329)?, minor: device(337)? },
            b'5' => EntryKind::Directory,
            b'6' => EntryKind::Fifo,
            _ => return Err(invalid("an entry has an unknown type")),
        };
        Ok(TarEntry { path, meta, kind, offset })
    }
}

/// Counts what was read.
struct Counting<R> {
    inner: R,
    offset: u64,
}

impl<R: Read> Counting<R> {
    /// The data of an entry that describes the next one.
    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_EXTENSION {
            return Err(invalid("an entry's extended header is too large"));
        }
        let mut bytes = vec![0; size as usize];
        if fill(self, &mut bytes)? < bytes.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.skip(padding(size) as u64)?;
        Ok(bytes)
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.by_ref().take(length), &mut io::sink())?;
        if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.offset += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let _ = for_each_entry(bytes.as_slice(), |_, _| Ok(()));
        }

        #[test]
        fn damaged_archives_are_read_or_refused(at in 0usize..2048, value in any::<u8>(), length in 0usize..2048) {
            let mut bytes = Vec::new();
            let mut meta = Meta::root(0o644, -1);
            meta.xattrs.insert("user.a".into(), "line\nfeed".into());
            super::super::header::encode(&TreePath::literal("a"), &meta, &EntryKind::File { size: 3 }, &mut bytes);
            bytes.extend([b'x'; 3]);
            bytes.resize(2048, 0);
            bytes[at] = value;
            let _ = for_each_entry(&bytes[..length], |_, data| io::copy(data, &mut io::sink()).map(drop));
        }
    }
}
