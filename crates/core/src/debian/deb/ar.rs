//! The outer archive of a package: `ar` as deb(5) restricts it, read from front to back.

use std::io::{self, Read};

use bstr::{BString, ByteSlice};

use super::ContainerError;

const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER_LEN: usize = 60;

/// Reads members in order; as a [`Read`] it gives the bytes of the current one.
#[derive(Debug)]
pub(super) struct ArReader<R> {
    inner: R,
    /// Bytes of the current member that are still to be read.
    remaining: u64,
    /// Whether a padding byte follows the current member.
    padded: bool,
    index: usize,
}

impl<R: Read> ArReader<R> {
    /// Checks the magic.
    pub(super) fn new(mut inner: R) -> Result<Self, ContainerError> {
        let mut magic = [0; MAGIC.len()];
        match inner.read_exact(&mut magic) {
            Ok(()) if magic == *MAGIC => Ok(Self { inner, remaining: 0, padded: false, index: 0 }),
            Ok(()) => Err(ContainerError::Magic),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ContainerError::Magic),
            Err(error) => Err(error.into()),
        }
    }

    /// Skips what is left of the current member and gives the name of the next one; `None` at the end.
    pub(super) fn next_member(&mut self) -> Result<Option<BString>, ContainerError> {
        io::copy(self, &mut io::sink())?;
        if self.padded {
            // The very last padding byte may be missing, as ar itself tolerates.
            read_up_to(&mut self.inner, &mut [0])?;
        }
        let mut header = [0; HEADER_LEN];
        match read_up_to(&mut self.inner, &mut header)? {
            0 => return Ok(None),
            HEADER_LEN => {}
            _ => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
        let malformed = ContainerError::Header { index: self.index };
        let (name, size, end) = (&header[..16], &header[48..58], &header[58..]);
        let Some(size) = parse_decimal(size).filter(|_| end == b"`\n") else { return Err(malformed) };
        let name = name.trim_ascii_end();
        (self.remaining, self.padded) = (size, size % 2 == 1);
        self.index += 1;
        Ok(Some(name.strip_suffix(b"/").unwrap_or(name).as_bstr().to_owned()))
    }
}

impl<R: Read> Read for ArReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.remaining).map_or(buffer.len(), |remaining| remaining.min(buffer.len()));
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.inner.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the package ends in the middle of a member"));
        }
        self.remaining -= count as u64;
        Ok(count)
    }
}

/// Fills `buffer` as far as the reader has bytes.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn parse_decimal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_end();
    digits.iter().all(u8::is_ascii_digit).then(|| digits.to_str().ok()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, size: &str, content: &str) -> String {
        format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n{content}", 0, 0, 0, 100644)
    }

    #[test]
    fn members_come_in_order_with_their_bytes() {
        let archive = ["!<arch>\n", &member("a", "3", "abc\n"), &member("b/", "2", "de")].concat();
        let mut reader = ArReader::new(archive.as_bytes()).expect("magic");
        let mut content = String::new();
        assert_eq!(reader.next_member().expect("a"), Some("a".into()));
        reader.read_to_string(&mut content).expect("abc");
        assert_eq!(reader.next_member().expect("b"), Some("b".into()));
        reader.read_to_string(&mut content).expect("de");
        assert_eq!((reader.next_member().expect("end"), content.as_str()), (None, "abcde"));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for archive in [
            "".to_owned(),
            "!<arch>".to_owned(),
            "!<arch>\nshort".to_owned(),
            ["!<arch>\n", &member("a", "x", "")].concat(),
            ["!<arch>\n", &member("a", "-1", "")].concat(),
            ["!<arch>\n", &member("a", "5", "abc")].concat(),
        ] {
            let read = |mut reader: ArReader<&[u8]>| {
                while reader.next_member()?.is_some() {}
                Ok::<_, ContainerError>(())
            };
            assert!(ArReader::new(archive.as_bytes()).and_then(read).is_err(), "{archive:?}");
        }
    }
}
