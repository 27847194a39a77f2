//! Why an archive is refused.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// The operating system refused.
    #[error("cannot {operation} {path}")]
    Io {
        /// What was tried, as an infinitive.
        operation: &'static str,
        /// On which file.
        path: Utf8PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It is no tar, or was cut off.
    #[error("{path} is no whole archive")]
    Tar {
        /// The archive.
        path: Utf8PathBuf,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// A member that has no place in such an archive, or not there.
    #[error("{path} has `{member}`, {why}")]
    Member {
        /// The archive.
        path: Utf8PathBuf,
        /// The member's name.
        member: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A document is not there.
    #[error("{path} has no `{member}`")]
    Missing {
        /// The archive.
        path: Utf8PathBuf,
        /// The document's name.
        member: String,
    },
    /// Something other than an archive's end comes after its last member.
    #[error("{path} does not end where its last member ends")]
    End {
        /// The archive.
        path: Utf8PathBuf,
    },
    /// A blob is not what its name says.
    #[error("blob {digest} of {path} is damaged")]
    Damaged {
        /// The archive.
        path: Utf8PathBuf,
        /// The blob's name.
        digest: Digest,
    },
    /// A blob is not there.
    #[error("{path} has no blob {digest}")]
    NoBlob {
        /// The archive.
        path: Utf8PathBuf,
        /// The blob's name.
        digest: Digest,
    },
    /// A blob that is to be read whole is too large for that.
    #[error("blob {digest} of {path} has {size} bytes; at most {limit} are read of such a blob")]
    TooLarge {
        /// The archive.
        path: Utf8PathBuf,
        /// The blob's name.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl SealedError {
    /// For `map_err`: names the operation and its subject.
    pub(super) fn io<'p>(operation: &'static str, path: &'p Utf8Path) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |source| Self::Io { operation, path: path.to_owned(), source }
    }

    /// What might help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or run `plywood cache prune`".to_owned())
            }
            Self::Io { .. } => None,
            _ => Some("copy the file again, and compare its length and SHA-256 with the original's".to_owned()),
        }
    }
}
