//! `plywood promote`: tags move to what was pushed and tested.

use camino::Utf8PathBuf;
use plywood_core::attest::Source;
use plywood_core::digest::Digest;
use plywood_core::manifest::{Manifest, RegistryPrefix, TagTemplate};
use plywood_core::oci::{
    ImageIndex, ImageManifest, ManifestName, Reference, RepositoryName, Tag, Timestamp, annotations,
};
use plywood_oci::registry::{FetchedManifest, RegistryClient, Repository};
use serde::Serialize;

use super::report::PushReport;
use super::{PublishError, workspace as places};
use crate::Error;
use crate::attest;
use crate::error::in_full;
use crate::workspace::Workspace;

/// What `promote` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromoteOptions {
    /// The images: names of the manifest, or full references; each may have a digest.
    pub images: Vec<String>,
    /// The digest where an image has none: rolls back, so that only tags that stay from push to push move.
    pub to: Option<Digest>,
    /// A report of `plywood push --json`: every image in it is promoted.
    pub report: Option<Utf8PathBuf>,
    /// Where the images are instead of the workspace's registry.
    pub registry: Option<RegistryPrefix>,
    /// The tags instead of those of the manifest, of which an image of another commit gets only those that stay.
    pub tags: Vec<TagTemplate>,
    /// Whether to only say what would be moved.
    pub dry_run: bool,
}

/// What `promote` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromoteReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Each image.
    pub images: Vec<PromotedImage>,
}

