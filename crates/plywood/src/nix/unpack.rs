//! From a compressed NAR to a segment, in one pass: nothing has its final name before every hash is right.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::PoisonError;

use plywood_core::digest::{FileHash, Sha256Hash};
use plywood_core::nix::nar::{self, NarError, NarLimits, NarSummary};
use plywood_core::nix::{Compression as NarCompression, NarInfo, NarToSegment, StoreEntry, StorePath, store_item_id};
use plywood_oci::codec::Codec;
use plywood_oci::segment::{SegmentError, SegmentWriter};
use plywood_oci::store::Store;
use sha2::{Digest as _, Sha256};

use super::index::PackedIndex;
use super::local::{FilesError, LocalStore, read_path};
use super::substituter::{Known, Substituter};
use super::{NixError, SourceFailure, Sources, WantedPath};
use crate::decompress::{Compression, HEAD, MemoryBudget};
use crate::events::Progress;
use crate::http::{Download, TransferFailure};

/// How much is read at once, in bytes.
const BUFFER: usize = 128 << 10;

/// What ends an attempt: the source's fault or ours.
pub(super) enum Trouble {
    Source(SourceFailure),
    Ours(NixError),
}

impl<F: Into<SourceFailure>> From<F> for Trouble {
    fn from(failure: F) -> Self {
        Trouble::Source(failure.into())
    }
}

/// Where segments go.
#[derive(Clone, Copy)]
pub(super) struct Target<'t> {
    pub(super) store: &'t Store,
    pub(super) codec: Codec,
}

impl Target<'_> {
    fn create(self, wanted: &WantedPath) -> Result<SegmentWriter, Trouble> {
        let item = store_item_id(&wanted.path, wanted.nar_hash);
        let writer = self.store.create_segment(item, self.codec).map_err(|error| Trouble::Ours(error.into()))?;
        Ok(writer.without_hard_links())
    }
}

/// Writes a path's files as its segment.
pub(super) fn from_files(
    local: &LocalStore,
    wanted: &WantedPath,
    target: Target<'_>,
    progress: &mut Progress<'_, '_>,
) -> Result<(), Trouble> {
    let (mut writer, mut index) = (target.create(wanted)?, PackedIndex::new());
    let mut keep = |entry: &StoreEntry| index.push(entry);
    let mut sink = start(wanted, &mut writer, &mut keep)?;
    let root = local.real_path(&wanted.path);
    let summary = match read_path(Path::new(&root), &mut sink, &mut |position| progress.reached(position)) {
        Err(FilesError::Sink { source, .. }) if is_ours(&source) => return Err(ours(wanted, source)),
        other => other?,
    };
    check_nar(wanted, &summary)?;
    finish(writer, index)
}

impl Sources<'_> {
    /// Downloads a path's NAR from a cache and writes it as its segment.
    pub(super) fn unpack_from_cache(
        &self,
        substituter: &Substituter,
        wanted: &WantedPath,
        target: Target<'_>,
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), Trouble> {
        let (info, known) = self.block_on(self.narinfo(substituter, &wanted.path, false))?;
        match self.unpack_as_told(substituter, &info, wanted, target, progress) {
            // What was known from before may be outdated: the cache gets a chance to say it anew.
            Err(Trouble::Source(_)) if matches!(known, Known::Before) => {
                self.narinfos.forget(&substituter.url, &wanted.path);
                let (info, _) = self.block_on(self.narinfo(substituter, &wanted.path, true))?;
                self.unpack_as_told(substituter, &info, wanted, target, progress)
            }
            result => result,
        }
    }

    fn unpack_as_told(
        &self,
        substituter: &Substituter,
        info: &NarInfo,
        wanted: &WantedPath,
        target: Target<'_>,
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), Trouble> {
        check_info(wanted, info)?;
        if let Some(failure) = substituter.outage() {
            return Err(failure.into());
        }
        let download = self.download(substituter, info).inspect_err(|failure| self.judge(substituter, failure))?;
        let failure = download.failure();
        let result = unpack_from(download, info, wanted, target, progress, &self.decoders);
        // Decoders tell of a broken transfer in words of their own.
        match failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(failure) => {
                let failure = SourceFailure::from(failure);
                self.judge(substituter, &failure);
                Err(failure.into())
            }
            None => result,
        }
    }

    fn download(&self, substituter: &Substituter, info: &NarInfo) -> Result<Download<'_>, SourceFailure> {
        let url = substituter.url.nar(&info.url).map_err(TransferFailure::from)?;
        // What cannot be compressed grows a little.
        let limit = info.file_size.unwrap_or(info.nar_size.saturating_add(info.nar_size / 8).saturating_add(1 << 20));
        let with = (&self.transport, self.config.patience, self.handle());
        Ok(Download::open(with, url, substituter.authorization.clone(), limit)?)
    }

    fn judge(&self, substituter: &Substituter, failure: &SourceFailure) {
        if failure.is_outage() && substituter.outage().is_none() {
            self.give_up(substituter, failure);
        }
    }
}

