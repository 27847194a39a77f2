//! What an image has of Nix, as materials.

use std::collections::BTreeMap;

use super::ResourceDescriptor;
use crate::image::nix::image_closure;
use crate::lockfile::{LockedNixPlatform, LockedStorePath};
use crate::manifest::ResolvedImage;
use crate::nix::{DrvName, StorePath};
use crate::purl::Purl;

/// The store paths of an image on one platform, whole closures, by their URIs. What the lock lacks is left out: a build of it fails.
pub(super) fn store_paths(
    image: &ResolvedImage,
    locked: &LockedNixPlatform,
) -> impl Iterator<Item = ResourceDescriptor> + use<> {
    let closure = image_closure(&image.nix, locked).unwrap_or_default();
    let known = closure.paths().filter_map(|path| Some(store_path(path, locked.paths.get(path)?)));
    known.collect::<Vec<_>>().into_iter()
}

/// Several outputs of one package have its name and version; the path tells them apart.
fn store_path(path: &StorePath, locked: &LockedStorePath) -> ResourceDescriptor {
    let split = DrvName::split(path.name());
    let name = locked.pname.as_deref().unwrap_or(split.name);
    let version = locked.version.as_deref().unwrap_or(split.version);
    let purl = Purl::new("nix", name, version).qualifier("path", path.to_string());
    ResourceDescriptor {
        name: format!("/nix/store/{path}"),
        uri: purl.to_string(),
        digest: BTreeMap::from([("narHash".to_owned(), locked.nar_hash.to_sri())]),
        annotations: BTreeMap::new(),
    }
}
