//! Why a command failed: a use case's error, or one of the command line's own.

use std::io;

use crate::exit::Exit;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The use case failed.
    #[error(transparent)]
    UseCase(#[from] plywood::Error),
    /// There is no folder for the cache.
    #[error("no folder for the cache: neither XDG_CACHE_HOME nor HOME is set")]
    NoCache,
    /// The result could not be printed.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// A manual page could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file or folder.
        path: camino::Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Failure {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Failure::UseCase(error) => error.hint(),
            Failure::NoCache => Some("name one with `--cache-dir DIR` or PLYWOOD_CACHE".to_owned()),
            Failure::Stdout(_) | Failure::Write { .. } => None,
        }
    }

    /// The exit code it leads to.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::UseCase(error) if error.is_usage() => Exit::Usage,
            // Whoever read our output has seen enough: `plywood … | head` is no failure.
            Failure::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Failed,
        }
    }

    /// Whether there is anything to tell.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Failure::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
