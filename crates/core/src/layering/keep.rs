//! Keeping to the previous layout.

use std::collections::{BTreeMap, BTreeSet};

use super::Layout;
use super::image_set::ImageSet;
use super::plan::{Draft, Images};
use crate::item::ItemKey;

/// Layers by their items, with their place in the previous layout.
type Kept<'i> = BTreeMap<(usize, Vec<&'i ItemKey>), ImageSet>;

/// The layers that stay from the previous layout, and for each image the items that have no layer yet.
pub(super) fn keep_previous<'i>(
    images: &Images<'i>,
    previous: Option<&'i Layout>,
) -> (Vec<Draft<'i>>, Vec<BTreeSet<&'i ItemKey>>) {
    let mut kept = Kept::new();
    let mut uncovered: Vec<BTreeSet<&ItemKey>> = Vec::new();
    let layers = previous.map_or(&[][..], |layout| &layout.layers);
    for image in 0..images.names.len() {
        // What the parent has, it has in the same layers; what the parent needs a layer for, it needs one for too.
        let mut open = images.items[image].clone();
        let mut waiting = BTreeSet::new();
        if let Some(parent) = images.parents[image] {
            waiting = uncovered[parent].clone();
            open.retain(|item| !waiting.contains(item));
            for ((_, items), users) in kept.iter_mut().filter(|(_, users)| users.contains(parent)) {
                users.insert(image);
                open.retain(|item| !items.contains(item));
            }
        }
        keep_own(images, image, layers, &mut open, &mut kept);
        reuse(image, layers, &mut open, &mut kept);
        open.append(&mut waiting);
        uncovered.push(open);
    }
    let drafts = kept.into_iter().map(|((at, items), users)| images.draft(users, items, Some(at))).collect();
    (drafts, uncovered)
}

/// The image's own layers stay; one that has items which the image lost goes on without them.
fn keep_own<'i>(
    images: &Images<'_>,
    image: usize,
    layers: &'i [super::LayoutLayer],
    open: &mut BTreeSet<&'i ItemKey>,
    kept: &mut Kept<'i>,
) {
    for (at, layer) in layers.iter().enumerate() {
        if !layer.images.contains(images.names[image]) {
            continue;
        }
        let left: Vec<&ItemKey> = layer.items.iter().filter(|item| open.remove(item)).collect();
        if !left.is_empty() {
            kept.entry((at, left)).or_default().insert(image);
        }
    }
}

/// For items without a layer, those of other images that hold nothing foreign; in the previous order.
fn reuse<'i>(image: usize, layers: &'i [super::LayoutLayer], open: &mut BTreeSet<&'i ItemKey>, kept: &mut Kept<'i>) {
    for (at, layer) in layers.iter().enumerate() {
        if !layer.items.is_empty() && layer.items.iter().all(|item| open.contains(item)) {
            open.retain(|item| !layer.items.contains(item));
            kept.entry((at, layer.items.iter().collect())).or_default().insert(image);
        }
    }
}
