//! Blobs on their way: what is there stays, what another repository has is mounted, the rest is uploaded.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use plywood_core::digest::Digest;
use plywood_core::lockfile::LockedBases;
use plywood_core::manifest::BaseReference;
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, ManifestName, RepositoryName, Tag};
use plywood_oci::registry::{BlobOutcome, BlobSource, RegistryClient, Repository, no_progress};
use plywood_oci::store::Store;

use super::PublishError;
use super::report::BlobFigures;
use crate::events::{Events, Task, Unit};

/// Where blobs of the workspace are in the registry, as far as this push has seen.
pub(super) struct Known<'p> {
    client: &'p RegistryClient,
    /// The repositories of all images, each with a tag that may tell what is in it.
    repositories: Vec<(RepositoryName, Tag)>,
    /// Blobs that this push has seen or put somewhere.
    seen: BTreeMap<Digest, RepositoryName>,
    /// What the images under those tags have; asked once, and only when something is missing.
    published: OnceCell<BTreeMap<Digest, RepositoryName>>,
}

impl<'p> Known<'p> {
    pub(super) fn new(client: &'p RegistryClient, repositories: Vec<(RepositoryName, Tag)>) -> Self {
        Self { client, repositories, seen: BTreeMap::new(), published: OnceCell::new() }
    }

    /// A repository of the same registry that has a blob, other than the one it is wanted in.
    fn elsewhere(&self, blob: Digest, wanted_in: &RepositoryName) -> Option<RepositoryName> {
        let fits = |name: &&RepositoryName| *name != wanted_in && name.registry() == wanted_in.registry();
        let seen = self.seen.get(&blob).filter(fits);
        seen.or_else(|| self.published.get_or_init(|| self.ask()).get(&blob).filter(fits)).cloned()
    }

    /// Reads what is under the tags. What cannot be read only means that it cannot be mounted from.
    fn ask(&self) -> BTreeMap<Digest, RepositoryName> {
        let mut published = BTreeMap::new();
        for (name, tag) in &self.repositories {
            let repository = self.client.repository(name);
            let blobs = blobs_under(&repository, &tag.clone().into()).unwrap_or_default();
            for blob in blobs {
                published.entry(blob).or_insert_with(|| name.clone());
            }
        }
        published
    }

    /// Enters the layers of bases that are in the registry that is pushed to, so that they are mounted from there.
    pub(super) fn saw_bases(&mut self, bases: &LockedBases) {
        for (base, platforms) in bases {
            let BaseReference::Registry(base) = base else { continue };
            if self.repositories.iter().any(|(name, _)| name.registry() == base.registry()) {
                let layers = platforms.values().flat_map(|locked| &locked.layers).map(|layer| layer.digest);
                self.saw(layers, base.name());
            }
        }
    }

    fn saw(&mut self, blobs: impl IntoIterator<Item = Digest>, name: &RepositoryName) {
        for blob in blobs {
            self.seen.entry(blob).or_insert_with(|| name.clone());
        }
    }
}

/// The blobs of the images that a name stands for.
fn blobs_under(repository: &Repository, name: &ManifestName) -> Option<BTreeSet<Digest>> {
    let fetched = repository.get_manifest(name).ok()?;
    if let Ok(index) = ImageIndex::parse(&fetched.bytes)
        && fetched.descriptor.media_type.is_index()
    {
        let images = index.manifests.iter().filter_map(|image| blobs_under(repository, &image.digest.into()));
        return Some(images.flatten().collect());
    }
    let manifest = ImageManifest::parse(&fetched.bytes).ok()?;
    Some(manifest.layers.iter().chain([&manifest.config]).map(|blob| blob.digest).collect())
}

/// What must be moved for a repository to have these blobs.
pub(super) struct Transfer {
    present: Vec<Digest>,
    moving: Vec<(Descriptor, Option<RepositoryName>)>,
}

impl Transfer {
    /// Asks the registry what is missing.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub(super) fn plan(
        repository: &Repository,
        blobs: &BTreeMap<Digest, Descriptor>,
        known: &Known<'_>,
    ) -> Result<Self, PublishError> {
        let digests: Vec<Digest> = blobs.keys().copied().collect();
        let there = repository.head_blobs(&digests)?;
        let mut transfer = Self { present: Vec::new(), moving: Vec::new() };
        for (blob, there) in blobs.values().zip(there) {
            match there {
                Some(_) => transfer.present.push(blob.digest),
                None => {
                    transfer.moving.push((blob.clone(), known.elsewhere(blob.digest, repository.name())));
                }
            }
        }
        // Large ones first, so that the last ones do not keep everybody waiting.
        transfer.moving.sort_by(|(a, _), (b, _)| b.size.cmp(&a.size).then_with(|| a.digest.cmp(&b.digest)));
        Ok(transfer)
    }

    /// What would be done.
    pub(super) fn figures(&self) -> BlobFigures {
        let outcomes = self.moving.iter().map(|(blob, from)| {
            let outcome = if from.is_some() { BlobOutcome::Mounted } else { BlobOutcome::Uploaded };
            (outcome, blob.size)
        });
        figures(self.present.len(), outcomes)
    }

    /// Moves what is missing. A blob that the store lacks and that cannot be mounted is fetched first.
    ///
    /// # Errors
    /// When the registry fails or a blob is nowhere.
    pub(super) fn run(
        self,
        repository: &Repository,
        store: &Store,
        known: &mut Known<'_>,
        label: String,
        events: &dyn Events,
    ) -> Result<BlobFigures, PublishError> {
        let total = self.moving.iter().map(|(blob, _)| blob.size).sum();
        known.saw(self.present.iter().copied(), repository.name());
        if self.moving.is_empty() {
            return Ok(figures(self.present.len(), []));
        }
        let task = Task::start(events, label, Some(total), Unit::Bytes);
        let (mut moved, mut sources) = (Vec::new(), Vec::with_capacity(self.moving.len()));
        for (blob, from) in &self.moving {
            let source = BlobSource::stored(store, blob);
            // A layer that was only known by its key, and that its own repository has lost since.
            if !source.path.exists() {
                let from = from.as_ref().ok_or(PublishError::Lost { blob: blob.digest })?;
                if repository.mount_blob(blob.digest, from)? {
                    task.advance(blob.size);
                    moved.push((BlobOutcome::Mounted, blob.size));
                    continue;
                }
                known.client.repository(from).get_blob_to(store, blob, &no_progress)?;
            }
            sources.push((source, from.clone()));
        }
        let outcomes = repository.put_missing_blobs(&sources, &|bytes| task.advance(bytes))?;
        moved.extend(outcomes.into_iter().zip(sources.iter().map(|(source, _)| source.size)));
        known.saw(self.moving.iter().map(|(blob, _)| blob.digest), repository.name());
        Ok(figures(self.present.len(), moved))
    }
}

fn figures(present: usize, moved: impl IntoIterator<Item = (BlobOutcome, u64)>) -> BlobFigures {
    let mut figures = BlobFigures { present, ..BlobFigures::default() };
    for (outcome, size) in moved {
        match outcome {
            BlobOutcome::Present => figures.present += 1,
            BlobOutcome::Mounted => {
                figures.mounted += 1;
                figures.mounted_bytes += size;
            }
            BlobOutcome::Uploaded => {
                figures.uploaded += 1;
                figures.uploaded_bytes += size;
            }
        }
    }
    figures
}
