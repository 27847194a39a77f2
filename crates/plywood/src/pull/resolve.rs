//! From how the manifest names a base to digests, and from those to what images on it inherit.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::lockfile::{LockedBase, LockedBases, LockedLayer};
use plywood_core::manifest::{
    BaseFacts, BaseReference, Bases, HttpUrl, ImageName, Manifest, ResolvedImage, UnknownImageError,
};
use plywood_core::oci::{Descriptor, ImageConfig, ImageManifest, ManifestName};
use plywood_core::platform::Platform;
use plywood_oci::codec::LayerCompression;
use plywood_oci::layout::LayoutError;
use plywood_oci::registry::Repository;

use super::PullError;
use super::source::{Place, Puller, registry_error};
use crate::debian::defaults;

/// Looks a base up for platforms: its tag is read once, whatever moves meanwhile.
pub(crate) fn resolve(
    puller: &Puller<'_>,
    base: &BaseReference,
    platforms: &BTreeSet<Platform>,
) -> Result<BTreeMap<Platform, LockedBase>, PullError> {
    let place = puller.place(base)?;
    let found = match (&place, base) {
        (Place::Registry(repository), BaseReference::Registry(reference)) => {
            let name = match (reference.digest(), reference.tag()) {
                (Some(digest), _) => ManifestName::Digest(digest),
                (None, Some(tag)) => ManifestName::Tag(tag.clone()),
                (None, None) => return Ok(BTreeMap::new()),
            };
            of_registry(puller, repository, base, &name, platforms)?
        }
        (Place::Layout(layout), BaseReference::Layout(reference)) => {
            let of_platform = |platform: &Platform| {
                let image = layout.image(reference.name.as_deref(), *platform).map_err(|source| match source {
                    LayoutError::NoSuchPlatform { platform } => {
                        PullError::Platform { base: base.to_string(), platform }
                    }
                    source => PullError::Layout { base: base.to_string(), source },
                })?;
                Ok((*platform, (image.descriptor, image.manifest, image.config)))
            };
            platforms.iter().map(of_platform).collect::<Result<_, PullError>>()?
        }
        _ => BTreeMap::new(),
    };
    found.into_iter().map(|(platform, image)| Ok((platform, locked(base, platform, image)?))).collect()
}

type Found = (Descriptor, ImageManifest, ImageConfig);

fn of_registry(
    puller: &Puller<'_>,
    repository: &Repository,
    base: &BaseReference,
    name: &ManifestName,
    platforms: &BTreeSet<Platform>,
) -> Result<BTreeMap<Platform, Found>, PullError> {
    let failed = |source| registry_error(base, source);
    let document = |source| PullError::Document { base: base.to_string(), source };
    let root = repository.get_manifest(name).map_err(failed)?;
    let mut found = BTreeMap::new();
    for platform in platforms {
        let missing = || PullError::Platform { base: base.to_string(), platform: *platform };
        let (descriptor, bytes) = if root.descriptor.media_type.is_index() {
            let index = plywood_core::oci::ImageIndex::parse(&root.bytes).map_err(document)?;
            let digest = index.for_platform(*platform).ok_or_else(missing)?.digest;
            let fetched = repository.get_manifest(&ManifestName::Digest(digest)).map_err(failed)?;
            (fetched.descriptor, fetched.bytes)
        } else {
            (root.descriptor.clone(), root.bytes.clone())
        };
        if !descriptor.media_type.is_manifest() {
            let (digest, media_type) = (descriptor.digest, descriptor.media_type);
            return Err(PullError::MediaType { base: base.to_string(), digest, media_type });
        }
        let manifest = ImageManifest::parse(&bytes).map_err(document)?;
        if !manifest.config.media_type.is_config() {
            let (digest, media_type) = (manifest.config.digest, manifest.config.media_type);
            return Err(PullError::MediaType { base: base.to_string(), digest, media_type });
        }
        let limit = plywood_core::oci::MAX_DOCUMENT as u64;
        let bytes = repository.read_blob(&manifest.config, limit).map_err(failed)?;
        puller.store.put_blob(&bytes)?;
        found.insert(*platform, (descriptor, manifest, ImageConfig::parse(&bytes).map_err(document)?));
    }
    Ok(found)
}

/// What the lock keeps of an image.
fn locked(
    base: &BaseReference,
    platform: Platform,
    (descriptor, manifest, config): Found,
) -> Result<LockedBase, PullError> {
    if (config.os.as_str(), config.architecture.as_str()) != ("linux", platform.architecture()) {
        return Err(PullError::Platform { base: base.to_string(), platform });
    }
    let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers != diff_ids {
        return Err(PullError::LayerCount { base: base.to_string(), layers, diff_ids });
    }
    let layers = manifest.layers.into_iter().zip(config.rootfs.diff_ids).map(|(layer, diff_id)| {
        let Descriptor { media_type, digest, size, .. } = layer;
        match LayerCompression::of(&media_type) {
            Some(_) => Ok(LockedLayer { digest, diff_id, size, media_type }),
            None => Err(PullError::MediaType { base: base.to_string(), digest, media_type }),
        }
    });
    Ok(LockedBase {
        manifest: descriptor.digest,
        config: manifest.config.digest,
        config_size: manifest.config.size,
        created: config.created,
        distribution: None,
        runtime: config.config,
        layers: layers.collect::<Result<_, PullError>>()?,
    })
}

/// The images of a manifest on one platform over the bases that are locked.
pub(crate) fn with_facts(
    manifest: &Manifest,
    bases: &LockedBases,
    platform: Platform,
) -> BTreeMap<ImageName, ResolvedImage> {
    let facts = |(reference, platforms): (&BaseReference, &BTreeMap<Platform, LockedBase>)| {
        let base = platforms.get(&platform)?;
        let is_ubuntu = base.distribution.as_ref().is_some_and(|distribution| distribution.id == "ubuntu");
        let facts = BaseFacts {
            config: base.runtime.clone(),
            distribution: base.distribution.clone(),
            mirrors: is_ubuntu.then(|| ubuntu_mirrors(platform)),
        };
        Some((reference.clone(), facts))
    };
    let facts: Bases = bases.iter().filter_map(facts).collect();
    manifest.resolved_over(&facts)
}

/// One image of a manifest over what is locked of its base, for what is the same on all of these platforms: where its
/// packages come from.
///
/// # Errors
/// When the manifest has no such image.
pub(crate) fn image_over(
    manifest: &Manifest,
    bases: &LockedBases,
    name: &str,
    platforms: &[Platform],
) -> Result<ResolvedImage, UnknownImageError> {
    let image = manifest.resolve(name)?;
    let over = platforms.first().and_then(|platform| with_facts(manifest, bases, *platform).remove(name));
    Ok(over.unwrap_or_else(|| image.clone()))
}

/// Ubuntu's archives: that of the main architectures and that of ports are two.
fn ubuntu_mirrors(platform: Platform) -> (Vec<HttpUrl>, Vec<HttpUrl>) {
    let (archive, security) = match platform {
        Platform::LinuxAmd64 => (defaults::UBUNTU_ARCHIVE, defaults::UBUNTU_SECURITY),
        Platform::LinuxArm64 => (defaults::UBUNTU_PORTS, defaults::UBUNTU_PORTS),
    };
    // The constants are addresses, which a test sees to.
    let url = |text: &str| text.parse().into_iter().collect();
    (url(archive), url(security))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ubuntus_archives_have_addresses() {
        for platform in Platform::ALL {
            let (archive, security) = ubuntu_mirrors(platform);
            assert_eq!((archive.len(), security.len()), (1, 1), "{platform}");
        }
    }
}
