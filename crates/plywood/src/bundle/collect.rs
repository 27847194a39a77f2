//! What goes into a bundle: manifests with all they lead to, from a registry or from an image layout.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::bundle::{BundleEntry, ManifestNode};
use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, ManifestName, Reference, Tag};
use plywood_oci::layout::ImageLayout;
use plywood_oci::registry::{BlobSource, FetchedManifest, RegistryClient, Repository};
use plywood_oci::store::Store;

use super::{BundleError, MAX_MANIFESTS};
use crate::Error;
use crate::events::{Event, Events, Task, Unit};

/// How cosign's tags of a digest end (cosign's specs, "Signature specification").
const COSIGN_TAGS: [&str; 3] = ["sig", "att", "sbom"];

/// What goes into a bundle.
#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) entries: BTreeMap<String, BundleEntry>,
    /// Where the bytes of everything are.
    pub(super) blobs: BTreeMap<Digest, BlobSource>,
    /// Those of them that are `.narinfo` files.
    pub(super) nar_infos: BTreeSet<Digest>,
}

impl Collection {
    fn add(&mut self, entry: BundleEntry) -> Result<(), BundleError> {
        let reference = entry.reference().to_string();
        match self.entries.insert(reference.clone(), entry.clone()) {
            Some(other) if other != entry => Err(BundleError::TwoImages { reference }),
            _ => Ok(()),
        }
    }

    fn add_blob(&mut self, blob: BlobSource) {
        self.blobs.entry(blob.digest).or_insert(blob);
    }

    /// Takes an image of a layout under its name there.
    ///
    /// # Errors
    /// When something it leads to is missing or damaged.
    pub(super) fn take_from_layout(
        &mut self,
        layout: &ImageLayout,
        name: &Reference,
        root: &Descriptor,
    ) -> Result<(), Error> {
        self.add(BundleEntry::new(name.name().clone(), name.target(), root))?;
        let mut pending = vec![root.clone()];
        let mut seen = BTreeSet::new();
        while let Some(descriptor) = pending.pop() {
            if !seen.insert(descriptor.digest) {
                continue;
            }
            let bytes = layout.document(&descriptor)?;
            let node = parse(name, &descriptor, &bytes)?;
            for blob in node.blobs.iter().chain([&descriptor]) {
                self.add_blob(layout.blob_source(blob)?);
            }
            pending.extend(node.manifests);
        }
        Ok(())
    }
}

/// Takes images out of registries into the store, and from there into a collection.
pub(super) struct FromRegistry<'c> {
    pub(super) client: &'c RegistryClient,
    pub(super) store: &'c Store,
    /// Whether what is attached to images comes along.
    pub(super) attached: bool,
    pub(super) events: &'c dyn Events,
}

impl FromRegistry<'_> {
    /// Takes an image with everything that it leads to and everything that is attached to any of that.
    ///
    /// # Errors
    /// When the registry cannot be read, or has not all of it.
    pub(super) fn take(&self, reference: &Reference, collection: &mut Collection) -> Result<(), Error> {
        let repository = self.client.repository(reference.name());
        let root = repository.get_manifest(&reference.target()).map_err(BundleError::from)?;
        let name = reference.tag().map_or_else(|| reference.target(), |tag| ManifestName::Tag(tag.clone()));
        collection.add(BundleEntry::new(reference.name().clone(), name, &root.descriptor))?;
        let mut walk = Walk { repository: &repository, reference, pending: vec![root], seen: BTreeSet::new() };
        let mut blobs = BTreeMap::new();
        while let Some(manifest) = walk.pending.pop() {
            let digest = manifest.descriptor.digest;
            if !walk.seen.insert(digest) {
                continue;
            }
            if walk.seen.len() > MAX_MANIFESTS {
                return Err(BundleError::TooMany { place: reference.to_string() }.into());
            }
            let node = parse(reference, &manifest.descriptor, &manifest.bytes)?;
            self.store.put_blob(&manifest.bytes)?;
            collection.add_blob(BlobSource::stored(self.store, &manifest.descriptor));
            for child in &node.manifests {
                walk.pending.push(repository.get_manifest(&child.digest.into()).map_err(BundleError::from)?);
            }
            blobs.extend(node.blobs.into_iter().map(|blob| (blob.digest, blob)));
            if self.attached {
                self.take_attached(&mut walk, digest, collection)?;
            }
        }
        self.fetch(&repository, reference, blobs.into_values().collect(), collection)
    }

    fn fetch(
        &self,
        repository: &Repository,
        reference: &Reference,
        blobs: Vec<Descriptor>,
        collection: &mut Collection,
    ) -> Result<(), Error> {
        let total = blobs.iter().map(|blob| blob.size).sum();
        let task = Task::start(self.events, format!("Fetching {reference}"), Some(total), Unit::Bytes);
        repository.get_blobs_to(self.store, &blobs, &|bytes| task.advance(bytes)).map_err(BundleError::from)?;
        blobs.iter().for_each(|blob| collection.add_blob(BlobSource::stored(self.store, blob)));
        Ok(())
    }

    /// What is attached to a manifest: its referrers, and what is under cosign's tags.
    fn take_attached(
        &self,
        walk: &mut Walk<'_>,
        digest: Digest,
        collection: &mut Collection,
    ) -> Result<(), BundleError> {
        let repository = walk.repository;
        let mut add = |name: ManifestName, manifest: FetchedManifest| {
            collection.add(BundleEntry::new(repository.name().clone(), name, &manifest.descriptor))?;
            walk.pending.push(manifest);
            Ok::<_, BundleError>(())
        };
        for referrer in repository.referrers(digest, None)? {
            match repository.get_manifest(&referrer.digest.into()) {
                Ok(manifest) => add(referrer.digest.into(), manifest)?,
                // A list under a tag goes on naming what was deleted.
                Err(error) if error.is_not_found() => self.events.emit(Event::Warning(format!(
                    "{} is said to be attached to {digest}, and is not in {}",
                    referrer.digest,
                    walk.reference.name()
                ))),
                Err(error) => return Err(error.into()),
            }
        }
        for ending in COSIGN_TAGS {
            let Ok(tag) = format!("sha256-{}.{ending}", digest.to_hex()).parse::<Tag>() else { continue };
            match repository.get_manifest(&tag.clone().into()) {
                Ok(manifest) => add(tag.into(), manifest)?,
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Where one image leads.
struct Walk<'w> {
    repository: &'w Repository,
    reference: &'w Reference,
    pending: Vec<FetchedManifest>,
    seen: BTreeSet<Digest>,
}

fn parse(place: &Reference, descriptor: &Descriptor, bytes: &[u8]) -> Result<ManifestNode, BundleError> {
    ManifestNode::parse(&descriptor.media_type, bytes).map_err(|source| BundleError::Manifest {
        place: place.to_string(),
        digest: descriptor.digest,
        source,
    })
}
