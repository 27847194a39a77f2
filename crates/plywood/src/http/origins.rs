//! Places that are known to be down.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;

/// Origins (RFC 6454) that cannot be reached, so that hundreds of files don't each wait for them.
#[derive(Debug, Default)]
pub(crate) struct Origins(Mutex<BTreeSet<String>>);

impl Origins {
    /// Whether the URL's origin is known to be down.
    pub(crate) fn are_down(&self, url: &Url) -> bool {
        // Files have no origin, and are asked each by itself.
        url.origin().is_tuple() && self.lock().contains(&url.origin().ascii_serialization())
    }

    /// Remembers that the URL's origin is down.
    pub(crate) fn mark_down(&self, url: &Url) {
        if url.origin().is_tuple() {
            self.lock().insert(url.origin().ascii_serialization());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
