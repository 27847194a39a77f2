//! The maintainer scripts that the manifest vouches for, by hash.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;

use plywood_core::debian::deb::{Limits, read_control_files, scripts_hash};
use plywood_core::digest::FileHash;
use plywood_core::lockfile::{LockedPackage, LockedScript, Lockfile};
use plywood_core::manifest::{PackageName, ResolvedImage};
use plywood_core::platform::Platform;

use super::{LockError, deb_ref};
use crate::debian::{Archive, DebRef};
use crate::events::{Event, Events};

/// Locks the scripts of the packages that the images allow by name on platforms; their `.deb` files are downloaded for that.
pub(super) fn lock_scripts(
    lock: &mut Lockfile,
    old: Option<&Lockfile>,
    (images, on): (&[&ResolvedImage], &BTreeSet<Platform>),
    archive: &Archive<'_>,
    events: &dyn Events,
) -> Result<(), LockError> {
    for image in images {
        for (name, policy) in &image.scripts {
            let found: Vec<(Platform, DebRef)> = places(lock, image, name, on);
            if found.is_empty() {
                let (image, package) = (image.name.to_string(), name.to_string());
                return Err(LockError::ScriptsOfNothing { image, package });
            }
            for (platform, deb) in found {
                let sha256 = hash(archive, &deb)?;
                if old.and_then(|old| locked(old, image, platform, name)).is_some_and(|old| old.sha256 != sha256) {
                    events.emit(Event::Warning(format!(
                        "the scripts of {} are not those that were locked; `scripts` of the image `{}` still says \"{}\"",
                        deb.name,
                        image.name,
                        policy.as_str()
                    )));
                }
                let entry = lock.images.get_mut(&image.name).and_then(|image| image.platforms.get_mut(&platform));
                if let Some(entry) = entry {
                    entry.scripts.insert(name.clone(), LockedScript { policy: *policy, sha256 });
                }
            }
        }
    }
    Ok(())
}

/// The package on each of these platforms on which the image has it.
fn places(
    lock: &Lockfile,
    image: &ResolvedImage,
    name: &PackageName,
    platforms: &BTreeSet<Platform>,
) -> Vec<(Platform, DebRef)> {
    let distribution = image.debian.as_ref().and_then(|debian| debian.distribution.as_deref());
    let on = |platform: &Platform| {
        let mut packages = lock.packages_of(image.name.as_str(), *platform)?;
        let package: &LockedPackage = packages.find(|(used, _)| used.package.name == *name)?.1?;
        Some((*platform, deb_ref(package, *platform, lock.date, distribution)))
    };
    image.platforms.iter().filter(|platform| platforms.contains(platform)).filter_map(on).collect()
}

fn locked<'l>(
    lock: &'l Lockfile,
    image: &ResolvedImage,
    platform: Platform,
    name: &PackageName,
) -> Option<&'l LockedScript> {
    let scripts: &BTreeMap<_, _> = &lock.images.get(&image.name)?.platforms.get(&platform)?.scripts;
    scripts.get(name)
}

fn hash(archive: &Archive<'_>, deb: &DebRef) -> Result<FileHash, LockError> {
    archive.download(std::slice::from_ref(deb), |_, _| ControlFlow::Continue(()))?;
    let path = archive.path_of(deb);
    let file = File::open(&path).map_err(|source| LockError::OpenDeb { path, source })?;
    let files = read_control_files(BufReader::new(file), &Limits::default())
        .map_err(|source| LockError::Scripts { package: deb.name.clone(), source })?;
    Ok(scripts_hash(&files))
}
