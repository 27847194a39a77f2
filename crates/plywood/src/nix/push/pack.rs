//! A store path as a compressed NAR in a file that has no name yet.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use plywood_core::digest::{FileHash, Sha256Hash};
use plywood_core::nix::nar::NarWriter;
use plywood_core::nix::{Compression, NarInfo, NarUrl};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::super::local::{FilesError, LocalStore, read_path};
use super::super::unpack::check_nar;
use super::super::url::CacheCompression;
use super::super::{PathInfo, WantedPath};
use super::PushError;
use super::destination::Destination;
use crate::events::{Progress, Task};

/// How much is written at once, in bytes.
const BUFFER: usize = 256 << 10;

/// A cache is written once and read often, but a second more for every path is not worth the last percent.
const ZSTD_LEVEL: i32 = 9;
const XZ_PRESET: u32 = 6;

/// A compressed NAR.
pub(super) struct Packed {
    pub(super) file: NamedTempFile,
    pub(super) size: u64,
    hash: FileHash,
    url: NarUrl,
    compression: Compression,
}

/// Packs a path, checked against what the database says of it.
pub(super) fn pack(
    local: &LocalStore,
    info: &PathInfo,
    destination: &Destination<'_, '_>,
    task: &Task<'_>,
) -> Result<Packed, PushError> {
    let compression = match destination.compression() {
        CacheCompression::Zstd => Compression::Zstd,
        CacheCompression::Xz => Compression::Xz,
        CacheCompression::None => Compression::None,
    };
    let (file, folder) = destination.temporary()?;
    let failed = |source| PushError::Write { path: folder.clone(), source };
    let file = Hashing::new(BufWriter::with_capacity(BUFFER, file));
    let mut nar = NarWriter::new(Encoder::new(compression, file).map_err(failed)?);
    let mut progress = Progress::new(task);
    let root = local.real_path(&info.path);
    let summary = match read_path(Path::new(&root), &mut nar, &mut |position| progress.reached(position)) {
        Err(FilesError::Sink { source, .. }) => return Err(failed(source)),
        other => other.map_err(|source| PushError::Files { path: info.path.clone(), source })?,
    };
    let spoiled = |source| PushError::Spoiled { path: info.path.clone(), source };
    check_nar(&WantedPath::from(info), &summary).map_err(spoiled)?;
    let Hashing { inner, hasher, size } = nar.finish().and_then(Encoder::finish).map_err(failed)?;
    let file = inner.into_inner().map_err(|error| failed(error.into_error()))?;
    let hash = FileHash::new(Sha256Hash::from_bytes(hasher.finalize().into()));
    let url = nar_file_name(hash, compression).ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    Ok(Packed { file, size, hash, url, compression })
}

/// As Nix names it: by the hash of the compressed file, so that another compression never stands in its place.
pub(crate) fn nar_file_name(hash: FileHash, compression: Compression) -> Option<NarUrl> {
    let hash = plywood_core::nix::base32::encode(hash.hash().as_bytes());
    format!("nar/{hash}.{}", compression.extension()).parse().ok()
}

impl Packed {
    /// What is to be said of it, with the signatures that the local store knows.
    pub(super) fn narinfo(&self, info: &PathInfo) -> NarInfo {
        NarInfo {
            store_path: info.path.clone(),
            url: self.url.clone(),
            compression: self.compression,
            file_hash: Some(self.hash),
            file_size: Some(self.size),
            nar_hash: info.nar_hash,
            nar_size: info.nar_size,
            references: info.references.clone(),
            deriver: info.deriver.clone(),
            signatures: info.signatures.iter().filter_map(|signature| signature.parse().ok()).collect(),
            content_address: info.content_address.clone(),
        }
    }
}

/// Compresses what is written to it.
pub(crate) enum Encoder<W: Write> {
    None(W),
    Zstd(zstd::Encoder<'static, W>),
    Xz(liblzma::write::XzEncoder<W>),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(compression: Compression, out: W) -> io::Result<Self> {
        Ok(match compression {
            Compression::Zstd => Self::Zstd(zstd::Encoder::new(out, ZSTD_LEVEL)?),
            Compression::Xz => Self::Xz(liblzma::write::XzEncoder::new(out, XZ_PRESET)),
            _ => Self::None(out),
        })
    }

    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::None(out) => Ok(out),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Xz(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(out) => out.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Xz(encoder) => encoder.write(bytes),
        }
    }

    /// Nothing is handed on early.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hashes and counts what is written.
pub(crate) struct Hashing<W> {
    pub(crate) inner: W,
    pub(crate) hasher: Sha256,
    pub(crate) size: u64,
}

impl<W> Hashing<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new(), size: 0 }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
