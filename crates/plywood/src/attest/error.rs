//! Why signing or verifying failed. That something does not verify is no error but a result.

use std::io;

use camino::Utf8PathBuf;
use plywood_core::attest::KeyError;

use super::keys::KeyOrigin;

/// Why signing or verifying failed.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// A key's file is there already.
    #[error("{path} is there already")]
    KeyExists {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The private key would have the public one's name.
    #[error("{path} is the name of a public key")]
    KeyName {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A key's file could not be written.
    #[error("cannot write {path}")]
    WriteKey {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key's file could not be read.
    #[error("cannot read {path}")]
    ReadKey {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What should be a key is none.
    #[error("{origin} holds no key that can be used")]
    Key {
        /// Where it is.
        origin: KeyOrigin,
        /// Why.
        source: KeyError,
    },
    /// The system has no random numbers.
    #[error("cannot get random numbers")]
    Random(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing says what to sign with.
    #[error("no key to sign with")]
    NoSigningKey,
    /// Nothing says whom to believe.
    #[error("no key to verify with")]
    NoKeys,
    /// git failed.
    #[error("`git {command}` failed: {message}")]
    Git {
        /// Its arguments.
        command: String,
        /// What it said.
        message: String,
    },
}

impl AttestError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            AttestError::KeyExists { .. } => Some("name another file with `--out`; keys are never overwritten".to_owned()),
            AttestError::KeyName { .. } => Some("name the file of the private key, such as `ci.key`".to_owned()),
            AttestError::Key { source, .. } => source.hint(),
            AttestError::NoSigningKey => Some(
                "name one with `--key FILE`, PLYWOOD_SIGNING_KEY_FILE or PLYWOOD_SIGNING_KEY; `plywood key generate` makes one"
                    .to_owned(),
            ),
            AttestError::NoKeys => {
                Some("name public keys with `--key FILE` or with `keys` in [publish] of plywood.toml".to_owned())
            }
            AttestError::Git { message, .. } if message.contains("safe.directory") => {
                Some("run as the owner of the repository, or see `man git-config` for safe.directory".to_owned())
            }
            _ => None,
        }
    }

    /// Whether what was asked for is wrong, so that trying again cannot help.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            AttestError::KeyExists { .. }
                | AttestError::KeyName { .. }
                | AttestError::NoSigningKey
                | AttestError::NoKeys
        )
    }
}
