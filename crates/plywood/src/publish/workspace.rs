//! Where the images of a workspace go, and under which tags.

use plywood_core::manifest::{Manifest, RegistryPrefix, TagContext, TagTemplate};
use plywood_core::oci::{Reference, RepositoryName, Tag, Timestamp};
use plywood_oci::registry::Repository;

use super::PublishError;
use crate::Error;
use crate::workspace::Workspace;

/// The tag where nobody says another.
const DEFAULT_TAG: &str = "latest";

/// The repository of an image.
///
/// # Errors
/// [`PublishError::NoRegistry`], [`PublishError::Repository`]
pub(crate) fn repository(
    manifest: &Manifest,
    registry: Option<&RegistryPrefix>,
    image: &str,
) -> Result<RepositoryName, PublishError> {
    let prefix = registry.or(manifest.workspace().registry.as_ref()).ok_or(PublishError::NoRegistry)?;
    format!("{prefix}/{image}").parse().map_err(|source| PublishError::Repository { image: image.to_owned(), source })
}

/// An image in a registry as people name it: by its full name, or as `IMAGE@sha256:…` and `IMAGE:TAG` where the workspace in this folder
/// has such an image, which is then meant as it is in the workspace's registry.
///
/// # Errors
/// [`PublishError::Reference`], [`PublishError::NoRegistry`], [`PublishError::Repository`]; a manifest with faults.
pub fn reference(text: &str, workspace: &Workspace) -> Result<Reference, Error> {
    let manifest = match workspace.manifest() {
        Err(Error::NoManifest { .. }) => None,
        manifest => Some(manifest?),
    };
    Ok(reference_in(text, None, manifest.as_ref())?)
}

/// The same with a manifest at hand, and below another registry than its own.
///
/// # Errors
/// [`PublishError::Reference`], [`PublishError::NoRegistry`], [`PublishError::Repository`]
pub(crate) fn reference_in(
    text: &str,
    registry: Option<&RegistryPrefix>,
    manifest: Option<&Manifest>,
) -> Result<Reference, PublishError> {
    let failed = |source| PublishError::Reference { text: text.to_owned(), source };
    let (name, rest) = text.split_at(text.find(['/', ':', '@']).unwrap_or(text.len()));
    match manifest.filter(|manifest| !rest.starts_with('/') && manifest.resolve(name).is_ok()) {
        Some(manifest) => format!("{}{rest}", repository(manifest, registry, name)?).parse().map_err(failed),
        None => text.parse().map_err(failed),
    }
}

/// The tags of an image: those asked for, else those of the manifest.
///
/// # Errors
/// [`PublishError::Tag`]
pub(super) fn tags(
    manifest: &Manifest,
    asked: &[TagTemplate],
    date: Timestamp,
    commit: Option<&str>,
    image: &str,
) -> Result<Vec<Tag>, PublishError> {
    let publish = manifest.publish();
    let named = publish.and_then(|publish| publish.tags.as_ref());
    let named: Vec<&TagTemplate> = match (asked, named) {
        ([], Some(tags)) => tags.iter().map(|tag| &tag.value).collect(),
        (asked, _) => asked.iter().collect(),
    };
    let context = TagContext {
        date,
        commit: commit.map(str::to_owned),
        version: publish.and_then(|publish| publish.version.clone()),
    };
    let failed = |source| PublishError::Tag { image: image.to_owned(), source };
    let mut tags = Vec::new();
    for template in named {
        let tag = template.render(&context).map_err(failed)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.is_empty() {
        tags.push(DEFAULT_TAG.parse().map_err(|source: plywood_core::oci::ParseReferenceError| failed(source.into()))?);
    }
    Ok(tags)
}

/// A tag that stays where it is from push to push, under which the last one is found.
pub(super) fn standing_tag(manifest: &Manifest, asked: &[TagTemplate]) -> Option<Tag> {
    let mut templates = templates(manifest, asked);
    templates.find_map(|template| template.as_str().parse().ok()).or_else(|| DEFAULT_TAG.parse().ok())
}

/// The tags of the manifest that stay where they are from push to push; without any tags of its own, the default.
pub(super) fn standing_tags(manifest: &Manifest) -> Vec<Tag> {
    let standing: Vec<Tag> = templates(manifest, &[]).filter_map(|template| template.as_str().parse().ok()).collect();
    match templates(manifest, &[]).next() {
        None => DEFAULT_TAG.parse().into_iter().collect(),
        Some(_) => standing,
    }
}

/// The tag under which the last push to a repository is found: one that stays or, where every push has another, the newest
/// that is there by its date.
pub(super) fn last_tag(manifest: &Manifest, asked: &[TagTemplate], repository: &Repository) -> Option<Tag> {
    let mut moving = Vec::new();
    for template in templates(manifest, asked) {
        match template.as_str().parse() {
            Ok(tag) => return Some(tag),
            Err(_) => moving.push(template),
        }
    }
    let dated: Vec<&TagTemplate> = moving.into_iter().filter(|tag| tag.as_str().starts_with("{date}")).collect();
    let newest = || {
        // A registry that does not list its tags has nothing to reuse; that is all.
        let tags = repository.list_tags().unwrap_or_default();
        tags.into_iter().filter(|tag| dated.iter().any(|template| template.could_be(tag))).max()
    };
    let newest = if dated.is_empty() { None } else { newest() };
    newest.or_else(|| standing_tag(manifest, asked))
}

/// The templates asked for, then those of the manifest.
fn templates<'m>(manifest: &'m Manifest, asked: &'m [TagTemplate]) -> impl Iterator<Item = &'m TagTemplate> {
    let named = manifest.publish().and_then(|publish| publish.tags.as_ref());
    asked.iter().chain(named.into_iter().flat_map(|tags| tags.iter().map(|tag| &tag.value)))
}
