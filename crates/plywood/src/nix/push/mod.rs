//! `plywood cache push`: store paths that no binary cache has, from the local store to the team's own.

mod destination;
mod error;
mod order;
mod pack;
mod select;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use futures_util::{StreamExt as _, stream};
use plywood_core::manifest::Manifest;
use plywood_core::nix::{NarInfo, SecretKey, StorePath};
use serde::Serialize;

use super::error::Attempts;
use super::substituter::QUERIES;
use super::{BinaryCacheUrl, LocalStore, PathInfo, Sources};
use crate::Error;
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;
use destination::Destination;
pub use error::PushError;
use order::in_order;
pub(crate) use pack::{Encoder, Hashing, nar_file_name};

/// Names the file with the key that signs, as `nix-store --generate-binary-cache-key` writes it.
pub const SECRET_KEY_VARIABLE: &str = "PLYWOOD_NIX_SECRET_KEY_FILE";

/// A longer file is no key.
const MAX_KEY: u64 = 4096;

/// What to push and where to.
#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    /// The binary cache; the manifest's `nix.cache` when `None`.
    pub to: Option<String>,
    /// Images, sets, shells and store paths; everything that is locked when empty.
    pub what: Vec<String>,
    /// Also what another binary cache has.
    pub all: bool,
    /// The file with the secret key; the one that the environment names when `None`.
    pub key_file: Option<Utf8PathBuf>,
    /// How many threads; one per processor when `None`.
    pub jobs: Option<NonZeroUsize>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushReport {
    /// The binary cache, without user and password.
    pub cache: String,
    /// The key that its paths are signed with now, for those who are to trust it.
    pub public_key: String,
    /// What was copied, in the order of the paths.
    pub copied: Vec<CopiedPath>,
    /// How many paths it had already.
    pub present: usize,
    /// How many paths other binary caches have.
    pub elsewhere: usize,
}

/// A path that was copied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CopiedPath {
    /// The path.
    pub path: StorePath,
    /// Bytes of its NAR.
    pub nar_size: u64,
    /// Bytes of it compressed.
    pub file_size: u64,
}

/// Copies store paths with their closures to a binary cache, signed: NARs before what speaks of them, references before
/// what refers to them, so that the cache is whole at every instant.
///
/// # Errors
/// When there is no cache or key, a path is neither in the local store nor anywhere else, or the cache cannot be written.
pub fn push(options: &PushOptions, workspace: &Workspace, events: &dyn Events) -> Result<PushReport, Error> {
    let manifest = match workspace.manifest() {
        // Store paths can be pushed from anywhere.
        Err(Error::NoManifest { .. }) if options.to.is_some() && select::are_paths(&options.what) => None,
        other => Some(other?),
    };
    let url = cache_url(options, manifest.as_ref())?;
    let key = secret_key(options.key_file.as_deref())?.ok_or(PushError::NoKey)?;
    let sources = match &manifest {
        Some(manifest) => Sources::from_workspace(workspace, manifest, events)?,
        None => Sources::without_manifest(workspace, events)?,
    };
    let roots = select::roots(&options.what, workspace, manifest.as_ref())?;
    let local = sources.config.local.as_ref().ok_or(PushError::NoLocalStore)?;
    let destination = Destination::open(&sources, &url, workspace.cache())?;
    let push = Push { sources: &sources, local, destination, key };
    let chosen = push.choose(&roots, options.all)?;
    let copied = push.copy(&chosen.missing, options.jobs.unwrap_or_else(processors))?;
    Ok(PushReport {
        cache: url.to_string(),
        public_key: push.key.public().to_string(),
        copied,
        present: chosen.present,
        elsewhere: chosen.elsewhere,
    })
}

fn cache_url(options: &PushOptions, manifest: Option<&Manifest>) -> Result<BinaryCacheUrl, PushError> {
    let (text, named_by) = match (&options.to, manifest.and_then(|manifest| manifest.nix()?.cache.as_ref())) {
        (Some(text), _) => (text.clone(), "`--to`"),
        (None, Some(cache)) => (cache.to_string(), "`nix.cache`"),
        (None, None) => return Err(PushError::NoCache),
    };
    text.parse().map_err(|source| PushError::Url { named_by, source })
}

