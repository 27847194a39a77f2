//! The index over images.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::json::{parse, rule};
use super::{Descriptor, MediaType, ParseDocumentError};
use crate::platform::Platform;

/// Leads to manifests, by platform or by name (OCI image-spec, "Image Index").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIndex {
    schema_version: u32,
    /// OCI's type; absent only in indexes of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What kind of artifact it is, if it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// What the index leads to.
    pub manifests: Vec<Descriptor>,
    /// What it is attached to: signatures and attestations name their image (OCI 1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Notes on the whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl ImageIndex {
    /// As many descriptors as are read from an index.
    pub const MAX_MANIFESTS: usize = 16 * 1024;

    /// An index of these manifests.
    pub fn new(manifests: Vec<Descriptor>, annotations: BTreeMap<String, String>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MediaType::IMAGE_INDEX),
            artifact_type: None,
            manifests,
            subject: None,
            annotations,
        }
    }

    /// Parses an index, OCI's or Docker's.
    ///
    /// # Errors
    /// When it is too large, no index, or breaks a rule of the specification.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseDocumentError> {
        const WHAT: &str = "image index";
        let index: Self = parse(WHAT, bytes)?;
        rule(WHAT, index.schema_version == 2, "`schemaVersion` is 2")?;
        let typed = index.media_type.as_ref().is_none_or(MediaType::is_index);
        rule(WHAT, typed, "`mediaType` is that of an index")?;
        rule(WHAT, index.manifests.len() <= Self::MAX_MANIFESTS, "there are at most 16384 manifests")?;
        Ok(index)
    }

    /// The descriptor for a platform.
    pub fn for_platform(&self, platform: Platform) -> Option<&Descriptor> {
        let is =
            |descriptor: &&Descriptor| descriptor.platform.as_ref().and_then(|spec| spec.known()) == Some(platform);
        self.manifests.iter().find(is)
    }
}
