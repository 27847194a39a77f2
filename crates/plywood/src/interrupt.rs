//! What must be undone when the program is interrupted, since nothing is dropped then: temporary folders, containers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

type Undo = Box<dyn FnOnce() + Send>;

static PENDING: Mutex<BTreeMap<u64, Undo>> = Mutex::new(BTreeMap::new());

/// Keeps an undo action registered; dropping it says that the ordinary way of cleaning up has been taken.
#[derive(Debug)]
#[must_use = "the action is forgotten at once when this is dropped"]
pub struct Registration(u64);

/// Registers what to do if the program is interrupted while the returned value lives.
pub fn undo_on_interrupt(undo: impl FnOnce() + Send + 'static) -> Registration {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    pending().insert(id, Box::new(undo));
    Registration(id)
}

/// Runs what is registered, the latest first; the command line calls it once, just before it exits.
pub fn undo_all() {
    let actions = std::mem::take(&mut *pending());
    for (_, undo) in actions.into_iter().rev() {
        undo();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        pending().remove(&self.0);
    }
}

/// The actions; a panic elsewhere does not make them wrong.
fn pending() -> MutexGuard<'static, BTreeMap<u64, Undo>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_pending_is_undone_latest_first() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str| {
            let seen = seen.clone();
            undo_on_interrupt(move || seen.lock().expect("not poisoned").push(name))
        };
        let (_first, done, _last) = (note("first"), note("done"), note("last"));
        drop(done);
        undo_all();
        assert_eq!(*seen.lock().expect("not poisoned"), ["last", "first"]);
    }
}
