//! Packages as segments: each `.deb` is downloaded, verified and unpacked once, into the store.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::debian::deb::{self, PathFilters, UnpackOptions, UnpackedDeb, deb_item_id};
use plywood_core::item::ItemId;
use plywood_oci::codec::Codec;
use plywood_oci::store::{Store, StoreError};
use rayon::prelude::*;

use super::BuildError;
use crate::debian::{Archive, DebRef};
use crate::events::{Events, Task, Unit};

/// How much of a `.deb` is read at once, in bytes.
const READ_BUFFER: usize = 256 << 10;

/// A package as one or more images want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedDeb {
    /// The file.
    pub(crate) deb: DebRef,
    /// What is left out of it.
    pub(crate) filters: Arc<PathFilters>,
    /// How its segment is compressed.
    pub(crate) codec: Codec,
}

impl WantedDeb {
    /// The item it becomes.
    pub(crate) fn item(&self) -> ItemId {
        deb_item_id(self.deb.hash, &self.filters)
    }
}

/// Unpacked packages by the item they became.
pub(super) type Unpacked = BTreeMap<ItemId, Arc<UnpackedDeb>>;

/// Makes sure that every package is in the store; only what is missing is downloaded and unpacked.
///
/// # Errors
/// When a package cannot be had, is not what the lock says, or the store cannot be written.
pub(super) fn unpack_all(
    store: &Store,
    archive: &Archive<'_>,
    wanted: &[WantedDeb],
    jobs: NonZeroUsize,
    events: &dyn Events,
) -> Result<Unpacked, BuildError> {
    let known: Vec<Option<Arc<UnpackedDeb>>> =
        wanted.par_iter().map(|package| load(store, package)).collect::<Result<_, _>>()?;
    let mut unpacked = Unpacked::new();
    let mut missing = Vec::new();
    for (package, known) in wanted.iter().zip(known) {
        match known {
            Some(deb) => _ = unpacked.insert(package.item(), deb),
            None => missing.push(package),
        }
    }
    // The largest first: the last ones to be unpacked are then small, and no processor waits for long.
    missing.sort_by(|a, b| b.deb.size.cmp(&a.deb.size).then_with(|| a.deb.name.cmp(&b.deb.name)));
    if !missing.is_empty() {
        unpacked.extend(unpack_missing(store, archive, &missing, jobs, events)?);
    }
    Ok(unpacked)
}

/// The index of a package's segment; `None` when there is no segment, or it was written by another version.
fn load(store: &Store, package: &WantedDeb) -> Result<Option<Arc<UnpackedDeb>>, BuildError> {
    Ok(unpacked(store, package)?)
}

/// What is known of a package that was unpacked before.
pub(crate) fn unpacked(store: &Store, package: &WantedDeb) -> Result<Option<Arc<UnpackedDeb>>, StoreError> {
    let Some(segment) = store.segment(package.item(), package.codec)? else { return Ok(None) };
    Ok(postcard::from_bytes(&segment.index()?).ok().map(Arc::new))
}

/// Downloads and unpacks at the same time: each package is handed on as soon as it is verified.
fn unpack_missing(
    store: &Store,
    archive: &Archive<'_>,
    missing: &[&WantedDeb],
    jobs: NonZeroUsize,
    events: &dyn Events,
) -> Result<Vec<(ItemId, Arc<UnpackedDeb>)>, BuildError> {
    let debs: Vec<DebRef> = missing.iter().map(|package| package.deb.clone()).collect();
    let task = Task::start(events, "Unpacking packages", Some(debs.len() as u64), Unit::Items);
    let (ready, work) = channel::<(usize, Utf8PathBuf)>();
    let work = Mutex::new(work);
    let done = Mutex::new(Vec::with_capacity(missing.len()));
    let failed: Mutex<Option<BuildError>> = Mutex::new(None);
    let has_failed = || failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();

    let downloaded = thread::scope(|scope| {
        for _ in 0..jobs.get() {
            scope.spawn(|| {
                while let Some((index, path)) = next(&work) {
                    let Some(package) = missing.get(index).filter(|_| !has_failed()) else { continue };
                    match unpack(store, package, &path) {
                        Ok(deb) => {
                            done.lock().unwrap_or_else(PoisonError::into_inner).push((package.item(), Arc::new(deb)));
                            task.advance(1);
                        }
                        Err(error) => *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
                    }
                }
            });
        }
        download(archive, &debs, ready, &has_failed)
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    downloaded?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The sender is dropped at the end, which lets the workers finish.
fn download(
    archive: &Archive<'_>,
    debs: &[DebRef],
    ready: Sender<(usize, Utf8PathBuf)>,
    has_failed: &dyn Fn() -> bool,
) -> Result<(), BuildError> {
    archive.download(debs, |index, path: &Utf8Path| {
        let sent = ready.send((index, path.to_owned()));
        if sent.is_err() || has_failed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(())
}

fn next(work: &Mutex<Receiver<(usize, Utf8PathBuf)>>) -> Option<(usize, Utf8PathBuf)> {
    work.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn unpack(store: &Store, package: &WantedDeb, path: &Utf8Path) -> Result<UnpackedDeb, BuildError> {
    let file = File::open(path).map_err(|source| BuildError::OpenDeb { path: path.to_owned(), source })?;
    let options = UnpackOptions::new(package.deb.hash, (*package.filters).clone());
    let mut writer = store.create_segment(options.item, package.codec)?;
    let unpacked = deb::unpack(BufReader::with_capacity(READ_BUFFER, file), &options, &mut writer)
        .map_err(|source| BuildError::Unpack { package: package.deb.name.clone(), source })?;
    let index = postcard::to_stdvec(&unpacked)
        .map_err(|source| BuildError::Index { package: package.deb.name.clone(), source })?;
    writer.finish(&index)?;
    Ok(unpacked)
}
