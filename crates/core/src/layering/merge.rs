//! Joining layers: where one costs more than it saves, and where an image has too many.

use std::collections::BTreeMap;

use super::image_set::ImageSet;
use super::input::{CERTAIN, Volatility};
use super::plan::{Draft, Images, PlanError};

/// What a layer costs whoever pulls it, in bytes: a request, a mount, a place in the budget.
const LAYER_COST: u64 = 64 << 10;

/// Joins new layers of the same images as long as the expected bytes of an update grow by less than a layer costs.
pub(super) fn merge_cheap(drafts: Vec<Draft<'_>>) -> Vec<Draft<'_>> {
    let mut cells: BTreeMap<(ImageSet, Option<&str>, Volatility), Vec<Draft<'_>>> = BTreeMap::new();
    for draft in drafts {
        cells.entry((draft.images.clone(), draft.kind, draft.volatility)).or_default().push(draft);
    }
    let mut merged = Vec::new();
    for mut cell in cells.into_values() {
        // Of layers that change equally often the two smallest are the cheapest to join.
        cell.sort_by(|a, b| (b.size, &b.items).cmp(&(a.size, &a.items)));
        while let [.., larger, smaller] = cell.as_slice()
            && joining_cost(larger, smaller) < LAYER_COST * CERTAIN
            && let (Some(smaller), Some(larger)) = (cell.pop(), cell.pop())
        {
            let joined = join(&larger, &smaller, larger.images.clone());
            let at = cell.partition_point(|other| (other.size, &other.items) > (joined.size, &joined.items));
            cell.insert(at, joined);
        }
        merged.append(&mut cell);
    }
    merged
}

/// Joins layers until every image fits its budget.
///
/// New layers are joined before those of the previous layout, layers of the same images before layers that only some
/// images have both of: those then hold the items twice.
pub(super) fn fit_budgets(images: &Images<'_>, drafts: &mut Vec<Draft<'_>>) -> Result<(), PlanError> {
    for image in 0..images.names.len() {
        let limit = images.limits[image];
        let needed = join_down_to(images, drafts, image, limit, true);
        if needed > limit {
            return Err(PlanError::Budget { image: images.names[image].to_owned(), needed, limit });
        }
    }
    Ok(())
}

/// Joins new layers of the same images until a tenth of each budget is free: room for packages to come, which would
/// otherwise have to go into layers that are there.
pub(super) fn leave_room(images: &Images<'_>, drafts: &mut Vec<Draft<'_>>) {
    for image in 0..images.names.len() {
        let limit = images.limits[image];
        join_down_to(images, drafts, image, limit - limit.div_ceil(10), false);
    }
}

/// Joins the cheapest layers of an image until it has at most `limit`; says how many it has then.
fn join_down_to(
    images: &Images<'_>,
    drafts: &mut Vec<Draft<'_>>,
    image: usize,
    limit: usize,
    whatever_it_costs: bool,
) -> usize {
    loop {
        let count = drafts.iter().filter(|draft| draft.images.contains(image)).count();
        if count <= limit {
            return count;
        }
        let Some((a, b, together)) = cheapest_pair(images, drafts, image) else { return count };
        let (first, second) = (&drafts[a], &drafts[b]);
        let moves = |draft: &Draft<'_>| !draft.previous.is_empty() || draft.images != together;
        if (moves(first) || moves(second) || first.kind != second.kind) && !whatever_it_costs {
            return count;
        }
        join_in(drafts, a, b, together);
    }
}

/// Two layers by their places, and the images that then have them joined.
type Pair = (usize, usize, ImageSet);

/// Whether a layer of the previous layout is touched, whether items of different kinds meet, then the cost.
type Weight = (bool, bool, u64);

/// The two layers of an image that cost the least to join, and the images that then have them joined.
fn cheapest_pair(images: &Images<'_>, drafts: &[Draft<'_>], image: usize) -> Option<Pair> {
    let candidates = smallest_of_each_kind(drafts, image);
    let mut joinable = Joinable { images, image, known: BTreeMap::new() };
    let mut best: Option<(Weight, Pair)> = None;
    for (nth, &(a, rank)) in candidates.iter().enumerate() {
        for &(b, other_rank) in &candidates[nth + 1..] {
            let (first, second) = (&drafts[a], &drafts[b]);
            // Joining across sets of images doubles items, so there only the very smallest come into question.
            if first.images != second.images && rank.max(other_rank) > 1 {
                continue;
            }
            let moves = !(first.previous.is_empty() && second.previous.is_empty());
            let together = joinable.images(&first.images, &second.images, moves);
            if !together.contains(image) {
                continue;
            }
            let twice = |draft: &Draft<'_>| if draft.images == together { 0 } else { draft.size };
            let cost =
                (twice(first) + twice(second)).saturating_mul(CERTAIN).saturating_add(joining_cost(first, second));
            let weight = (moves, first.kind != second.kind, cost);
            if best.as_ref().is_none_or(|(least, _)| weight < *least) {
                best = Some((weight, (a, b, together)));
            }
        }
    }
    best.map(|(_, pair)| pair)
}

