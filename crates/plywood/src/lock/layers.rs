//! The layout of all images of one platform.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::image::nix::{
    ImageClosure, StorePathKey, image_closure, platform_keys, renamed_keys, split_store_path_item, store_path_item,
};
use plywood_core::image::package_key;
use plywood_core::item::ItemKey;
use plywood_core::layering::{ImageInput, ItemInfo, LayerBudget, LayerInput, Layout, Volatility, plan};
use plywood_core::lockfile::{LockedNixPlatform, LockedPackage, Lockfile};
use plywood_core::manifest::ResolvedImage;
use plywood_core::nix::StorePath;
use plywood_core::platform::Platform;

use super::LockError;

/// Layers that are not in the layout: the image's generated state.
const GENERATED_LAYERS: usize = 1;

/// A layout, and the store paths that it speaks of.
#[derive(Debug, Clone)]
pub(crate) struct PreviousLayout {
    layout: Layout,
    keys: BTreeMap<StorePath, StorePathKey>,
}

impl PreviousLayout {
    /// The layout of a platform in a lock.
    pub(crate) fn of(lock: &Lockfile, platform: Platform) -> Option<Self> {
        let layout = lock.layouts.get(&platform)?.clone();
        Some(Self { layout, keys: lock.nix_of(platform).map(platform_keys).unwrap_or_default() })
    }

    /// The layout by the keys that its store paths have now.
    fn renamed(self, now: &BTreeMap<StorePath, StorePathKey>) -> Layout {
        let renamed = renamed_keys(&self.keys, now);
        let mut layout = self.layout;
        for item in layout.layers.iter_mut().flat_map(|layer| &mut layer.items) {
            if let Some((kind, key)) = split_store_path_item(item)
                && let Some(key) = renamed.get(key)
            {
                *item = ItemKey(format!("{kind}:{key}"));
            }
        }
        layout
    }
}

/// Lays out what is locked for all images, keeping to `previous` where that still holds.
pub(crate) fn lay_out(
    lock: &Lockfile,
    images: &[&ResolvedImage],
    platform: Platform,
    previous: Option<PreviousLayout>,
) -> Result<Layout, LockError> {
    let nix = lock.nix_of(platform);
    let keys = nix.map(platform_keys).unwrap_or_default();
    let previous = previous.map(|previous| previous.renamed(&keys));
    let mut input = LayerInput { previous, ..LayerInput::default() };
    let mut closures: Vec<(&ResolvedImage, ImageClosure)> = Vec::new();
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
            budget: LayerBudget {
                max_layers: usize::from(image.layers.get()),
                reserved: GENERATED_LAYERS + base_layers(lock, image, platform),
            },
        });
        // What is not locked here yet, a later lock adds to the layout.
        let closure = nix.and_then(|locked| image_closure(&image.nix, locked).ok());
        closures.push((image, closure.unwrap_or_default()));
    }
    if let Some(locked) = nix {
        add_store_paths(&mut input, &closures, locked, &keys);
    }
    plan(&input).map_err(|source| LockError::Plan { platform, source })
}

/// How many layers an image has from outside of the workspace.
pub(super) fn base_layers(lock: &Lockfile, image: &ResolvedImage, platform: Platform) -> usize {
    let base = image.base.as_ref().and_then(|base| lock.bases.get(&base.reference)?.get(&platform));
    base.map_or(0, |base| base.layers.len())
}

/// Adds the store paths of images, which are in the order of the input's, and says which image is within which.
fn add_store_paths(
    input: &mut LayerInput,
    closures: &[(&ResolvedImage, ImageClosure)],
    locked: &LockedNixPlatform,
    keys: &BTreeMap<StorePath, StorePathKey>,
) {
    let used: BTreeSet<&StorePath> = closures.iter().flat_map(|(_, closure)| &closure.runtime).collect();
    let roots: BTreeSet<&StorePath> =
        closures.iter().flat_map(|(_, closure)| closure.roots.iter().map(|root| &root.path)).collect();
    for ((image, closure), there) in closures.iter().zip(&mut input.images) {
        for path in closure.paths() {
            let (Some(key), Some(path_locked)) = (keys.get(path), locked.paths.get(path)) else { continue };
            let item = store_path_item(key, image.compression);
            let info = || ItemInfo {
                size: path_locked.nar_size,
                group: key.package.clone(),
                kind: if used.contains(path) { "store path" } else { "store path for nix develop" },
                volatility: match path_locked.references.iter().all(|reference| reference == path) {
                    // What a person asks for is what a person updates; what nothing else is needed for changes least.
                    _ if roots.contains(path) => Volatility::Frequent,
                    true => Volatility::Base,
                    false => Volatility::Stable,
                },
            };
            input.items.entry(item.clone()).or_insert_with(info);
            there.items.insert(item);
        }
    }
    let within: Vec<BTreeSet<String>> = closures.iter().map(|one| within(one, closures)).collect();
    for (there, within) in input.images.iter_mut().zip(within) {
        there.within = within;
    }
}

/// The images that have every store path of this one, compressed alike.
fn within(one: &(&ResolvedImage, ImageClosure), closures: &[(&ResolvedImage, ImageClosure)]) -> BTreeSet<String> {
    let (image, closure) = one;
    let paths: BTreeSet<&StorePath> = closure.paths().collect();
    if paths.is_empty() {
        return BTreeSet::new();
    }
    let has_all = |(other, theirs): &&(&ResolvedImage, ImageClosure)| {
        let different = other.name != image.name && !image.parents.contains(&other.name);
        different
            && other.compression == image.compression
            && paths.iter().all(|path| theirs.runtime.contains(*path) || theirs.develop.contains(*path))
    };
    closures.iter().filter(has_all).map(|(other, _)| other.name.to_string()).collect()
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
