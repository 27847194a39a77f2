//! Indexes: `InRelease` by its signature, `Packages` by the hash that stands in it.

use std::io;

use camino::Utf8PathBuf;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use plywood_core::debian::release::{Release, UnixTime};
use plywood_core::digest::FileHash;

use super::super::config::{ArchiveName, Repository};
use super::super::inrelease::{self, InReleaseError};
use super::decompress::decompress;
use super::error::{Attempts, Failure, FetchError};
use super::release_cache::{self, Kept};
use super::sources::{self, Base, Source};
use super::suite::{Listed, MAX_COMPRESSED, Suite, Verified, find, places};
use super::{Archive, PackagesFile, SuiteIndexes, Wanted};
use crate::events::{Event, Progress, Task, Unit};
use crate::http::{Ask, Body, Reply, TransferFailure, Validators};

impl Archive<'_> {
    pub(super) async fn fetch_indexes(
        &self,
        architectures: &[&str],
        at: UnixTime,
    ) -> Result<Vec<SuiteIndexes>, FetchError> {
        let suites = self.suites(at);
        let task = Task::start(self.events, "Fetching package lists", None, Unit::Bytes);
        let fetched = suites.iter().map(|suite| self.fetch_suite(suite, architectures, &task));
        stream::iter(fetched).buffered(self.config.patience.parallel.max(1)).try_collect().await
    }

    fn suites(&self, at: UnixTime) -> Vec<Suite<'_>> {
        let config = &self.config;
        let debian_at = config.mirrors.snapshot.as_ref().map_or(at, |snapshot| snapshot.0);
        let debian = config.debian_suites().into_iter().map(|(archive, name)| Suite {
            complete: name == config.suite,
            archive,
            name,
            components: &config.components,
            keyring: &config.keyring,
            at: debian_at,
        });
        let third_party = config.repositories.iter().map(|repository: &Repository| Suite {
            archive: ArchiveName::Repository(repository.name.clone()),
            name: repository.suite.clone(),
            components: &repository.components,
            keyring: &repository.keyring,
            at,
            complete: false,
        });
        debian.chain(third_party).collect()
    }

    async fn fetch_suite(
        &self,
        suite: &Suite<'_>,
        architectures: &[&str],
        task: &Task<'_>,
    ) -> Result<SuiteIndexes, FetchError> {
        let bases = sources::of_indexes(&self.config, &suite.archive)?;
        let verified = self.fetch_release(suite, &bases).await?;
        let listed = self.listed(suite, &verified, architectures)?;
        let files = listed.into_iter().map(|listed| self.fetch_packages(suite, &verified, &bases, listed, task));
        let packages = stream::iter(files).buffered(self.config.patience.parallel.max(1)).try_collect().await?;
        Ok(SuiteIndexes {
            archive: suite.archive.clone(),
            suite: suite.name.clone(),
            in_release_hash: verified.hash,
            release: verified.release,
            packages,
        })
    }

    /// The first `InRelease` that is signed, current and of this suite.
    async fn fetch_release(&self, suite: &Suite<'_>, bases: &[Base]) -> Result<Verified, FetchError> {
        let mut attempts = Attempts::default();
        for (mirror, base) in bases.iter().enumerate() {
            let failure = match base.file(&suite.path("InRelease")) {
                Err(failure) => failure.into(),
                Ok(source) => match self.release_from(suite, &source).await? {
                    Ok((bytes, text, release)) => {
                        self.warn_of_other_suite(suite, &release);
                        return Ok(Verified { hash: FileHash::of(&bytes), text, release, mirror });
                    }
                    Err(failure) => self.give_up(&source, failure),
                },
            };
            self.events.emit(Event::Detail(format!("{} {}: {failure}", base.url, suite.name)));
            attempts.push(base.url.to_string(), failure, base.last_resort);
        }
        if let Some(valid_until) = attempts.only_expired() {
            return Err(FetchError::Expired { archive: suite.archive.clone(), suite: suite.name.clone(), valid_until });
        }
        Err(FetchError::Unavailable { what: format!("the index of {} in {}", suite.name, suite.archive), attempts })
    }

    /// One mirror's `InRelease`, judged. The outer error is the cache's.
    async fn release_from(
        &self,
        suite: &Suite<'_>,
        source: &Source,
    ) -> Result<Result<(Vec<u8>, String, Release), Failure>, FetchError> {
        let kept_at = self.cache.release(source.url.as_str());
        let kept = release_cache::load(&kept_at);
        let (bytes, validators) = match self.get_small(source, kept).await {
            Ok(got) => got,
            Err(failure) => return Ok(Err(failure)),
        };
        match suite.judge(&bytes) {
            Ok((text, release)) => {
                release_cache::store(&kept_at, &validators, &bytes)?;
                Ok(Ok((bytes, text, release)))
            }
            Err(failure) => {
                release_cache::forget(&kept_at);
                Ok(Err(failure))
            }
        }
    }

    /// A small file into memory, or the kept copy where the server says that it is current.
    async fn get_small(&self, source: &Source, kept: Option<Kept>) -> Result<(Vec<u8>, Validators), Failure> {
        let mut pauses = self.config.patience.pauses();
        let ask = Ask {
            url: &source.url,
            authorization: source.authorization.as_ref(),
            from: 0,
            validators: kept.as_ref().map(|kept| &kept.validators),
        };
        loop {
            if self.unreachable.are_down(&source.url) {
                return Err(TransferFailure::Skipped.into());
            }
            let result = match self.transport.open(ask).await {
                Ok(Reply::NotModified) => match &kept {
                    Some(kept) => return Ok((kept.bytes.clone(), kept.validators.clone())),
                    None => Err(TransferFailure::Status { status: 304, retry_after: None }.into()),
                },
                Ok(Reply::Body(body)) => read_small(body).await,
                Err(failure) => Err(failure.into()),
            };
            match result {
                Err(Failure::Transfer(failure)) if failure.may_pass() => match pauses.next() {
                    Some(pause) => self.config.patience.pause(pause, &failure).await,
                    None => return Err(failure.into()),
                },
                other => return other,
            }
        }
    }

    /// The files to read of each component: those of each architecture, and of `all` where they stand apart.
    fn listed(
        &self,
        suite: &Suite<'_>,
        verified: &Verified,
        architectures: &[&str],
    ) -> Result<Vec<Listed>, FetchError> {
        // As apt: only where the suite says that it has `all`, and not that its other files contain it anyway.
        let contained = verified.text.lines().any(|line| line == "No-Support-for-Architecture-all: Packages");
        let all_apart = !contained && verified.release.architectures.iter().any(|name| name == "all");
        let flat = [String::new()];
        let components = if suite.is_flat() { &flat } else { suite.components };
        let mut listed = Vec::new();
        for component in components {
            for &architecture in architectures {
                match find(suite, &verified.release, component, architecture) {
                    Some(found) => listed.push(found),
                    None if suite.complete => return Err(suite.no_packages_file(component, architecture)),
                    None => {
                        self.events.emit(Event::Detail(suite.no_packages_file(component, architecture).to_string()))
                    }
                }
                if suite.is_flat() {
                    break;
                }
            }
            if all_apart && !suite.is_flat() {
                listed.extend(find(suite, &verified.release, component, "all"));
            }
        }
        Ok(listed)
    }

    async fn fetch_packages(
        &self,
        suite: &Suite<'_>,
        verified: &Verified,
        bases: &[Base],
        listed: Listed,
        task: &Task<'_>,
    ) -> Result<PackagesFile, FetchError> {
        let what = format!("{} of {} in {}", listed.path, suite.name, suite.archive);
        let wanted = Wanted {
            target: self.cache.index(listed.file.sha256),
            size: listed.file.size,
            hash: listed.file.sha256,
            sources: places(suite, verified, bases, &listed.path),
            what: what.clone(),
        };
        if wanted.size > MAX_COMPRESSED {
            return Err(unavailable(what, TransferFailure::TooLarge(MAX_COMPRESSED).into()));
        }
        if !super::cache::Cache::holds(&wanted.target, wanted.size, wanted.hash)? {
            self.fetch(&wanted, Attempts::default(), &mut Progress::new(task)).await?;
        }
        let bytes = unpack(wanted.target.clone(), &listed).await?;
        let bytes = bytes.map_err(|error| unavailable(what, Failure::Decompress(error)))?;
        let Listed { component, architecture, .. } = listed;
        Ok(PackagesFile { component, architecture, hash: wanted.hash, bytes })
    }

    /// apt warns of this too: a third party may name its suites as it likes.
    fn warn_of_other_suite(&self, suite: &Suite<'_>, release: &Release) {
        if !suite.is_flat() && !suite.is_called(release) {
            let warning =
                format!("{} calls its suite {} by another name: {}", suite.archive, suite.name, release.name());
            self.events.emit(Event::Warning(warning));
        }
    }
}

/// Decompresses on another core: Debian's own list takes a second. The outer error is the cache's.
async fn unpack(path: Utf8PathBuf, listed: &Listed) -> Result<io::Result<Vec<u8>>, FetchError> {
    let (compression, limit) = (listed.compression, listed.limit);
    let work = move || {
        let packed = std::fs::read(&path).map_err(|error| FetchError::cache(&path, error))?;
        Ok(decompress(compression, &packed, limit))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panicked| Ok(Err(io::Error::other(panicked))))
}

async fn read_small(mut body: Body) -> Result<(Vec<u8>, Validators), Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > inrelease::MAX_BYTES {
            return Err(InReleaseError::TooLarge.into());
        }
    }
    Ok((bytes, body.validators))
}

fn unavailable(what: String, failure: Failure) -> FetchError {
    let mut attempts = Attempts::default();
    attempts.push("the archive".to_owned(), failure, false);
    FetchError::Unavailable { what, attempts }
}
