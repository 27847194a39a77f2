//! What can go wrong with the store.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

/// An operation on the store's files failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {operation} `{path}`")]
    Io {
        /// What was tried, as an infinitive.
        operation: &'static str,
        /// On which file or directory.
        path: Utf8PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Another process has the store open, so nothing may be removed.
    #[error("the cache `{path}` is in use by another plywood")]
    InUse {
        /// The store's directory.
        path: Utf8PathBuf,
    },
    /// A file of the store is damaged.
    #[error("the cached file `{path}` is damaged")]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
    },
}

impl StoreError {
    /// For `map_err`: names the operation and its subject.
    pub(crate) fn io<'p>(operation: &'static str, path: &'p Utf8Path) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |source| Self::Io { operation, path: path.to_owned(), source }
    }

    /// What might help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Some("free some space, or run `plywood cache prune`".to_owned())
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Some("choose a cache directory that you can write to".to_owned())
                }
                _ => None,
            },
            Self::InUse { .. } => Some("try again when it is done".to_owned()),
            Self::Damaged { path } => Some(format!("remove `{path}` and build again")),
        }
    }
}
