//! What can go wrong between a store path and its segment.

use std::fmt;
use std::io;

use camino::Utf8PathBuf;
use plywood_core::nix::StorePath;
use plywood_oci::segment::SegmentError;
use plywood_oci::store::StoreError;

use super::cache_info::CacheInfoError;
use super::local::{FilesError, LocalStoreError};
use super::url::ParseCacheUrlError;
use crate::http::TransferFailure;
use crate::http::netrc::NetrcError;

/// Store paths cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NixError {
    /// No HTTP client or runtime can be made on this machine.
    #[error("cannot set up downloads")]
    SetUp(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A binary cache's URL is none.
    #[error("cannot use the binary cache that {named_by} names")]
    Url {
        /// Where it stands.
        named_by: String,
        /// Why.
        source: ParseCacheUrlError,
    },
    /// A trusted key is none.
    #[error("cannot use the key that {named_by} names")]
    Key {
        /// Where it stands.
        named_by: String,
        /// Why.
        source: plywood_core::nix::ParseKeyError,
    },
    /// The credentials cannot be read.
    #[error("cannot tell binary caches who asks")]
    Netrc(#[from] NetrcError),
    /// The local store cannot be read.
    #[error(transparent)]
    Local(#[from] LocalStoreError),
    /// No source has a path.
    #[error("cannot get {path}")]
    Unavailable {
        /// The path.
        path: StorePath,
        /// What each source answered.
        #[source]
        attempts: Attempts,
    },
    /// No source has these paths; all others were fetched.
    #[error("{}", gone(.0))]
    Gone(Vec<StorePath>),
    /// A path is named by another and no source has it.
    #[error("{path} is missing, which {referrer} refers to")]
    MissingReference {
        /// The missing path.
        path: StorePath,
        /// Who names it.
        referrer: StorePath,
        /// What each source answered.
        #[source]
        attempts: Attempts,
    },
    /// The closure never ends.
    #[error("the closure has more than {0} paths")]
    TooLarge(usize),
    /// The cache failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A segment cannot be written.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A file of plywood's cache cannot be written.
    #[error("cannot write {path}")]
    Cache {
        /// Which file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What went wrong at each source, in order.
#[derive(Debug, Default)]
pub struct Attempts(Vec<Attempt>);

/// What went wrong at one source.
#[derive(Debug)]
pub struct Attempt {
    /// The binary cache's URL without user and password, or `the local store`.
    pub source: String,
    /// What went wrong.
    pub failure: SourceFailure,
}

/// Why one source did not give a path.
#[derive(Debug, thiserror::Error)]
pub enum SourceFailure {
    /// The local store does not have it.
    #[error("it is not valid there")]
    NotValid,
    /// The local store cannot be read.
    #[error("{0}")]
    Local(#[from] LocalStoreError),
    /// The path's files in the local store are none of a store path, or cannot be read.
    #[error("{0}")]
    Files(#[from] FilesError),
    /// The cache failed before, in this way.
    #[error("it failed before: {0}")]
    Down(String),
    /// The transfer went wrong.
    #[error("{0}")]
    Transfer(#[from] TransferFailure),
    /// The cache is none of ours.
    #[error("{0}")]
    CacheInfo(#[from] CacheInfoError),
    /// The `.narinfo` cannot be read.
    #[error("its narinfo cannot be read: {0}")]
    NarInfo(String),
    /// No trusted key signed the `.narinfo`.
    #[error("its narinfo is not to be trusted: {0}")]
    Untrusted(String),
    /// The `.narinfo` is of another path.
    #[error("its narinfo is of {0}")]
    OtherPath(StorePath),
    /// What the source says of the path is not what the lock says.
    #[error("its {what} is {found} instead of {expect}")]
    Differs {
        /// Such as `NAR hash`.
        what: &'static str,
        /// What the source says.
        found: String,
        /// What the lock says.
        expect: String,
    },
    /// The compressed file is not what the `.narinfo` says.
    #[error("the file's {what} is {found} instead of {expect}")]
    FileDiffers {
        /// `SHA-256` or `length`.
        what: &'static str,
        /// Of what came.
        found: String,
        /// What the narinfo says.
        expect: String,
    },
    /// The NAR is malformed, cut short, cannot be decompressed, or is not the one that the lock names.
    #[error("{0}")]
    Nar(String),
}

impl SourceFailure {
    /// Whether the source just does not have the path.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::NotValid | Self::Transfer(TransferFailure::NotFound))
    }

    /// Whether nobody answered, or nothing sensible: then there is no sense in asking for more.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            Self::Transfer(failure) => failure.may_pass() || matches!(failure, TransferFailure::Redirect(_)),
            Self::Down(_) => true,
            _ => false,
        }
    }
}

impl Attempts {
    /// Every attempt in order.
    pub fn iter(&self) -> impl Iterator<Item = &Attempt> {
        self.0.iter()
    }

    pub(super) fn push(&mut self, source: String, failure: impl Into<SourceFailure>) {
        self.0.push(Attempt { source, failure: failure.into() });
    }

    /// Whether every source says that it does not have it.
    pub(super) fn show_it_is_gone(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|attempt| attempt.failure.is_absence())
    }

    fn hint(&self) -> Option<String> {
        if self.0.is_empty() {
            return Some("name a binary cache in `nix.substituters`, or leave `nix.local-store` true".to_owned());
        }
        let any = |test: fn(&SourceFailure) -> bool| self.0.iter().any(|attempt| test(&attempt.failure));
        if any(|failure| matches!(failure, SourceFailure::Untrusted(_))) {
            return Some("if you trust who signed it, add the key to `nix.trusted-public-keys`".to_owned());
        }
        if any(|failure| matches!(failure, SourceFailure::Transfer(TransferFailure::Refused(_)))) {
            return Some("give the cache's credentials in ~/.netrc".to_owned());
        }
        if any(SourceFailure::is_outage) {
            return Some("check the network, or name a binary cache you can reach in `nix.substituters`".to_owned());
        }
        None
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there is no source to ask");
        }
        for (index, Attempt { source, failure }) in self.0.iter().enumerate() {
            write!(f, "{}{source}: {failure}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Attempts {}

impl NixError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Url { source, .. } => source.hint(),
            Self::Netrc(error) => error.hint(),
            Self::Local(error) => error.hint(),
            Self::Unavailable { attempts, .. } | Self::MissingReference { attempts, .. } => attempts.hint(),
            Self::Gone(_) => Some("build them with Nix, or copy them to a cache with `plywood cache push`".to_owned()),
            Self::Store(error) => error.hint(),
            Self::Segment(error) => error.hint(),
            Self::Cache { .. } => {
                Some("name a folder you can write to with `--cache-dir DIR` or PLYWOOD_CACHE".to_owned())
            }
            Self::Key { .. } => Some("a key is written NAME:BASE64, as in Nix's trusted-public-keys".to_owned()),
            Self::SetUp(_) | Self::TooLarge(_) => None,
        }
    }
}

/// How many paths a message names.
const NAMED: usize = 10;

fn gone(paths: &[StorePath]) -> String {
    let names: Vec<String> = paths.iter().take(NAMED).map(ToString::to_string).collect();
    let more = paths.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let count = if paths.len() == 1 {
        "no source has the store path".to_owned()
    } else {
        format!("no source has {} store paths", paths.len())
    };
    format!("{count}: {}{more}", names.join(", "))
}
