//! Choosing the packages of every image on one platform, parents before children.

use std::collections::BTreeMap;

use plywood_core::debian::resolver::{Base, Chosen, Reason, Request, Resolver};
use plywood_core::debian::version::DebVersion;
use plywood_core::lockfile::{LockedPackage, LockedPlatform, Lockfile, PackageUse};
use plywood_core::manifest::{ExactVersion, ImageName, ResolvedImage};
use plywood_core::platform::Platform;

use super::LockError;
use super::sources::Images;
use super::universe::{PlatformUniverse, label, unlockable};

/// Chooses for all images that take their packages from this universe, and enters the choice into the lock.
pub(super) fn choose_all(
    lock: &mut Lockfile,
    images: &[&ResolvedImage],
    platform: Platform,
    available: &PlatformUniverse,
) -> Result<(), LockError> {
    let mut chosen: BTreeMap<&ImageName, Vec<(String, DebVersion)>> = BTreeMap::new();
    for image in images.iter().filter(|image| image.platforms.contains(&platform)) {
        let parent = image.parents.last().and_then(|parent| chosen.get(parent)).cloned();
        let kept = parent.unwrap_or_else(|| available.installed.clone());
        let resolution = Resolver::resolve(&available.universe, &request(image, kept)?)
            .map_err(|source| LockError::Resolve { image: image.name.to_string(), platform, source })?;
        let versions = resolution.packages.iter();
        let versions = versions.map(|one| (one.package.name().to_owned(), one.package.version().clone())).collect();
        chosen.insert(&image.name, versions);
        let mut locked = LockedPlatform::default();
        for one in &resolution.packages {
            // What a base has is not installed.
            let is =
                |(name, version): &(String, DebVersion)| name == one.package.name() && version == one.package.version();
            if available.installed.iter().any(is) {
                continue;
            }
            let requested = one.reason == Reason::Requested
                || image.packages.iter().any(|package| package.request.name.as_str() == one.package.name());
            let package = lock
                .add_package(platform, locked_package(one, available)?)
                .map_err(|source| LockError::Contradiction { image: image.name.to_string(), source })?;
            locked.packages.push(PackageUse { package, requested });
        }
        if let Some(entry) = lock.images.get_mut(&image.name) {
            entry.platforms.insert(platform, locked);
        }
    }
    Ok(())
}

/// The images, parents before children.
pub(super) fn parents_first(images: &Images) -> Vec<&ResolvedImage> {
    let mut images: Vec<&ResolvedImage> = images.values().collect();
    images.sort_by_key(|image| (image.parents.len(), &image.name));
    images
}

fn request(image: &ResolvedImage, kept: Vec<(String, DebVersion)>) -> Result<Request, LockError> {
    let packages = image.packages.iter().map(|package| package.request.value.to_string().parse());
    let packages = packages
        .collect::<Result<_, _>>()
        .map_err(|source| LockError::Request { image: image.name.to_string(), source })?;
    // A base has what it has; what it lacks of a usual system nobody asked for.
    let base = if image.base.is_some() { Base::Nothing } else { Base::Minbase };
    Ok(Request { base, packages, recommends: image.recommends, kept })
}

fn locked_package(chosen: &Chosen<'_>, available: &PlatformUniverse) -> Result<LockedPackage, LockError> {
    let package = chosen.package;
    let name = package.name();
    let version = |version: &DebVersion| -> Result<ExactVersion, LockError> {
        version.to_string().parse().map_err(|error| unlockable(name, &error))
    };
    let archive = available
        .archives
        .get(chosen.source)
        .ok_or_else(|| LockError::Package { package: name.to_owned(), what: "its archive is not known".to_owned() })?;
    Ok(LockedPackage {
        name: name.parse().map_err(|error| unlockable(name, &error))?,
        version: version(package.version())?,
        any_architecture: package.architecture() == "all",
        repository: label(archive, available.distribution.as_deref())?,
        path: package.filename().parse().map_err(|error| unlockable(name, &error))?,
        size: package.size(),
        installed_size: package.installed_size(),
        source: package.source().parse().map_err(|error| unlockable(name, &error))?,
        source_version: version(&package.source_version())?,
        sha256: package.sha256(),
    })
}
