//! What a registry is known to have, so that it need not be made here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plywood_core::item::{ItemId, ItemKey};
use plywood_core::nix::StorePath;
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
    /// The store paths of an image that are in layers of store paths alone that are known: they need not be fetched.
    pub(super) fn store_paths<'p>(&self, plan: &'p ImagePlan<'_>) -> BTreeSet<&'p StorePath> {
        let Some(nix) = plan.nix.as_ref().filter(|_| !self.layers.is_empty()) else { return BTreeSet::new() };
        let ids = nix.items();
        let path = |(_, item): &'p (ItemKey, PlannedItem)| match item {
            PlannedItem::StorePath(path) => Some((path, *ids.get(path)?)),
            PlannedItem::Package(_) => None,
        };
        let mut paths = BTreeSet::new();
        for layer in &plan.layers {
            let Some(items) = layer.items.iter().map(path).collect::<Option<Vec<_>>>() else { continue };
            let key = LayerKey::of(&items.iter().map(|(_, id)| *id).collect::<Vec<_>>(), plan.codec);
            if self.layers.contains_key(&key) {
                paths.extend(items.into_iter().map(|(path, _)| path));
            }
        }
        paths
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

/// Layers as a report has them: those of plywood's own making are from `origin`, the others from a base.
pub(super) fn with_origin(layers: &[Layer], origin: LayerOrigin) -> Vec<(Layer, LayerOrigin)> {
    let origin = |layer: &Layer| match layer.key {
        Some(_) => origin,
        None => LayerOrigin::Inherited,
    };
    layers.iter().map(|layer| (layer.clone(), origin(layer))).collect()
}
