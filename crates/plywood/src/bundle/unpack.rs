//! `plywood bundle unpack`

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Write};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;
use plywood_core::nix::nar::{self, Discard, NarLimits, NarSummary};
use plywood_core::nix::{NarInfo, ReferenceGraph};
use serde::Serialize;
use tempfile::NamedTempFile;

use super::BundleError;
use super::open::Bundle;
use crate::Error;
use crate::decompress::Compression;
use crate::events::{Events, Task, Unit};
use crate::nix::cache_info::{CacheInfo, MAX_BYTES};
use crate::os::make_readable_by_all;

/// How much is read at once, in bytes.
const BUFFER: usize = 256 << 10;

/// What was unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleUnpackReport {
    /// The binary cache.
    pub cache: Utf8PathBuf,
    /// How many store paths were written.
    pub written: usize,
    /// How many it had already.
    pub present: usize,
    /// Bytes of the files that were written.
    pub size: u64,
}

/// Writes the store paths of a bundle as a binary cache, or into one: NARs, each compared with what is said of it, before
/// what speaks of them, and references before what refers to them, so that the cache is whole at every instant.
///
/// # Errors
/// When the bundle is not whole or has no store paths, a NAR is not what is said of it, or the folder cannot be written.
pub fn unpack(file: &Utf8Path, cache: &Utf8Path, events: &dyn Events) -> Result<BundleUnpackReport, Error> {
    let bundle = Bundle::open(file, events)?;
    if bundle.nar_infos.is_empty() {
        return Err(BundleError::NoStorePaths { path: file.to_owned() }.into());
    }
    prepare(cache)?;
    let total = bundle.nar_infos.values().filter_map(|info| info.file_size).sum();
    let task = Task::start(events, format!("Unpacking into {cache}"), Some(total), Unit::Bytes);
    let mut report = BundleUnpackReport { cache: cache.to_owned(), written: 0, present: 0, size: 0 };
    let graph = bundle.nar_infos.iter().map(|(path, info)| (path.clone(), info.references.clone()));
    for path in ReferenceGraph(graph.collect()).references_first() {
        let Some(info) = bundle.nar_infos.get(path) else { continue };
        let size = info.file_size.unwrap_or_default();
        let narinfo = cache.join(format!("{}.narinfo", path.hash_part()));
        if fs::read(&narinfo).is_ok_and(|there| there == info.to_text().as_bytes()) {
            report.present += 1;
        } else {
            put_nar(&bundle, info, &cache.join(info.url.as_str()))?;
            put(&narinfo, |file| file.write_all(info.to_text().as_bytes()))?;
            report.written += 1;
            report.size += size;
        }
        task.advance(size);
    }
    Ok(report)
}

/// Makes sure that the folder is a binary cache of the same store, or becomes one.
fn prepare(cache: &Utf8Path) -> Result<(), BundleError> {
    let nar = cache.join("nar");
    fs::create_dir_all(&nar).map_err(BundleError::io("create", &nar))?;
    let path = cache.join("nix-cache-info");
    match File::open(&path) {
        Ok(file) => {
            let mut bytes = Vec::new();
            file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(BundleError::io("read", &path))?;
            let parsed = CacheInfo::parse(&bytes);
            parsed.map(drop).map_err(|source| BundleError::Cache { path: cache.to_owned(), source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            put(&path, |file| file.write_all(CacheInfo::text().as_bytes()))
        }
        Err(error) => Err(BundleError::io("read", &path)(error)),
    }
}

fn put_nar(bundle: &Bundle, info: &NarInfo, path: &Utf8Path) -> Result<(), BundleError> {
    check_nar(bundle, info)?;
    let hash = info.file_hash.map(|hash| Digest::new(hash.hash()));
    let mut nar = bundle.archive.blob(hash.unwrap_or_else(|| Digest::of(b"")))?;
    put(path, |file| io::copy(&mut nar, file).map(drop))
}

/// Reads a NAR to its end: that its file is whole was checked before, not what comes out of it.
fn check_nar(bundle: &Bundle, info: &NarInfo) -> Result<(), BundleError> {
    let wrong = |why: String| BundleError::Nar { path: info.store_path.clone(), why };
    let hash = info.file_hash.map(|hash| Digest::new(hash.hash())).ok_or_else(|| wrong("it has no hash".to_owned()))?;
    let file = BufReader::with_capacity(BUFFER, bundle.archive.blob(hash)?);
    let reader = Compression::from(info.compression).reader(file).map_err(|error| wrong(error.to_string()))?;
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    let limits = NarLimits { size: info.nar_size, ..NarLimits::default() };
    let expected = NarSummary { size: info.nar_size, hash: info.nar_hash };
    let read = nar::read(&mut reader, &mut Discard, &limits).and_then(|found| found.check(&expected));
    read.map_err(|error| wrong(error.to_string()))
}

/// Writes a file that appears whole or not at all.
fn put(path: &Utf8Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), BundleError> {
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    let make = || {
        let mut file = NamedTempFile::new_in(folder)?;
        make_readable_by_all(file.as_file())?;
        write(file.as_file_mut())?;
        file.persist(path).map(drop).map_err(|error| error.error)
    };
    make().map_err(BundleError::io("write", path))
}
