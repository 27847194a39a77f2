//! Reading, with nothing taken on trust.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;
use plywood_core::item::EntryKind;
use plywood_core::tree::{Meta, TreePath};

use super::super::read::Verifying;
use super::{BLOBS, MAX_BLOBS, SealedError};
use crate::codec::END_OF_ARCHIVE;
use crate::hash::{Hasher, Hashing};
use crate::registry::{BlobSource, Progress};
use crate::tar::{TarEntry, for_each_entry, padding};

/// How much is read at once, in bytes.
const BUFFER: usize = 256 << 10;

/// An archive, every byte of which was verified.
#[derive(Debug)]
pub struct SealedArchive {
    path: Utf8PathBuf,
    documents: Vec<Vec<u8>>,
    /// Where each blob is in the file, as offset and size in bytes.
    blobs: BTreeMap<Digest, (u64, u64)>,
}

impl SealedArchive {
    /// Reads all of an archive and compares each blob with its name. `documents` are the names of those that it must
    /// have, in their order, with the most bytes that each may have. `progress` gets how many more bytes are done.
    ///
    /// # Errors
    /// When it cannot be read, or anything is not as [`write_sealed`](super::write_sealed) writes it.
    pub fn open(path: &Utf8Path, documents: &[(&str, u64)], progress: Progress<'_>) -> Result<Self, SealedError> {
        let file = File::open(path).map_err(SealedError::io("open", path))?;
        let length = file.metadata().map_err(SealedError::io("read", path))?.len();
        let mut reading = Reading {
            wanted: documents,
            documents: Vec::new(),
            directories: 0,
            blobs: BTreeMap::new(),
            end: 0,
            buffer: vec![0; BUFFER],
        };
        let (mut refused, mut done) = (None, 0);
        let read = for_each_entry(BufReader::with_capacity(BUFFER, &file), |entry, data| {
            if let Err(refusal) = reading.take(&entry, data) {
                refused = Some((entry.path.to_string(), refusal));
                return Err(io::ErrorKind::InvalidData.into());
            }
            progress(reading.end.saturating_sub(done));
            done = done.max(reading.end);
            Ok(())
        });
        let owned = || path.to_owned();
        if let Err(source) = read {
            return Err(match refused {
                Some((member, Refusal::Member(why))) => SealedError::Member { path: owned(), member, why },
                Some((_, Refusal::Damaged(digest))) => SealedError::Damaged { path: owned(), digest },
                Some((_, Refusal::Read(source))) => SealedError::Tar { path: owned(), source },
                None => SealedError::Tar { path: owned(), source },
            });
        }
        reading.check_complete(path)?;
        if !ends(&file, reading.end, length).map_err(SealedError::io("read", path))? {
            return Err(SealedError::End { path: owned() });
        }
        progress(length.saturating_sub(done));
        Ok(Self { path: path.to_owned(), documents: reading.documents, blobs: reading.blobs })
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The documents in their order, as many as were asked for.
    pub fn documents(&self) -> &[Vec<u8>] {
        &self.documents
    }

    /// Every blob with its size in bytes.
    pub fn blobs(&self) -> impl Iterator<Item = (Digest, u64)> {
        self.blobs.iter().map(|(digest, (_, size))| (*digest, *size))
    }

    /// The size of a blob in bytes, if it is there.
    pub fn size(&self, digest: Digest) -> Option<u64> {
        self.blobs.get(&digest).map(|(_, size)| *size)
    }

    /// Where a blob is, for who uploads it.
    ///
    /// # Errors
    /// [`SealedError::NoBlob`]
    pub fn source(&self, digest: Digest) -> Result<BlobSource, SealedError> {
        let (offset, size) = *self.blobs.get(&digest).ok_or_else(|| self.no_blob(digest))?;
        Ok(BlobSource { digest, size, path: self.path.clone(), offset })
    }

    /// A blob to be read; at its end one that has changed meanwhile is an error of kind [`io::ErrorKind::InvalidData`].
    ///
    /// # Errors
    /// [`SealedError::NoBlob`]; when the file cannot be read.
    pub fn blob(&self, digest: Digest) -> Result<impl Read + use<>, SealedError> {
        let BlobSource { offset, size, .. } = self.source(digest)?;
        let failed = || SealedError::io("read", &self.path);
        let mut file = File::open(&self.path).map_err(failed())?;
        file.seek(SeekFrom::Start(offset)).map_err(failed())?;
        Ok(Verifying { inner: Some(Hashing::new(file.take(size))), digest, size })
    }

    /// All of a blob that has at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::blob`]; when it is larger, or has changed meanwhile.
    pub fn read(&self, digest: Digest, limit: u64) -> Result<Vec<u8>, SealedError> {
        let size = self.size(digest).ok_or_else(|| self.no_blob(digest))?;
        if size > limit {
            return Err(SealedError::TooLarge { path: self.path.clone(), digest, size, limit });
        }
        let mut bytes = Vec::with_capacity(size as usize);
        self.blob(digest)?.read_to_end(&mut bytes).map_err(SealedError::io("read", &self.path))?;
        Ok(bytes)
    }

    fn no_blob(&self, digest: Digest) -> SealedError {
        SealedError::NoBlob { path: self.path.clone(), digest }
    }
}

/// What of an archive was read so far.
struct Reading<'d> {
    wanted: &'d [(&'d str, u64)],
    documents: Vec<Vec<u8>>,
    directories: usize,
    blobs: BTreeMap<Digest, (u64, u64)>,
    /// Where the last member ends, its padding included.
    end: u64,
    buffer: Vec<u8>,
}

