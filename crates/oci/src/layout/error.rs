//! What can go wrong with layouts and archives.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;
use plywood_core::oci::{MediaType, ParseDocumentError};
use plywood_core::platform::Platform;

use crate::store::StoreError;
use crate::unpacked::UnpackError;

/// A layout or archive could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// An archive could not be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
    /// The directory holds something else, which is not to be overwritten.
    #[error("`{path}` is no image layout, and not empty")]
    NotALayout {
        /// The directory.
        path: Utf8PathBuf,
    },
    /// A file of the layout is missing.
    #[error("the image layout has no `{name}`")]
    Missing {
        /// The file inside the layout.
        name: String,
    },
    /// A document of the layout is refused.
    #[error("cannot read `{name}` of the image layout")]
    Document {
        /// The file inside the layout.
        name: String,
        /// Why.
        #[source]
        source: ParseDocumentError,
    },
    /// A blob is not what its name says.
    #[error("blob {digest} of the image layout is damaged")]
    Damaged {
        /// Its name.
        digest: Digest,
    },
    /// A layer is not what it should be.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// A layer cannot be read.
    #[error("cannot read layer {digest} of the image layout")]
    Layer {
        /// The layer.
        digest: Digest,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something of a type that is not read.
    #[error("{digest} of the image layout has type `{media_type}`, which is not read here")]
    MediaType {
        /// Its name.
        digest: Digest,
        /// Its type.
        media_type: MediaType,
    },
    /// No image has the name asked for, or there are several and none was named.
    #[error("the image layout has no single image {asked}; it has: {}", names.join(", "))]
    NoSuchImage {
        /// What was asked for, in words.
        asked: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// The image is not there for a platform.
    #[error("the image is not there for {platform}")]
    NoSuchPlatform {
        /// The platform.
        platform: Platform,
    },
    /// Manifest and configuration disagree.
    #[error("the manifest has {layers} layers and the configuration {diff_ids}")]
    LayerCount {
        /// Those of the manifest.
        layers: usize,
        /// Those of the configuration.
        diff_ids: usize,
    },
}

impl LayoutError {
    /// For `map_err`: names the operation and its subject.
    pub(super) fn io<'p>(operation: &'static str, path: &'p Utf8Path) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |source| Self::Io { operation, path: path.to_owned(), source }
    }

    /// What might help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Io { source, .. } | Self::Write(source) if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or run `plywood cache prune`".to_owned())
            }
            Self::NotALayout { .. } => Some("name a directory that is empty or not there yet".to_owned()),
            Self::Damaged { .. } | Self::Unpack(_) => Some("build or fetch the image again".to_owned()),
            _ => None,
        }
    }
}
