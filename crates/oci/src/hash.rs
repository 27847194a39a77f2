//! SHA-256 while streaming, and states of it that can be kept and continued.

use std::io::{self, Read, Write};

use plywood_core::digest::Sha256Hash;
use serde::{Deserialize, Serialize};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256};

/// Hashes and counts bytes.
#[derive(Clone, Default)]
pub(crate) struct Hasher {
    state: Sha256,
    length: u64,
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// The number of bytes so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn finish(self) -> Sha256Hash {
        Sha256Hash::from_bytes(self.state.finalize().into())
    }

    /// The state so far, to continue from later.
    pub(crate) fn save(&self) -> SavedHash {
        SavedHash { state: self.state.serialize().to_vec(), length: self.length }
    }
}

/// A hash in the middle: what a layer continues from that begins with a known segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedHash {
    state: Vec<u8>,
    length: u64,
}

impl SavedHash {
    /// The number of bytes hashed so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// `None` when the state is none of this version of the hash's code.
    pub(crate) fn resume(&self) -> Option<Hasher> {
        let state = Sha256::deserialize(self.state.as_slice().try_into().ok()?).ok()?;
        Some(Hasher { state, length: self.length })
    }
}

/// Hashes what passes through on the way to a writer or from a reader.
pub(crate) struct Hashing<S> {
    pub(crate) inner: S,
    pub(crate) hasher: Hasher,
}

impl<S> Hashing<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, hasher: Hasher::default() }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_hash_continues() {
        let mut hasher = Hasher::default();
        hasher.update(&[7; 1000]);
        let mut resumed = hasher.save().resume().expect("same version");
        resumed.update(&[8; 77]);
        let mut whole = vec![7; 1000];
        whole.extend([8; 77]);
        assert_eq!(resumed.length(), 1077);
        assert_eq!(resumed.finish(), Sha256Hash::of(&whole));
    }
}
