//! The store paths of images, as the files of a binary cache.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::num::NonZeroUsize;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::{Digest, FileHash, NarHash, Sha256Hash};
use plywood_core::item::EntryKind;
use plywood_core::lockfile::Lockfile;
use plywood_core::manifest::{Manifest, ResolvedImage};
use plywood_core::nix::nar::{NarSink as _, NarWriter};
use plywood_core::nix::{Compression, NarInfo, SecretKey, StoreEntryKind, StorePath, store_item_id};
use plywood_oci::codec::Codec;
use plywood_oci::registry::BlobSource;
use plywood_oci::segment::{Segment, SegmentError};
use plywood_oci::store::Store;
use rayon::prelude::*;
use sha2::Digest as _;

use super::BundleError;
use super::collect::Collection;
use crate::Error;
use crate::build::{PlannedPath, codec, nix_of_image};
use crate::events::{Event, Events, Task, Unit};
use crate::nix::index::entries;
use crate::nix::push::{Encoder, Hashing, nar_file_name};
use crate::nix::{PathInfo, Sources, WantedPath};
use crate::workspace::Workspace;

/// How much is written at once, in bytes.
const BUFFER: usize = 256 << 10;

/// What is needed to pack store paths.
pub(super) struct Packer<'p> {
    pub(super) workspace: &'p Workspace,
    pub(super) manifest: &'p Manifest,
    pub(super) lock: &'p Lockfile,
    pub(super) store: &'p Store,
    /// Signs every path besides those who did.
    pub(super) key: Option<&'p SecretKey>,
    pub(super) jobs: NonZeroUsize,
    /// Where the files are made.
    pub(super) folder: &'p Utf8Path,
    pub(super) events: &'p dyn Events,
}

impl Packer<'_> {
    /// Packs all store paths that the images have on any of their platforms, each once.
    ///
    /// # Errors
    /// When the lock lacks some, no source has them, or files cannot be written.
    pub(super) fn pack(&self, images: &[&ResolvedImage], collection: &mut Collection) -> Result<(), Error> {
        let paths = self.paths(images)?;
        if paths.is_empty() {
            return Ok(());
        }
        let sources = Sources::from_workspace(self.workspace, self.manifest, self.events)?;
        for codec in paths.values().map(|(_, codec)| *codec).collect::<BTreeSet<Codec>>() {
            let wanted = paths.iter().filter(|(_, (_, own))| *own == codec);
            let wanted: Vec<WantedPath> = wanted.map(|(path, (planned, _))| planned.wanted(path)).collect();
            sources.fetch_all(self.store, &wanted, codec, self.jobs)?;
        }
        let known = sources.known(&paths.keys().collect::<Vec<_>>())?;
        let total = paths.values().map(|(planned, _)| planned.nar_size).sum();
        let task = Task::start(self.events, "Packing store paths", Some(total), Unit::Bytes);
        let threads = rayon::ThreadPoolBuilder::new().num_threads(self.jobs.get()).build().map_err(Error::Threads)?;
        let packed: Vec<(NarInfo, [BlobSource; 2])> = threads.install(|| {
            let one = |(path, (planned, codec)): (&StorePath, &(PlannedPath, Codec))| {
                let packed = self.pack_one(path, planned, *codec, known.get(path));
                packed.inspect(|_| task.advance(planned.nar_size))
            };
            paths.par_iter().map(one).collect::<Result<_, Error>>()
        })?;
        let unsigned =
            packed.iter().filter(|(info, _)| info.signatures.is_empty() && info.content_address.is_none()).count();
        if unsigned > 0 {
            self.events.emit(Event::Warning(format!(
                "{unsigned} of {} store paths are signed by nobody, so that Nix takes them only without checking; name a key \
                 with --store-key",
                packed.len()
            )));
        }
        for (_, [narinfo, nar]) in packed {
            collection.nar_infos.insert(narinfo.digest);
            for blob in [narinfo, nar] {
                collection.blobs.entry(blob.digest).or_insert(blob);
            }
        }
        Ok(())
    }

    fn paths(&self, images: &[&ResolvedImage]) -> Result<BTreeMap<StorePath, (PlannedPath, Codec)>, BundleError> {
        let mut paths = BTreeMap::new();
        for image in images {
            for platform in &image.platforms {
                let missing = |what| BundleError::NotLocked { image: image.name.to_string(), what };
                let nix = nix_of_image(image, *platform, self.lock).map_err(missing)?;
                for (path, planned) in nix.into_iter().flat_map(|nix| nix.paths) {
                    paths.entry(path).or_insert_with(|| (planned, codec(image.compression)));
                }
            }
        }
        Ok(paths)
    }

    fn pack_one(
        &self,
        path: &StorePath,
        planned: &PlannedPath,
        codec: Codec,
        known: Option<&PathInfo>,
    ) -> Result<(NarInfo, [BlobSource; 2]), Error> {
        let item = store_item_id(path, planned.nar_hash);
        let segment = self.store.segment(item, codec)?.ok_or(SegmentError::Missing { item });
        let segment = segment.map_err(crate::nix::NixError::from)?;
        let place = self.folder.join(format!("{path}.nar.zst"));
        let failed = |source| BundleError::Pack { path: path.clone(), source };
        let (hash, size) = write_nar(&segment, &place, planned).map_err(failed)?;
        let nar = BlobSource::file(Digest::new(hash.hash()), size, place);
        let narinfo = self.describe(path, planned, known, (hash, size)).map_err(failed)?;
        let text = narinfo.to_text();
        let place = self.folder.join(format!("{path}.narinfo"));
        std::fs::write(&place, &text).map_err(BundleError::io("write", &place))?;
        let info = BlobSource::file(Digest::of(text.as_bytes()), text.len() as u64, place);
        Ok((narinfo, [info, nar]))
    }

    /// What the lock says of a path, with the signatures that sources have over the same.
    fn describe(
        &self,
        path: &StorePath,
        planned: &PlannedPath,
        known: Option<&PathInfo>,
        (hash, size): (FileHash, u64),
    ) -> io::Result<NarInfo> {
        let same = |info: &&PathInfo| info.nar_hash == planned.nar_hash && info.references == planned.references;
        let known = known.filter(same);
        let url = nar_file_name(hash, Compression::Zstd).ok_or(io::ErrorKind::InvalidFilename)?;
        let mut signatures: Vec<String> = known.map(|info| info.signatures.clone()).unwrap_or_default();
        signatures.sort();
        signatures.dedup();
        let mut narinfo = NarInfo {
            store_path: path.clone(),
            url,
            compression: Compression::Zstd,
            file_hash: Some(hash),
            file_size: Some(size),
            nar_hash: planned.nar_hash,
            nar_size: planned.nar_size,
            references: planned.references.clone(),
            deriver: planned.deriver.clone(),
            signatures: signatures.iter().filter_map(|signature| signature.parse().ok()).collect(),
            content_address: known.and_then(|info| info.content_address.clone()),
        };
        if let Some(key) = self.key {
            narinfo.signatures.retain(|signature| signature.name() != key.name());
            narinfo.signatures.push(key.sign(narinfo.fingerprint().as_bytes()));
        }
        Ok(narinfo)
    }
}

