//! The order of layers.

use super::image_set::ImageSet;
use super::plan::{Draft, Images};

/// Orders layers: those of the previous layout as they were, then shared before particular, stable before volatile,
/// large before small; but every layer of an image before those that only its children have.
///
/// Two images that disagree on the order of two layers each get their own mention of one of them; its content, and so
/// its blob, is the same.
pub(super) fn in_order<'i>(images: &Images<'_>, drafts: Vec<Draft<'i>>) -> Vec<Draft<'i>> {
    let mut waiting: Vec<Draft<'i>> = drafts.into_iter().flat_map(mentions).collect();
    waiting.sort_by(|a, b| {
        let rank = |draft: &Draft<'_>| {
            let place = draft.previous.keys().next().copied();
            (place.is_none(), place, usize::MAX - draft.images.len())
        };
        rank(a)
            .cmp(&rank(b))
            .then_with(|| a.volatility.cmp(&b.volatility))
            .then_with(|| b.size.cmp(&a.size))
            .then_with(|| (&a.items, &a.images).cmp(&(&b.items, &b.images)))
    });
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        // How many layers each image still waits for.
        let mut open = vec![0usize; images.names.len()];
        waiting.iter().flat_map(|draft| draft.images.iter()).for_each(|image| open[image] += 1);
        let ready: Vec<ImageSet> = waiting.iter().map(|draft| ready_images(images, draft, &open)).collect();
        let whole = (0..waiting.len()).find(|at| ready[*at] == waiting[*at].images);
        // Images that are from none are always ready, so something is.
        let Some(at) = whole.or_else(|| ready.iter().position(|images| !images.is_empty())) else { break };
        let mut draft = waiting[at].clone();
        waiting[at].images = draft.images.without(&ready[at]);
        if waiting[at].images.is_empty() {
            waiting.remove(at);
        }
        draft.images = ready[at].clone();
        ordered.push(draft);
    }
    ordered
}

/// A layer once for each of its places in the previous layout.
fn mentions(draft: Draft<'_>) -> Vec<Draft<'_>> {
    if draft.previous.is_empty() {
        return vec![draft];
    }
    let at = |(place, images): (&usize, &ImageSet)| Draft {
        images: images.and(&draft.images),
        previous: [(*place, images.clone())].into(),
        ..draft.clone()
    };
    draft.previous.iter().map(at).filter(|draft| !draft.images.is_empty()).collect()
}

/// The images of a layer that may have it now: their parent has it with them, or has all its layers already.
fn ready_images(images: &Images<'_>, draft: &Draft<'_>, open: &[usize]) -> ImageSet {
    let mut ready = ImageSet::default();
    for image in draft.images.iter() {
        let may = match images.parents[image] {
            None => true,
            Some(parent) if draft.images.contains(parent) => ready.contains(parent),
            Some(parent) => open[parent] == 0,
        };
        if may {
            ready.insert(image);
        }
    }
    ready
}