impl PromoteReport {
    /// Whether some image was not promoted.
    pub fn failed(&self) -> bool {
        self.images.iter().any(|image| image.error.is_some())
    }
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromotedImage {
    /// Its repository.
    pub repository: String,
    /// The digest that the tags name now.
    pub digest: Digest,
    /// Its tags.
    pub tags: Vec<MovedTag>,
    /// Why it was not promoted; no tag was moved then, or not all of them.
    pub error: Option<String>,
    /// What to do about that.
    pub hint: Option<String>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedTag {
    /// The tag.
    pub tag: String,
    /// What it named before: `--to` this rolls back.
    pub before: Option<Digest>,
}

/// Moves the tags of images to digests. Each image is looked at first: nothing is tagged that is not whole.
///
/// # Errors
/// When nothing can be promoted at all; what befalls single images is in the report.
pub fn promote(
    options: &PromoteOptions,
    workspace: &Workspace,
    client: &RegistryClient,
) -> Result<PromoteReport, Error> {
    let mut report = PromoteReport { dry_run: options.dry_run, images: Vec::new() };
    let templates = Templates::read(options, workspace)?;
    for (name, image, digest) in subjects(options, workspace)? {
        let repository = client.repository(&name);
        let mut promoted =
            PromotedImage { repository: name.to_string(), digest, tags: Vec::new(), error: None, hint: None };
        let moved = match repository.get_manifest(&digest.into()) {
            Ok(root) => {
                let tags = templates.tags(&image, &root)?;
                move_tags(&repository, &root, &tags, options.dry_run, &mut promoted.tags)
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = moved {
            (promoted.error, promoted.hint) = (Some(in_full(&error)), error.hint());
        }
        report.images.push(promoted);
    }
    Ok(report)
}

/// What is to be promoted: the repository, the image's name and the digest.
fn subjects(options: &PromoteOptions, workspace: &Workspace) -> Result<Vec<(RepositoryName, String, Digest)>, Error> {
    let mut subjects = Vec::new();
    if let Some(path) = &options.report {
        for (image, digest) in PushReport::read(path)?.whole(&options.images) {
            let failed = |source| PublishError::Repository { image: image.name.clone(), source };
            subjects.push((image.repository.parse().map_err(failed)?, image.name, digest));
        }
        return Ok(subjects);
    }
    for text in &options.images {
        subjects.push(subject(text, options, workspace)?);
    }
    Ok(subjects)
}

fn subject(
    text: &str,
    options: &PromoteOptions,
    workspace: &Workspace,
) -> Result<(RepositoryName, String, Digest), Error> {
    let failed = |source| PublishError::Repository { image: text.to_owned(), source };
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => {
            (name, Some(digest.parse().map_err(|error| failed(plywood_core::oci::ParseReferenceError::from(error)))?))
        }
        None => (text, None),
    };
    let digest = digest.or(options.to).ok_or_else(|| PublishError::NoDigest { image: name.to_owned() })?;
    if name.contains('/') {
        let reference: Reference = name.parse().map_err(failed)?;
        let image = reference.repository().rsplit('/').next().unwrap_or_default().to_owned();
        return Ok((reference.name().clone(), image, digest));
    }
    let manifest = workspace.manifest()?;
    manifest.resolve(name)?;
    Ok((places::repository(&manifest, options.registry.as_ref(), name)?, name.to_owned(), digest))
}

/// What tags are made of.
struct Templates<'o> {
    options: &'o PromoteOptions,
    manifest: Manifest,
    date: Timestamp,
    commit: Option<String>,
}

impl<'o> Templates<'o> {
    fn read(options: &'o PromoteOptions, workspace: &Workspace) -> Result<Self, Error> {
        let manifest = workspace.manifest()?;
        let source = match options.tags.iter().any(|tag| tag.as_str().contains("{commit}")) || options.tags.is_empty() {
            true => attest::source(workspace.directory(), None)?,
            false => Source::default(),
        };
        let date = workspace.lock()?.map(|(lock, _)| lock.date).unwrap_or_default();
        Ok(Self { options, manifest, date, commit: source.commit })
    }

    /// The tags asked for, or those of the manifest: all for an image of the workspace's commit, else those that stay from push to push. A tag
    /// with this commit or date would say of an older image that it is of today.
    fn tags(&self, image: &str, root: &FetchedManifest) -> Result<Vec<Tag>, PublishError> {
        let asked = &self.options.tags;
        let stay = asked.is_empty() && (self.options.to.is_some() || self.is_of_another_commit(root));
        if !stay {
            return places::tags(&self.manifest, asked, self.date, self.commit.as_deref(), image);
        }
        let standing = places::standing_tags(&self.manifest);
        if standing.is_empty() { Err(PublishError::NoStandingTag { image: image.to_owned() }) } else { Ok(standing) }
    }

    fn is_of_another_commit(&self, root: &FetchedManifest) -> bool {
        let revision =
            ImageIndex::parse(&root.bytes).ok().and_then(|mut it| it.annotations.remove(annotations::REVISION));
        match (revision, &self.commit) {
            (Some(revision), Some(commit)) => !revision.starts_with(commit),
            _ => false,
        }
    }
}

fn move_tags(
    repository: &Repository,
    root: &FetchedManifest,
    tags: &[Tag],
    dry_run: bool,
    moved: &mut Vec<MovedTag>,
) -> Result<(), PublishError> {
    whole(repository, root)?;
    let digest = root.descriptor.digest;
    for tag in tags {
        let tagged = ManifestName::Tag(tag.clone());
        let before = repository.head_manifest(&tagged)?.map(|manifest| manifest.digest);
        if !dry_run && before != Some(digest) {
            repository.put_manifest(&tagged, &root.descriptor.media_type, &root.bytes)?;
        }
        moved.push(MovedTag { tag: tag.to_string(), before });
    }
    Ok(())
}

/// Checks that everything an image names is there: manifests of its platforms, their configurations and layers.
fn whole(repository: &Repository, root: &FetchedManifest) -> Result<(), PublishError> {
    let reference = || repository.name().reference(&root.descriptor.digest.into()).to_string();
    let incomplete =
        |missing: Digest| PublishError::Incomplete { reference: reference(), missing: missing.to_string() };
    let document = |source| PublishError::Document { reference: reference(), source };
    if root.descriptor.media_type.is_index() {
        for image in ImageIndex::parse(&root.bytes).map_err(document)?.manifests {
            match repository.get_manifest(&image.digest.into()) {
                Ok(manifest) => whole(repository, &manifest)?,
                Err(error) if error.is_not_found() => return Err(incomplete(image.digest)),
                Err(error) => return Err(error.into()),
            }
        }
        return Ok(());
    }
    let manifest = ImageManifest::parse(&root.bytes).map_err(document)?;
    let blobs: Vec<Digest> = manifest.layers.iter().chain([&manifest.config]).map(|blob| blob.digest).collect();
    let there = repository.head_blobs(&blobs)?;
    match blobs.iter().zip(there).find(|(_, there)| there.is_none()) {
        Some((missing, _)) => Err(incomplete(*missing)),
        None => Ok(()),
    }
}
