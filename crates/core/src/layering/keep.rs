//! Keeping to the previous layout.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use super::image_set::ImageSet;
use super::plan::{Draft, Images, Places};
use super::{Layout, LayoutLayer};
use crate::item::ItemKey;

/// Layers by their items, with their places in the previous layout.
type Kept<'i> = BTreeMap<Vec<&'i ItemKey>, Places>;

/// The items that some images, all tied to each other, have in one layer or another.
type Open<'i> = BTreeMap<ImageSet, BTreeSet<&'i ItemKey>>;

/// The layers that stay from the previous layout, and for each image the items that have no layer yet.
///
/// What tied images share they have in one layer, so such images are asked together where an item was. A layer that
/// only some of them still have whole is split between those that have this part of it and those that have that: no
/// order of looking at images decides, and nothing has to be mended afterwards.
pub(super) fn keep_previous<'i>(
    images: &Images<'i>,
    previous: Option<&'i Layout>,
) -> (Vec<Draft<'i>>, Vec<BTreeSet<&'i ItemKey>>) {
    let previous = Previous::new(images, previous);
    let mut kept = Kept::new();
    let mut uncovered = vec![BTreeSet::new(); images.names.len()];
    for (tied, items) in together(images) {
        let mut open = BTreeSet::new();
        let mut layers: BTreeMap<usize, BTreeSet<&ItemKey>> = BTreeMap::new();
        for item in items {
            match previous.layer_of(images, &tied, item) {
                Some(layer) => _ = layers.entry(layer).or_default().insert(item),
                None => _ = open.insert(item),
            }
        }
        for (layer, items) in layers {
            previous.keep(images, layer, &tied, &items, &mut kept);
        }
        for layer in previous.reusable(&mut open) {
            let items = previous.layers[layer].items.iter().collect();
            previous.keep(images, layer, &tied, &items, &mut kept);
        }
        tied.iter().for_each(|image| uncovered[image].extend(&open));
    }
    let draft = |(items, places): (Vec<&'i ItemKey>, Places)| {
        images.draft(places.values().flat_map(ImageSet::iter).collect(), items, places)
    };
    (kept.into_iter().map(draft).collect(), uncovered)
}

/// Every item under each set of tied images that have it.
fn together<'i>(images: &Images<'i>) -> Open<'i> {
    let mut users: BTreeMap<&ItemKey, ImageSet> = BTreeMap::new();
    for (image, items) in images.items.iter().enumerate() {
        items.iter().for_each(|item| users.entry(item).or_default().insert(image));
    }
    let mut parts: BTreeMap<ImageSet, Vec<ImageSet>> = BTreeMap::new();
    let mut open = Open::new();
    for (item, users) in users {
        let parts = parts.entry(users).or_insert_with_key(|users| images.ties.parts(users));
        for part in parts {
            open.entry(part.clone()).or_default().insert(item);
        }
    }
    open
}

/// The previous layout, as it can be asked.
struct Previous<'i> {
    layers: &'i [LayoutLayer],
    /// For each layer the first with the same items: images that disagree on the order each mention one of their own.
    same: Vec<usize>,
    /// For each image of now the layer that had an item of it.
    places: Vec<BTreeMap<&'i ItemKey, usize>>,
}

impl<'i> Previous<'i> {
    fn new(images: &Images<'i>, layout: Option<&'i Layout>) -> Self {
        let layers = layout.map_or(&[][..], |layout| &layout.layers);
        let mut first: BTreeMap<&[ItemKey], usize> = BTreeMap::new();
        let same = layers.iter().enumerate().map(|(at, layer)| *first.entry(&layer.items).or_insert(at)).collect();
        let places = images.names.iter().map(|name| {
            let own = layers.iter().enumerate().filter(|(_, layer)| layer.images.contains(*name));
            own.flat_map(|(at, layer)| layer.items.iter().map(move |item| (item, at))).collect()
        });
        Self { layers, same, places: places.collect() }
    }

    /// The layer that an item stays in for these images. Where they had it in different ones, the image with the fewest
    /// items decides: whoever has all of those can have its layers, but not the other way round.
    fn layer_of(&self, images: &Images<'i>, tied: &ImageSet, item: &ItemKey) -> Option<usize> {
        let places = tied.iter().filter_map(|image| Some((images.items[image].len(), image, self.place(image, item)?)));
        places.min().map(|(_, _, at)| self.same[at])
    }

    fn place(&self, image: usize, item: &ItemKey) -> Option<usize> {
        self.places[image].get(item).copied()
    }

    /// Layers of whichever images that hold nothing foreign, for items without one; in the previous order.
    fn reusable(&self, open: &mut BTreeSet<&'i ItemKey>) -> Vec<usize> {
        let mut reused = Vec::new();
        for (at, layer) in self.layers.iter().enumerate() {
            if !layer.items.is_empty() && layer.items.iter().all(|item| open.contains(item)) {
                open.retain(|item| !layer.items.contains(item));
                reused.push(at);
            }
        }
        reused
    }

    /// Keeps what is left of a layer, in its order; each image at the place where it mentioned the layer.
    fn keep(
        &self,
        images: &Images<'i>,
        layer: usize,
        tied: &ImageSet,
        items: &BTreeSet<&ItemKey>,
        kept: &mut Kept<'i>,
    ) {
        let left: Vec<&ItemKey> = self.layers[layer].items.iter().filter(|item| items.contains(item)).collect();
        let own = |image: usize| {
            let places = left.iter().filter_map(|item| self.place(image, item));
            places.filter(|at| self.same[*at] == layer).min()
        };
        let first = tied.iter().filter_map(own).min().unwrap_or(layer);
        for image in tied.iter() {
            // A chain mentions a layer once, where its lowest image does.
            let below = |image: &usize| images.parents[*image].filter(|parent| tied.contains(*parent));
            let lowest = successors(Some(image), below).last().unwrap_or(image);
            let at = own(lowest).unwrap_or(first);
            kept.entry(left.clone()).or_default().entry(at).or_default().insert(image);
        }
    }
}
