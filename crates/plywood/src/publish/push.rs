//! `plywood push`

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use plywood_core::attest::{Materials, PrivateKey, Source};
use plywood_core::digest::Digest;
use plywood_core::manifest::{Manifest, RegistryPrefix, ResolvedImage, TagTemplate};
use plywood_core::oci::{Descriptor, ImageIndex, ManifestName, MediaType, RepositoryName, Tag, annotations};
use plywood_core::platform::Platform;
use plywood_oci::registry::{RegistryClient, Repository};
use plywood_oci::store::Store;

use super::index::Index;
use super::report::{PushOutcome, PushReport, PushedImage, PushedPlatform, Trouble};
use super::reuse::Believed;
use super::transfer::{Known, Transfer};
use super::{PublishError, join, reuse, workspace as places};
use crate::Error;
use crate::attest;
use crate::build::{BuildOptions, Made, MadeImage, MadePlatform, make_images};
use crate::events::Events;
use crate::pull;
use crate::workspace::Workspace;

/// What `push` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushOptions {
    /// The images by name; all of the manifest's when empty.
    pub images: Vec<String>,
    /// The platforms; all of each image's when empty.
    pub platforms: Vec<Platform>,
    /// Where they go instead of the workspace's registry.
    pub registry: Option<RegistryPrefix>,
    /// The tags instead of those of the manifest.
    pub tags: Vec<TagTemplate>,
    /// Whether no tag is moved.
    pub untagged: bool,
    /// Whether to do nothing where the tag that stays, such as `latest`, has these images already.
    pub if_changed: bool,
    /// Whether to only say what would be moved.
    pub dry_run: bool,
    /// Reports of pushes of single platforms, to be joined; nothing is built then.
    pub index_only: Vec<Utf8PathBuf>,
    /// The private key to sign with, besides those that the environment names.
    pub key: Option<Utf8PathBuf>,
    /// Whether layers are believed that no trusted key vouches for.
    pub trust_registry: bool,
    /// Whether to fail where the lock is missing or stale.
    pub locked: bool,
    /// How many threads to work with.
    pub jobs: Option<NonZeroUsize>,
}

/// Builds images and puts them into a registry: blobs, manifests by digest, signatures, then tags. An image that fails
/// holds back only itself and those that stand on it.
///
/// # Errors
/// When nothing can be pushed at all: a bad manifest or lock, no registry, no such key. What befalls single images is in
/// the report.
pub fn push(
    options: &PushOptions,
    workspace: &Workspace,
    client: &RegistryClient,
    events: &dyn Events,
) -> Result<PushReport, Error> {
    let manifest = workspace.manifest()?;
    for name in &options.images {
        manifest.resolve(name)?;
    }
    let source =
        attest::source(workspace.directory(), manifest.workspace().source.as_ref().map(|source| source.as_str()))?;
    let key = attest::signing_key(options.key.as_deref())?;
    let store = Store::open(workspace.cache())?;
    let push = Push { options, workspace, manifest: &manifest, source, key, client, store: &store, events };
    if options.index_only.is_empty() { push.built() } else { push.joined() }
}

/// What became of each image that was to be made.
type Images = BTreeMap<String, Result<(Made, MadeImage), Trouble>>;

/// What the images of one push share.
struct Push<'p> {
    options: &'p PushOptions,
    workspace: &'p Workspace,
    manifest: &'p Manifest,
    source: Source,
    key: Option<PrivateKey>,
    client: &'p RegistryClient,
    store: &'p Store,
    events: &'p dyn Events,
}

