//! What can go wrong with the local store.

use std::io;

use camino::Utf8PathBuf;

/// The local store cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LocalStoreError {
    /// The database cannot be opened.
    #[error("cannot open Nix's database {path}: {source}")]
    Open {
        /// The database.
        path: Utf8PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The database can only be read from a copy, and cannot be copied.
    #[error("cannot copy Nix's database {path}: {source}")]
    Copy {
        /// The database.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody writes to it all the time.
    #[error("Nix's database {path} changes faster than it can be read")]
    Unsettled {
        /// The database.
        path: Utf8PathBuf,
    },
    /// A query failed.
    #[error("cannot read Nix's database: {0}")]
    Query(#[from] rusqlite::Error),
    /// The database has another form than that of Nix 2.8 and later.
    #[error("Nix's database {path} is of version {found}, not 10")]
    Schema {
        /// The database.
        path: Utf8PathBuf,
        /// What its `schema` file says.
        found: String,
    },
    /// A row of the database says something impossible.
    #[error("Nix's database is damaged: {what} of {path}")]
    Damaged {
        /// The store path in question.
        path: String,
        /// Which column.
        what: &'static str,
    },
}

impl LocalStoreError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Schema { .. } => Some("run any command of a newer Nix, which brings it up to date".to_owned()),
            Self::Unsettled { .. } => Some("try again when Nix is done".to_owned()),
            Self::Damaged { .. } => Some("run `nix-store --verify`".to_owned()),
            _ => None,
        }
    }
}
