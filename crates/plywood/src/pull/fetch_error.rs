//! Why an image of a registry cannot be had.

use std::collections::BTreeSet;

use plywood_core::digest::Digest;
use plywood_core::oci::{MediaType, ParseDocumentError};
use plywood_core::platform::Platform;
use plywood_oci::registry::RegistryError;
use plywood_oci::store::StoreError;
use plywood_oci::unpacked::UnpackError;

/// Why an image of a registry cannot be had. `reference` is its full name.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The registry does not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// One of its documents is none.
    #[error("{reference} cannot be read")]
    Document {
        /// The image.
        reference: String,
        /// Why.
        #[source]
        source: ParseDocumentError,
    },
    /// It is not there for a platform.
    #[error("{reference} is not there for {platform}")]
    Platform {
        /// The image.
        reference: String,
        /// The platform.
        platform: Platform,
        /// Those that it is there for.
        known: BTreeSet<Platform>,
    },
    /// It is no image, or has a layer of a type that is not read.
    #[error("{reference} has {digest} of type `{media_type}`, which is not read here")]
    MediaType {
        /// The image.
        reference: String,
        /// What has the type.
        digest: Digest,
        /// The type.
        media_type: MediaType,
    },
    /// Manifest and configuration disagree.
    #[error("{reference} has {layers} layers by its manifest and {diff_ids} by its configuration")]
    LayerCount {
        /// The image.
        reference: String,
        /// Those of the manifest.
        layers: usize,
        /// Those of the configuration.
        diff_ids: usize,
    },
    /// One of its layers is not what it should be.
    #[error("cannot read the layers of {reference}")]
    Unpack {
        /// The image.
        reference: String,
        /// Why.
        #[source]
        source: UnpackError,
    },
    /// The cache cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FetchError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Platform { known, .. } => {
                let options: Vec<String> = known.iter().map(|platform| format!("`--platform {platform}`")).collect();
                (!options.is_empty()).then(|| format!("it is there with {}", options.join(" and ")))
            }
            Self::Unpack { .. } => Some("the image is damaged where it is kept: push it again".to_owned()),
            _ => None,
        }
    }
}
