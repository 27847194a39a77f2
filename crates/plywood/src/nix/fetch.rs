//! Store paths as segments: each is had once, from the first source that has it as the lock says.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use plywood_core::nix::{StorePath, store_item_id};
use plywood_oci::codec::Codec;
use plywood_oci::store::Store;

use super::error::Attempts;
use super::path_info::PathInfo;
use super::sources::LOCAL;
use super::unpack::{Target, Trouble, check_references, from_files};
use super::{NixError, SourceFailure, Sources, WantedPath};
use crate::events::{Event, Progress, Task, Unit};

/// A path on its way, with what went wrong so far.
struct Pending<'w> {
    wanted: &'w WantedPath,
    attempts: Attempts,
}

impl Sources<'_> {
    /// Makes sure that every path is a segment in the store, verified; only what is missing is read or downloaded.
    ///
    /// The local store is asked first, by `jobs` threads; then the binary caches in their order, by as many as may be in
    /// transfer at once. What a source gives wrongly, or not at all, is told and taken from the next one.
    ///
    /// # Errors
    /// [`NixError::Gone`] names all that no source has, after everything else was fetched; any other failure ends the
    /// work at once. What was fetched stays.
    pub fn fetch_all(
        &self,
        store: &Store,
        wanted: &[WantedPath],
        codec: Codec,
        jobs: NonZeroUsize,
    ) -> Result<(), NixError> {
        let mut pending = Vec::new();
        for wanted in wanted {
            if store.segment(store_item_id(&wanted.path, wanted.nar_hash), codec)?.is_none() {
                pending.push(Pending { wanted, attempts: Attempts::default() });
            }
        }
        if pending.is_empty() {
            return Ok(());
        }
        // The largest first: the last ones are then small, and no processor waits for long.
        pending
            .sort_by(|a, b| b.wanted.nar_size.cmp(&a.wanted.nar_size).then_with(|| a.wanted.path.cmp(&b.wanted.path)));
        let total = pending.iter().map(|path| path.wanted.nar_size).sum();
        let task = Task::start(self.events, "Fetching store paths", Some(total), Unit::Bytes);
        let target = Target { store, codec };
        let pending = self.fetch_local(pending, target, jobs, &task)?;
        self.fetch_substitutes(pending, target, &task)
    }

    /// Takes what the local store has; returns the rest.
    fn fetch_local<'w>(
        &self,
        pending: Vec<Pending<'w>>,
        target: Target<'_>,
        jobs: NonZeroUsize,
        task: &Task<'_>,
    ) -> Result<Vec<Pending<'w>>, NixError> {
        let Some(local) = &self.config.local else { return Ok(pending) };
        let mut infos = match local.path_infos(pending.iter().map(|path| &path.wanted.path)) {
            Ok(infos) => infos,
            Err(error) => {
                // One that cannot be read is no reason to fail where a cache has the paths.
                self.events.emit(Event::Warning(format!("{LOCAL} is not used: {error}")));
                BTreeMap::new()
            }
        };
        let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
        for mut path in pending {
            match judge(path.wanted, infos.remove(&path.wanted.path)) {
                Ok(()) => here.push(path),
                Err(failure) => {
                    self.fail(&mut path, LOCAL, failure);
                    elsewhere.push(path);
                }
            }
        }
        let failed = in_parallel(here, jobs.get(), |path| {
            match from_files(local, path.wanted, target, &mut Progress::new(task)) {
                Ok(()) => Ok(true),
                Err(Trouble::Ours(error)) => Err(error),
                Err(Trouble::Source(failure)) => {
                    self.fail(path, LOCAL, failure);
                    Ok(false)
                }
            }
        })?;
        elsewhere.extend(failed);
        Ok(elsewhere)
    }

    fn fetch_substitutes(
        &self,
        pending: Vec<Pending<'_>>,
        target: Target<'_>,
        task: &Task<'_>,
    ) -> Result<(), NixError> {
        if pending.is_empty() {
            return Ok(());
        }
        let substituters = self.block_on(self.substituters());
        let failed = in_parallel(pending, self.config.patience.parallel.max(1), |path| {
            let mut progress = Progress::new(task);
            for substituter in substituters {
                match self.unpack_from_cache(substituter, path.wanted, target, &mut progress) {
                    Ok(()) => return Ok(true),
                    Err(Trouble::Ours(error)) => return Err(error),
                    Err(Trouble::Source(failure)) => self.fail(path, &substituter.url.to_string(), failure),
                }
            }
            if path.attempts.show_it_is_gone() {
                return Ok(false);
            }
            let attempts = std::mem::take(&mut path.attempts);
            Err(NixError::Unavailable { path: path.wanted.path.clone(), attempts })
        })?;
        let mut gone: Vec<StorePath> = failed.iter().map(|path| path.wanted.path.clone()).collect();
        gone.sort();
        if gone.is_empty() { Ok(()) } else { Err(NixError::Gone(gone)) }
    }

    fn fail(&self, path: &mut Pending<'_>, source: &str, failure: SourceFailure) {
        self.tell(source, &path.wanted.path, &failure);
        path.attempts.push(source.to_owned(), failure);
    }
}

/// Whether the local store has what the lock says, by its own word.
fn judge(wanted: &WantedPath, info: Option<PathInfo>) -> Result<(), SourceFailure> {
    let info = info.ok_or(SourceFailure::NotValid)?;
    if info.nar_hash != wanted.nar_hash {
        let (found, expect) = (info.nar_hash.to_string(), wanted.nar_hash.to_string());
        return Err(SourceFailure::Differs { what: "NAR hash", found, expect });
    }
    check_references(wanted, &info.references)
}

/// Works on every path with so many threads; returns those for which `work` says `false`. An error ends it all.
fn in_parallel<'w>(
    paths: Vec<Pending<'w>>,
    threads: usize,
    work: impl Fn(&mut Pending<'w>) -> Result<bool, NixError> + Sync,
) -> Result<Vec<Pending<'w>>, NixError> {
    let count = paths.len();
    let slots: Vec<Mutex<Option<Pending<'w>>>> = paths.into_iter().map(|path| Mutex::new(Some(path))).collect();
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (left, error) = (Mutex::new(Vec::new()), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..threads.min(count) {
            scope.spawn(|| {
                while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(mut path) = lock(slot).take().filter(|_| !stopped.load(Ordering::Relaxed)) else { return };
                    match work(&mut path) {
                        Ok(true) => {}
                        Ok(false) => lock(&left).push(path),
                        Err(failure) => {
                            stopped.store(true, Ordering::Relaxed);
                            lock(&error).get_or_insert(failure);
                        }
                    }
                }
            });
        }
    });
    match error.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(left.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
