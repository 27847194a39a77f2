//! From the manifest and the archives to a new lock.

use std::time::{SystemTime, UNIX_EPOCH};

use plywood_core::debian::release::UnixTime;
use plywood_core::lockfile::{LockedImage, Lockfile, lock_inputs};
use plywood_core::manifest::{Manifest, ResolvedImage};
use plywood_core::nix::{FlakeAttribute, FlakeLock};
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;

use super::nix::{NixRequest, lock_nix};
use super::stale::{self, Scope};
use super::universe::{self, Pinned};
use super::{LockError, LockOptions, Upgrade, all_platforms, choose, layers, scripts, sources};
use crate::Error;
use crate::debian::SuiteIndexes;
use crate::events::{Events, Task, Unit};
use crate::nix::eval::flake_folder;
use crate::workspace::Workspace;

/// Resolves everything anew; what `old` has stays where the options let it and the archives still have it.
pub(super) fn resolve(
    manifest: &Manifest,
    old: Option<&Lockfile>,
    (options, scope): (&LockOptions, &Scope),
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<Lockfile, Error> {
    let images = choose::parents_first(manifest);
    // What Nix gives moves on its own: Debian's packages, and the date that is theirs, stay where nothing asks for them anew.
    let fits =
        |old: &&Lockfile| options.upgrade == Upgrade::Nothing && stale::debian_reasons(manifest, old, scope).is_empty();
    let mut lock = match old.filter(fits) {
        Some(old) => Lockfile { nix: None, layouts: Default::default(), ..old.clone() },
        None => packages(manifest, old, options, &images, workspace, events)?,
    };
    let request = NixRequest {
        scope: scope.nix.clone(),
        platforms: scope.platforms.clone(),
        anew: options.is_anew(),
        options: &options.nix,
    };
    lock.nix = lock_nix(&request, manifest, old.and_then(|old| old.nix.as_ref()), workspace, events)?;
    if lock.releases.is_empty() {
        lock.date = newest_input(manifest, workspace);
    }
    for platform in all_platforms(manifest) {
        let previous = old.filter(|_| !options.replan).and_then(|old| old.layouts.get(&platform));
        lock.layouts.insert(platform, layers::lay_out(&lock, &images, platform, previous)?);
    }
    lock.remove_unused();
    Ok(lock)
}

/// Chooses the Debian packages of all images.
fn packages(
    manifest: &Manifest,
    old: Option<&Lockfile>,
    options: &LockOptions,
    images: &[&ResolvedImage],
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<Lockfile, Error> {
    let mut lock = Lockfile::default();
    for image in images {
        let entry = LockedImage { inputs: lock_inputs(image), platforms: Default::default() };
        lock.images.insert(image.name.clone(), entry);
    }
    let platforms: Vec<Platform> = Platform::ALL
        .into_iter()
        .filter(|platform| images.iter().any(|image| image.platforms.contains(platform)))
        .collect();
    let architectures: Vec<&str> = platforms.iter().map(|platform| platform.architecture()).collect();

    for source in sources::debian_sources(manifest) {
        let archive = sources::open_archive(source, workspace, events)?;
        let suites = archive.indexes(&architectures, now()).map_err(LockError::from)?;
        lock.releases.extend(universe::releases(&suites)?);
        let here: Vec<_> = images.iter().copied().filter(|image| image.debian.as_ref() == Some(source)).collect();
        let task = Task::start(events, "Choosing packages", Some(platforms.len() as u64), Unit::Items);
        for platform in &platforms {
            let pinned = pinned(old, &here, *platform, &options.upgrade);
            let available = universe::read(source, &suites, *platform, &pinned)?;
            choose::choose_all(&mut lock, &here, *platform, &available)?;
            task.advance(1);
        }
        lock.date = lock.date.max(newest(&suites));
        scripts::lock_scripts(&mut lock, old, &here, &archive, events)?;
    }
    for image in images.iter().filter(|image| image.debian.is_none()) {
        if let Some(entry) = lock.images.get_mut(&image.name) {
            entry.platforms = image.platforms.iter().map(|platform| (*platform, Default::default())).collect();
        }
    }
    lock.releases.sort();
    lock.releases.dedup();
    Ok(lock)
}

/// The date of a lock without Debian is that of the newest input of the flake.
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

/// What the old lock has of these images and may not move.
fn pinned(old: Option<&Lockfile>, images: &[&ResolvedImage], platform: Platform, upgrade: &Upgrade) -> Pinned {
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
