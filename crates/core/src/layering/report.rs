//! What a layout costs.

use std::collections::{BTreeMap, BTreeSet};

use super::Layout;
use super::input::LayerInput;
use crate::item::ItemKey;

/// The figures of a layout; sizes are in bytes as the input gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayoutReport {
    /// Each different layer once: what registries, containerd and podman store.
    pub bytes_by_content: u64,
    /// Each different chain of layers once: what Docker's classic store keeps.
    pub bytes_by_chain: u64,
    /// All images without any sharing.
    pub bytes_unshared: u64,
    /// Items that are in more than one different layer, the price of keeping layers where they are.
    pub duplicates: Vec<Duplicate>,
    /// The images by name.
    pub images: BTreeMap<String, ImageFigures>,
    /// Items whose layer differs from the one that the previous layout gave them.
    pub moved: BTreeSet<ItemKey>,
}

/// An item that is in more than one different layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The item.
    pub item: ItemKey,
    /// In how many different layers it is.
    pub layers: usize,
    /// Its size times the layers beyond the first, in bytes.
    pub extra_bytes: u64,
}

/// The figures of one image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageFigures {
    /// Its layers of items.
    pub layers: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Those of them that another image has too, in bytes.
    pub shared_bytes: u64,
}

/// Counts what a layout costs.
pub fn report(input: &LayerInput, layout: &Layout) -> LayoutReport {
    let size_of = |items: &[ItemKey]| items.iter().filter_map(|item| input.items.get(item)).map(|info| info.size).sum();
    let mut users: BTreeMap<&[ItemKey], BTreeSet<&str>> = BTreeMap::new();
    for layer in &layout.layers {
        users.entry(&layer.items).or_default().extend(layer.images.iter().map(String::as_str));
    }
    let mut report =
        LayoutReport { bytes_by_content: users.keys().map(|items| size_of(items)).sum(), ..Default::default() };
    let mut chains: BTreeSet<Vec<&[ItemKey]>> = BTreeSet::new();
    for image in &input.images {
        let figures = report.images.entry(image.name.clone()).or_default();
        let mut chain: Vec<&[ItemKey]> = Vec::new();
        for layer in layout.layers_of(&image.name) {
            let bytes: u64 = size_of(&layer.items);
            figures.layers += 1;
            figures.bytes += bytes;
            figures.shared_bytes += if users[layer.items.as_slice()].len() > 1 { bytes } else { 0 };
            chain.push(&layer.items);
            report.bytes_by_chain += if chains.insert(chain.clone()) { bytes } else { 0 };
        }
        report.bytes_unshared += figures.bytes;
    }
    report.duplicates = duplicates(input, users.keys().copied());
    report.moved = input.previous.as_ref().map(|previous| moved(previous, layout)).unwrap_or_default();
    report
}

fn duplicates<'l>(input: &LayerInput, layers: impl Iterator<Item = &'l [ItemKey]>) -> Vec<Duplicate> {
    let mut counts: BTreeMap<&ItemKey, usize> = BTreeMap::new();
    layers.flatten().for_each(|item| *counts.entry(item).or_default() += 1);
    let size = |item| input.items.get(item).map_or(0, |info| info.size);
    counts
        .into_iter()
        .filter(|(_, layers)| *layers > 1)
        .map(|(item, layers)| Duplicate { item: item.clone(), layers, extra_bytes: size(item) * (layers as u64 - 1) })
        .collect()
}

/// Items that an image had in one layer and now has in one with other items.
fn moved(previous: &Layout, layout: &Layout) -> BTreeSet<ItemKey> {
    let places = |layout: &'_ Layout| -> BTreeMap<(String, ItemKey), Vec<ItemKey>> {
        let of = |layer: &super::LayoutLayer| {
            let pairs =
                layer.images.iter().flat_map(|image| layer.items.iter().map(|item| (image.clone(), item.clone())));
            pairs.map(|pair| (pair, layer.items.clone())).collect::<Vec<_>>()
        };
        layout.layers.iter().flat_map(of).collect()
    };
    let now = places(layout);
    places(previous)
        .into_iter()
        .filter(|(pair, items)| now.get(pair).is_some_and(|place| place != items))
        .map(|((_, item), _)| item)
        .collect()
}
