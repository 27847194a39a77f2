//! From the manifest and the archives to a new lock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use plywood_core::debian::release::UnixTime;
use plywood_core::lockfile::{LockedImage, Lockfile, lock_inputs};
use plywood_core::manifest::{BaseReference, DebianSource, Manifest, ResolvedImage};
use plywood_core::nix::{FlakeAttribute, FlakeLock};
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;
use plywood_oci::store::Store;

use super::bases::{self, InstalledBases};
use super::nix::{NixRequest, lock_nix};
use super::sources::Images;
use super::stale::{self, Scope};
use super::universe::{self, Pinned};
use super::{LockError, LockOptions, Upgrade, all_platforms, choose, layers, scripts, sources};
use crate::Error;
use crate::debian::SuiteIndexes;
use crate::events::{Events, Task, Unit};
use crate::nix::eval::flake_folder;
use crate::pull::{self, Puller};
use crate::workspace::Workspace;

/// Resolves everything anew; what `old` has stays where the options let it and the archives still have it.
pub(super) fn resolve(
    manifest: &Manifest,
    old: Option<&Lockfile>,
    (options, scope): (&LockOptions, &Scope),
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<Lockfile, Error> {
    // What Nix gives moves on its own: packages and bases, and the date that is theirs, stay where nothing asks for them anew.
    let fits =
        |old: &&Lockfile| options.upgrade == Upgrade::Nothing && stale::debian_reasons(manifest, old, scope).is_empty();
    let mut lock = match old.filter(fits) {
        Some(old) => Lockfile { nix: None, layouts: Default::default(), ..old.clone() },
        None => packages(manifest, old, options, workspace, events)?,
    };
    let request = NixRequest {
        scope: scope.nix.clone(),
        platforms: scope.platforms.clone(),
        anew: options.is_anew(),
        options: &options.nix,
        override_inputs: scope.override_inputs.as_ref(),
    };
    lock.nix = lock_nix(&request, manifest, old.and_then(|old| old.nix.as_ref()), workspace, events)?;
    if lock.releases.is_empty() {
        lock.date = newest_base(&lock).max(newest_input(manifest, workspace));
    }
    for platform in all_platforms(manifest) {
        let previous = old.filter(|_| !options.replan).and_then(|old| layers::PreviousLayout::of(old, platform));
        let images = pull::with_facts(manifest, &lock.bases, platform);
        let layout = layers::lay_out(&lock, &choose::parents_first(&images), platform, previous)?;
        lock.layouts.insert(platform, layout);
    }
    lock.remove_unused();
    Ok(lock)
}

/// Pins the bases, and chooses the Debian packages of all images.
fn packages(
    manifest: &Manifest,
    old: Option<&Lockfile>,
    options: &LockOptions,
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<Lockfile, Error> {
    let images = choose::parents_first(manifest.resolved());
    let mut lock = Lockfile::default();
    for image in &images {
        let entry = LockedImage { inputs: lock_inputs(image), platforms: Default::default() };
        lock.images.insert(image.name.clone(), entry);
    }
    let platforms: Vec<Platform> = Platform::ALL
        .into_iter()
        .filter(|platform| images.iter().any(|image| image.platforms.contains(platform)))
        .collect();

    let store = Store::open(workspace.cache()).map_err(LockError::from)?;
    let puller = Puller::new(workspace.directory(), &store, events);
    lock.bases = bases::lock_bases(manifest, old, &options.upgrade, &puller).map_err(LockError::from)?;
    let installed = bases::look_into(&mut lock.bases, &images, &puller)?;
    lock.date = newest_base(&lock);
    // What the bases are decides what images on them are, and may differ between platforms.
    let over: BTreeMap<Platform, Images> =
        platforms.iter().map(|platform| (*platform, pull::with_facts(manifest, &lock.bases, *platform))).collect();

    for (source, on) in sources::debian_sources(&over) {
        let here = |platform: &Platform| in_order(&over, *platform, Some(source));
        let archive = sources::open_archive_with(source, &keys(&on, here, &installed), workspace, events)?;
        let architectures: Vec<&str> = on.iter().map(|platform| platform.architecture()).collect();
        let suites = archive.indexes(&architectures, now()).map_err(LockError::from)?;
        lock.releases.extend(universe::releases(&suites, source.distribution.as_deref())?);
        let task = Task::start(events, "Choosing packages", Some(on.len() as u64), Unit::Items);
        for platform in &on {
            let pinned = pinned(old, &here(platform), *platform, &options.upgrade);
            for (base, images) in by_base(here(platform)) {
                let there = base.and_then(|base| installed.get(&(base, *platform))).map(|there| there.index.clone());
                let available = universe::read(source, &suites, *platform, &pinned, there)?;
                choose::choose_all(&mut lock, &images, *platform, &available)?;
            }
            task.advance(1);
        }
        lock.date = lock.date.max(newest(&suites));
        let images: BTreeMap<_, _> = on.iter().flat_map(here).map(|image| (&image.name, image)).collect();
        let images: Vec<&ResolvedImage> = images.into_values().collect();
        scripts::lock_scripts(&mut lock, old, (&images, &on), &archive, events)?;
    }
    for platform in &platforms {
        for image in in_order(&over, *platform, None) {
            if let (false, Some(base)) = (image.packages.is_empty(), &image.base)
                && lock.base(&base.reference, *platform).is_some()
            {
                return Err(LockError::NoSuite { image: image.name.to_string() }.into());
            }
            if let Some(entry) = lock.images.get_mut(&image.name) {
                entry.platforms.entry(*platform).or_default();
            }
        }
    }
    lock.releases.sort();
    lock.releases.dedup();
    Ok(lock)
}

/// When the newest base was made.
fn newest_base(lock: &Lockfile) -> Timestamp {
    let created = lock.bases.values().flat_map(BTreeMap::values).filter_map(|base| base.created);
    created.max().unwrap_or_default()
}

/// The date of a lock without Debian is that of the newest input of the flake, or of the newest base.
fn newest_input(manifest: &Manifest, workspace: &Workspace) -> Timestamp {
    let bytes = std::fs::read(flake_folder(manifest, workspace).join("flake.lock")).unwrap_or_default();
    let lock = FlakeLock::parse(&bytes).ok();
    let inputs = lock.iter().flat_map(|lock| lock.nodes().values()).filter_map(|node| node.locked.as_ref());
    let modified = inputs.filter_map(|input| match input.attributes.get("lastModified") {
        Some(FlakeAttribute::Integer(seconds)) => i64::try_from(*seconds).ok(),
        _ => None,
    });
    Timestamp(modified.max().unwrap_or_default())
}

/// The images of a platform that take their packages from `source`, parents before children.
fn in_order<'o>(
    over: &'o BTreeMap<Platform, Images>,
    platform: Platform,
    source: Option<&DebianSource>,
) -> Vec<&'o ResolvedImage> {
    let all = all_in_order(over, platform).into_iter();
    all.filter(|image| image.debian.as_ref() == source && image.platforms.contains(&platform)).collect()
}

