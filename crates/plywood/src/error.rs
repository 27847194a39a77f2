//! Why a use case failed.

use std::io;

use camino::Utf8PathBuf;

use crate::suggest;

/// Why a use case failed: the operation and its subject; the cause is the error's source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds no `plywood.toml`.
    #[error("no plywood.toml in {directory}")]
    NoManifest {
        /// The folder that was looked in.
        directory: Utf8PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest has no image of this name.
    #[error("there is no image `{name}` in the manifest")]
    UnknownImage {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// Part of plywood that is still being written.
    #[error("`{0}` is not finished yet")]
    Unfinished(&'static str),
}

impl Error {
    /// What to do about it, as one sentence without a period.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::NoManifest { .. } => Some("name the folder that has one with `-C DIR`".to_owned()),
            Error::UnknownImage { name, known } => Some(match suggest::nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "add a table `[images.NAME]` to plywood.toml".to_owned(),
                None => format!("the manifest has {}", suggest::list(known)),
            }),
            Error::Read { .. } | Error::Write { .. } | Error::Unfinished(_) => None,
        }
    }

    /// Whether what was asked for is wrong (the command line or `plywood.toml`), so that trying again cannot help.
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::NoManifest { .. } | Error::UnknownImage { .. })
    }
}
