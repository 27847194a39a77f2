//! Why a lock cannot be made.

use camino::Utf8PathBuf;
use plywood_core::debian::deb::DebError;
use plywood_core::debian::packages_index::PackagesIndexError;
use plywood_core::debian::resolver::{ParseRequestError, ResolveError};
use plywood_core::layering::PlanError;
use plywood_core::lockfile::{LockfileError, LockfileProblem};
use plywood_core::platform::Platform;
use plywood_oci::store::StoreError;

use crate::debian::{ConfigError, FetchError};
use crate::nix::eval::EvalError;
use crate::pull::PullError;

/// Why a lock cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The lock that is there cannot be read.
    #[error("cannot use {path}")]
    Parse {
        /// The lock file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: LockfileError,
    },
    /// With `--locked`: there is no lock, or it does not fit the manifest.
    #[error("the lock is not up to date: {reason}")]
    OutOfDate {
        /// What is different.
        reason: String,
    },
    /// The archive cannot be read.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The manifest's archives cannot be used as they are described.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An index of packages cannot be read.
    #[error("cannot read the packages of {archive} {suite}")]
    Index {
        /// The archive.
        archive: String,
        /// The suite.
        suite: String,
        /// Why.
        #[source]
        source: PackagesIndexError,
    },
    /// The cache cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An image outside of the workspace cannot be built on.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// What is installed in a base cannot be read.
    #[error("cannot read the packages of `{base}`")]
    BaseIndex {
        /// The base.
        base: String,
        /// Why.
        #[source]
        source: PackagesIndexError,
    },
    /// A base does not say which suite its packages are of.
    #[error("cannot choose the packages of the image `{image}`: its base says of no suite that it is of it")]
    NoSuite {
        /// The image.
        image: String,
    },
    /// A package of the manifest is not one that can be asked for.
    #[error("cannot ask for the packages of the image `{image}`")]
    Request {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: ParseRequestError,
    },
    /// The packages of an image do not go together.
    #[error("cannot choose the packages of the image `{image}` for {platform}")]
    Resolve {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
        /// Why.
        #[source]
        source: ResolveError,
    },
    /// An archive says of a package what cannot be.
    #[error("cannot lock the package `{package}`: {what}")]
    Package {
        /// The package.
        package: String,
        /// What is wrong with it.
        what: String,
    },
    /// Two archives say different things of one package.
    #[error("cannot lock the packages of the image `{image}`")]
    Contradiction {
        /// The image.
        image: String,
        /// Why.
        #[source]
        source: LockfileProblem,
    },
    /// The manifest vouches for scripts of a package that the image does not have.
    #[error("`scripts` of the image `{image}` names `{package}`, which is not in the image")]
    ScriptsOfNothing {
        /// The image.
        image: String,
        /// The package.
        package: String,
    },
    /// A downloaded package cannot be opened.
    #[error("cannot open {path}")]
    OpenDeb {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The scripts that the manifest vouches for cannot be read.
    #[error("cannot read the maintainer scripts of {package}")]
    Scripts {
        /// The package.
        package: String,
        /// Why.
        #[source]
        source: DebError,
    },
    /// The packages do not fit the layers.
    #[error("cannot lay out the layers for {platform}")]
    Plan {
        /// The platform.
        platform: Platform,
        /// Why.
        #[source]
        source: PlanError,
    },
    /// Nix cannot say what sets and shells are.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A part is asked for that the manifest does not have.
    #[error("there is no `{subject}` in plywood.toml")]
    UnknownSubject {
        /// The part as asked for.
        subject: String,
    },
}

impl LockError {
    /// Whether what was asked for is wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::UnknownSubject { .. } | Self::Eval(EvalError::NoInput { .. }))
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Parse { source, .. } => source.hint(),
            Self::OutOfDate { .. } => Some("run `plywood lock` and commit plywood.lock".to_owned()),
            Self::Fetch(source) => source.hint(),
            Self::Pull(source) => source.hint(),
            Self::Store(source) => source.hint(),
            Self::NoSuite { image } => Some(format!("name it: [images.{image}.debian] with suite = \"…\"")),
            Self::Config(source) => source.hint(),
            Self::Resolve { source, .. } => source.hint(),
            Self::Eval(source) => source.hint(),
            Self::UnknownSubject { .. } => Some("there are images.NAME, sets.NAME and shells.NAME".to_owned()),
            Self::Contradiction { source, .. } => source.hint(),
            Self::Plan { source, .. } => source.hint(),
            Self::ScriptsOfNothing { .. } => Some("take it out of `scripts`, or add it to `packages`".to_owned()),
            Self::Scripts { source, .. } => source.hint(),
            _ => None,
        }
    }
}

impl From<EvalError> for crate::Error {
    fn from(error: EvalError) -> Self {
        LockError::Eval(error).into()
    }
}
