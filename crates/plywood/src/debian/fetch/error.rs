//! What can go wrong between an archive and the cache.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::config::ArchiveName;
use super::super::inrelease::InReleaseError;
use crate::http::TransferFailure;

/// Fetching failed.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No HTTP client or runtime can be made on this machine.
    #[error("cannot set up downloads")]
    SetUp(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Locked packages that no mirror has any more; the lock must choose others.
    #[error("{} no longer on any mirror: {}", count(.0.len(), "package is", "packages are"), names(.0))]
    Gone(Vec<GoneDeb>),
    /// No mirror gave the file.
    #[error("cannot fetch {what}")]
    Unavailable {
        /// The file in question.
        what: String,
        /// What each mirror answered.
        #[source]
        attempts: Attempts,
    },
    /// Every `InRelease` of the suite that can be had has run out: the mirrors stand still, or the clock is wrong.
    #[error("the index of {suite} in {archive} was valid until {valid_until}")]
    Expired {
        /// Which archive.
        archive: ArchiveName,
        /// Which suite.
        suite: String,
        /// As the archive writes it.
        valid_until: String,
    },
    /// A signed index lists no packages of this kind.
    #[error("{archive} has no packages for {architecture} in {suite}/{component}")]
    NoPackagesFile {
        /// Which archive.
        archive: ArchiveName,
        /// Which suite.
        suite: String,
        /// Which component.
        component: String,
        /// Debian's name of the architecture.
        architecture: String,
    },
    /// The manifest has no repository of that name.
    #[error("no repository is called `{0}`")]
    UnknownRepository(String),
    /// The cache cannot be written.
    #[error("cannot write {path}")]
    Cache {
        /// Which file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The cache's disk is full.
    #[error("no space is left for {path}")]
    DiskFull {
        /// Which file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Whoever takes the finished packages wants no more.
    #[error("the download was stopped")]
    Stopped,
}

/// A package that no mirror has any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneDeb {
    /// Its place in the list that was asked for.
    pub index: usize,
    /// As [`super::DebRef::name`].
    pub name: String,
    /// Where it was in the archive.
    pub path: String,
}

/// What went wrong at each mirror, in order.
#[derive(Debug, Default)]
pub struct Attempts(Vec<Attempt>);

/// What went wrong at one mirror.
#[derive(Debug)]
pub struct Attempt {
    /// The URL without user and password.
    pub place: String,
    /// What went wrong.
    pub failure: Failure,
    /// Whether it is the snapshot archive.
    pub last_resort: bool,
}

/// Why one mirror did not give a file.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The transfer went wrong.
    #[error(transparent)]
    Transfer(#[from] TransferFailure),
    /// The file is another one than the index says: an outdated or broken mirror.
    #[error("it has {found} bytes instead of {expect}")]
    WrongSize {
        /// Its length in bytes.
        found: u64,
        /// As the index or lock says.
        expect: u64,
    },
    /// The bytes are others than the index or lock names.
    #[error("its SHA-256 is {found} instead of {expect}")]
    WrongHash {
        /// Of the bytes that came, in hexadecimal digits.
        found: String,
        /// As the index or lock says.
        expect: String,
    },
    /// The mirror's `InRelease` is not believed.
    #[error("{0}")]
    InRelease(#[from] InReleaseError),
    /// The signed index cannot be read, or is of another suite.
    #[error("{0}")]
    Release(String),
    /// The signed index has run out.
    #[error("it was valid until {0}")]
    Expired(String),
    /// The index cannot be decompressed.
    #[error("it cannot be decompressed")]
    Decompress(#[source] io::Error),
}

impl Failure {
    /// Whether the mirror does not have the file.
    fn says_absent(&self) -> bool {
        matches!(self, Failure::Transfer(TransferFailure::NotFound))
    }

    /// Whether nobody answered.
    fn says_nothing(&self) -> bool {
        matches!(self, Failure::Transfer(TransferFailure::Unreachable(_) | TransferFailure::Skipped))
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there is no mirror to ask");
        }
        for (index, Attempt { place, failure, .. }) in self.0.iter().enumerate() {
            write!(f, "{}{place}: {failure}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Attempts {}

impl FetchError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            FetchError::Gone(_) => Some("run `plywood lock` to choose packages that are there".to_owned()),
            FetchError::Unavailable { attempts, .. } => attempts.hint(),
            FetchError::Expired { .. } => {
                Some("check the clock, or name another mirror in `debian.mirrors`".to_owned())
            }
            FetchError::Cache { .. } => {
                Some("name a folder you can write to with `--cache-dir DIR` or PLYWOOD_CACHE".to_owned())
            }
            FetchError::DiskFull { .. } => Some("make room, for example with `plywood cache prune`".to_owned()),
            _ => None,
        }
    }

    /// An error of the cache, telling a full disk from others.
    pub(super) fn cache(path: &Utf8Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FetchError::DiskFull { path, source },
            _ => FetchError::Cache { path, source },
        }
    }
}

impl Attempts {
    /// Every attempt in order.
    pub fn iter(&self) -> impl Iterator<Item = &Attempt> {
        self.0.iter()
    }

    pub(super) fn push(&mut self, place: String, failure: impl Into<Failure>, last_resort: bool) {
        self.0.push(Attempt { place, failure: failure.into(), last_resort });
    }

    /// Whether a mirror says that it does not have the file, and nobody else has anything better to say.
    pub(super) fn show_it_is_gone(&self) -> bool {
        let says_no = self.0.iter().any(|attempt| attempt.failure.says_absent() && !attempt.last_resort);
        let agrees = |Attempt { failure, last_resort, .. }: &Attempt| {
            failure.says_absent() || failure.says_nothing() || *last_resort
        };
        says_no && self.0.iter().all(agrees)
    }

    /// Until when the index was valid, if age is all that is wrong with it.
    pub(super) fn only_expired(&self) -> Option<String> {
        let mut latest = None;
        for Attempt { failure, .. } in &self.0 {
            match failure {
                Failure::Expired(until) => latest = latest.max(Some(until)),
                failure if failure.says_nothing() || failure.says_absent() => {}
                _ => return None,
            }
        }
        latest.cloned()
    }

    fn hint(&self) -> Option<String> {
        let failures = || self.0.iter().map(|attempt| &attempt.failure);
        if let Some(hint) = failures().find_map(|failure| match failure {
            Failure::InRelease(error) => error.hint(),
            _ => None,
        }) {
            return Some(hint);
        }
        if failures().any(|failure| matches!(failure, Failure::Transfer(TransferFailure::Refused(_)))) {
            return Some("give the repository's credentials with `auth`".to_owned());
        }
        let stalled = |failure: &Failure| matches!(failure, Failure::Transfer(TransferFailure::Stalled(_)));
        if failures().all(|failure| failure.says_nothing() || stalled(failure)) {
            return Some("check the network, or name a mirror you can reach in `debian.mirrors`".to_owned());
        }
        None
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("a {one}") } else { format!("{number} {many}") }
}

fn names(gone: &[GoneDeb]) -> String {
    gone.iter().map(|deb| deb.name.as_str()).collect::<Vec<_>>().join(", ")
}
