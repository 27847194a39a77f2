//! Where a file may be: every mirror in order, the snapshot archive last.

use plywood_core::debian::release::UnixTime;
use reqwest::Url;
use reqwest::header::HeaderValue;

use super::super::config::{ArchiveConfig, ArchiveName, Repository, Snapshot};
use super::super::mirror_url::MirrorUrl;
use super::DebRef;
use super::error::FetchError;
use crate::http::TransferFailure;
use crate::http::url::redacted;

/// A day after it was seen, a package has reached the snapshot archive, which takes several snapshots a day.
const DAY: i64 = 86_400;

/// The base of an archive with what to say there.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) url: MirrorUrl,
    pub(super) authorization: Option<HeaderValue>,
    /// Asked only when nobody else has the file.
    pub(super) last_resort: bool,
}

/// One URL of a file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) url: Url,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) last_resort: bool,
}

impl Base {
    fn plain(url: MirrorUrl) -> Self {
        Self { url, authorization: None, last_resort: false }
    }

    /// The file at `path` below the base.
    pub(super) fn file(&self, path: &str) -> Result<Source, TransferFailure> {
        let url = self.url.join(path)?;
        Ok(Source { url, authorization: self.authorization.clone(), last_resort: self.last_resort })
    }
}

impl Source {
    /// For people: without user and password.
    pub(super) fn shown(&self) -> String {
        redacted(&self.url)
    }
}

/// Where indexes come from.
///
/// # Errors
/// [`FetchError::UnknownRepository`].
pub(super) fn of_indexes(config: &ArchiveConfig, archive: &ArchiveName) -> Result<Vec<Base>, FetchError> {
    let mirrors = &config.mirrors;
    match (archive, &mirrors.snapshot) {
        (ArchiveName::Repository(name), _) => Ok(vec![of_repository(repository(config, name)?)]),
        (_, Some(snapshot)) => Ok(mirrors.at_snapshot(archive, *snapshot).map(Base::plain).into_iter().collect()),
        (_, None) => Ok(own_mirrors(config, archive)),
    }
}

/// Where a package comes from.
///
/// # Errors
/// [`FetchError::UnknownRepository`].
pub(super) fn of_deb(config: &ArchiveConfig, deb: &DebRef) -> Result<Vec<Base>, FetchError> {
    if let ArchiveName::Repository(name) = &deb.archive {
        return Ok(vec![of_repository(repository(config, name)?)]);
    }
    let mut bases = own_mirrors(config, &deb.archive);
    for snapshot in snapshots(config, deb) {
        let url = config.mirrors.at_snapshot(&deb.archive, snapshot);
        bases.extend(url.map(|url| Base { last_resort: true, ..Base::plain(url) }));
    }
    Ok(bases)
}

fn snapshots(config: &ArchiveConfig, deb: &DebRef) -> Vec<Snapshot> {
    match &config.mirrors.snapshot {
        Some(snapshot) => vec![*snapshot],
        None => [DAY, 0].map(|later| Snapshot(UnixTime(deb.seen.0.saturating_add(later)))).to_vec(),
    }
}

fn own_mirrors(config: &ArchiveConfig, archive: &ArchiveName) -> Vec<Base> {
    let urls = match archive {
        ArchiveName::Security => &config.mirrors.security,
        _ => &config.mirrors.debian,
    };
    urls.iter().cloned().map(Base::plain).collect()
}

fn of_repository(repository: &Repository) -> Base {
    let authorization = repository.credentials.as_ref().and_then(|credentials| credentials.header());
    Base { authorization, ..Base::plain(repository.url.clone()) }
}

pub(super) fn repository<'c>(config: &'c ArchiveConfig, name: &str) -> Result<&'c Repository, FetchError> {
    let found = config.repositories.iter().find(|repository| repository.name == name);
    found.ok_or_else(|| FetchError::UnknownRepository(name.to_owned()))
}
