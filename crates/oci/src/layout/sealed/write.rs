//! Writing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write};

use plywood_core::digest::Digest;

use super::super::LayoutError;
use super::super::archive::Archive;
use super::super::read::Verifying;
use super::BLOBS;
use crate::hash::Hashing;
use crate::registry::{BlobSource, Progress};

/// Writes documents in the order in which they are given, then blobs, each compared with its name on its way.
///
/// `progress` gets how many more bytes of blobs are written.
///
/// # Errors
/// When a blob cannot be read or is not what it is called, or `out` cannot be written.
pub fn write_sealed(
    documents: &[(&str, &[u8])],
    blobs: &BTreeMap<Digest, BlobSource>,
    out: impl Write,
    progress: Progress<'_>,
) -> Result<(), LayoutError> {
    let mut archive = Archive::new(out);
    for (name, bytes) in documents {
        archive.bytes(name, bytes)?;
    }
    for directory in ["blobs", BLOBS] {
        archive.directory(directory)?;
    }
    for blob in blobs.values() {
        let failed = || LayoutError::io("read", &blob.path);
        let mut file = File::open(&blob.path).map_err(failed())?;
        file.seek(SeekFrom::Start(blob.offset)).map_err(failed())?;
        let content = Hashing::new(file.take(blob.size));
        let content = Verifying { inner: Some(content), digest: blob.digest, size: blob.size };
        let mut content = Reported { inner: content, progress };
        let written = archive.file(&format!("{BLOBS}/{}", blob.digest.to_hex()), blob.size, &mut content);
        written.map_err(|error| match error {
            // What is wrong with the blob shows while it is read; a full disk has another kind.
            LayoutError::Write(error) if is_damage(&error) => LayoutError::Damaged { digest: blob.digest },
            other => other,
        })?;
    }
    archive.finish()
}

fn is_damage(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

/// Tells how much was read.
struct Reported<'p, R> {
    inner: R,
    progress: Progress<'p>,
}

impl<R: Read> Read for Reported<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        (self.progress)(read as u64);
        Ok(read)
    }
}
