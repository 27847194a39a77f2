//! The file system of an image in a layout.

use plywood_core::digest::DiffId;
use plywood_core::layering::Overlay;
use plywood_core::oci::Descriptor;
use plywood_core::tree::Tree;

use super::{ImageLayout, LayoutError, LayoutImage};
use crate::codec::LayerCompression;
use crate::unpacked::{LayerRef, UnpackLimits, UnpackedLayer, unpack};

/// Files up to this size have their bytes in the tree, in bytes.
const MAX_SMALL: u64 = 256 << 10;
/// All contents that are kept of one image, in bytes.
const MAX_KEPT: u64 = 256 << 20;

impl ImageLayout {
    /// The file system that the image's layers show, with every layer's digest and diff ID verified.
    ///
    /// Files of up to 256 KiB and those of databases have their bytes in the tree; others are named by an item id made from the
    /// layer's diff ID, for comparison only.
    ///
    /// # Errors
    /// When a layer is missing, damaged, or of a type that is not read.
    pub fn tree(&self, image: &LayoutImage) -> Result<Tree, LayoutError> {
        let mut overlay = Overlay::default();
        let layers = image.manifest.layers.iter().zip(&image.config.rootfs.diff_ids);
        let mut limits = UnpackLimits { kept: MAX_KEPT, small: MAX_SMALL, ..UnpackLimits::default() };
        for (layer, diff_id) in layers {
            let unpacked = self.unpack(layer, *diff_id, &limits)?;
            limits.kept = limits.kept.saturating_sub(unpacked.kept_size());
            unpacked.apply(&mut overlay)?;
        }
        Ok(overlay.to_tree())
    }

    fn unpack(&self, layer: &Descriptor, diff_id: DiffId, limits: &UnpackLimits) -> Result<UnpackedLayer, LayoutError> {
        let (digest, media_type) = (layer.digest, layer.media_type.clone());
        let compression = LayerCompression::of(&media_type).ok_or(LayoutError::MediaType { digest, media_type })?;
        let layer_ref = LayerRef { digest, size: layer.size, diff_id, compression };
        Ok(unpack(self.raw_blob(layer)?, &layer_ref, limits)?)
    }
}