fn unpack_from(
    mut download: Download<'_>,
    info: &NarInfo,
    wanted: &WantedPath,
    target: Target<'_>,
    progress: &mut Progress<'_, '_>,
    decoders: &MemoryBudget,
) -> Result<(), Trouble> {
    let coding = download.content_coding().to_owned();
    let coding = Compression::of_content_coding(&coding).ok_or(TransferFailure::Coding(coding))?;
    let unreadable =
        |error: io::Error| Trouble::Source(SourceFailure::Nar(format!("it cannot be decompressed: {error}")));
    let compression = Compression::from(info.compression);
    let mut head = Vec::new();
    (&mut download).take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
    let memory = decoder_memory(coding, compression, &head);
    let _share = decoders.take(memory);
    let download = Cursor::new(head).chain(BufReader::with_capacity(BUFFER, download));
    let file = coding.reader_within(download, memory).map_err(unreadable)?;
    let mut file = Hashing { inner: file, hasher: Sha256::new(), length: 0 };
    let (mut writer, mut index) = (target.create(wanted)?, PackedIndex::new());
    let mut keep = |entry: &StoreEntry| index.push(entry);
    let mut sink = start(wanted, &mut writer, &mut keep)?;
    let limits = NarLimits { size: wanted.nar_size, ..NarLimits::default() };
    let summary = {
        let nar = compression.reader_within(BufReader::with_capacity(BUFFER, &mut file), memory);
        let mut nar = Reported { inner: nar.map_err(unreadable)?, progress, position: 0 };
        nar::read(&mut nar, &mut sink, &limits)
    };
    let summary = match summary {
        Err(NarError::Sink { source, .. }) if is_ours(&source) => return Err(ours(wanted, source)),
        Err(NarError::Read(error)) => return Err(unreadable(error)),
        other => other.map_err(|error| Trouble::Source(SourceFailure::Nar(error.to_string())))?,
    };
    io::copy(&mut file, &mut io::sink()).map_err(unreadable)?;
    check_file(info, file)?;
    check_nar(wanted, &summary)?;
    finish(writer, index)
}

/// What decoding takes by the beginning of what comes: at most one decoder that takes much is at work as a rule.
fn decoder_memory(coding: Compression, compression: Compression, head: &[u8]) -> u64 {
    match (coding, compression) {
        (Compression::None, compression) => compression.memory(head),
        (coding, Compression::None) => coding.memory(head),
        // Nobody knows before the first decoder is at work how much the second one needs: nobody else is then.
        _ => u64::MAX,
    }
}

fn start<'s>(
    wanted: &WantedPath,
    writer: &'s mut SegmentWriter,
    keep: &'s mut dyn FnMut(&StoreEntry) -> io::Result<()>,
) -> Result<NarToSegment<'s>, Trouble> {
    NarToSegment::new(&wanted.path, writer, keep).map_err(|error| ours(wanted, error))
}

