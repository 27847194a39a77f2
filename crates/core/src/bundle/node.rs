//! Manifests and indexes as what they lead to.

use crate::oci::distribution::{ManifestKind, UnclearManifestError};
use crate::oci::{Descriptor, ImageIndex, ImageManifest, MediaType, ParseDocumentError};

/// A manifest or index, as far as it leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestNode {
    /// Of an index: the manifests and indexes it is over, with their platforms.
    pub manifests: Vec<Descriptor>,
    /// Of a manifest: configuration and layers.
    pub blobs: Vec<Descriptor>,
    /// What it is attached to.
    pub subject: Option<Descriptor>,
    /// What kind of artifact it is; `None` for an image or an index of such.
    pub artifact_type: Option<MediaType>,
}

/// Why a document is refused.
#[derive(Debug, thiserror::Error)]
pub enum ParseNodeError {
    /// It is not clear what it is.
    #[error(transparent)]
    Unclear(#[from] UnclearManifestError),
    /// It is not valid.
    #[error(transparent)]
    Document(#[from] ParseDocumentError),
}

impl ManifestNode {
    /// Parses what is said to be of a type.
    ///
    /// # Errors
    /// When it is neither a manifest nor an index, could be taken for both, or is not valid.
    pub fn parse(media_type: &MediaType, bytes: &[u8]) -> Result<Self, ParseNodeError> {
        let (kind, _) = ManifestKind::of(Some(media_type), bytes)?;
        Ok(match kind {
            ManifestKind::Index => {
                let ImageIndex { manifests, subject, artifact_type, .. } = ImageIndex::parse(bytes)?;
                Self { manifests, blobs: Vec::new(), subject, artifact_type }
            }
            ManifestKind::Manifest => {
                let ImageManifest { config, layers, subject, artifact_type, .. } = ImageManifest::parse(bytes)?;
                let is_image = artifact_type.is_none() && config.media_type.is_config();
                let artifact_type = artifact_type.or_else(|| (!is_image).then(|| config.media_type.clone()));
                let blobs = [config].into_iter().chain(layers).collect();
                Self { manifests: Vec::new(), blobs, subject, artifact_type }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::oci::to_json;

    #[test]
    fn manifests_lead_to_blobs_and_indexes_to_manifests() {
        let config = Descriptor::of(MediaType::IMAGE_CONFIG, b"{}");
        let layer = Descriptor::of(MediaType::LAYER_TAR, b"layer");
        let manifest = ImageManifest::new(config.clone(), vec![layer.clone()], BTreeMap::new());
        let bytes = to_json(&manifest);
        let node = ManifestNode::parse(&MediaType::IMAGE_MANIFEST, &bytes).unwrap();
        assert_eq!((node.blobs, node.artifact_type), (vec![config.clone(), layer], None));
        assert!(ManifestNode::parse(&MediaType::IMAGE_INDEX, &bytes).is_err());
        let image = Descriptor::of(MediaType::IMAGE_MANIFEST, &bytes);
        let index = to_json(&ImageIndex::new(vec![image.clone()], BTreeMap::new()));
        assert_eq!(ManifestNode::parse(&MediaType::IMAGE_INDEX, &index).unwrap().manifests, [image]);
        let mut artifact = manifest;
        artifact.config.media_type = MediaType::EMPTY_JSON;
        let node = ManifestNode::parse(&MediaType::IMAGE_MANIFEST, &to_json(&artifact)).unwrap();
        assert_eq!(node.artifact_type, Some(MediaType::EMPTY_JSON));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for media_type in [MediaType::IMAGE_INDEX, MediaType::IMAGE_MANIFEST, MediaType::LAYER_TAR] {
                let _ = ManifestNode::parse(&media_type, &bytes);
            }
        }
    }
}
