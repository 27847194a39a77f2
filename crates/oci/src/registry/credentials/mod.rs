//! Where credentials are found: the environment, Docker's and podman's files, and their helpers.

mod helper;
mod sources;

use camino::Utf8PathBuf;
use plywood_core::oci::distribution::{Credential, ParseAuthFileError};

pub use sources::CredentialSources;

/// Credentials, and where they are from.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) credential: Credential,
    /// For people, such as `~/.docker/config.json`.
    pub(super) origin: String,
}

/// Credentials cannot be had. Nothing of a secret is repeated.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file with credentials cannot be read.
    #[error("cannot read the credentials in `{path}`")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file with credentials is none.
    #[error("cannot read the credentials in `{path}`")]
    Parse {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: ParseAuthFileError,
    },
    /// A file names a helper that could be any program.
    #[error("`{path}` names a credential helper that is no plain name")]
    HelperName {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A helper cannot be started.
    #[error("cannot run the credential helper `{program}`")]
    HelperStart {
        /// Its name.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A helper failed.
    #[error("the credential helper `{program}` {problem}")]
    Helper {
        /// Its name.
        program: String,
        /// What it did.
        problem: HelperProblem,
    },
}

/// What a credential helper did wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HelperProblem {
    /// It failed with a message.
    #[error("fails: {0}")]
    Failed(String),
    /// It did not answer in time.
    #[error("gives no answer within {0} seconds")]
    Slow(u64),
    /// It said more than any helper has to say, or no JSON of the known form.
    #[error("gives an answer that cannot be read")]
    Answer,
}

impl CredentialsError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::HelperStart { program, .. } => {
                Some(format!("install `{program}`, or take it out of the file that names it"))
            }
            Self::Helper { program, .. } => Some(format!("try `{program} list` by hand")),
            Self::Read { .. } | Self::Parse { .. } | Self::HelperName { .. } => {
                Some("log in again, which writes the file anew".to_owned())
            }
        }
    }
}
