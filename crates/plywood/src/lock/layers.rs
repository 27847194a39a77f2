//! The layout of all images of one platform.

use std::collections::BTreeSet;

use plywood_core::image::package_key;
use plywood_core::layering::{ImageInput, ItemInfo, LayerBudget, LayerInput, Layout, Volatility, plan};
use plywood_core::lockfile::{LockedPackage, Lockfile};
use plywood_core::manifest::ResolvedImage;
use plywood_core::platform::Platform;

use super::LockError;

/// Layers that are not in the layout: the image's generated state.
const GENERATED_LAYERS: usize = 1;

/// Lays out the locked packages of all images, keeping to `previous` where that still holds.
pub(super) fn lay_out(
    lock: &Lockfile,
    images: &[&ResolvedImage],
    platform: Platform,
    previous: Option<&Layout>,
) -> Result<Layout, LockError> {
    let mut input = LayerInput { previous: previous.cloned(), ..LayerInput::default() };
    for image in images {
        let Some(packages) = lock.packages_of(image.name.as_str(), platform) else { continue };
        let mut items = BTreeSet::new();
        for (_, package) in packages {
            let (Some(package), Some(source)) = (package, &image.debian) else { continue };
            let key = package_key(source, image.compression, &package.name);
            input.items.entry(key.clone()).or_insert_with(|| info(package));
            items.insert(key);
        }
        input.images.push(ImageInput {
            name: image.name.to_string(),
            parent: image.parents.last().map(ToString::to_string),
            within: BTreeSet::new(),
            items,
            budget: LayerBudget { max_layers: usize::from(image.layers.get()), reserved: GENERATED_LAYERS },
        });
    }
    plan(&input).map_err(|source| LockError::Plan { platform, source })
}

fn info(package: &LockedPackage) -> ItemInfo {
    ItemInfo {
        // The archive's estimate counts documentation, too; the size of the package alone would not tell text from code.
        size: package.installed_size.saturating_mul(1024),
        group: package.source.to_string(),
        kind: "package",
        volatility: Volatility::default(),
    }
}
