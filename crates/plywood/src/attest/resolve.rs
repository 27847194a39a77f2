//! From a name to the digests that it stands for.

use plywood_core::digest::Digest;
use plywood_core::oci::distribution::ManifestKind;
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, Reference};
use plywood_core::platform::Platform;
use plywood_oci::registry::{RegistryClient, Repository};
use serde::Serialize;

use super::AttestError;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) repository: Repository,
    /// The index, or the manifest where there is none.
    pub(super) root: Descriptor,
    /// The images of the platforms that plywood knows; the root alone where there is no index and the platform is not asked for.
    pub(super) images: Vec<ResolvedImage>,
}

/// The image of one platform.
#[derive(Debug, Clone)]
pub(super) struct ResolvedImage {
    pub(super) platform: Platform,
    pub(super) descriptor: Descriptor,
}

/// What a digest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// An index over platforms.
    Index,
    /// An image of one platform, or an artifact.
    Manifest,
}

impl Resolved {
    /// The full name with the digest and without the tag.
    pub(super) fn reference(&self) -> String {
        self.repository.name().reference(&self.root.digest.into()).to_string()
    }

    pub(super) fn kind(&self) -> SubjectKind {
        if self.root.media_type.is_index() { SubjectKind::Index } else { SubjectKind::Manifest }
    }

    /// Every digest with the platform it is for, the root first.
    pub(super) fn digests(&self) -> Vec<(Digest, Option<Platform>)> {
        let images = self.images.iter().map(|image| (image.descriptor.digest, Some(image.platform)));
        let root = (self.kind() == SubjectKind::Index).then_some((self.root.digest, None));
        let all: Vec<_> = root.into_iter().chain(images).collect();
        if all.is_empty() { vec![(self.root.digest, None)] } else { all }
    }
}

/// Asks the registry what a name stands for.
///
/// # Errors
/// When it is not there, or no image and no artifact.
pub(super) fn resolve(client: &RegistryClient, reference: &Reference) -> Result<Resolved, AttestError> {
    let repository = client.repository(reference.name());
    let fetched = repository.get_manifest(&reference.target())?;
    let images = match fetched.kind {
        ManifestKind::Index => of_index(&ImageIndex::parse(&fetched.bytes)?),
        ManifestKind::Manifest => {
            of_manifest(&repository, &fetched.descriptor, &ImageManifest::parse(&fetched.bytes)?)?
        }
    };
    Ok(Resolved { repository, root: fetched.descriptor, images })
}

/// The images of an index, on the platforms that plywood knows; nothing of what is no index.
///
/// # Errors
/// When it is not there, or no manifest.
pub(super) fn images(repository: &Repository, digest: Digest) -> Result<Vec<ResolvedImage>, AttestError> {
    let fetched = repository.get_manifest(&digest.into())?;
    Ok(match fetched.kind {
        ManifestKind::Index => of_index(&ImageIndex::parse(&fetched.bytes)?),
        ManifestKind::Manifest => Vec::new(),
    })
}

fn of_index(index: &ImageIndex) -> Vec<ResolvedImage> {
    let known = |descriptor: &Descriptor| {
        let platform = descriptor.platform.as_ref()?.known()?;
        descriptor.media_type.is_manifest().then(|| ResolvedImage { platform, descriptor: descriptor.clone() })
    };
    index.manifests.iter().filter_map(known).collect()
}

/// A manifest says in its configuration what it is for.
fn of_manifest(
    repository: &Repository,
    descriptor: &Descriptor,
    manifest: &ImageManifest,
) -> Result<Vec<ResolvedImage>, AttestError> {
    use plywood_core::oci::{ImageConfig, MAX_DOCUMENT, PlatformSpec};

    if !manifest.config.media_type.is_config() {
        return Ok(Vec::new());
    }
    let bytes = repository.read_blob(&manifest.config, MAX_DOCUMENT as u64)?;
    let config = ImageConfig::parse(&bytes)?;
    let spec =
        PlatformSpec { architecture: config.architecture, os: config.os, os_version: None, variant: config.variant };
    let image = spec.known().map(|platform| ResolvedImage { platform, descriptor: descriptor.clone() });
    Ok(image.into_iter().collect())
}
