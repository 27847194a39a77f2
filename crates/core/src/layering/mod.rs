//! The planner: which item goes to which layer, and a checker that proves a plan valid.

mod variant;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::item::ItemKey;
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
