//! Making a layout.

use std::collections::{BTreeMap, BTreeSet};

use super::image_set::ImageSet;
use super::input::{CERTAIN, ItemInfo, LayerInput, Volatility};
use super::keep::keep_previous;
use super::merge::{fit_budgets, leave_room, merge_cheap};
use super::order::in_order;
use super::ties::Ties;
use super::{Layout, LayoutLayer};
use crate::item::ItemKey;

/// Why there is no layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An image is `from` one that is not there.
    #[error("image `{image}` is from `{parent}`, which is not among the images")]
    UnknownParent {
        /// The image.
        image: String,
        /// What it names.
        parent: String,
    },
    /// Two images have one name.
    #[error("there are two images named `{image}`")]
    SameName {
        /// The name.
        image: String,
    },
    /// An image is within one that is not there.
    #[error("image `{image}` is within `{within}`, which is not among the images")]
    UnknownWithin {
        /// The image.
        image: String,
        /// What it names.
        within: String,
    },
    /// An image is `from` itself, directly or not.
    #[error("image `{image}` is from itself")]
    ParentCycle {
        /// One of the images in the circle.
        image: String,
    },
    /// Nothing is known of an item.
    #[error("image `{image}` has item `{item}`, of which nothing is known")]
    UnknownItem {
        /// The image.
        image: String,
        /// The item.
        item: ItemKey,
    },
    /// The layers do not fit.
    #[error("image `{image}` cannot have fewer than {needed} layers of items, and its budget leaves {limit}")]
    Budget {
        /// The image.
        image: String,
        /// The fewest layers that could be reached.
        needed: usize,
        /// What the budget leaves for items.
        limit: usize,
    },
}

impl PlanError {
    /// What might help.
    pub fn hint(&self) -> Option<String> {
        matches!(self, Self::Budget { .. }).then(|| "raise the image's layer budget".to_owned())
    }
}

/// Lays out the items of all images. Equal input gives an equal layout, whatever the order of its images.
///
/// # Errors
/// When the input names what is not there, or an image cannot fit its budget.
pub fn plan(input: &LayerInput) -> Result<Layout, PlanError> {
    let images = Images::new(input)?;
    let (kept, uncovered) = keep_previous(&images, input.previous.as_ref());
    let mut layers = kept;
    layers.extend(merge_cheap(new_layers(&images, &uncovered)));
    leave_room(&images, &mut layers);
    fit_budgets(&images, &mut layers)?;
    Ok(images.layout(in_order(&images, layers)))
}

/// The images by number: an image comes after the one it is from, else by name.
pub(super) struct Images<'i> {
    pub(super) names: Vec<&'i str>,
    pub(super) parents: Vec<Option<usize>>,
    /// Each image's items, its parent's among them.
    pub(super) items: Vec<BTreeSet<&'i ItemKey>>,
    /// How many layers the items of each image may fill.
    pub(super) limits: Vec<usize>,
    /// Which of them have what they share in the same layers.
    pub(super) ties: Ties,
    pub(super) infos: &'i BTreeMap<ItemKey, ItemInfo>,
}

/// Places in the previous layout, each with the images that have a layer there.
pub(super) type Places = BTreeMap<usize, ImageSet>;

/// A layer while planning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft<'i> {
    pub(super) images: ImageSet,
    pub(super) items: Vec<&'i ItemKey>,
    pub(super) size: u64,
    /// The chance that none of its items changes, in units of 1/65536.
    pub(super) stays: u64,
    pub(super) volatility: Volatility,
    /// What all of its items are; `None` when they are not all the same.
    pub(super) kind: Option<&'static str>,
    /// Its places in the previous layout, when it is from there: images that disagree on the order have it in several.
    pub(super) previous: Places,
}

