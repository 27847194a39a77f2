//! Why a use case failed.

use std::io;

use camino::Utf8PathBuf;
use plywood_core::manifest::{ManifestErrors, UnknownImageError};
use plywood_oci::layout::LayoutError;
use plywood_oci::store::StoreError;

use crate::attest::AttestError;
use crate::build::{BuildError, Output};
use crate::bundle::BundleError;
use crate::debian::ConfigError;
use crate::debian::mirrors::MirrorError;
use crate::engine::EngineError;
use crate::lock::LockError;
use crate::nix::NixError;
use crate::nix::push::PushError;
use crate::publish::PublishError;
use crate::pull;
use crate::test::SubjectError;
use crate::why::WhyError;

/// Why a use case failed: the operation and its subject; the cause is the error's source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds no `plywood.toml`.
    #[error("no plywood.toml in {directory}")]
    NoManifest {
        /// The folder that was looked in.
        directory: Utf8PathBuf,
    },
    /// The manifest is not valid.
    #[error("{path} is not valid")]
    Manifest {
        /// The manifest.
        path: Utf8PathBuf,
        /// Its text, in which the faults have their places.
        text: String,
        /// The faults.
        #[source]
        faults: ManifestErrors,
    },
    /// The manifest has no image of this name.
    #[error(transparent)]
    UnknownImage(#[from] UnknownImageError),
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest's archives cannot be used as they are named.
    #[error(transparent)]
    Archive(#[from] ConfigError),
    /// A mirror cannot be used.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The cache failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A container engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The image is not made for the platform that was asked for.
    #[error("image `{image}` was not built")]
    NotBuilt {
        /// Its name.
        image: String,
    },
    /// An image that is to be made of store paths has the name of one of the manifest's.
    #[error("there is an image `{image}` in plywood.toml already")]
    ImageExists {
        /// Its name.
        image: String,
    },
    /// A store path is none.
    #[error("`{text}` is no store path and no link to one")]
    NoStorePath {
        /// What was named.
        text: String,
    },
    /// The lock cannot be made or used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// An image cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Store paths cannot be had.
    #[error(transparent)]
    Nix(#[from] NixError),
    /// Store paths cannot be pushed.
    #[error(transparent)]
    Push(#[from] PushError),
    /// Nothing says why an image has something.
    #[error(transparent)]
    Why(#[from] WhyError),
    /// A bundle cannot be made or used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Threads cannot be started.
    #[error("cannot start threads")]
    Threads(#[source] rayon::ThreadPoolBuildError),
    /// There is no such image to be inspected.
    #[error("{} has not been built", image.as_ref().map_or("no image".to_owned(), |image| format!("image `{image}`")))]
    NothingBuilt {
        /// The name that was asked for; any image would do when `None`.
        image: Option<String>,
    },
    /// Only layouts are read back.
    #[error("images in {output} cannot be inspected")]
    NotInspectable {
        /// Where they are.
        output: Output,
    },
    /// Images cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// An image of a registry cannot be had.
    #[error(transparent)]
    Fetch(#[from] pull::FetchError),
    /// What is to be tested is unclear.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// Something cannot be signed or verified.
    #[error(transparent)]
    Attest(#[from] AttestError),
    /// A layout or archive cannot be read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// An error with its causes in one line, for reports that go on after it.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl Error {
    /// What to do about it, as one sentence without a period.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Why(error) => error.hint(),
            Error::ImageExists { .. } => Some("give the new image another name with `--name`".to_owned()),
            Error::NoStorePath { .. } => Some("name it as /nix/store/…, or build it first".to_owned()),
            Error::NoManifest { .. } => Some("name the folder that has one with `-C DIR`".to_owned()),
            Error::UnknownImage(error) => error.hint(),
            Error::Archive(error) => error.hint(),
            Error::Store(error) => error.hint(),
            Error::Engine(error) => error.hint(),
            Error::Manifest { .. } | Error::Read { .. } | Error::Write { .. } => None,
            Error::NothingBuilt { image } => Some(format!(
                "run `plywood build{}`",
                image.as_ref().map_or(String::new(), |image| format!(" {image}"))
            )),
            Error::NotInspectable { .. } => {
                Some("write them with `--output oci:DIR` or `--output oci-archive:FILE`".to_owned())
            }
            Error::Publish(error) => error.hint(),
            Error::Attest(error) => error.hint(),
            Error::Fetch(error) => error.hint(),
            Error::Subject(error) => error.hint(),
            Error::Layout(error) => error.hint(),
            Error::Mirror(_) => None,
            Error::NotBuilt { .. } | Error::Threads(_) => None,
            Error::Lock(error) => error.hint(),
            Error::Build(error) => error.hint(),
            Error::Nix(error) => error.hint(),
            Error::Push(error) => error.hint(),
            Error::Bundle(error) => error.hint(),
        }
    }

    /// Whether what was asked for is wrong (the command line or `plywood.toml`), so that trying again cannot help.
    pub fn is_usage(&self) -> bool {
        match self {
            Error::NoManifest { .. } | Error::Manifest { .. } | Error::UnknownImage(_) => true,
            Error::ImageExists { .. } | Error::NoStorePath { .. } => true,
            Error::Lock(error) => error.is_usage(),
            Error::Push(error) => error.is_usage(),
            Error::Why(error) => error.is_usage(),
            Error::Publish(error) => error.is_usage(),
            Error::Attest(error) => error.is_usage(),
            Error::Subject(error) => error.is_usage(),
            Error::Bundle(error) => error.is_usage(),
            _ => false,
        }
    }
}
