//! What a registry is known to have, so that it need not be made here.

use std::collections::BTreeMap;
use std::sync::Arc;

use plywood_core::item::ItemId;
use plywood_core::oci::Timestamp;
use plywood_oci::image::Image;
use plywood_oci::layer::{Layer, LayerKey};

use super::plan::{ImagePlan, PlannedItem};
use super::report::{BuiltPlatform, LayerOrigin};
use crate::lock::Ensured;

/// Images and layers that a trusted manifest of a registry names, by what they are made from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Whole images; their manifests are in the store.
    pub(crate) images: BTreeMap<ItemId, Image>,
    /// Layers whose blobs may be in the registry alone.
    pub(crate) layers: BTreeMap<LayerKey, Layer>,
}

impl Known {
    /// Whether a layer with only store paths is known, so that what is in it need not be fetched.
    pub(super) fn has_store_layer(&self, plan: &ImagePlan<'_>, items: &[PlannedItem]) -> bool {
        let Some(nix) = plan.nix.as_ref().filter(|_| !self.layers.is_empty()) else { return false };
        let ids = nix.items();
        let id = |item: &PlannedItem| match item {
            PlannedItem::StorePath(path) => ids.get(path).copied(),
            PlannedItem::Package(_) => None,
        };
        let items: Option<Vec<ItemId>> = items.iter().map(id).collect();
        items.is_some_and(|items| self.layers.contains_key(&LayerKey::of(&items, plan.codec)))
    }
}

/// What was made, for those who publish it.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// The lock that it was made from.
    pub(crate) ensured: Arc<Ensured>,
    /// `created` of the images.
    pub(crate) created: Timestamp,
}

/// An image with all platforms that were made.
#[derive(Debug, Clone)]
pub(crate) struct MadeImage {
    pub(crate) name: String,
    pub(crate) platforms: Vec<MadePlatform>,
}

/// An image on one platform.
#[derive(Debug, Clone)]
pub(crate) struct MadePlatform {
    /// Everything it is made from.
    pub(crate) key: ItemId,
    pub(crate) image: Image,
    pub(crate) built: BuiltPlatform,
}

/// Layers that are in the registry, as a report has them.
pub(super) fn with_origin(layers: &[Layer]) -> Vec<(Layer, LayerOrigin)> {
    let origin = |layer: &Layer| match layer.key {
        Some(_) => LayerOrigin::Registry,
        None => LayerOrigin::Inherited,
    };
    layers.iter().map(|layer| (layer.clone(), origin(layer))).collect()
}
