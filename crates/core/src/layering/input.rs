//! What the planner decides from.

use std::collections::{BTreeMap, BTreeSet};

use super::Layout;
use crate::item::ItemKey;

/// All that decides a layout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerInput {
    /// The images, in any order.
    pub images: Vec<ImageInput>,
    /// What is known of each item that an image names.
    pub items: BTreeMap<ItemKey, ItemInfo>,
    /// The layout to keep to; `None` plans afresh.
    pub previous: Option<Layout>,
}

/// An image and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInput {
    /// Its name.
    pub name: String,
    /// The image of the workspace it is `from`; all items of that one are its own too, named here or not.
    pub parent: Option<String>,
    /// The images that must have every layer of this one that holds an item of theirs: a runtime is within the images
    /// for development that have all it has. They need not be on one chain.
    pub within: BTreeSet<String>,
    /// Its items.
    pub items: BTreeSet<ItemKey>,
    /// How many layers it may have.
    pub budget: LayerBudget,
}

/// How many layers an image may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerBudget {
    /// The most layers, counted over the whole chain.
    pub max_layers: usize,
    /// How many of them are kept for what is not in the layout: a base from a registry, files, generated state.
    pub reserved: usize,
}

impl LayerBudget {
    /// The most layers that overlayfs and Docker's classic store take with some to spare.
    pub const MAX_LAYERS: usize = 120;

    /// How many layers items may fill.
    pub fn for_items(self) -> usize {
        self.max_layers.saturating_sub(self.reserved)
    }
}

impl Default for LayerBudget {
    fn default() -> Self {
        Self { max_layers: 64, reserved: 2 }
    }
}

/// What is known of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemInfo {
    /// Its uncompressed size in bytes, or any measure in proportion to it.
    pub size: u64,
    /// What changes together, such as a source package; items of one group are placed together.
    pub group: String,
    /// What it is, such as a package or a store path; only a budget brings items of different kinds into one layer.
    pub kind: &'static str,
    /// How often it changes.
    pub volatility: Volatility,
}

/// How often an item changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    /// Hardly ever within a release: essential packages.
    Base,
    /// Now and then: most packages of a stable release.
    #[default]
    Stable,
    /// Most times that pins move: browsers, interpreters under active support, the workspace's own builds.
    Frequent,
}

impl Volatility {
    /// From a count of changes and the number of updates they were counted over.
    pub fn from_history(changes: usize, updates: usize) -> Self {
        match changes {
            _ if updates < 4 => Self::Stable,
            0 => Self::Base,
            _ if changes * 4 >= updates => Self::Frequent,
            _ => Self::Stable,
        }
    }

    /// The chance that an item stays as it is when pins move, in units of 1/65536.
    pub(super) fn stays(self) -> u64 {
        match self {
            Self::Base => CERTAIN * 97 / 100,
            Self::Stable => CERTAIN * 92 / 100,
            Self::Frequent => CERTAIN * 60 / 100,
        }
    }
}

/// The chance of what is certain.
pub(super) const CERTAIN: u64 = 1 << 16;
