//! Descriptors: what names a blob.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MediaType;
use crate::digest::Digest;
use crate::platform::Platform;

/// Names a blob by digest, size and type (OCI image-spec, "Content Descriptors").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The blob's type.
    pub media_type: MediaType,
    /// The blob's digest.
    pub digest: Digest,
    /// The blob's size in bytes.
    pub size: u64,
    /// Notes on the blob.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// In an index: what the image runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformSpec>,
    /// The type of an artifact that the descriptor leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
}

impl Descriptor {
    /// Names a blob, without annotations or platform.
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self { media_type, digest, size, annotations: BTreeMap::new(), platform: None, artifact_type: None }
    }

    /// Names the blob of these bytes.
    pub fn of(media_type: MediaType, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// The same with one annotation more.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: impl Into<String>) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }
}

/// What an image runs on, as an index says it; unlike [`Platform`] it may be one plywood makes no images for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformSpec {
    /// Go's name of the architecture.
    pub architecture: String,
    /// Go's name of the operating system.
    pub os: String,
    /// The version of the operating system, for Windows.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The architecture's variant, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl From<Platform> for PlatformSpec {
    fn from(platform: Platform) -> Self {
        Self {
            architecture: platform.architecture().to_owned(),
            os: "linux".to_owned(),
            os_version: None,
            variant: platform.variant().map(str::to_owned),
        }
    }
}

impl PlatformSpec {
    /// The platform of plywood's that this is; a missing variant of arm64 stands for `v8`.
    pub fn known(&self) -> Option<Platform> {
        Platform::ALL.into_iter().find(|platform| {
            self.os == "linux"
                && self.architecture == platform.architecture()
                && (self.variant.is_none() || self.variant.as_deref() == platform.variant())
        })
    }
}
