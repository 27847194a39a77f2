//! An image of store paths that are named directly: for flakes that compose their own.
//!
//! It is one more image of the workspace that is in neither manifest nor lock: a set of its own holds the paths, and what
//! a lock would say of them is asked of the sources.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use plywood_core::digest::Digest;
use plywood_core::lockfile::{
    LockedFlake, LockedImage, LockedNix, LockedRoot, LockedSet, LockedStorePath, Lockfile, PackageAbout, lock_inputs,
};
use plywood_core::manifest::{Manifest, ResolvedImage, SetName};
use plywood_core::nix::{DrvName, StorePath};
use plywood_core::platform::Platform;

use super::{BuildOptions, StorePathImage};
use crate::Error;
use crate::events::Events;
use crate::lock::{self, Ensured, PreviousLayout};
use crate::nix::{PathInfo, Sources};
use crate::pull;
use crate::workspace::{MANIFEST_NAME, Workspace};

/// The set of the image: there is one such image in a build.
const SET: &str = "plywood-store-paths";

/// The manifest with the image added, and a lock that has it.
///
/// # Errors
/// When the image's name is taken or its parent unknown, a path is none, or no source has all that it needs.
pub(super) fn ensure(
    wanted: &StorePathImage,
    options: &BuildOptions,
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<(Manifest, Ensured), Error> {
    let before = match workspace.manifest() {
        Err(Error::NoManifest { .. }) if wanted.from.is_none() => None,
        manifest => Some(manifest?),
    };
    if let Some(manifest) = &before {
        if manifest.resolve(wanted.name.as_str()).is_ok() {
            return Err(Error::ImageExists { image: wanted.name.to_string() });
        }
        wanted.from.as_deref().map(|from| manifest.resolve(from)).transpose()?;
    }
    let text = manifest_text(wanted, before.is_some().then_some(workspace))?;
    let path = || workspace.directory().join(MANIFEST_NAME);
    let manifest =
        Manifest::parse(&text).map_err(|faults| Error::Manifest { path: path(), text: text.clone(), faults })?;
    let platform = *options.platforms.first().unwrap_or(&crate::os::platform());
    let mut ensured = match (&before, &wanted.from) {
        (Some(before), Some(from)) => {
            let needed = (&[from.clone()][..], &[platform][..]);
            lock::ensure(before, workspace, needed, options.locked, events)?
        }
        _ => Ensured { lock: Lockfile::default(), text: String::new(), report: None },
    };
    let previous = PreviousLayout::of(&ensured.lock, platform);
    let roots = wanted.paths.iter().map(|path| store_path(path)).collect::<Result<Vec<_>, _>>()?;
    let infos = Sources::from_workspace(workspace, &manifest, events)?.closure_at_hand(&roots)?;
    add(&mut ensured.lock, manifest.resolve(wanted.name.as_str())?, platform, &roots, infos.into_values());
    let over = pull::with_facts(&manifest, &ensured.lock.bases, platform);
    let chain = chain(&manifest, wanted.name.as_str())?.into_iter();
    let chain: Vec<&ResolvedImage> = chain.map(|image| over.get(&image.name).unwrap_or(image)).collect();
    let layout = lock::lay_out(&ensured.lock, &chain, platform, previous)?;
    ensured.lock.layouts.insert(platform, layout);
    ensured.text = ensured.lock.to_text();
    Ok((manifest, ensured))
}

/// What a manifest would say of the image, after what the workspace's says.
fn manifest_text(wanted: &StorePathImage, workspace: Option<&Workspace>) -> Result<String, Error> {
    let StorePathImage { name, from, .. } = wanted;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = match workspace {
        Some(workspace) => workspace.manifest_text()?,
        None => format!("[workspace]\nname = {}\n", quoted(name.as_str())),
    };
    let base = from.as_deref().map_or("debian = false".to_owned(), |from| format!("from = {}", quoted(from)));
    let set = quoted(SET);
    text.push_str(&format!(
        "\n[sets.{set}]\npackages = []\n\n[images.{}]\n{base}\nsets = [{set}]\n",
        quoted(name.as_str())
    ));
    Ok(text)
}

/// A store path as people name one: absolute, by its base name, as a path below it, or as a link to one such as `result`.
fn store_path(text: &str) -> Result<StorePath, Error> {
    let unknown = || Error::NoStorePath { text: text.to_owned() };
    let real = Utf8Path::new(text).canonicalize_utf8().ok().filter(|real| real.starts_with("/nix/store"));
    let text = real.as_ref().map_or(text, |real| real.as_str());
    let name = text.strip_prefix("/nix/store/").unwrap_or(text).split('/').next().unwrap_or_default();
    name.parse().map_err(|_| unknown())
}

/// Adds to a lock what it would say of the image.
fn add(
    lock: &mut Lockfile,
    image: &ResolvedImage,
    platform: Platform,
    roots: &[StorePath],
    infos: impl Iterator<Item = PathInfo>,
) {
    let parent = image.parents.last().and_then(|parent| lock.images.get(parent)?.platforms.get(&platform).cloned());
    let entry = LockedImage { inputs: lock_inputs(image), platforms: [(platform, parent.unwrap_or_default())].into() };
    lock.images.insert(image.name.clone(), entry);
    let nix = lock.nix.get_or_insert_with(|| LockedNix { flake: LockedFlake::default(), platforms: BTreeMap::new() });
    let locked = nix.platforms.entry(platform).or_default();
    for info in infos {
        let split = DrvName::split(info.path.name());
        let path = LockedStorePath {
            nar_hash: info.nar_hash,
            nar_size: info.nar_size,
            references: info.references.clone(),
            deriver: info.deriver.clone(),
            pname: Some(split.name.to_owned()),
            version: Some(split.version.to_owned()).filter(|version| !version.is_empty()),
            local: false,
            about: PackageAbout::default(),
        };
        // What is locked already may be known better.
        locked.paths.entry(info.path).or_insert(path);
    }
    let unique: BTreeSet<&StorePath> = roots.iter().collect();
    let root = |path: &&StorePath| LockedRoot {
        path: (*path).clone(),
        attribute: path.name().to_owned(),
        output: "out".to_owned(),
        priority: LockedRoot::DEFAULT_PRIORITY,
    };
    let set = LockedSet { inputs: Digest::of(b""), roots: unique.iter().map(root).collect() };
    if let Ok(name) = SET.parse::<SetName>() {
        locked.sets.insert(name, set);
    }
}

/// The image after those it is on.
fn chain<'m>(manifest: &'m Manifest, name: &str) -> Result<Vec<&'m ResolvedImage>, Error> {
    let image = manifest.resolve(name)?;
    let parents = image.parents.iter().map(|parent| manifest.resolve(parent.as_str()));
    let mut chain = parents.collect::<Result<Vec<_>, _>>()?;
    chain.push(image);
    Ok(chain)
}
