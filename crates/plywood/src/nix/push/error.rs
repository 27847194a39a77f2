//! Why store paths cannot be pushed.

use std::io;

use camino::Utf8PathBuf;
use plywood_core::nix::{ParseKeyError, StorePath};

use super::super::local::{FilesError, LocalStoreError};
use super::super::url::ParseCacheUrlError;
use super::super::{CacheInfoError, SourceFailure};
use super::SECRET_KEY_VARIABLE;
use crate::http::TransferFailure;

/// Why store paths cannot be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Neither the manifest nor the command line names a cache.
    #[error("no binary cache to push to")]
    NoCache,
    /// The cache's URL is none.
    #[error("cannot use the binary cache that {named_by} names")]
    Url {
        /// Where it stands.
        named_by: &'static str,
        /// Why.
        source: ParseCacheUrlError,
    },
    /// The environment names no key.
    #[error("no key to sign with")]
    NoKey,
    /// The key's file cannot be read.
    #[error("cannot read the key in {path}")]
    ReadKey {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no key.
    #[error("cannot use the key in {path}")]
    Key {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: ParseKeyError,
    },
    /// There is no store on this machine, or it is not to be used.
    #[error("there is no local store to push from")]
    NoLocalStore,
    /// The local store cannot be read.
    #[error(transparent)]
    Local(#[from] LocalStoreError),
    /// A word names nothing.
    #[error("`{0}` is no image, set, shell or store path")]
    Unknown(String),
    /// Nothing of Nix is locked.
    #[error("the lock has no store paths")]
    NothingLocked,
    /// The path is not in the local store, nor in any cache.
    #[error("{0} is neither in the local store nor in a binary cache")]
    NotValid(StorePath),
    /// The path's files are not what the database says.
    #[error("{path} of the local store is not what its database says")]
    Spoiled {
        /// The path.
        path: StorePath,
        /// What is different.
        source: SourceFailure,
    },
    /// The path's files cannot be read.
    #[error("cannot pack {path}")]
    Files {
        /// The path.
        path: StorePath,
        /// Why.
        source: FilesError,
    },
    /// The cache is one of another store.
    #[error("cannot push to {cache}")]
    CacheInfo {
        /// The cache.
        cache: String,
        /// Why.
        source: CacheInfoError,
    },
    /// The cache did not take or give a file.
    #[error("cannot {operation} {file} of {cache}")]
    Transfer {
        /// `read` or `write`.
        operation: &'static str,
        /// The file.
        file: String,
        /// The cache.
        cache: String,
        /// Why.
        source: TransferFailure,
    },
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PushError {
    /// Whether what was asked for is wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoCache | Self::Url { .. } | Self::NoKey | Self::Unknown(_))
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoCache => Some("name one with `--to URL`, or as `nix.cache` in plywood.toml".to_owned()),
            Self::Url { source, .. } => source.hint(),
            Self::NoKey => Some(format!(
                "name its file with {SECRET_KEY_VARIABLE}; `nix-store --generate-binary-cache-key NAME SECRET PUBLIC` makes one"
            )),
            Self::NoLocalStore => Some("push where Nix has built, with `local-store` under [nix] true".to_owned()),
            Self::Key { .. } => Some("the file holds NAME:BASE64, as Nix writes it".to_owned()),
            Self::Local(error) => error.hint(),
            Self::Unknown(_) => {
                Some("plywood.toml names images, sets and shells; a store path is /nix/store/…".to_owned())
            }
            Self::NothingLocked => Some("run `plywood lock`, or name store paths".to_owned()),
            Self::NotValid(_) => Some("build it with Nix".to_owned()),
            Self::Spoiled { .. } => Some("run `nix-store --verify --check-contents --repair`".to_owned()),
            Self::Transfer { source: TransferFailure::Refused(_), .. } => {
                Some("give the cache's credentials in ~/.netrc".to_owned())
            }
            _ => None,
        }
    }
}
