//! Why an image cannot be built on.

use plywood_core::debian::dpkg::BaseSystemError;
use plywood_core::digest::Digest;
use plywood_core::oci::{MediaType, ParseDocumentError};
use plywood_core::platform::Platform;
use plywood_core::tree::ReadContentError;
use plywood_oci::layout::LayoutError;
use plywood_oci::registry::RegistryError;
use plywood_oci::store::StoreError;
use plywood_oci::unpacked::UnpackError;

/// Why an image outside of the workspace cannot be built on. `base` is how the manifest names it.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry does not give it.
    #[error("cannot build on `{base}`")]
    Registry {
        /// The image.
        base: String,
        /// Why.
        #[source]
        source: Box<RegistryError>,
    },
    /// The layout does not give it.
    #[error("cannot build on `{base}`")]
    Layout {
        /// The image.
        base: String,
        /// Why.
        #[source]
        source: LayoutError,
    },
    /// One of its documents is none.
    #[error("cannot build on `{base}`")]
    Document {
        /// The image.
        base: String,
        /// Why.
        #[source]
        source: ParseDocumentError,
    },
    /// It is not made for a platform.
    #[error("`{base}` is not made for {platform}")]
    Platform {
        /// The image.
        base: String,
        /// The platform.
        platform: Platform,
    },
    /// It is no image, or has a layer of a type that is not read.
    #[error("`{base}` has {digest} of type `{media_type}`, which cannot be built on")]
    MediaType {
        /// The image.
        base: String,
        /// What has the type.
        digest: Digest,
        /// The type.
        media_type: MediaType,
    },
    /// Manifest and configuration disagree.
    #[error("`{base}` has {layers} layers by its manifest and {diff_ids} by its configuration")]
    LayerCount {
        /// The image.
        base: String,
        /// Those of the manifest.
        layers: usize,
        /// Those of the configuration.
        diff_ids: usize,
    },
    /// One of its layers is not what it should be.
    #[error("cannot read the layers of `{base}`")]
    Unpack {
        /// The image.
        base: String,
        /// Why.
        #[source]
        source: UnpackError,
    },
    /// A file of it cannot be read.
    #[error("cannot read the files of `{base}`")]
    Content {
        /// The image.
        base: String,
        /// Why.
        #[source]
        source: ReadContentError,
    },
    /// Packages cannot be put on it.
    #[error("cannot put packages on `{base}`")]
    System {
        /// The image.
        base: String,
        /// Why.
        #[source]
        source: BaseSystemError,
    },
    /// It is a system whose packages plywood does not install.
    #[error("cannot put packages on `{base}`: {why}")]
    NoPackages {
        /// The image.
        base: String,
        /// What it is.
        why: String,
    },
    /// The lock does not name it; its lines were changed by hand.
    #[error("the lock has no base `{base}` for {platform}")]
    NotLocked {
        /// The image.
        base: String,
        /// The platform.
        platform: Platform,
    },
    /// The cache cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PullError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry { source, .. } => source.hint(),
            Self::Layout { source, .. } => source.hint(),
            Self::Store(error) => error.hint(),
            Self::Platform { .. } => Some("leave the platform out of the image's `platforms`".to_owned()),
            Self::Unpack { .. } => Some("the image is damaged where it is kept: push it again".to_owned()),
            Self::NoPackages { .. } => Some(
                "leave `packages` out: files, users, variables and sets of Nix can be put on any base; or build on Debian or Ubuntu"
                    .to_owned(),
            ),
            Self::NotLocked { .. } => Some("run `plywood lock`".to_owned()),
            _ => None,
        }
    }
}
