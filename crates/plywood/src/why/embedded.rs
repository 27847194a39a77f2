//! Which file of a store path names another.

use std::io::{self, Read};

use bstr::ByteSlice as _;
use plywood_core::item::EntryKind;
use plywood_core::nix::StorePath;
use plywood_core::tree::TreePath;
use plywood_oci::segment::{Segment, SegmentError};

/// How much of a file is looked at at once, in bytes.
const BUFFER: usize = 256 << 10;

/// The first file or link of `segment` that has the hash of `to` in it, as Nix's own scan for references looks for it
/// (Nix, `src/libstore/references.cc`); by its path below the store path `from`.
///
/// # Errors
/// When the segment cannot be read.
pub(super) fn reference(segment: &Segment, from: &StorePath, to: &StorePath) -> Result<Option<String>, SegmentError> {
    let hash = to.hash_part().as_bytes();
    let mut found: Option<TreePath> = None;
    let mut buffer = vec![0; BUFFER];
    let looked = segment.for_each_entry(|entry, data| {
        let names = match &entry.kind {
            EntryKind::Symlink { target } => target.find(hash).is_some(),
            EntryKind::File { .. } => contains(data, hash, &mut buffer)?,
            _ => false,
        };
        if names {
            found = Some(entry.path);
            // There is nothing more to look for; the error only ends the reading.
            return Err(io::Error::other("found"));
        }
        Ok(())
    });
    match (found, looked) {
        (Some(path), _) => {
            let below = path.strip_prefix(&from.tree_path()).unwrap_or_default();
            Ok(Some(if below.is_empty() { from.name().to_owned() } else { below.to_string() }))
        }
        (None, Err(source)) => Err(SegmentError::Read { item: segment.item(), source }),
        (None, Ok(())) => Ok(None),
    }
}

/// Whether some bytes are in a stream, wherever its pieces end.
fn contains(data: &mut dyn Read, needle: &[u8], buffer: &mut [u8]) -> io::Result<bool> {
    let mut kept = 0;
    loop {
        let read = match data.read(&mut buffer[kept..]) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let filled = kept + read;
        if buffer[..filled].find(needle).is_some() {
            return Ok(true);
        }
        // The needle may begin at the end.
        let tail = filled.min(needle.len().saturating_sub(1));
        buffer.copy_within(filled - tail..filled, 0);
        kept = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_across_pieces() {
        /// Gives one byte at a time.
        struct Slow<'b>(&'b [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                let piece = self.0.get(..1).unwrap_or_default();
                self.0 = self.0.get(1..).unwrap_or_default();
                out[..piece.len()].copy_from_slice(piece);
                Ok(piece.len())
            }
        }
        let check = |text: &str, expect| {
            for size in [4, 5, 64] {
                let mut buffer = vec![0; size];
                assert_eq!(contains(&mut Slow(text.as_bytes()), b"abc", &mut buffer).expect("read"), expect, "{text}");
                assert_eq!(contains(&mut text.as_bytes(), b"abc", &mut buffer).expect("read"), expect, "{text}");
            }
        };
        check("xxababcxx", true);
        check("abc", true);
        check("ab", false);
        check("ababab", false);
        check("", false);
    }
}
