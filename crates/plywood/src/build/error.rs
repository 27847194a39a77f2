//! Why an image cannot be built.

use std::io;

use camino::Utf8PathBuf;
use plywood_core::debian::configure::ConfigureError;
use plywood_core::debian::configure::certificates::AddedCertificateError;
use plywood_core::debian::deb::DebError;
use plywood_core::digest::FileHash;
use plywood_core::image::ApplyError;
use plywood_core::image::nix::{HookError, MetadataError, ProfileError, StoreFilesError, SystemError};
use plywood_core::oci::ParseReferenceError;
use plywood_core::platform::Platform;
use plywood_core::tree::{ParseTreePathError, TreeError, TreePath};
use plywood_oci::layout::LayoutError;
use plywood_oci::segment::SegmentError;
use plywood_oci::store::StoreError;

use crate::debian::FetchError;
use crate::pull::PullError;

/// Why an image cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The image is not made for a platform.
    #[error("the image `{image}` is not made for {platform}")]
    Platform {
        /// The image.
        image: String,
        /// The platform that was asked for.
        platform: Platform,
    },
    /// The lock lacks something that the manifest fits; its lines were changed by hand.
    #[error("the lock has no {what} of the image `{image}` for {platform}")]
    NotLocked {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
        /// What is missing.
        what: String,
    },
    /// A package cannot be downloaded.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A downloaded package cannot be opened.
    #[error("cannot open {path}")]
    OpenDeb {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A package is not as it should be.
    #[error("cannot unpack {package}")]
    Unpack {
        /// The package.
        package: String,
        /// Why.
        #[source]
        source: DebError,
    },
    /// What is known of a package cannot be kept; a mistake in the program.
    #[error("cannot keep the index of {package}")]
    Index {
        /// The package.
        package: String,
        /// Why.
        #[source]
        source: postcard::Error,
    },
    /// The packages cannot be configured.
    #[error("cannot configure the packages of the image `{image}` for {platform}")]
    Configure {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
        /// Why.
        #[source]
        source: ConfigureError,
    },
    /// The scripts that the manifest vouches for are not those that the lock names.
    #[error("the maintainer scripts of `{package}` have the hash {found}, not {locked} as locked")]
    Scripts {
        /// The package.
        package: String,
        /// Their hash in the lock.
        locked: FileHash,
        /// Their hash in the package.
        found: FileHash,
    },
    /// The definition does not fit the packages.
    #[error("cannot build the image `{image}` for {platform}")]
    Apply {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
        /// Why.
        #[source]
        source: ApplyError,
    },
    /// dpkg's database cannot be written into the image.
    #[error("cannot write dpkg's database into the image `{image}`")]
    Database {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// The image's packages do not go into one profile.
    #[error("cannot make the profile of the image `{image}` for {platform}")]
    Profile {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
        /// Why.
        #[source]
        source: ProfileError,
    },
    /// A file of the system is not among the image's store paths.
    #[error("cannot put files of the system into the image `{image}` for {platform}")]
    SystemFile {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
        /// Why.
        #[source]
        source: SystemError,
    },
    /// Files of store paths cannot be listed.
    #[error("cannot look into the store paths of the image `{image}`")]
    StoreFiles {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: StoreFilesError,
    },
    /// Something is in the way of the store.
    #[error("cannot put the Nix store's own files into the image `{image}`")]
    NixPlace {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// Nix's database cannot be written.
    #[error("cannot write Nix's database of the image `{image}`")]
    NixDatabase {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// Something is in the way of what shells read.
    #[error("cannot put the shell's hook into the image `{image}`")]
    Hook {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: HookError,
    },
    /// The image's metadata cannot be added to.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A file of the workspace cannot be read.
    #[error("cannot read {path}")]
    ReadSource {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of extra certificates has none.
    #[error("cannot add the certificates in {path}")]
    Certificate {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: AddedCertificateError,
    },
    /// Two files of certificates have the same name.
    #[error("cannot add the certificates in {path}: another file makes {place} too")]
    SameCertificateName {
        /// The second file.
        path: Utf8PathBuf,
        /// What both would be in the image.
        place: TreePath,
    },
    /// Nothing in the image makes trust stores.
    #[error("cannot add certificates to the image `{image}`: it has no package ca-certificates")]
    NoTrustStore {
        /// The image.
        image: String,
    },
    /// The name of a repository makes no file name.
    #[error("cannot name the files of a repository")]
    SystemPath(#[source] ParseTreePathError),
    /// An `ignore` pattern is none.
    #[error("cannot use the ignore pattern `{pattern}`")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        #[source]
        source: Box<ignore::Error>,
    },
    /// The image is larger than the manifest allows.
    #[error("the image `{image}` for {platform} has {size} bytes compressed; its size limit is {limit} bytes")]
    TooLarge {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
        /// Its layers, compressed, in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// `SOURCE_DATE_EPOCH` is no number.
    #[error("SOURCE_DATE_EPOCH is `{0}`, not a number of seconds")]
    SourceDateEpoch(String),
    /// The image's name in the registry is none.
    #[error("cannot name the image `{image}`")]
    Reference {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: ParseReferenceError,
    },
    /// The output cannot be written.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The image outside of the workspace that it is built on cannot be had.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// The cache cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A segment cannot be read or written.
    #[error(transparent)]
    Segment(#[from] SegmentError),
}

impl BuildError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotLocked { .. } => Some("run `plywood lock`".to_owned()),
            Self::Scripts { .. } => Some("look at the scripts, then run `plywood lock --upgrade PACKAGE`".to_owned()),
            Self::Fetch(error) => error.hint(),
            Self::Profile { source, .. } => source.hint(),
            Self::SystemFile { source, .. } => source.hint(),
            Self::Certificate { source, .. } => source.hint(),
            Self::SameCertificateName { .. } => Some("give the files different names".to_owned()),
            Self::NoTrustStore { .. } => {
                Some("add \"ca-certificates\" to the image's `packages`; `certificates` are for every image".to_owned())
            }
            Self::Configure { source, .. } => source.hint(),
            Self::Apply { source, .. } => source.hint(),
            Self::Layout(error) => error.hint(),
            Self::Pull(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Segment(error) => error.hint(),
            Self::TooLarge { .. } => {
                Some("`plywood build --explain` shows which layers are large; or raise size-limit".to_owned())
            }
            Self::SourceDateEpoch(_) => {
                Some("set it to seconds since 1970, such as $(git log -1 --format=%ct)".to_owned())
            }
            _ => None,
        }
    }
}
