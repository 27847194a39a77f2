//! Proving a layout valid, without trust in the planner.

use std::collections::{BTreeMap, BTreeSet};

use super::input::{ImageInput, LayerInput};
use super::{Layout, LayoutLayer};
use crate::item::ItemKey;

/// What is wrong with a layout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LayoutFault {
    /// An image has an item in none of its layers.
    #[error("image `{image}` has item `{item}` in no layer")]
    Missing {
        /// The image.
        image: String,
        /// The item.
        item: ItemKey,
    },
    /// An image has an item more than once.
    #[error("image `{image}` has item `{item}` more than once")]
    Twice {
        /// The image.
        image: String,
        /// The item.
        item: ItemKey,
    },
    /// A layer of an image has an item that is not the image's.
    #[error("image `{image}` has a layer with item `{item}`, which is not its own")]
    Foreign {
        /// The image.
        image: String,
        /// The item.
        item: ItemKey,
    },
    /// A layer names an image that is not there.
    #[error("a layer is of image `{image}`, which is not among the images")]
    UnknownImage {
        /// The image.
        image: String,
    },
    /// A layer has no items or no images.
    #[error("layer {at} is of no image or has no items")]
    Empty {
        /// Its place in the layout, from 0.
        at: usize,
    },
    /// An image has too many layers.
    #[error("image `{image}` has {layers} layers of items, and its budget leaves {limit}")]
    OverBudget {
        /// The image.
        image: String,
        /// How many layers it has.
        layers: usize,
        /// How many its budget leaves for items.
        limit: usize,
    },
    /// An image's chain does not start with that of its parent.
    #[error("the layers of image `{image}` do not start with those of `{parent}`")]
    NotOnParent {
        /// The image.
        image: String,
        /// What it is from.
        parent: String,
    },
    /// An image lacks a layer of one that is within it.
    #[error("image `{within}` has item `{item}` in another layer than image `{image}`, which is within it")]
    NotWithin {
        /// The image that is within the other.
        image: String,
        /// The image that should have its layer.
        within: String,
        /// The first item of theirs in the layer.
        item: ItemKey,
    },
}

/// Checks that a layout is one for this input.
///
/// # Errors
/// Every fault, in order.
pub fn check(input: &LayerInput, layout: &Layout) -> Result<(), Vec<LayoutFault>> {
    let images: BTreeMap<&str, &ImageInput> = input.images.iter().map(|image| (image.name.as_str(), image)).collect();
    let mut faults = BTreeSet::new();
    for (at, layer) in layout.layers.iter().enumerate() {
        if layer.images.is_empty() || layer.items.is_empty() {
            faults.insert(LayoutFault::Empty { at });
        }
        let unknown = layer.images.iter().filter(|image| !images.contains_key(image.as_str()));
        faults.extend(unknown.map(|image| LayoutFault::UnknownImage { image: image.clone() }));
    }
    for image in images.values() {
        check_items(&images, image, layout, &mut faults);
        check_chain(image, layout, &mut faults);
        check_within(image, layout, &mut faults);
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.into_iter().collect()) }
}

fn check_items(
    images: &BTreeMap<&str, &ImageInput>,
    image: &ImageInput,
    layout: &Layout,
    faults: &mut BTreeSet<LayoutFault>,
) {
    let mut missing = BTreeSet::new();
    let mut next = Some(image);
    // As many steps as there are images: a circle of parents ends too.
    for _ in 0..images.len() {
        let Some(of) = next else { break };
        missing.extend(&of.items);
        next = of.parent.as_deref().and_then(|parent| images.get(parent).copied());
    }
    let own = missing.clone();
    for item in layout.layers_of(&image.name).flat_map(|layer| &layer.items) {
        let (image, item) = (image.name.clone(), item);
        if !own.contains(item) {
            faults.insert(LayoutFault::Foreign { image, item: item.clone() });
        } else if !missing.remove(item) {
            faults.insert(LayoutFault::Twice { image, item: item.clone() });
        }
    }
    let fault = |item: &ItemKey| LayoutFault::Missing { image: image.name.clone(), item: item.clone() };
    faults.extend(missing.into_iter().map(fault));
}

fn check_chain(image: &ImageInput, layout: &Layout, faults: &mut BTreeSet<LayoutFault>) {
    let chain: Vec<&LayoutLayer> = layout.layers_of(&image.name).collect();
    let limit = image.budget.for_items();
    if chain.len() > limit {
        faults.insert(LayoutFault::OverBudget { image: image.name.clone(), layers: chain.len(), limit });
    }
    if let Some(parent) = &image.parent {
        let below: Vec<&LayoutLayer> = layout.layers_of(parent).collect();
        if !chain.starts_with(&below) {
            faults.insert(LayoutFault::NotOnParent { image: image.name.clone(), parent: parent.clone() });
        }
    }
}

fn check_within(image: &ImageInput, layout: &Layout, faults: &mut BTreeSet<LayoutFault>) {
    for within in &image.within {
        let there: BTreeSet<&[ItemKey]> = layout.layers_of(within).map(|layer| layer.items.as_slice()).collect();
        let theirs: BTreeSet<&ItemKey> = there.iter().copied().flatten().collect();
        let apart = layout.layers_of(&image.name).filter(|layer| !there.contains(layer.items.as_slice()));
        for item in apart.filter_map(|layer| layer.items.iter().find(|item| theirs.contains(item))) {
            let (image, within, item) = (image.name.clone(), within.clone(), item.clone());
            faults.insert(LayoutFault::NotWithin { image, within, item });
        }
    }
}
