//! Why signing or verifying failed. That something does not verify is no error but a result.

use std::io;

use camino::Utf8PathBuf;
use plywood_core::attest::KeyError;
use plywood_core::digest::Digest;
use plywood_core::oci::{ParseDocumentError, ParseReferenceError};
use plywood_oci::layout::LayoutError;
use plywood_oci::registry::RegistryError;
use plywood_oci::store::StoreError;

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
    /// The registry cannot be read or written.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// More is attached to a digest than is read.
    #[error("more than {limit} things are attached to {digest}")]
    TooMany {
        /// The digest.
        digest: Digest,
        /// How many are read.
        limit: usize,
    },
    /// A manifest of a registry cannot be read.
    #[error("the registry's manifest cannot be read")]
    Document(#[from] ParseDocumentError),
    /// A name cannot be made.
    #[error(transparent)]
    Reference(#[from] ParseReferenceError),
    /// A temporary file cannot be written.
    #[error("cannot write a temporary file")]
    Temporary(#[source] io::Error),
    /// The predicate is no JSON.
    #[error("{path} is not JSON")]
    Predicate {
        /// Its file.
        path: Utf8PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The list of running images cannot be read.
    #[error("cannot read the list {path}")]
    Running {
        /// Its file.
        path: Utf8PathBuf,
        /// Why.
        source: plywood_core::attest::RunningError,
    },
    /// The workspace is not what the image was built from.
    #[error("the image cannot be built again here: {reason}")]
    OtherWorkspace {
        /// In what it differs.
        reason: String,
        /// The commit that it was built from.
        commit: Option<String>,
    },
    /// What was built again cannot be read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A layer that differs cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A layer cannot be compared.
    #[error("cannot read layer {digest}")]
    Layer {
        /// Which.
        digest: Digest,
        /// Why.
        source: io::Error,
    },
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
            AttestError::Registry(error) => error.hint(),
            AttestError::Layout(error) => error.hint(),
            AttestError::Store(error) => error.hint(),
            AttestError::OtherWorkspace { commit: Some(commit), .. } => {
                Some(format!("run `git checkout {commit}` in a clean clone of the workspace, and verify there"))
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
                | AttestError::OtherWorkspace { .. }
                | AttestError::Predicate { .. }
                | AttestError::Running { .. }
        )
    }
}