impl<'i> Images<'i> {
    fn new(input: &'i LayerInput) -> Result<Self, PlanError> {
        let mut waiting = BTreeMap::new();
        for image in &input.images {
            if waiting.insert(image.name.as_str(), image).is_some() {
                return Err(PlanError::SameName { image: image.name.clone() });
            }
        }
        let known: BTreeSet<&str> = waiting.keys().copied().collect();
        let ties = Ties::none(input.images.len());
        let mut images =
            Self { names: vec![], parents: vec![], items: vec![], limits: vec![], ties, infos: &input.items };
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        while let Some((name, _)) = waiting.first_key_value() {
            let ready =
                |image: &&&super::ImageInput| image.parent.as_deref().is_none_or(|name| numbers.contains_key(name));
            let Some(image) = waiting.values().find(ready).copied() else {
                let orphan = waiting.values().find_map(|image| Some((image, image.parent.as_deref()?)));
                return Err(match orphan.filter(|(_, parent)| !known.contains(parent)) {
                    Some((image, parent)) => {
                        PlanError::UnknownParent { image: image.name.clone(), parent: parent.to_owned() }
                    }
                    None => PlanError::ParentCycle { image: (*name).to_owned() },
                });
            };
            waiting.remove(image.name.as_str());
            if let Some(item) = image.items.iter().find(|item| !input.items.contains_key(*item)) {
                return Err(PlanError::UnknownItem { image: image.name.clone(), item: item.clone() });
            }
            let parent = image.parent.as_deref().and_then(|name| numbers.get(name).copied());
            let mut items: BTreeSet<&ItemKey> = image.items.iter().collect();
            items.extend(parent.into_iter().flat_map(|parent| images.items[parent].iter().copied()));
            numbers.insert(&image.name, images.names.len());
            images.names.push(&image.name);
            images.parents.push(parent);
            images.items.push(items);
            images.limits.push(image.budget.for_items());
        }
        images.tie(input, &numbers)?;
        Ok(images)
    }

    /// Ties each image to the one it is from and to those it is within.
    fn tie(&mut self, input: &LayerInput, numbers: &BTreeMap<&str, usize>) -> Result<(), PlanError> {
        for (image, parent) in self.parents.iter().enumerate() {
            parent.iter().for_each(|parent| self.ties.tie(image, *parent));
        }
        for image in &input.images {
            for within in &image.within {
                let unknown = || PlanError::UnknownWithin { image: image.name.clone(), within: within.clone() };
                let number = |name: &str| numbers.get(name).copied().ok_or_else(unknown);
                self.ties.tie(number(&image.name)?, number(within)?);
            }
        }
        Ok(())
    }

    /// A layer of these items.
    pub(super) fn draft(&self, images: ImageSet, items: Vec<&'i ItemKey>, previous: Places) -> Draft<'i> {
        let mut kinds = items.iter().filter_map(|item| self.infos.get(*item)).map(|info| info.kind);
        let kind = kinds.next().filter(|first| kinds.all(|kind| kind == *first));
        let mut draft = Draft { images, items, size: 0, stays: CERTAIN, volatility: Volatility::Base, kind, previous };
        // One group changes as one, as often as its most volatile item.
        let mut groups: BTreeMap<&str, Volatility> = BTreeMap::new();
        for info in draft.items.iter().filter_map(|item| self.infos.get(*item)) {
            draft.size += info.size;
            let volatility = groups.entry(&info.group).or_insert(Volatility::Base);
            *volatility = info.volatility.max(*volatility);
        }
        for volatility in groups.into_values() {
            draft.stays = draft.stays * volatility.stays() / CERTAIN;
            draft.volatility = draft.volatility.max(volatility);
        }
        draft
    }

    fn layout(&self, drafts: Vec<Draft<'_>>) -> Layout {
        let layer = |draft: Draft<'_>| LayoutLayer {
            images: draft.images.iter().map(|image| self.names[image].to_owned()).collect(),
            items: draft.items.into_iter().cloned().collect(),
        };
        Layout { layers: drafts.into_iter().map(layer).collect() }
    }
}

/// A layer for each group of items that the same images still need.
fn new_layers<'i>(images: &Images<'i>, uncovered: &[BTreeSet<&'i ItemKey>]) -> Vec<Draft<'i>> {
    let mut users: BTreeMap<&ItemKey, ImageSet> = BTreeMap::new();
    for (image, items) in uncovered.iter().enumerate() {
        items.iter().for_each(|item| users.entry(item).or_default().insert(image));
    }
    let mut groups: BTreeMap<(ImageSet, (&str, &str)), Vec<&ItemKey>> = BTreeMap::new();
    for (item, users) in users {
        let group = images.infos.get(item).map_or(("", ""), |info| (info.kind, info.group.as_str()));
        groups.entry((users, group)).or_default().push(item);
    }
    groups.into_iter().map(|((users, _), items)| images.draft(users, items, Places::new())).collect()
}
