//! `plywood bundle push`

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use plywood_core::bundle::BundleEntry;
use plywood_core::digest::Digest;
use plywood_core::manifest::RegistryPrefix;
use plywood_core::oci::{Descriptor, MAX_DOCUMENT, ManifestName, RepositoryName, Tag};
use plywood_oci::registry::{BlobOutcome, BlobSource, RegistryClient, Repository};
use serde::Serialize;

use super::BundleError;
use super::open::Bundle;
use crate::Error;
use crate::events::{Events, Task, Unit};

/// Where a bundle goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundlePushOptions {
    /// The bundle.
    pub file: Utf8PathBuf,
    /// Its repositories go below this.
    pub registry: RegistryPrefix,
    /// Whether they keep their whole path there, instead of its last part.
    pub keep_paths: bool,
}

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundlePushReport {
    /// Each repository.
    pub repositories: Vec<PushedRepository>,
}

/// One repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushedRepository {
    /// Where it came from.
    pub source: String,
    /// What it is now.
    pub repository: String,
    /// Its tags with what they name.
    pub tags: BTreeMap<String, Digest>,
    /// How many manifests were written; all others were there.
    pub manifests: usize,
    /// How many manifests are attached to others.
    pub attached: usize,
    /// Blobs that were uploaded.
    pub uploaded: usize,
    /// Bytes of them.
    pub uploaded_bytes: u64,
    /// Blobs that were mounted from a repository before this one.
    pub mounted: usize,
    /// Blobs that were there.
    pub present: usize,
}

/// Unpacks a bundle into a registry: blobs, manifests by digest, what is attached to them, and tags at last.
///
/// # Errors
/// Before anything is written: when the bundle is not whole, or the prefix gives no names. Then: when the registry fails.
pub fn push(
    options: &BundlePushOptions,
    client: &RegistryClient,
    events: &dyn Events,
) -> Result<BundlePushReport, Error> {
    let bundle = Bundle::open(&options.file, events)?;
    let targets = targets(options, &bundle)?;
    let total = targets.keys().map(|source| blobs_of(&bundle, source).map(|(_, size)| size).sum::<u64>()).sum();
    let task = Task::start(events, format!("Pushing {}", options.file), Some(total), Unit::Bytes);
    let mut push = Push { bundle: &bundle, task: &task, seen: BTreeMap::new() };
    let mut repositories = Vec::new();
    for (source, target) in &targets {
        let repository = client.repository(target);
        repositories.push(push.repository(source, &repository)?);
    }
    Ok(BundlePushReport { repositories })
}

/// Where each repository goes.
fn targets(
    options: &BundlePushOptions,
    bundle: &Bundle,
) -> Result<BTreeMap<RepositoryName, RepositoryName>, BundleError> {
    let mut targets: BTreeMap<RepositoryName, RepositoryName> = BTreeMap::new();
    for source in bundle.entries.iter().map(|entry| &entry.repository) {
        let path = source.path();
        let own = if options.keep_paths { path } else { path.rsplit('/').next().unwrap_or(path) };
        let target: RepositoryName = format!("{}/{own}", options.registry)
            .parse()
            .map_err(|error| BundleError::Target { repository: source.to_string(), source: error })?;
        if let Some((other, _)) = targets.iter().find(|(other, there)| **there == target && *other != source) {
            let (first, second, target) = (other.to_string(), source.to_string(), target.to_string());
            return Err(BundleError::Collision { first, second, target });
        }
        targets.insert(source.clone(), target);
    }
    Ok(targets)
}

fn entries_of<'b>(bundle: &'b Bundle, source: &RepositoryName) -> impl Iterator<Item = &'b BundleEntry> + use<'b> {
    let source = source.clone();
    bundle.entries.iter().filter(move |entry| entry.repository == source)
}

/// The blobs of a repository, each once, with their sizes in bytes.
fn blobs_of<'b>(bundle: &'b Bundle, source: &RepositoryName) -> impl Iterator<Item = (Digest, u64)> + use<'b> {
    let blobs: BTreeSet<Digest> =
        entries_of(bundle, source).flat_map(|entry| bundle.blobs_below(entry.descriptor.digest)).collect();
    blobs.into_iter().filter_map(|blob| Some((blob, bundle.archive.size(blob)?)))
}

/// A push under way.
struct Push<'p> {
    bundle: &'p Bundle,
    task: &'p Task<'p>,
    /// Where this push has seen or put a blob.
    seen: BTreeMap<Digest, RepositoryName>,
}