impl Push<'_> {
    /// The images asked for, parents first.
    fn wanted(&self) -> Vec<&ResolvedImage> {
        let asked = &self.options.images;
        let mut images: Vec<&ResolvedImage> = self
            .manifest
            .resolved()
            .values()
            .filter(|image| asked.is_empty() || asked.iter().any(|name| name == image.name.as_str()))
            .collect();
        images.sort_by_key(|image| (image.parents.len(), &image.name));
        images
    }

    fn repository(&self, image: &str) -> Result<Repository, PublishError> {
        let name = places::repository(self.manifest, self.options.registry.as_ref(), image)?;
        Ok(self.client.repository(&name))
    }

    /// Builds what is asked for and pushes it.
    fn built(&self) -> Result<PushReport, Error> {
        let wanted = self.wanted();
        let repositories = self.repositories(&wanted)?;
        let mut made = self.make(&wanted, &repositories)?;
        let mut known = Known::new(self.client, repositories);
        let mut report = PushReport { dry_run: self.options.dry_run, images: Vec::new() };
        let mut failed: BTreeSet<&str> = BTreeSet::new();
        for image in wanted {
            let name = image.name.as_str();
            let repository = self.repository(name)?;
            let empty = PushedImage::new(name, repository.name().to_string());
            let parent = image.parents.iter().find(|parent| failed.contains(parent.as_str()));
            let pushed = match (parent, made.remove(name)) {
                (Some(parent), _) => {
                    Err((PushOutcome::HeldBack, format!("`{parent}`, which it stands on, failed").into()))
                }
                (None, Some(Ok((made, image)))) => {
                    let pushed = self.image(&repository, &made, &image, &mut known);
                    pushed.map_err(|error| (PushOutcome::Failed, Trouble::from(&error)))
                }
                (None, Some(Err(error))) => Err((PushOutcome::Failed, error)),
                (None, None) => Err((PushOutcome::Failed, "it was not built".to_owned().into())),
            };
            report.images.push(pushed.unwrap_or_else(|(outcome, trouble)| {
                failed.insert(name);
                empty.failed(outcome, trouble)
            }));
        }
        Ok(report)
    }

    /// The repository of each image, those asked for first, with the tag under which the last push of it is found.
    fn repositories(&self, wanted: &[&ResolvedImage]) -> Result<Vec<(RepositoryName, Tag)>, PublishError> {
        let own = wanted.iter().map(|image| image.name.as_str());
        let others = self.manifest.resolved().keys().map(|name| name.as_str());
        let mut repositories: Vec<(RepositoryName, Tag)> = Vec::new();
        for name in own.chain(others) {
            let name = places::repository(self.manifest, self.options.registry.as_ref(), name)?;
            if repositories.iter().all(|(known, _)| *known != name) {
                let tag = places::last_tag(self.manifest, &self.options.tags, &self.client.repository(&name));
                repositories.extend(tag.map(|tag| (name, tag)));
            }
        }
        Ok(repositories)
    }

    /// Whose keys of layers are believed.
    fn believed(&self) -> Result<Believed, Error> {
        if self.options.trust_registry {
            return Ok(Believed::Registry);
        }
        let files = self.workspace.believed_keys()?;
        let keys = files.iter().map(|path| attest::public_key(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(if keys.is_empty() { Believed::Nobody } else { Believed::Keys(keys) })
    }

    /// All images at once, so that work is shared; one at a time where that fails, to find out which it is.
    fn make(&self, wanted: &[&ResolvedImage], repositories: &[(RepositoryName, Tag)]) -> Result<Images, Error> {
        let known = reuse::published(self.client, repositories, &self.believed()?, self.store, self.events)?;
        let options = |names: Vec<String>| BuildOptions {
            images: names,
            platforms: self.options.platforms.clone(),
            every_platform: self.options.platforms.is_empty(),
            locked: self.options.locked,
            jobs: self.options.jobs,
            ..BuildOptions::default()
        };
        let names: Vec<String> = wanted.iter().map(|image| image.name.to_string()).collect();
        let build = |names| make_images(&options(names), self.workspace, &known, self.events);
        let mut images = BTreeMap::new();
        match build(names.clone()) {
            Ok((made, all)) => {
                images.extend(all.into_iter().map(|image| (image.name.clone(), Ok((made.clone(), image)))));
            }
            Err(error) if error.is_usage() || names.len() == 1 => return Err(error),
            Err(_) => {
                for name in names {
                    let result =
                        build(vec![name.clone()]).map_err(|error| Trouble::from(&error)).and_then(|(made, all)| {
                            let own = all.into_iter().find(|image| image.name == name);
                            own.map(|image| (made, image)).ok_or_else(|| "it was not built".to_owned().into())
                        });
                    images.insert(name, result);
                }
            }
        }
        Ok(images)
    }

    /// One image: everything by digest, then its tags.
    fn image(
        &self,
        repository: &Repository,
        made: &Made,
        image: &MadeImage,
        known: &mut Known<'_>,
    ) -> Result<PushedImage, Error> {
        let keyed = |platform: &MadePlatform| {
            platform.image.manifest.clone().annotated(annotations::IMAGE_KEY, platform.key.to_string())
        };
        let index = Index::over(image.platforms.iter().map(keyed).collect(), self.manifest, &self.source);
        let tags = self.tags(made.ensured.lock.date, &image.name)?;
        let mut pushed = self.pushed(repository, &image.name, &index);
        if let Some((tag, digest)) = self.there(repository, &tags, &index)? {
            (pushed.outcome, pushed.digest) = (PushOutcome::Unchanged, Some(digest));
            return Ok(pushed.with_tags(&[tag]));
        }
        // A manifest is only taken when its blobs are there.
        let mut blobs = BTreeMap::new();
        let mut missing = Vec::new();
        for MadePlatform { image, .. } in &image.platforms {
            if repository.head_manifest(&image.manifest.digest.into()).map_err(PublishError::from)?.is_none() {
                let layers = image.layers.iter().map(|layer| layer.descriptor());
                blobs.extend(layers.chain([image.config.clone()]).map(|blob| (blob.digest, blob)));
                missing.push(image);
            }
        }
        known.saw_bases(&made.ensured.lock.bases);
        let transfer = Transfer::plan(repository, &blobs, known)?;
        if self.options.dry_run {
            pushed.blobs = transfer.figures();
            return Ok(if self.options.untagged { pushed } else { pushed.with_tags(&tags) });
        }
        let label = format!("Pushing {}", image.name);
        pushed.blobs = transfer.run(repository, self.store, known, label, self.events)?;
        for image in missing {
            self.put_manifest(repository, &image.manifest)?;
        }
        self.publish(repository, &index, &tags, Some(made), pushed)
    }

    fn put_manifest(&self, repository: &Repository, manifest: &Descriptor) -> Result<(), Error> {
        let path = self.store.blob_path(manifest.digest);
        let bytes = std::fs::read(&path).map_err(|source| Error::Read { path, source })?;
        let name = ManifestName::Digest(manifest.digest);
        repository.put_manifest(&name, &manifest.media_type, &bytes).map_err(PublishError::from)?;
        Ok(())
    }

    /// The index by digest, its signatures, its tags.
    fn publish(
        &self,
        repository: &Repository,
        index: &Index,
        tags: &[Tag],
        made: Option<&Made>,
        mut pushed: PushedImage,
    ) -> Result<PushedImage, Error> {
        let put = |name: &ManifestName| repository.put_manifest(name, &MediaType::IMAGE_INDEX, &index.bytes);
        let named =
            |name: &ManifestName| Ok::<_, PublishError>(repository.head_manifest(name)?.map(|found| found.digest));
        let digest = index.descriptor.digest;
        // What is signed is there first. Without that, the first tag brings it.
        if (self.key.is_some() || self.options.untagged) && named(&digest.into())?.is_none() {
            put(&digest.into()).map_err(PublishError::from)?;
        }
        if let Some(key) = &self.key {
            self.sign(repository, index, made, key, &pushed)?;
            pushed.signed = true;
        }
        if self.options.untagged {
            return Ok(pushed);
        }
        for tag in tags {
            let tag = ManifestName::Tag(tag.clone());
            if named(&tag)? != Some(digest) {
                put(&tag).map_err(PublishError::from)?;
            }
        }
        Ok(pushed.with_tags(tags))
    }

    /// Signs the index and each image, and says of the index where it came from. Of what others built only the signature
    /// is ours to give.
    fn sign(
        &self,
        repository: &Repository,
        index: &Index,
        made: Option<&Made>,
        key: &PrivateKey,
        pushed: &PushedImage,
    ) -> Result<(), Error> {
        let platforms: Vec<Platform> = pushed.platforms.iter().map(|platform| platform.platform).collect();
        let provenance = made.map(|made| {
            let lock = &made.ensured.lock;
            let image = pull::image_over(self.manifest, &lock.bases, &pushed.name, &platforms)?;
            Ok::<_, Error>(attest::provenance(Materials {
                image: &image,
                platforms: &platforms,
                manifest: self.manifest.digest(),
                lock,
                lock_digest: Digest::of(made.ensured.text.as_bytes()),
                created: made.created,
                source: &self.source,
            }))
        });
        let provenance = provenance.transpose()?;
        for subject in std::iter::once(&index.descriptor).chain(&index.images) {
            match &provenance {
                Some(provenance) => attest::sign_and_attach(repository, subject, key, provenance)?,
                None => attest::sign_digest(repository, subject, key)?,
            };
        }
        Ok(())
    }

    fn tags(&self, date: plywood_core::oci::Timestamp, image: &str) -> Result<Vec<Tag>, PublishError> {
        let commit = self.source.commit.as_deref();
        places::tags(self.manifest, &self.options.tags, date, commit, image)
    }

    fn pushed(&self, repository: &Repository, image: &str, index: &Index) -> PushedImage {
        let platforms = index.images.iter().filter_map(|image| {
            let platform = image.platform.as_ref()?.known()?;
            Some(PushedPlatform { platform, digest: image.digest, size: image.size })
        });
        PushedImage {
            digest: Some(index.descriptor.digest),
            platforms: platforms.collect(),
            ..PushedImage::new(image, repository.name().to_string())
        }
    }

    /// With `--if-changed`: the tag that stays from push to push, or the first where none stays, and what it names, when that
    /// has these images already.
    fn there(
        &self,
        repository: &Repository,
        tags: &[Tag],
        index: &Index,
    ) -> Result<Option<(Tag, Digest)>, PublishError> {
        let standing = places::standing_tag(self.manifest, &self.options.tags).filter(|tag| tags.contains(tag));
        let tag = standing.as_ref().or(tags.first());
        let Some(tag) = tag.filter(|_| self.options.if_changed) else { return Ok(None) };
        match repository.get_manifest(&tag.clone().into()) {
            Ok(fetched) => {
                let same = ImageIndex::parse(&fetched.bytes).is_ok_and(|there| index.same_images(&there));
                Ok(same.then(|| (tag.clone(), fetched.descriptor.digest)))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Joins what runners pushed, each for its platform, under one index.
    fn joined(&self) -> Result<PushReport, Error> {
        let reports: Vec<PushReport> =
            self.options.index_only.iter().map(|path| PushReport::read(path)).collect::<Result<_, _>>()?;
        let date = self.workspace.lock()?.map(|(lock, _)| lock.date).unwrap_or_default();
        let mut report = PushReport { dry_run: self.options.dry_run, images: Vec::new() };
        for image in self.wanted() {
            let name = image.name.as_str();
            let repository = self.repository(name)?;
            let pushed = self.join_image(image, &repository, &reports, date);
            report.images.push(pushed.unwrap_or_else(|error| {
                let empty = PushedImage::new(name, repository.name().to_string());
                empty.failed(PushOutcome::Failed, Trouble::from(&error))
            }));
        }
        Ok(report)
    }

    fn join_image(
        &self,
        image: &ResolvedImage,
        repository: &Repository,
        reports: &[PushReport],
        date: plywood_core::oci::Timestamp,
    ) -> Result<PushedImage, Error> {
        let name = image.name.as_str();
        let platforms = if self.options.platforms.is_empty() { &image.platforms } else { &self.options.platforms };
        let manifests = join::manifests(name, platforms, reports, repository)?;
        let index = Index::over(manifests, self.manifest, &self.source);
        let tags = self.tags(date, name)?;
        let mut pushed = self.pushed(repository, name, &index);
        if let Some((tag, digest)) = self.there(repository, &tags, &index)? {
            (pushed.outcome, pushed.digest) = (PushOutcome::Unchanged, Some(digest));
            return Ok(pushed.with_tags(&[tag]));
        }
        if self.options.dry_run {
            return Ok(if self.options.untagged { pushed } else { pushed.with_tags(&tags) });
        }
        self.publish(repository, &index, &tags, None, pushed)
    }
}