/// Makes the NAR that a segment was made of, compressed, and compares it with what the lock says.
fn write_nar(segment: &Segment, place: &Utf8PathBuf, planned: &PlannedPath) -> io::Result<(FileHash, u64)> {
    let index = segment.index().map_err(io::Error::other)?;
    let file = Hashing::new(BufWriter::with_capacity(BUFFER, File::create(place)?));
    let mut writer = NarWriter::new(Hashing::new(Encoder::new(Compression::Zstd, file)?));
    let mut entries = entries(&index).map(|entry| entry.map_err(io::Error::other));
    let torn = || io::Error::new(io::ErrorKind::InvalidData, "its segment and the index do not agree");
    segment.for_each_entry(|entry, data| {
        // A segment keeps its directories apart; the index has them in their places.
        if entry.kind == EntryKind::Directory {
            return Ok(());
        }
        loop {
            let next = entries.next().ok_or_else(torn)??;
            match &next.kind {
                StoreEntryKind::Directory => writer.directory(&next.path)?,
                StoreEntryKind::Symlink { target } => return writer.symlink(&next.path, target.as_ref()),
                StoreEntryKind::File { executable, size, .. } => {
                    return writer.file(&next.path, *executable, *size, data);
                }
            }
        }
    })?;
    for rest in entries {
        let rest = rest?;
        match rest.kind {
            StoreEntryKind::Directory => writer.directory(&rest.path)?,
            _ => return Err(torn()),
        }
    }
    let Hashing { inner: encoder, hasher, size } = writer.finish()?;
    let found = NarHash::new(Sha256Hash::from_bytes(hasher.finalize().into()));
    if (found, size) != (planned.nar_hash, planned.nar_size) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("its NAR is {found}, not {}", planned.nar_hash),
        ));
    }
    let Hashing { mut inner, hasher, size } = encoder.finish()?;
    inner.flush()?;
    Ok((FileHash::new(Sha256Hash::from_bytes(hasher.finalize().into())), size))
}
