//! The synchronous door to everything that is fetched.

use std::future::Future;
use std::ops::ControlFlow;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::debian::release::UnixTime;
use tokio::runtime::{Builder, Runtime};

use super::super::config::ArchiveConfig;
use super::cache::Cache;
use super::error::FetchError;
use super::{DebRef, SuiteIndexes};
use crate::events::Events;
use crate::http::{Origins, Transport};

/// Debian's archive and the third-party repositories of a workspace, with their cache.
///
/// Its functions block; call them from outside of asynchronous code.
pub struct Archive<'e> {
    pub(super) config: ArchiveConfig,
    pub(super) cache: Cache,
    pub(super) events: &'e dyn Events,
    pub(super) transport: Transport,
    pub(super) unreachable: Origins,
    runtime: Runtime,
}

impl std::fmt::Debug for Archive<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("config", &self.config).field("cache", &self.cache).finish_non_exhaustive()
    }
}

impl<'e> Archive<'e> {
    /// Prepares to fetch; touches neither network nor disk yet. `cache` is plywood's cache, of which this takes `debian/`.
    ///
    /// # Errors
    /// [`FetchError::SetUp`] when this machine gives no HTTP client or runtime.
    pub fn new(config: ArchiveConfig, cache: &Utf8Path, events: &'e dyn Events) -> Result<Self, FetchError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            transport: Transport::new(config.patience).map_err(|error| FetchError::SetUp(error.into()))?,
            cache: Cache::new(cache),
            config,
            events,
            unreachable: Origins::default(),
            runtime: runtime.map_err(|error| FetchError::SetUp(error.into()))?,
        })
    }

    /// Fetches and verifies the indexes of Debian's suites and of every repository for `architectures` (Debian's names).
    ///
    /// Suites come in apt's order: Debian's release, its updates, its security suite, then the repositories. `at` is the
    /// instant at which signatures and `Valid-Until` are judged; for Debian a snapshot in the configuration replaces it.
    ///
    /// # Errors
    /// When no mirror gives an index that is signed, current and as its hash says, or the cache cannot be written.
    pub fn indexes(&self, architectures: &[&str], at: UnixTime) -> Result<Vec<SuiteIndexes>, FetchError> {
        self.block_on(self.fetch_indexes(architectures, at))
    }

    /// Makes sure that every package is in the cache; returns their paths in the order of `debs`.
    ///
    /// `ready` gets the place in `debs` and the path of each package as soon as it is verified, those in the cache
    /// first. It is called on the calling thread between transfers, so it should hand the work on; a `Break` ends the
    /// download.
    ///
    /// # Errors
    /// [`FetchError::Gone`] names all that no mirror has any more, after everything else was fetched; any other failure
    /// ends the download at once. What was fetched stays.
    pub fn download(
        &self,
        debs: &[DebRef],
        ready: impl FnMut(usize, &Utf8Path) -> ControlFlow<()>,
    ) -> Result<Vec<Utf8PathBuf>, FetchError> {
        self.block_on(self.fetch_debs(debs, ready))
    }

    /// Where a package is or will be in the cache.
    pub fn path_of(&self, deb: &DebRef) -> Utf8PathBuf {
        self.cache.deb(deb.hash)
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}
