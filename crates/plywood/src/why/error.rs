//! Why there is no answer.

use plywood_core::nix::StorePath;
use plywood_oci::segment::SegmentError;
use plywood_oci::store::StoreError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// Nothing is locked.
    #[error("there is no plywood.lock")]
    NoLock,
    /// The image has no such thing.
    #[error("the image `{image}` has no `{what}`")]
    Nothing {
        /// The image.
        image: String,
        /// What was asked for.
        what: String,
        /// What it has under the most similar name.
        suggestion: Option<String>,
    },
    /// A path can only be looked for in what was built.
    #[error("cannot look for {path}: the image `{image}` was not built on this machine")]
    NotBuilt {
        /// The image.
        image: String,
        /// The path.
        path: String,
    },
    /// A segment cannot be read.
    #[error("cannot look into {path}")]
    Look {
        /// The store path.
        path: StorePath,
        /// Why.
        #[source]
        source: SegmentError,
    },
    /// The cache cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl WhyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoLock => Some("run `plywood lock`".to_owned()),
            Self::Nothing { suggestion: Some(suggestion), .. } => Some(format!("it has `{suggestion}`")),
            Self::Nothing { .. } => Some("name a store path, its hash, a package, or a path in the image".to_owned()),
            Self::NotBuilt { image, .. } => Some(format!("run `plywood build {image}` first")),
            Self::Look { .. } => None,
            Self::Store(error) => error.hint(),
        }
    }

    /// Whether the question is wrong, so that asking again cannot help.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Nothing { .. })
    }
}
