//! Why images could not be published.

use camino::Utf8PathBuf;
use plywood_core::digest::Digest;
use plywood_core::manifest::RenderTagError;
use plywood_core::oci::{ParseDocumentError, ParseReferenceError};
use plywood_core::platform::Platform;
use plywood_oci::registry::RegistryError;

/// Why images could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Nobody says where to.
    #[error("the workspace names no registry")]
    NoRegistry,
    /// An image's name gives no repository.
    #[error("cannot name a repository for the image `{image}`")]
    Repository {
        /// The image.
        image: String,
        /// Why.
        source: ParseReferenceError,
    },
    /// What should be an image in a registry has no such name.
    #[error("`{text}` names no image in a registry")]
    Reference {
        /// What was given.
        text: String,
        /// Why.
        source: ParseReferenceError,
    },
    /// A tag cannot be made.
    #[error("cannot tag the image `{image}`")]
    Tag {
        /// The image.
        image: String,
        /// Why.
        source: RenderTagError,
    },
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What the registry has is no manifest.
    #[error("{reference} is no image")]
    Document {
        /// What was read.
        reference: String,
        /// Why.
        source: ParseDocumentError,
    },
    /// A report of another push cannot be read.
    #[error("{path} is no report of `plywood push --json`")]
    Report {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Two runners pushed different images for one platform.
    #[error("the reports have different images `{image}` for {platform}")]
    Contradiction {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
    },
    /// No runner pushed an image for a platform.
    #[error("no report has the image `{image}` for {platform}")]
    Missing {
        /// The image.
        image: String,
        /// The platform.
        platform: Platform,
    },
    /// A layer that the registry was said to have is nowhere.
    #[error("layer {blob} is in no repository of the workspace any more, nor in the cache")]
    Lost {
        /// The layer.
        blob: Digest,
    },
    /// Tags would name what is not whole.
    #[error("{reference} names {missing}, which is not in the registry")]
    Incomplete {
        /// The image.
        reference: String,
        /// What is missing.
        missing: String,
    },
    /// An image was named without a digest where one must be meant.
    #[error("nothing says which `{image}` is to be promoted")]
    NoDigest {
        /// The image.
        image: String,
    },
    /// A list of what is deployed has a line that names no image: it may be what is left of one that must stay.
    #[error("`{name}` in {path} names no image")]
    Deployed {
        /// The list.
        path: Utf8PathBuf,
        /// What it has.
        name: String,
    },
    /// An image of another commit was to get its tags back, and all tags are of a commit, date or version.
    #[error("no tag of `{image}` stays from push to push, so there is none to move back")]
    NoStandingTag {
        /// The image.
        image: String,
    },
}

impl PublishError {
    /// What might help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRegistry => Some("set `registry` in [workspace], or give --registry".to_owned()),
            Self::Reference { .. } => Some("name it as `IMAGE@sha256:…` or `REGISTRY/REPOSITORY@sha256:…`".to_owned()),
            Self::Tag { source, .. } => source.hint(),
            Self::Registry(error) => error.hint(),
            Self::Missing { platform, .. } => Some(format!(
                "push it with `plywood push --platform {platform} --untagged --json` and give that report too"
            )),
            Self::Contradiction { .. } => Some("push all platforms from the same commit and lock".to_owned()),
            Self::Incomplete { .. } => Some("push it again: `plywood push` uploads what is missing".to_owned()),
            Self::Lost { .. } => {
                Some("push again without --trust-registry and without [publish] keys, which builds it".to_owned())
            }
            Self::NoDigest { image } => Some(format!(
                "name it as `{image}@sha256:…`, give `--to sha256:…`, or the report of `plywood push --untagged --json`"
            )),
            Self::NoStandingTag { .. } => Some("name the tag with `--tag`".to_owned()),
            _ => None,
        }
    }

    /// Whether what was asked for is wrong, so that trying again cannot help.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoRegistry
                | Self::Repository { .. }
                | Self::Reference { .. }
                | Self::NoDigest { .. }
                | Self::Deployed { .. }
                | Self::NoStandingTag { .. }
        )
    }
}
