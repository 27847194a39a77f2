//! Where the images of a workspace go, and under which tags.

use plywood_core::manifest::{Manifest, RegistryPrefix, TagContext, TagTemplate};
use plywood_core::oci::{RepositoryName, Tag, Timestamp};

use super::PublishError;

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
    let named = manifest.publish().and_then(|publish| publish.tags.as_ref());
    let named = named.into_iter().flat_map(|tags| tags.iter().map(|tag| &tag.value));
    let standing = asked.iter().chain(named).filter_map(|template| template.as_str().parse().ok()).next();
    standing.or_else(|| DEFAULT_TAG.parse().ok())
}