/// The layers of an image that come into question for joining: of those of the same images that change equally often
/// the smallest, each with its rank among them. (With all of them the result is hardly better, but the time is cubic.)
fn smallest_of_each_kind(drafts: &[Draft<'_>], image: usize) -> Vec<(usize, usize)> {
    const ENOUGH: usize = 40;
    let mut kinds: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.images.contains(image)) {
        kinds.entry((&draft.images, draft.kind, draft.volatility, !draft.previous.is_empty())).or_default().push(at);
    }
    let by_size = |at: &usize| (drafts[*at].size, &drafts[*at].items);
    let mut candidates = Vec::new();
    for mut kind in kinds.into_values() {
        kind.sort_by(|a, b| by_size(a).cmp(&by_size(b)));
        candidates.extend(kind.into_iter().take(ENOUGH).enumerate().map(|(rank, at)| (at, rank)));
    }
    candidates.sort_by(|(a, _), (b, _)| by_size(a).cmp(&by_size(b)));
    candidates
}

/// Which images may have two layers of one image joined.
struct Joinable<'d> {
    images: &'d Images<'d>,
    image: usize,
    known: BTreeMap<(ImageSet, ImageSet, bool), ImageSet>,
}

impl Joinable<'_> {
    /// Of the images that have both layers those that may have them as one: whoever is tied to them and has one of the
    /// two has both, and joins as well. When that moves a layer of the previous layout, no more than must are moved.
    fn images(&mut self, first: &ImageSet, second: &ImageSet, moves: bool) -> ImageSet {
        let (ties, image) = (&self.images.ties, self.image);
        let find = || {
            let (either, both) = (first.or(second), first.and(second));
            let parts = if moves { vec![ties.part_of(image, &either)] } else { ties.parts(&either) };
            let parts = parts.iter().filter(|part| part.without(&both).is_empty());
            parts.flat_map(ImageSet::iter).collect()
        };
        self.known.entry((first.clone(), second.clone(), moves)).or_insert_with(find).clone()
    }
}

/// Joins two layers for some images; the others keep them apart.
fn join_in(drafts: &mut Vec<Draft<'_>>, a: usize, b: usize, together: ImageSet) {
    let (first, second) = (drafts[a].clone(), drafts[b].clone());
    let (larger, smaller) = if first.size >= second.size { (&first, &second) } else { (&second, &first) };
    let joined = join(larger, smaller, together.clone());
    for at in [a, b] {
        drafts[at].images = drafts[at].images.without(&together);
    }
    drafts.retain(|draft| !draft.images.is_empty());
    drafts.push(joined);
}

fn join<'i>(larger: &Draft<'i>, smaller: &Draft<'i>, images: ImageSet) -> Draft<'i> {
    let place = larger.previous.keys().chain(smaller.previous.keys()).min();
    Draft {
        previous: place.map(|place| (*place, images.clone())).into_iter().collect(),
        images,
        items: larger.items.iter().chain(&smaller.items).copied().collect(),
        size: larger.size + smaller.size,
        stays: larger.stays * smaller.stays / CERTAIN,
        volatility: larger.volatility.max(smaller.volatility),
        kind: larger.kind.filter(|kind| smaller.kind == Some(kind)),
    }
}

/// By how many bytes joining makes an update larger on average, in units of 1/65536: each layer is then pulled also
/// when it stays and the other changes.
fn joining_cost(a: &Draft<'_>, b: &Draft<'_>) -> u64 {
    let alone = |stays: &Draft<'_>, changes: &Draft<'_>| {
        (stays.size * stays.stays / CERTAIN).saturating_mul(CERTAIN - changes.stays)
    };
    alone(a, b).saturating_add(alone(b, a))
}
