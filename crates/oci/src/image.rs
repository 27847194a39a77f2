//! Images: layers with a configuration.

use std::collections::BTreeMap;

use plywood_core::oci::{Descriptor, ImageConfig, ImageIndex, ImageManifest, MediaType, PlatformSpec, to_json};
use plywood_core::platform::Platform;

use serde::{Deserialize, Serialize};

use crate::layer::Layer;
use crate::store::{Store, StoreError};

/// An image of one platform whose blobs are in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Names the manifest, with the platform.
    pub manifest: Descriptor,
    /// Names the configuration; its digest is Docker's image ID.
    pub config: Descriptor,
    /// The layers, bottom up.
    pub layers: Vec<Layer>,
}

impl Image {
    /// Puts the image's configuration and manifest into the store. The layers decide the configuration's diff IDs.
    ///
    /// # Errors
    /// When a blob cannot be written.
    pub fn assemble(
        store: &Store,
        platform: Platform,
        mut config: ImageConfig,
        layers: Vec<Layer>,
        annotations: BTreeMap<String, String>,
    ) -> Result<Self, StoreError> {
        config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
        let config = to_json(&config);
        store.put_blob(&config)?;
        let config = Descriptor::of(MediaType::IMAGE_CONFIG, &config);
        let descriptors = layers.iter().map(Layer::descriptor).collect();
        let manifest = to_json(&ImageManifest::new(config.clone(), descriptors, annotations));
        store.put_blob(&manifest)?;
        let mut manifest = Descriptor::of(MediaType::IMAGE_MANIFEST, &manifest);
        manifest.platform = Some(PlatformSpec::from(platform));
        Ok(Self { manifest, config, layers })
    }
}

/// Puts an index over images of several platforms into the store.
///
/// # Errors
/// When the blob cannot be written.
pub fn assemble_index(
    store: &Store,
    images: &[Image],
    annotations: BTreeMap<String, String>,
) -> Result<Descriptor, StoreError> {
    let manifests = images.iter().map(|image| image.manifest.clone()).collect();
    let index = to_json(&ImageIndex::new(manifests, annotations));
    store.put_blob(&index)?;
    Ok(Descriptor::of(MediaType::IMAGE_INDEX, &index))
}
