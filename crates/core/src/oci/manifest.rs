//! The manifest of an image.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::json::{parse, rule};
use super::{Descriptor, MediaType, ParseDocumentError};

/// What an image of one platform is made of (OCI image-spec, "Image Manifest").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    schema_version: u32,
    /// OCI's type; absent only in manifests of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What kind of artifact it is, if it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, bottom up.
    pub layers: Vec<Descriptor>,
    /// What it is attached to: signatures and attestations name their image (OCI 1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Notes on the image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl ImageManifest {
    /// As many layers as are read from a manifest; overlayfs mounts take far fewer.
    pub const MAX_LAYERS: usize = 1024;

    /// A manifest of these parts.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>, annotations: BTreeMap<String, String>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MediaType::IMAGE_MANIFEST),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations,
        }
    }

    /// Parses a manifest, OCI's or Docker's.
    ///
    /// # Errors
    /// When it is too large, no manifest, or breaks a rule of the specification.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseDocumentError> {
        const WHAT: &str = "image manifest";
        let manifest: Self = parse(WHAT, bytes)?;
        rule(WHAT, manifest.schema_version == 2, "`schemaVersion` is 2")?;
        let typed = manifest.media_type.as_ref().is_none_or(MediaType::is_manifest);
        rule(WHAT, typed, "`mediaType` is that of a manifest")?;
        rule(WHAT, manifest.layers.len() <= Self::MAX_LAYERS, "there are at most 1024 layers")?;
        Ok(manifest)
    }
}
