//! The synchronous door to every source of store paths.

use std::future::Future;

use futures_util::future::join_all;
use plywood_core::manifest::Manifest;
use plywood_core::nix::{NarInfo, StorePath};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::OnceCell;

use super::config::{NamedSources, SourcesConfig};
use super::error::Attempts;
use super::narinfo_cache::NarInfoCache;
use super::substituter::{Known, Substituter};
use super::{BinaryCacheUrl, NixError, Origin, PathInfo, SourceFailure};
use crate::decompress::MemoryBudget;
use crate::events::{Event, Events};
use crate::http::Transport;
use crate::workspace::Workspace;

/// How errors call the local store.
pub(super) const LOCAL: &str = "the local store";

/// How much memory the decoders of all NARs in transfer may take together, in bytes: more than any takes alone. Eight of
/// `xz -9` would take 520 MiB.
const DECODERS: u64 = 160 << 20;

/// Whose word about a path counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum First {
    /// A binary cache's: other machines have the path from there too.
    Caches,
    /// The local store's.
    Local,
}

/// The local store and the binary caches of a workspace.
///
/// Its functions block; call them from outside of asynchronous code.
pub struct Sources<'e> {
    pub(super) config: SourcesConfig,
    pub(super) events: &'e dyn Events,
    pub(super) transport: Transport,
    pub(super) narinfos: NarInfoCache,
    /// What the decoders of all NARs in transfer take together.
    pub(super) decoders: MemoryBudget,
    substituters: OnceCell<Vec<Substituter>>,
    runtime: Runtime,
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("config", &self.config).finish_non_exhaustive()
    }
}

impl<'e> Sources<'e> {
    /// The sources that a workspace's manifest names, completed by this machine: see [`SourcesConfig::find`].
    ///
    /// # Errors
    /// As [`SourcesConfig::find`] and [`Sources::new`].
    pub fn from_workspace(
        workspace: &Workspace,
        manifest: &Manifest,
        events: &'e dyn Events,
    ) -> Result<Self, NixError> {
        Self::named(&NamedSources::of(manifest), workspace, events)
    }

    /// The sources where there is no manifest.
    ///
    /// # Errors
    /// As [`Sources::from_workspace`].
    pub fn without_manifest(workspace: &Workspace, events: &'e dyn Events) -> Result<Self, NixError> {
        Self::named(&NamedSources::default(), workspace, events)
    }

    fn named(named: &NamedSources, workspace: &Workspace, events: &'e dyn Events) -> Result<Self, NixError> {
        let config = match workspace.sources() {
            Some(stand_in) => SourcesConfig::standing_in(stand_in, workspace.cache()),
            None => SourcesConfig::find(named, workspace.cache())?,
        };
        Self::new(config, events)
    }

    /// Prepares to fetch; touches neither network nor disk yet.
    ///
    /// # Errors
    /// [`NixError::SetUp`] when this machine gives no HTTP client or runtime.
    pub fn new(config: SourcesConfig, events: &'e dyn Events) -> Result<Self, NixError> {
        // One thread moves bytes for all transfers; those that unpack them wait outside of it.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Ok(Self {
            transport: Transport::new(config.patience).map_err(|error| NixError::SetUp(error.into()))?,
            narinfos: NarInfoCache::new(&config.cache),
            decoders: MemoryBudget::new(DECODERS),
            config,
            events,
            substituters: OnceCell::new(),
            runtime: runtime.map_err(|error| NixError::SetUp(error.into()))?,
        })
    }

    /// What is known of a path: by the first binary cache that has it with a trusted signature, else by the local store.
    ///
    /// # Errors
    /// [`NixError::Unavailable`] when no source knows it; when plywood's cache cannot be written.
    pub fn path_info(&self, path: &StorePath) -> Result<PathInfo, NixError> {
        self.block_on(self.find(path, First::Caches))
    }

    /// Whether a binary cache has a path with a trusted signature.
    ///
    /// # Errors
    /// When plywood's cache cannot be written.
    pub fn is_substitutable(&self, path: &StorePath) -> Result<bool, NixError> {
        Ok(self.block_on(self.find_substitutable(path, &mut Attempts::default()))?.is_some())
    }

    pub(super) async fn find(&self, path: &StorePath, first: First) -> Result<PathInfo, NixError> {
        let mut attempts = Attempts::default();
        let mut info = match first {
            First::Local => self.find_local(path, &mut attempts),
            First::Caches => self.find_substitutable(path, &mut attempts).await?,
        };
        if info.is_none() {
            info = match first {
                First::Local => self.find_substitutable(path, &mut attempts).await?,
                First::Caches => self.find_local(path, &mut attempts),
            };
        }
        info.ok_or_else(|| NixError::Unavailable { path: path.clone(), attempts })
    }

    fn find_local(&self, path: &StorePath, attempts: &mut Attempts) -> Option<PathInfo> {
        let failure = match self.config.local.as_ref()?.path_info(path) {
            Ok(Some(info)) => return Some(info),
            Ok(None) => SourceFailure::NotValid,
            Err(error) => error.into(),
        };
        attempts.push(LOCAL.to_owned(), failure);
        None
    }

    /// What the first binary cache says that has the path; the failures of those before it are told.
    pub(super) async fn find_substitutable(
        &self,
        path: &StorePath,
        attempts: &mut Attempts,
    ) -> Result<Option<PathInfo>, NixError> {
        for substituter in self.substituters().await {
            match self.narinfo(substituter, path, false).await {
                Ok((info, known)) => {
                    if let Known::Now(bytes) = known {
                        self.narinfos.store(&substituter.url, path, &bytes)?;
                    }
                    return Ok(Some(path_info(info, &substituter.url)));
                }
                Err(failure) => {
                    self.tell(&substituter.url.to_string(), path, &failure);
                    attempts.push(substituter.url.to_string(), failure);
                }
            }
        }
        Ok(None)
    }

    /// The binary caches in the order they are asked.
    pub(super) async fn substituters(&self) -> &[Substituter] {
        let introduce = || async {
            let urls = &self.config.substituters;
            let mut substituters = join_all(urls.iter().map(|url| self.introduce(url))).await;
            // Stable: of equal ones, the one that is named first.
            substituters.sort_by_key(|substituter| substituter.priority);
            substituters
        };
        self.substituters.get_or_init(introduce).await
    }

    /// A source that lies is worth a warning, one that lacks a path is not.
    pub(super) fn tell(&self, source: &str, path: &StorePath, failure: &SourceFailure) {
        let text = format!("{path} from {source}: {failure}");
        let worth = !failure.is_absence() && !failure.is_outage();
        self.events.emit(if worth { Event::Warning(text) } else { Event::Detail(text) });
    }

    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(super) fn handle(&self) -> Handle {
        self.runtime.handle().clone()
    }
}

fn path_info(info: NarInfo, url: &BinaryCacheUrl) -> PathInfo {
    PathInfo {
        path: info.store_path,
        nar_hash: info.nar_hash,
        nar_size: info.nar_size,
        references: info.references,
        deriver: info.deriver,
        signatures: info.signatures.iter().map(ToString::to_string).collect(),
        content_address: info.content_address,
        origin: Origin::Substituter(url.clone()),
    }
}
