//! What a build has to do for one image on one platform: everything decided, nothing done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plywood_core::debian::deb::{FilterAction, PathFilter, PathFilters};
use plywood_core::image::package_key;
use plywood_core::item::ItemKey;
use plywood_core::lockfile::{LockedBase, LockedScript, Lockfile};
use plywood_core::manifest::{BaseReference, Compression, ResolvedImage};
use plywood_core::nix::StorePath;
use plywood_core::platform::Platform;
use plywood_oci::codec::Codec;

use super::BuildError;
use super::nix_plan::{self, NixPlan};
use super::packages::WantedDeb;
use crate::lock::deb_ref;

/// One image on one platform.
#[derive(Debug)]
pub(crate) struct ImagePlan<'m> {
    pub(crate) image: &'m ResolvedImage,
    pub(crate) platform: Platform,
    pub(crate) codec: Codec,
    /// Its packages in the order of installation.
    pub(crate) packages: Vec<WantedDeb>,
    /// The names of those that the manifest asks for.
    pub(crate) requested: BTreeSet<String>,
    /// The packages whose scripts are run or left out, by name.
    pub(crate) scripts: BTreeMap<String, LockedScript>,
    /// The image outside of the workspace that it is built on.
    pub(crate) base: Option<(&'m BaseReference, LockedBase)>,
    /// What it has of Nix; `None` without sets and shell.
    pub(crate) nix: Option<NixPlan>,
    /// The layers of packages and store paths, bottom up.
    pub(crate) layers: Vec<PlannedLayer>,
}

/// A layer of packages and store paths.
#[derive(Debug)]
pub(crate) struct PlannedLayer {
    /// The images that have it.
    pub(crate) images: BTreeSet<String>,
    /// Its items.
    pub(crate) items: Vec<(ItemKey, PlannedItem)>,
}

/// An item of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlannedItem {
    /// A package, by its place in [`ImagePlan::packages`].
    Package(usize),
    /// A store path of [`ImagePlan::nix`].
    StorePath(StorePath),
}

/// Reads the plan of an image out of the lock.
///
/// # Errors
/// [`BuildError::Platform`], or [`BuildError::NotLocked`] when the lock was tampered with.
pub(crate) fn plan<'m>(
    image: &'m ResolvedImage,
    platform: Platform,
    lock: &Lockfile,
) -> Result<ImagePlan<'m>, BuildError> {
    if !image.platforms.contains(&platform) {
        return Err(BuildError::Platform { image: image.name.to_string(), platform });
    }
    let not_locked = |what: String| BuildError::NotLocked { image: image.name.to_string(), platform, what };
    let codec = codec(image.compression);
    let filters = Arc::new(filters(image));
    let mut packages = Vec::new();
    let mut requested = BTreeSet::new();
    let mut places = BTreeMap::new();
    let locked = lock.packages_of(image.name.as_str(), platform).ok_or_else(|| not_locked("packages".to_owned()))?;
    for (used, package) in locked {
        let package = package.ok_or_else(|| not_locked(format!("package {}", used.package)))?;
        if used.requested {
            requested.insert(package.name.to_string());
        }
        let source = image.debian.as_ref().ok_or_else(|| not_locked("archive".to_owned()))?;
        let key = package_key(source, image.compression, &package.name);
        places.insert(key, PlannedItem::Package(packages.len()));
        packages.push(WantedDeb {
            deb: deb_ref(package, platform, lock.date, source.distribution.as_deref()),
            filters: filters.clone(),
            codec,
        });
    }
    let nix = nix_plan::from_lock(image, platform, lock).map_err(not_locked)?;
    for (path, planned) in nix.iter().flat_map(|nix| &nix.paths) {
        places.insert(planned.key.clone(), PlannedItem::StorePath(path.clone()));
    }
    let layout = lock.layouts.get(&platform).ok_or_else(|| not_locked("layout".to_owned()))?;
    let mut layers = Vec::new();
    for layer in layout.layers_of(image.name.as_str()) {
        let items = layer.items.iter().map(|key| {
            let place =
                places.remove(key).ok_or_else(|| not_locked(format!("package or store path for the item {key}")))?;
            Ok::<_, BuildError>((key.clone(), place))
        });
        layers.push(PlannedLayer { images: layer.images.clone(), items: items.collect::<Result<_, _>>()? });
    }
    if let Some(key) = places.into_keys().next() {
        return Err(not_locked(format!("layer for the item {key}")));
    }
    let scripts = scripts(image, platform, lock);
    let base = match &image.base {
        None => None,
        Some(base) => {
            let locked = lock.base(&base.reference, platform).ok_or_else(|| not_locked("base".to_owned()))?;
            Some((&base.reference, locked.clone()))
        }
    };
    // Packages of a base that are asked for are not locked, for they are not installed; apt is told all the same.
    requested.extend(image.packages.iter().map(|package| package.request.value.name.to_string()));
    Ok(ImagePlan { image, platform, codec, packages, requested, scripts, base, nix, layers })
}

fn scripts(image: &ResolvedImage, platform: Platform, lock: &Lockfile) -> BTreeMap<String, LockedScript> {
    let locked = lock.images.get(&image.name).and_then(|image| image.platforms.get(&platform));
    let scripts = locked.into_iter().flat_map(|platform| &platform.scripts);
    scripts.map(|(name, script)| (name.to_string(), *script)).collect()
}

/// How segments and layers of an image are compressed.
pub(crate) fn codec(compression: Compression) -> Codec {
    match compression {
        Compression::Zstd { level } => Codec::Zstd { level },
        Compression::Gzip { level } => Codec::Gzip { level },
    }
}

/// What is left out of the packages of an image.
pub(crate) fn filters(image: &ResolvedImage) -> PathFilters {
    let Some(rules) = image.debian.as_ref().and_then(|debian| debian.slim.as_ref()) else {
        return PathFilters::default();
    };
    let mut filters = PathFilters::slim();
    let filter = |action, pattern: &dyn ToString| PathFilter { action, pattern: pattern.to_string() };
    filters.0.extend(rules.exclude.iter().map(|pattern| filter(FilterAction::Exclude, pattern)));
    filters.0.extend(rules.keep.iter().map(|pattern| filter(FilterAction::Include, pattern)));
    filters
}
