//! What can go wrong between an archive and the cache.

use std::fmt;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::config::ArchiveName;
use super::super::inrelease::InReleaseError;

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
    /// The server does not have it (HTTP 404 or 410).
    #[error("it is not there")]
    NotFound,
    /// The server wants to know who asks, or refuses (HTTP 401 or 403).
    #[error("access is refused (HTTP {0})")]
    Refused(u16),
    /// Any other answer than the file.
    #[error("the server answers HTTP {status}")]
    Status {
        /// HTTP's status code.
        status: u16,
        /// How long the server asks to wait, in seconds.
        retry_after: Option<u64>,
    },
    /// No connection can be made.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It could not be reached a moment ago, so it was not asked again.
    #[error("it was found unreachable before")]
    Skipped,
    /// The connection broke, or does not speak HTTP.
    #[error("{0}")]
    Transport(String),
    /// No byte came for this many seconds.
    #[error("no data came for {0} seconds")]
    Stalled(u64),
    /// The transfer ended before the file did.
    #[error("it ends after {got} of {expect} bytes")]
    Truncated {
        /// Bytes that came.
        got: u64,
        /// Bytes there should be.
        expect: u64,
    },
    /// The file is another one than the index says: an outdated or broken mirror.
    #[error("it has {found} bytes instead of {expect}")]
    WrongSize {
        /// Its length in bytes.
        found: u64,
        /// As the index or lock says.
        expect: u64,
    },
    /// The file has more bytes than the index says, or than is sensible.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
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
    /// The index names a file outside the archive.
    #[error("{0}")]
    Path(#[from] super::super::mirror_url::BadArchivePath),
    /// A file of a `file:` mirror cannot be read.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
}

impl Failure {
    /// Whether another attempt at the same mirror may go better.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Failure::Status { status, .. } => *status == 429 || *status >= 500,
            Failure::Unreachable(_) | Failure::Transport(_) | Failure::Stalled(_) | Failure::Truncated { .. } => true,
            _ => false,
        }
    }

    /// How long the server asks to wait.
    pub(super) fn asks_to_wait(&self) -> Option<Duration> {
        match self {
            Failure::Status { retry_after, .. } => retry_after.map(Duration::from_secs),
            _ => None,
        }
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

    pub(super) fn push(&mut self, place: String, failure: Failure, last_resort: bool) {
        self.0.push(Attempt { place, failure, last_resort });
    }

    /// Whether a mirror says that it does not have the file, and nobody else has anything better to say.
    pub(super) fn show_it_is_gone(&self) -> bool {
        let absent = |failure: &Failure| matches!(failure, Failure::NotFound);
        let silent = |failure: &Failure| matches!(failure, Failure::Unreachable(_) | Failure::Skipped);
        let says_no = self.0.iter().any(|attempt| absent(&attempt.failure) && !attempt.last_resort);
        says_no
            && self
                .0
                .iter()
                .all(|Attempt { failure, last_resort, .. }| absent(failure) || silent(failure) || *last_resort)
    }

    /// Until when the index was valid, if age is all that is wrong with it.
    pub(super) fn only_expired(&self) -> Option<String> {
        let mut latest = None;
        for Attempt { failure, .. } in &self.0 {
            match failure {
                Failure::Expired(until) => latest = latest.max(Some(until)),
                Failure::Unreachable(_) | Failure::Skipped | Failure::NotFound => {}
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
        if failures().any(|failure| matches!(failure, Failure::Refused(401 | 403))) {
            return Some("give the repository's credentials with `auth`".to_owned());
        }
        if failures().all(|failure| matches!(failure, Failure::Unreachable(_) | Failure::Skipped | Failure::Stalled(_)))
        {
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
