//! The planner: which item goes to which layer, and a checker that proves a plan valid; what layers leave of a tree.
//!
//! The layout is joint over all images of a workspace. In this order of weight:
//! 1. An image has only its own items, and its chain starts with the item layers of the image it is `from`.
//! 2. An image that is within another, as production is within development, has only layers that the other has too, but
//!    for layers that hold nothing of the other's.
//! 3. An item stays in the layer that the previous layout gave it.
//! 4. Items used by the same images are together, so that a layer is shared by all that have its items.
//! 5. Big items and those that often change are alone, items of one source together: a layer is worth its place
//!    when it saves more bytes of updates than it costs.

mod check;
mod image_set;
mod input;
mod keep;
mod merge;
mod order;
mod overlay;
mod plan;
mod report;
mod settle;
#[cfg(test)]
mod tests;
mod ties;
mod variant;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::item::ItemKey;
pub use check::{LayoutFault, check};
pub use input::{ImageInput, ItemInfo, LayerBudget, LayerInput, Volatility};
pub use overlay::{Overlay, Restated};
pub use plan::{PlanError, plan};
pub use report::{Duplicate, ImageFigures, LayoutReport, report};
pub use settle::{ItemEntries, Settled, WHITEOUT, changed_entries, settle, settle_over};
pub use variant::{EntryChange, ItemChanges, generated_id};

/// The joint layout of all images of a workspace on one platform, as the lock stores it.
///
/// The layers of an image are those whose `images` name it, bottom up in the order of `layers`.
/// Generated state and the workspace's own files are not in it: each image adds them on top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The layers, bottom up.
    pub layers: Vec<LayoutLayer>,
}

/// One layer of a [`Layout`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutLayer {
    /// The images that have this layer, by name.
    pub images: BTreeSet<String>,
    /// The items in it, in order.
    pub items: Vec<ItemKey>,
}

impl Layout {
    /// The layers of an image, bottom up.
    pub fn layers_of<'l>(&'l self, image: &'l str) -> impl Iterator<Item = &'l LayoutLayer> {
        self.layers.iter().filter(move |layer| layer.images.contains(image))
    }
}
