//! One binary cache: whether it is one, and its `.narinfo` files.

use std::sync::{Mutex, PoisonError};

use plywood_core::nix::{NarInfo, StorePath};
use reqwest::Url;
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;

use super::cache_info::{self, CacheInfo};
use super::narinfo_cache;
use super::sources::Sources;
use super::{BinaryCacheUrl, SourceFailure};
use crate::decompress::{Compression, read_bounded};
use crate::events::Event;
use crate::http::{Ask, Body, Reply, TransferFailure};

/// Questions to one cache at once; they are small, so more than there are transfers.
pub(super) const QUERIES: usize = 24;

/// A binary cache that was asked for its own description.
#[derive(Debug)]
pub(super) struct Substituter {
    pub(super) url: BinaryCacheUrl,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) priority: u32,
    /// One at a time where the cache does not want to be asked for many paths.
    questions: Semaphore,
    /// Why it is not asked any more.
    down: Mutex<Option<String>>,
}

impl Substituter {
    /// Why it is not asked any more, if so.
    pub(super) fn outage(&self) -> Option<SourceFailure> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).clone().map(SourceFailure::Down)
    }

    fn mark_down(&self, failure: &SourceFailure) {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure.to_string());
    }
}

impl Sources<'_> {
    /// Asks a cache what it is. One that does not answer, or is none of ours, is not asked again.
    pub(super) async fn introduce(&self, url: &BinaryCacheUrl) -> Substituter {
        let authorization = self.config.netrc.authorization(url.as_url());
        let mut substituter = Substituter {
            url: url.clone(),
            authorization,
            priority: url.priority().unwrap_or_default(),
            questions: Semaphore::new(QUERIES),
            down: Mutex::default(),
        };
        match self.cache_info(&substituter).await {
            Ok(info) => {
                substituter.priority = url.priority().unwrap_or(info.priority);
                substituter.questions = Semaphore::new(if info.wants_mass_query { QUERIES } else { 1 });
            }
            Err(failure) => self.give_up(&substituter, &failure),
        }
        substituter
    }

    async fn cache_info(&self, substituter: &Substituter) -> Result<CacheInfo, SourceFailure> {
        let url = substituter.url.join("nix-cache-info").map_err(TransferFailure::from)?;
        let bytes = self.get_small(&url, substituter.authorization.as_ref(), cache_info::MAX_BYTES).await?;
        Ok(CacheInfo::parse(&bytes)?)
    }

    /// A cache that is down, or lies, is told of once.
    pub(super) fn give_up(&self, substituter: &Substituter, failure: &SourceFailure) {
        substituter.mark_down(failure);
        self.events.emit(Event::Warning(format!("{} is not asked any more: {failure}", substituter.url)));
    }

    /// The `.narinfo` of a path, verified; from plywood's cache unless `fresh`.
    pub(super) async fn narinfo(
        &self,
        substituter: &Substituter,
        path: &StorePath,
        fresh: bool,
    ) -> Result<(NarInfo, Known), SourceFailure> {
        if let Some(bytes) = self.narinfos.load(&substituter.url, path).filter(|_| !fresh)
            && let Ok(info) = self.check(path, &bytes)
        {
            return Ok((info, Known::Before));
        }
        if let Some(failure) = substituter.outage() {
            return Err(failure);
        }
        let url = substituter.url.join(&format!("{}.narinfo", path.hash_part())).map_err(TransferFailure::from)?;
        // Never closed.
        let _turn = substituter.questions.acquire().await;
        let bytes = self.get_small(&url, substituter.authorization.as_ref(), narinfo_cache::MAX_BYTES).await;
        let bytes = bytes.map_err(SourceFailure::from);
        if let Err(failure) = bytes.as_ref()
            && failure.is_outage()
            && substituter.outage().is_none()
        {
            self.give_up(substituter, failure);
        }
        let bytes = bytes?;
        Ok((self.check(path, &bytes)?, Known::Now(bytes)))
    }

    /// Whether a `.narinfo` is of this path and to be believed.
    fn check(&self, path: &StorePath, bytes: &[u8]) -> Result<NarInfo, SourceFailure> {
        let info = NarInfo::parse(bytes).map_err(|error| SourceFailure::NarInfo(error.to_string()))?;
        if info.store_path != *path {
            return Err(SourceFailure::OtherPath(info.store_path));
        }
        match info.verify(&self.config.trusted_keys) {
            Ok(_) => Ok(info),
            Err(error) => Err(SourceFailure::Untrusted(error.to_string())),
        }
    }

    /// A small file into memory.
    pub(super) async fn get_small(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
        limit: u64,
    ) -> Result<Vec<u8>, TransferFailure> {
        let mut pauses = self.config.patience.pauses();
        let ask = Ask { url, authorization, from: 0, validators: None };
        loop {
            let result = match self.transport.open(ask).await {
                Ok(Reply::Body(body)) => read_small(body, limit).await,
                Ok(Reply::NotModified) => Err(TransferFailure::Status { status: 304, retry_after: None }),
                Err(failure) => Err(failure),
            };
            match result {
                Err(failure) if failure.may_pass() => match pauses.next() {
                    Some(pause) => self.config.patience.pause(pause, &failure).await,
                    None => return Err(failure),
                },
                other => return other,
            }
        }
    }
}

/// Whether a `.narinfo` was there already.
pub(super) enum Known {
    Before,
    Now(Vec<u8>),
}

async fn read_small(mut body: Body, limit: u64) -> Result<Vec<u8>, TransferFailure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > limit {
            return Err(TransferFailure::TooLarge(limit));
        }
    }
    let Some(coding) = body.content_coding else { return Ok(bytes) };
    let unknown = || TransferFailure::Coding(coding.clone());
    let compression = Compression::of_content_coding(&coding).ok_or_else(unknown)?;
    let reader = compression.reader(bytes.as_slice()).map_err(TransferFailure::Read)?;
    read_bounded(reader, limit).map_err(TransferFailure::Read)
}
