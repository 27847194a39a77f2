//! NAR, Nix's archive format: one tree, one text of bytes (Dolstra's thesis, figure 5.2; Nix's `libutil/archive.cc`).
//!
//! It has types, names, contents and whether a file may be executed, nothing else. The reader is strict: what Nix would
//! not write is refused, so that equal trees have equal NARs and a hash says all.

mod error;
mod input;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::io::{self, Read};

use bstr::BStr;

use crate::digest::NarHash;
use crate::tree::TreePath;
pub use error::{NameFault, NarError};
pub use read::read;
pub use write::NarWriter;

/// What every NAR starts with.
const MAGIC: &[u8] = b"nix-archive-1";

/// The longest name of a file, in bytes (Linux `NAME_MAX`).
const MAX_NAME: usize = 255;

/// The longest target of a symlink, in bytes (Linux `PATH_MAX`, without the final NUL).
const MAX_TARGET: usize = 4095;

/// Takes what is in a NAR, in its order: a directory before its members, members by the bytes of their names.
///
/// Paths are relative to the NAR's root, which is [`TreePath::ROOT`] and may be of any type.
pub trait NarSink {
    /// A directory.
    ///
    /// # Errors
    /// When the sink cannot take it.
    fn directory(&mut self, path: &TreePath) -> io::Result<()>;

    /// A symlink with its target as written.
    ///
    /// # Errors
    /// When the sink cannot take it.
    fn symlink(&mut self, path: &TreePath, target: &BStr) -> io::Result<()>;

    /// A file of `size` bytes, which `data` gives; what is left of it is passed over.
    ///
    /// # Errors
    /// When the sink cannot take it.
    fn file(&mut self, path: &TreePath, executable: bool, size: u64, data: &mut dyn Read) -> io::Result<()>;
}

/// For NARs that are only checked and hashed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Discard;

impl NarSink for Discard {
    fn directory(&mut self, _: &TreePath) -> io::Result<()> {
        Ok(())
    }

    fn symlink(&mut self, _: &TreePath, _: &BStr) -> io::Result<()> {
        Ok(())
    }

    fn file(&mut self, _: &TreePath, _: bool, _: u64, _: &mut dyn Read) -> io::Result<()> {
        Ok(())
    }
}

/// A whole NAR, as read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NarSummary {
    /// Its length in bytes.
    pub size: u64,
    /// Its hash.
    pub hash: NarHash,
}

impl NarSummary {
    /// Whether this is the NAR that was expected.
    ///
    /// # Errors
    /// [`NarError::Size`] or [`NarError::Hash`], when it is another one.
    pub fn check(&self, expected: &Self) -> Result<(), NarError> {
        if self.size != expected.size {
            return Err(NarError::Size { found: self.size, expected: expected.size });
        }
        if self.hash != expected.hash {
            return Err(NarError::Hash { found: self.hash, expected: expected.hash });
        }
        Ok(())
    }
}

/// What a NAR may have at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NarLimits {
    /// Its length in bytes; a narinfo says it beforehand.
    pub size: u64,
    /// How many files, directories and symlinks.
    pub entries: u64,
    /// How deep directories go.
    pub depth: usize,
}

impl Default for NarLimits {
    /// More than any store path that was seen: 64 GiB in ten million entries.
    fn default() -> Self {
        Self { size: 64 << 30, entries: 10_000_000, depth: 512 }
    }
}