/// Why a member is refused.
enum Refusal {
    Read(io::Error),
    Member(&'static str),
    Damaged(Digest),
}

impl Reading<'_> {
    /// Takes the next member.
    fn take(&mut self, entry: &TarEntry, data: &mut dyn Read) -> Result<(), Refusal> {
        let size = self.member(entry, data)?;
        self.end = entry.offset.saturating_add(size).saturating_add(padding(size) as u64);
        Ok(())
    }

    /// Documents, the two directories, blobs in the order of their names; gives the member's size in bytes.
    fn member(&mut self, entry: &TarEntry, data: &mut dyn Read) -> Result<u64, Refusal> {
        const DIRECTORIES: [&str; 2] = ["blobs", BLOBS];
        if let Some((name, limit)) = self.wanted.get(self.documents.len()) {
            let size = file_size(entry).filter(|_| is(&entry.path, name)).ok_or(Refusal::Member(UNEXPECTED))?;
            if size > *limit {
                return Err(Refusal::Member("which is larger than any is"));
            }
            let mut bytes = Vec::with_capacity(size as usize);
            data.read_to_end(&mut bytes).map_err(Refusal::Read)?;
            if bytes.len() as u64 != size {
                return Err(Refusal::Read(io::ErrorKind::UnexpectedEof.into()));
            }
            self.documents.push(bytes);
            return Ok(size);
        }
        if let Some(name) = DIRECTORIES.get(self.directories) {
            if !is(&entry.path, name) || entry.kind != EntryKind::Directory || entry.meta != Meta::root(0o755, 0) {
                return Err(Refusal::Member(UNEXPECTED));
            }
            self.directories += 1;
            return Ok(0);
        }
        let size = file_size(entry).ok_or(Refusal::Member(UNEXPECTED))?;
        let digest = blob_name(&entry.path).ok_or(Refusal::Member(UNEXPECTED))?;
        if self.blobs.last_key_value().is_some_and(|(last, _)| *last >= digest) {
            return Err(Refusal::Member("which is there twice or out of order"));
        }
        if self.blobs.len() == MAX_BLOBS {
            return Err(Refusal::Member("more blobs than are read"));
        }
        self.verify(digest, size, data)?;
        self.blobs.insert(digest, (entry.offset, size));
        Ok(size)
    }

    fn verify(&mut self, digest: Digest, size: u64, data: &mut dyn Read) -> Result<(), Refusal> {
        let mut hasher = Hasher::default();
        loop {
            match data.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => hasher.update(self.buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Refusal::Read(error)),
            }
        }
        if hasher.length() != size {
            return Err(Refusal::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        if Digest::new(hasher.finish()) == digest { Ok(()) } else { Err(Refusal::Damaged(digest)) }
    }

    fn check_complete(&self, path: &Utf8Path) -> Result<(), SealedError> {
        let missing = |member: &str| SealedError::Missing { path: path.to_owned(), member: member.to_owned() };
        if let Some((name, _)) = self.wanted.get(self.documents.len()) {
            return Err(missing(name));
        }
        if self.directories < 2 { Err(missing(BLOBS)) } else { Ok(()) }
    }
}

const UNEXPECTED: &str = "which does not belong there";

fn is(path: &TreePath, name: &str) -> bool {
    path.as_bytes() == name.as_bytes()
}

fn file_size(entry: &TarEntry) -> Option<u64> {
    match entry.kind {
        EntryKind::File { size } if entry.meta == Meta::root(0o644, 0) => Some(size),
        _ => None,
    }
}

fn blob_name(path: &TreePath) -> Option<Digest> {
    let name = std::str::from_utf8(path.as_bytes()).ok()?.strip_prefix(BLOBS)?.strip_prefix('/')?;
    format!("sha256:{name}").parse().ok()
}

/// Whether after the last member there is the end of an archive and nothing else.
fn ends(mut file: &File, end: u64, length: u64) -> io::Result<bool> {
    if end.checked_add(END_OF_ARCHIVE.len() as u64) != Some(length) {
        return Ok(false);
    }
    let mut found = [1; END_OF_ARCHIVE.len()];
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut found)?;
    Ok(found == END_OF_ARCHIVE)
}