fn finish(writer: SegmentWriter, index: PackedIndex) -> Result<(), Trouble> {
    let item = writer.item();
    let index = index.finish().map_err(|source| Trouble::Ours(SegmentError::Finish { item, source }.into()))?;
    writer.finish(&index).map_err(|error| Trouble::Ours(error.into()))?;
    Ok(())
}

/// Whether the system refused to write: a sink also refuses what no file system could hold, which is the source's fault.
fn is_ours(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
}

fn ours(wanted: &WantedPath, source: io::Error) -> Trouble {
    let item = store_item_id(&wanted.path, wanted.nar_hash);
    Trouble::Ours(SegmentError::Append { path: wanted.path.tree_path(), item, source }.into())
}

/// Whether a signed `.narinfo` says what the lock says.
fn check_info(wanted: &WantedPath, info: &NarInfo) -> Result<(), SourceFailure> {
    check("NAR hash", &info.nar_hash, &wanted.nar_hash)?;
    check("NAR size", &info.nar_size, &wanted.nar_size)?;
    check_references(wanted, &info.references)
}

/// Whether a source knows the references that the lock names.
pub(super) fn check_references(wanted: &WantedPath, references: &BTreeSet<StorePath>) -> Result<(), SourceFailure> {
    let shown = |paths: &BTreeSet<StorePath>| paths.iter().map(|path| path.as_str()).collect::<Vec<_>>().join(" ");
    match *references == wanted.references {
        true => Ok(()),
        false => check("references", &shown(references), &shown(&wanted.references)),
    }
}

/// Whether a NAR that was read or written is the one that the lock names.
pub(super) fn check_nar(wanted: &WantedPath, found: &NarSummary) -> Result<(), SourceFailure> {
    let expected = NarSummary { size: wanted.nar_size, hash: wanted.nar_hash };
    found.check(&expected).map_err(|error| SourceFailure::Nar(error.to_string()))
}

fn check<T: PartialEq + ToString>(what: &'static str, found: &T, expect: &T) -> Result<(), SourceFailure> {
    match found == expect {
        true => Ok(()),
        false => Err(SourceFailure::Differs { what, found: found.to_string(), expect: expect.to_string() }),
    }
}

fn check_file<R>(info: &NarInfo, file: Hashing<R>) -> Result<(), SourceFailure> {
    let differs = |what, found: String, expect: String| Err(SourceFailure::FileDiffers { what, found, expect });
    if let Some(expect) = info.file_size.filter(|&expect| expect != file.length) {
        return differs("length", file.length.to_string(), expect.to_string());
    }
    let found = FileHash::new(Sha256Hash::from_bytes(file.hasher.finalize().into()));
    match info.file_hash.filter(|expect| *expect != found) {
        Some(expect) => differs("SHA-256", found.to_hex(), expect.to_hex()),
        None => Ok(()),
    }
}

impl From<NarCompression> for Compression {
    fn from(compression: NarCompression) -> Self {
        match compression {
            NarCompression::None => Self::None,
            NarCompression::Xz => Self::Xz,
            NarCompression::Zstd => Self::Zstd,
            NarCompression::Bzip2 => Self::Bzip2,
            NarCompression::Brotli => Self::Brotli,
            NarCompression::Gzip => Self::Gzip,
        }
    }
}

/// Hashes and counts what is read.
struct Hashing<R> {
    inner: R,
    hasher: Sha256,
    length: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.length += count as u64;
        Ok(count)
    }
}

/// Tells how far a NAR is.
struct Reported<'r, 't, 'e, R> {
    inner: R,
    progress: &'r mut Progress<'t, 'e>,
    position: u64,
}

impl<R: Read> Read for Reported<'_, '_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.position += count as u64;
        self.progress.reached(self.position);
        Ok(count)
    }
}
