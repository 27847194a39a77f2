//! Store paths on demand: most are fetched together before, and those in layers that a registry has only when it turns out
//! that the image cannot be made without looking into them.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use plywood_core::manifest::Manifest;
use plywood_oci::codec::Codec;
use plywood_oci::store::Store;

use crate::events::Events;
use crate::nix::{NixError, Sources, WantedPath};
use crate::workspace::Workspace;

/// Fetches store paths into the store.
pub(super) struct StorePaths<'b> {
    store: &'b Store,
    workspace: &'b Workspace,
    manifest: &'b Manifest,
    threads: NonZeroUsize,
    events: &'b dyn Events,
    /// Made when the first path is missing. Whoever waits for its turn may find its path there.
    sources: Mutex<Option<Sources<'b>>>,
}

impl<'b> StorePaths<'b> {
    pub(super) fn new(
        store: &'b Store,
        workspace: &'b Workspace,
        manifest: &'b Manifest,
        threads: NonZeroUsize,
        events: &'b dyn Events,
    ) -> Self {
        Self { store, workspace, manifest, threads, events, sources: Mutex::default() }
    }

    /// Makes sure that every path is a segment in the store.
    ///
    /// # Errors
    /// As [`Sources::from_workspace`] and [`Sources::fetch_all`].
    pub(super) fn fetch(&self, paths: &[WantedPath], codec: Codec) -> Result<(), NixError> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let sources = match &mut *sources {
            Some(sources) => sources,
            empty => empty.insert(Sources::from_workspace(self.workspace, self.manifest, self.events)?),
        };
        sources.fetch_all(self.store, paths, codec, self.threads)
    }
}