/// All images as they are on a platform, parents before children.
fn all_in_order(over: &BTreeMap<Platform, Images>, platform: Platform) -> Vec<&ResolvedImage> {
    over.get(&platform).map(choose::parents_first).unwrap_or_default()
}

/// The images on each base apart; those on none together.
fn by_base(images: Vec<&ResolvedImage>) -> BTreeMap<Option<BaseReference>, Vec<&ResolvedImage>> {
    let mut groups: BTreeMap<Option<BaseReference>, Vec<&ResolvedImage>> = BTreeMap::new();
    for image in images {
        groups.entry(image.base.as_ref().map(|base| base.reference.clone())).or_default().push(image);
    }
    groups
}

/// The keys that the bases of these images have for their own archive.
fn keys<'o>(
    on: &BTreeSet<Platform>,
    here: impl Fn(&Platform) -> Vec<&'o ResolvedImage>,
    installed: &InstalledBases,
) -> Vec<u8> {
    let of_image = |image: &ResolvedImage, platform: Platform| {
        let base = image.base.as_ref()?;
        Some(installed.get(&(base.reference.clone(), platform))?.keys.clone())
    };
    let keys = on.iter().flat_map(|platform| here(platform).into_iter().filter_map(|image| of_image(image, *platform)));
    keys.collect::<BTreeSet<_>>().into_iter().flatten().collect()
}

/// What the old lock has of these images and may not move.
fn pinned(
    old: Option<&Lockfile>,
    images: &[&plywood_core::manifest::ResolvedImage],
    platform: Platform,
    upgrade: &Upgrade,
) -> Pinned {
    let Some(old) = old.filter(|_| *upgrade != Upgrade::Everything) else { return Pinned::new() };
    let moves = |name: &str| matches!(upgrade, Upgrade::Packages(names) if names.iter().any(|one| one == name));
    images
        .iter()
        .filter_map(|image| old.packages_of(image.name.as_str(), platform))
        .flatten()
        .filter(|(used, _)| !moves(used.package.name.as_str()))
        .map(|(used, _)| (used.package.name.to_string(), used.package.version.clone()))
        .collect()
}

/// The date of a lock is that of the newest release in it: locks made from the same archive are the same.
fn newest(suites: &[SuiteIndexes]) -> Timestamp {
    Timestamp(suites.iter().map(|suite| suite.release.date.0).max().unwrap_or_default())
}

fn now() -> UnixTime {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}
