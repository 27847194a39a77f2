//! Work on many paths at once that becomes visible references first.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use plywood_core::nix::{ReferenceGraph, StorePath};

use super::super::PathInfo;
use crate::Error;

/// What is known between the threads.
struct State<R> {
    /// Paths that are not visible yet.
    waiting: BTreeSet<StorePath>,
    done: Vec<R>,
    error: Option<Error>,
}

/// Prepares every path in parallel, and publishes each once all that it refers to is published. An error ends it all.
pub(super) fn in_order<P, R: Send>(
    paths: &BTreeMap<StorePath, PathInfo>,
    jobs: NonZeroUsize,
    prepare: impl Fn(&PathInfo) -> Result<P, Error> + Sync,
    publish: impl Fn(&P) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let references =
        |info: &PathInfo| info.references.iter().filter(|path| paths.contains_key(*path)).cloned().collect();
    let graph = ReferenceGraph(paths.iter().map(|(path, info)| (path.clone(), references(info))).collect());
    // Whoever waits does so for paths that were begun before its own, so somebody always goes on.
    let order: Vec<&PathInfo> = graph.references_first().into_iter().filter_map(|path| paths.get(path)).collect();
    let state = Mutex::new(State { waiting: paths.keys().cloned().collect(), done: Vec::new(), error: None });
    let (changed, next) = (Condvar::new(), AtomicUsize::new(0));
    let one = |info: &PathInfo| -> Result<bool, Error> {
        let prepared = prepare(info)?;
        let ready = |state: &State<R>| {
            let own = |path: &StorePath| *path == info.path;
            state.error.is_some() || !info.references.iter().any(|path| !own(path) && state.waiting.contains(path))
        };
        let guard = changed.wait_while(lock(&state), |state| !ready(state)).unwrap_or_else(PoisonError::into_inner);
        if guard.error.is_some() {
            return Ok(false);
        }
        drop(guard);
        let result = publish(&prepared)?;
        let mut state = lock(&state);
        state.waiting.remove(&info.path);
        state.done.push(result);
        Ok(true)
    };
    thread::scope(|scope| {
        for _ in 0..jobs.get().min(order.len()) {
            scope.spawn(|| {
                while let Some(info) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = one(info);
                    let goes_on = matches!(result, Ok(true));
                    if let Err(error) = result {
                        lock(&state).error.get_or_insert(error);
                    }
                    changed.notify_all();
                    if !goes_on || lock(&state).error.is_some() {
                        return;
                    }
                }
            });
        }
    });
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.error.map_or(Ok(state.done), Err)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
