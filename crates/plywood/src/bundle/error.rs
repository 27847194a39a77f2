//! Why a bundle cannot be made or used.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::bundle::{ParseBundleError, ParseNodeError};
use plywood_core::digest::Digest;
use plywood_core::nix::StorePath;
use plywood_core::oci::{ParseDocumentError, ParseReferenceError};
use plywood_oci::layout::sealed::SealedError;
use plywood_oci::registry::RegistryError;

use crate::nix::CacheInfoError;

/// Why a bundle cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file is no whole archive of blobs.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// A registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The index cannot be read.
    #[error("cannot read `index.json` of {path}")]
    Index {
        /// The bundle.
        path: Utf8PathBuf,
        /// Why.
        source: ParseDocumentError,
    },
    /// A document says something else than bundles do.
    #[error("`{document}` of {path} is not as plywood writes it")]
    Form {
        /// The bundle.
        path: Utf8PathBuf,
        /// The document.
        document: &'static str,
    },
    /// The descriptor cannot be read.
    #[error("cannot read `plywood-bundle.json` of {path}")]
    Descriptor {
        /// The bundle.
        path: Utf8PathBuf,
        /// Why.
        source: ParseBundleError,
    },
    /// A manifest is none.
    #[error("cannot read the manifest {digest} of {place}")]
    Manifest {
        /// The bundle or image.
        place: String,
        /// The manifest.
        digest: Digest,
        /// Why.
        source: ParseNodeError,
    },
    /// Something names a blob by another size than it has.
    #[error("blob {digest} of {path} has {found} bytes and is named with {expect}")]
    Size {
        /// The bundle.
        path: Utf8PathBuf,
        /// The blob.
        digest: Digest,
        /// Its size in bytes.
        found: u64,
        /// The size it is named with, in bytes.
        expect: u64,
    },
    /// A blob that nothing leads to.
    #[error("nothing in {path} leads to its blob {digest}")]
    Stray {
        /// The bundle.
        path: Utf8PathBuf,
        /// The blob.
        digest: Digest,
    },
    /// More manifests or store paths than are read.
    #[error("{place} leads to more manifests or store paths than are read")]
    TooMany {
        /// The bundle or image.
        place: String,
    },
    /// A `.narinfo` is refused.
    #[error("the narinfo {digest} of {path} is refused: {why}")]
    NarInfo {
        /// The bundle.
        path: Utf8PathBuf,
        /// The blob.
        digest: Digest,
        /// What is wrong with it, without a period.
        why: String,
    },
    /// A NAR is not what its `.narinfo` says.
    #[error("the NAR of {path} is not what its narinfo says: {why}")]
    Nar {
        /// The store path.
        path: StorePath,
        /// What is wrong with it, without a period.
        why: String,
    },
    /// A store path cannot be packed.
    #[error("cannot pack {path}")]
    Pack {
        /// The store path.
        path: StorePath,
        /// Why.
        source: io::Error,
    },
    /// The lock does not say what an image has of Nix.
    #[error("the lock has no {what} of image `{image}`")]
    NotLocked {
        /// The image.
        image: String,
        /// What is missing.
        what: String,
    },
    /// Two different manifests would have one name.
    #[error("{reference} would stand for two images")]
    TwoImages {
        /// The name.
        reference: String,
    },
    /// A text is no name of an image.
    #[error("`{image}` is neither an image of the workspace nor one of a registry")]
    Name {
        /// The text.
        image: String,
        /// Why.
        source: ParseReferenceError,
    },
    /// The repository to push to has no possible name.
    #[error("cannot push {repository}")]
    Target {
        /// The repository in the bundle.
        repository: String,
        /// Why.
        source: ParseReferenceError,
    },
    /// Two repositories of the bundle would become one.
    #[error("{first} and {second} would both be pushed to {target}")]
    Collision {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// Where they would go.
        target: String,
    },
    /// The bundle has no such image.
    #[error("the bundle has no image `{asked}`; it has: {}", names.join(", "))]
    NoSuchImage {
        /// What was asked for.
        asked: String,
        /// What there is.
        names: Vec<String>,
    },
    /// It is nothing that runs on a platform.
    #[error("{reference} is no image for {platform}")]
    NotForPlatform {
        /// Its name.
        reference: String,
        /// The platform.
        platform: plywood_core::platform::Platform,
    },
    /// The bundle has no store paths.
    #[error("{path} has no store paths")]
    NoStorePaths {
        /// The bundle.
        path: Utf8PathBuf,
    },
    /// The folder is another kind of cache.
    #[error("cannot unpack into {path}")]
    Cache {
        /// The folder.
        path: Utf8PathBuf,
        /// Why.
        source: CacheInfoError,
    },
    /// The operating system refused.
    #[error("cannot {operation} {path}")]
    Io {
        /// What was tried, as an infinitive.
        operation: &'static str,
        /// On which file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl BundleError {
    /// For `map_err`: names the operation and its subject.
    pub(super) fn io<'p>(operation: &'static str, path: &'p Utf8Path) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |source| Self::Io { operation, path: path.to_owned(), source }
    }

    /// What might help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Sealed(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Descriptor { source, .. } => source.hint(),
            Self::Form { .. } | Self::Size { .. } | Self::Stray { .. } | Self::NarInfo { .. } | Self::Nar { .. } => {
                Some("get the bundle from whoever made it once more: this one was changed".to_owned())
            }
            Self::NotLocked { .. } => Some("run `plywood lock`".to_owned()),
            Self::Name { .. } => {
                Some("name it as in plywood.toml, or in full, such as ghcr.io/team/app:1.2".to_owned())
            }
            Self::Collision { .. } => Some("keep their whole names below the prefix with `--keep-paths`".to_owned()),
            Self::NoStorePaths { .. } => {
                Some("make it with `plywood bundle create --store IMAGE` where the workspace is".to_owned())
            }
            Self::Cache { .. } => Some("name a folder that is empty, not there yet, or a binary cache".to_owned()),
            _ => None,
        }
    }

    /// Whether what was asked for is wrong, so that trying again cannot help.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Name { .. } | Self::Target { .. } | Self::NoSuchImage { .. })
    }
}