impl Push<'_> {
    fn repository(
        &mut self,
        source: &RepositoryName,
        repository: &Repository,
    ) -> Result<PushedRepository, BundleError> {
        let mut report = PushedRepository {
            source: source.to_string(),
            repository: repository.name().to_string(),
            tags: BTreeMap::new(),
            manifests: 0,
            attached: 0,
            uploaded: 0,
            uploaded_bytes: 0,
            mounted: 0,
            present: 0,
        };
        self.blobs(source, repository, &mut report)?;
        // What is attached comes after all that it may be attached to.
        let mut attached: BTreeMap<Digest, Descriptor> = BTreeMap::new();
        let mut done = BTreeSet::new();
        for entry in entries_of(self.bundle, source) {
            for manifest in self.bundle.below(entry.descriptor.digest) {
                let node = self.bundle.nodes.get(&manifest.digest);
                if node.is_some_and(|node| node.subject.is_some()) {
                    attached.insert(manifest.digest, manifest);
                } else if done.insert(manifest.digest) && self.manifest(repository, &manifest)? {
                    report.manifests += 1;
                }
            }
        }
        for manifest in attached.values() {
            let there = repository.head_manifest(&manifest.digest.into())?.is_some();
            report.manifests += usize::from(!there);
            let bytes = self.bundle.archive.read(manifest.digest, MAX_DOCUMENT as u64)?;
            repository.put_referrer_as_is(&manifest.media_type, &bytes)?;
        }
        report.attached = attached.len();
        self.tags(source, repository, &mut report)?;
        Ok(report)
    }

    fn blobs(
        &mut self,
        source: &RepositoryName,
        repository: &Repository,
        report: &mut PushedRepository,
    ) -> Result<(), BundleError> {
        let mut blobs: Vec<(BlobSource, Option<RepositoryName>)> = Vec::new();
        for (digest, _) in blobs_of(self.bundle, source) {
            blobs.push((self.bundle.archive.source(digest)?, self.seen.get(&digest).cloned()));
        }
        // Large ones first, so that the last ones do not keep everybody waiting.
        blobs.sort_by(|(a, _), (b, _)| b.size.cmp(&a.size).then_with(|| a.digest.cmp(&b.digest)));
        let outcomes = repository.put_blobs(&blobs, &|bytes| self.task.advance(bytes))?;
        for ((blob, _), outcome) in blobs.into_iter().zip(outcomes) {
            match outcome {
                BlobOutcome::Present => report.present += 1,
                BlobOutcome::Mounted => report.mounted += 1,
                BlobOutcome::Uploaded => {
                    report.uploaded += 1;
                    report.uploaded_bytes += blob.size;
                }
            }
            self.seen.entry(blob.digest).or_insert_with(|| repository.name().clone());
        }
        Ok(())
    }

    /// Writes a manifest by its digest unless it is there; whether it was not.
    fn manifest(&self, repository: &Repository, manifest: &Descriptor) -> Result<bool, BundleError> {
        let name = ManifestName::Digest(manifest.digest);
        if repository.head_manifest(&name)?.is_some() {
            return Ok(false);
        }
        let bytes = self.bundle.archive.read(manifest.digest, MAX_DOCUMENT as u64)?;
        repository.put_manifest(&name, &manifest.media_type, &bytes)?;
        Ok(true)
    }

    /// Tags of what is attached first, so that whoever sees an image finds its signature.
    fn tags(
        &self,
        source: &RepositoryName,
        repository: &Repository,
        report: &mut PushedRepository,
    ) -> Result<(), BundleError> {
        let mut tagged: Vec<(bool, &Tag, &Descriptor)> = entries_of(self.bundle, source)
            .filter_map(|entry| match &entry.name {
                ManifestName::Tag(tag) => Some((entry.is_tagged_image(), tag, &entry.descriptor)),
                ManifestName::Digest(_) => None,
            })
            .collect();
        tagged.sort_by_key(|(is_image, tag, _)| (*is_image, (*tag).clone()));
        for (_, tag, manifest) in tagged {
            let name = ManifestName::Tag(tag.clone());
            let there = repository.head_manifest(&name)?;
            if there.is_none_or(|there| there.digest != manifest.digest) {
                let bytes = self.bundle.archive.read(manifest.digest, MAX_DOCUMENT as u64)?;
                repository.put_manifest(&name, &manifest.media_type, &bytes)?;
            }
            report.tags.insert(tag.to_string(), manifest.digest);
        }
        Ok(())
    }
}
