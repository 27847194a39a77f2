//! What is said of an image's layers, and whether they are too large.

use plywood_core::item::ItemKey;
use plywood_oci::layer::Layer;

use super::BuildError;
use super::plan::{ImagePlan, PlannedItem, PlannedLayer};
use super::report::{BuiltLayer, LayerOrigin};

/// The layers of an image, bottom up.
pub(super) fn describe(plan: &ImagePlan<'_>, layers: &[(Layer, LayerOrigin)]) -> Vec<BuiltLayer> {
    let own = || [plan.image.name.to_string()].into();
    let inherited = layers.iter().filter(|(_, origin)| *origin == LayerOrigin::Inherited).map(|_| (own(), Vec::new()));
    let planned = plan.layers.iter().map(|layer| {
        let items: Vec<_> = layer.items.iter().map(|(key, _)| key.clone()).collect();
        (layer.images.clone(), items)
    });
    let with_state = inherited.chain(planned).chain([(own(), Vec::new())]);
    let describe = |((layer, origin), (images, items)): (&(Layer, LayerOrigin), (_, Vec<_>))| BuiltLayer {
        digest: layer.digest,
        diff_id: layer.diff_id,
        compressed_size: layer.size,
        uncompressed_size: layer.uncompressed_size,
        reason: match (origin, &plan.base) {
            (LayerOrigin::Inherited, Some((base, _))) => format!("as it is in {base}"),
            _ => reason(items.len()),
        },
        items,
        images,
        origin: *origin,
    };
    layers.iter().zip(with_state).map(describe).collect()
}

/// Why the items of a layer are together; who shares it is said beside it.
fn reason(items: usize) -> String {
    match items {
        0 => "users, files and state of this image alone",
        1 => "large or often changing, so that an update of it moves nothing else",
        _ => "the same images have them; small, or from one source and changing together",
    }
    .to_owned()
}

/// What the lines of history say of the layers that are the image's own, bottom up.
pub(super) fn comments(plan: &ImagePlan<'_>) -> Vec<String> {
    let names = |layer: &PlannedLayer| -> Vec<String> { layer.items.iter().map(|item| name(plan, item)).collect() };
    let planned = plan.layers.iter().map(|layer| comment(&names(layer)));
    planned.chain(["users, files and state".to_owned()]).collect()
}

/// An item by a name that does not depend on what else is locked.
fn name(plan: &ImagePlan<'_>, (key, item): &(ItemKey, PlannedItem)) -> String {
    let of_key = || key.0.rsplit(['/', ':']).next().unwrap_or(&key.0).to_owned();
    match item {
        PlannedItem::Package(_) => of_key(),
        PlannedItem::StorePath(path) => {
            let planned = plan.nix.as_ref().and_then(|nix| nix.paths.get(path));
            planned.map_or_else(of_key, |planned| planned.name.clone())
        }
    }
}

fn comment(names: &[String]) -> String {
    /// As many items are named; more would only be noise in `podman history`.
    const NAMED: usize = 4;
    match names.len().checked_sub(NAMED) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names.get(..NAMED).unwrap_or_default().join(", ")),
    }
}

/// Holds the layers against the size limit of the manifest.
pub(super) fn check_size(plan: &ImagePlan<'_>, layers: &[BuiltLayer]) -> Result<(), BuildError> {
    let size: u64 = layers.iter().map(|layer| layer.compressed_size).sum();
    match plan.image.size_limit {
        Some(limit) if size > limit.0 => Err(BuildError::TooLarge {
            image: plan.image.name.to_string(),
            platform: plan.platform,
            size,
            limit: limit.0,
        }),
        _ => Ok(()),
    }
}