/// The key in a file, or in the one that the environment names; `None` when neither is named.
pub(crate) fn secret_key(file: Option<&Utf8Path>) -> Result<Option<SecretKey>, PushError> {
    let named = std::env::var(SECRET_KEY_VARIABLE).ok().filter(|path| !path.is_empty());
    let Some(path) = file.map(Utf8Path::to_owned).or(named.map(Utf8PathBuf::from)) else { return Ok(None) };
    let failed = |source| PushError::ReadKey { path: path.clone(), source };
    if fs::metadata(&path).map_err(failed)?.len() > MAX_KEY {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
    }
    let text = fs::read_to_string(&path).map_err(failed)?;
    text.parse().map(Some).map_err(|source| PushError::Key { path: path.clone(), source })
}

fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// One push under way.
struct Push<'s, 'e> {
    sources: &'s Sources<'e>,
    local: &'s LocalStore,
    destination: Destination<'s, 'e>,
    key: SecretKey,
}

/// What is to be copied, and what not.
struct Chosen {
    missing: BTreeMap<StorePath, PathInfo>,
    present: usize,
    elsewhere: usize,
}

/// Where a path is besides the local store.
enum Whereabouts {
    Destination,
    Elsewhere,
    Nowhere,
}

impl Push<'_, '_> {
    fn choose(&self, roots: &[StorePath], all: bool) -> Result<Chosen, Error> {
        let mut missing = self.local.closure(roots).map_err(PushError::from)?;
        let (mut present, mut elsewhere) = (0, 0);
        let strangers = roots.iter().filter(|path| !missing.contains_key(*path)).cloned();
        let paths: Vec<StorePath> = missing.keys().cloned().chain(strangers).collect();
        let task = Task::start(self.sources.events, "Asking for store paths", Some(paths.len() as u64), Unit::Items);
        let found: Vec<(StorePath, Result<Whereabouts, Error>)> = self.sources.block_on(async {
            let asked = paths.into_iter().map(|path| async {
                let found = self.find(&path, all).await;
                (path, found)
            });
            stream::iter(asked).buffer_unordered(QUERIES).inspect(|_| task.advance(1)).collect().await
        });
        for (path, found) in found {
            match found? {
                Whereabouts::Destination => present += 1,
                Whereabouts::Elsewhere => elsewhere += 1,
                Whereabouts::Nowhere if missing.contains_key(&path) => continue,
                Whereabouts::Nowhere => return Err(PushError::NotValid(path).into()),
            }
            missing.remove(&path);
        }
        Ok(Chosen { missing, present, elsewhere })
    }

    async fn find(&self, path: &StorePath, all: bool) -> Result<Whereabouts, Error> {
        if self.destination.has(path).await? {
            return Ok(Whereabouts::Destination);
        }
        let elsewhere = !all && self.sources.find_substitutable(path, &mut Attempts::default()).await?.is_some();
        Ok(if elsewhere { Whereabouts::Elsewhere } else { Whereabouts::Nowhere })
    }

    fn copy(&self, missing: &BTreeMap<StorePath, PathInfo>, jobs: NonZeroUsize) -> Result<Vec<CopiedPath>, Error> {
        let total = missing.values().map(|info| info.nar_size).sum();
        let task = Task::start(self.sources.events, "Copying store paths", Some(total), Unit::Bytes);
        let mut copied = in_order(
            missing,
            jobs,
            |info| {
                let packed = pack::pack(self.local, info, &self.destination, &task)?;
                let narinfo = self.sign(info, &packed);
                self.destination.put_nar(packed, narinfo.url.as_str())?;
                Ok(narinfo)
            },
            |narinfo| {
                self.destination.put_narinfo(narinfo)?;
                let file_size = narinfo.file_size.unwrap_or(narinfo.nar_size);
                Ok(CopiedPath { path: narinfo.store_path.clone(), nar_size: narinfo.nar_size, file_size })
            },
        )?;
        copied.sort();
        Ok(copied)
    }

    fn sign(&self, info: &PathInfo, packed: &pack::Packed) -> NarInfo {
        let mut narinfo = packed.narinfo(info);
        // A signature of this key may be there from an earlier life of the path.
        narinfo.signatures.retain(|signature| signature.name() != self.key.name());
        narinfo.signatures.push(self.key.sign(narinfo.fingerprint().as_bytes()));
        narinfo
    }
}
