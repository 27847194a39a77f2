//! `plywood prune`: old images out of a registry.
//!
//! A registry lists tags, not digests, so what can go is found from tags: those of a kind that comes and goes, old enough,
//! give their images, and of these goes what nothing else reaches. Never what another tag names, what an index that stays
//! names, or what is said to be deployed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::Utf8PathBuf;
use plywood_core::attest::Running;
use plywood_core::digest::Digest;
use plywood_core::manifest::{RegistryPrefix, TagTemplate};
use plywood_core::oci::{
    ImageConfig, ImageIndex, ImageManifest, MAX_DOCUMENT, ManifestName, Reference, RepositoryName, Tag,
};
use plywood_oci::registry::{RegistryClient, RegistryError, Repository};
use serde::Serialize;

use super::report::PushReport;
use super::{PublishError, workspace as places};
use crate::Error;
use crate::attest::AttestError;
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// What `prune` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// The images by name; all of the manifest's when empty.
    pub images: Vec<String>,
    /// Where they are instead of the workspace's registry.
    pub registry: Option<RegistryPrefix>,
    /// How old an image must be, in days since its `created`.
    pub days: u32,
    /// How many of the newest images of each repository stay however old they are.
    pub keep: usize,
    /// Templates of the tags that may go instead of those of the manifest that have a date or a commit.
    pub tags: Vec<TagTemplate>,
    /// A list of running images, which stay.
    pub deployed: Option<Utf8PathBuf>,
    /// Reports of `plywood push --json`: digests that were pushed and may never have been tagged.
    pub reports: Vec<Utf8PathBuf>,
    /// Whether to only say what would go.
    pub dry_run: bool,
}

/// What `prune` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PruneReport {
    /// Whether nothing was deleted.
    pub dry_run: bool,
    /// Each repository.
    pub repositories: Vec<PrunedRepository>,
}

/// One repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrunedRepository {
    /// Its name.
    pub repository: String,
    /// The tags that went.
    pub tags: Vec<String>,
    /// The manifests that went: indexes, images, then what was attached to them.
    pub deleted: Vec<Digest>,
    /// How many digests that are tagged or deployed stay.
    pub kept: usize,
}

/// Deletes old images.
///
/// # Errors
/// A bad manifest, a list or report that cannot be read, or a registry that cannot be asked or does not delete.
pub fn prune(
    options: &PruneOptions,
    workspace: &Workspace,
    client: &RegistryClient,
    events: &dyn Events,
) -> Result<PruneReport, Error> {
    let manifest = workspace.manifest()?;
    let templates = match options.tags.as_slice() {
        [] => manifest.publish().and_then(|publish| publish.tags.as_ref()).map_or_else(Vec::new, |tags| {
            tags.iter().map(|tag| tag.value.clone()).filter(TagTemplate::moves_on).collect()
        }),
        tags => tags.to_vec(),
    };
    let deployed = Deployed::read(options)?;
    let pushed = pushed(options)?;
    let names: Vec<&str> = match options.images.as_slice() {
        [] => manifest.resolved().keys().map(|name| name.as_str()).collect(),
        names => names
            .iter()
            .map(|name| manifest.resolve(name).map(|image| image.name.as_str()))
            .collect::<Result<_, _>>()?,
    };
    let task = Task::start(events, "Looking for old images", Some(names.len() as u64), Unit::Items);
    let mut report = PruneReport { dry_run: options.dry_run, repositories: Vec::new() };
    for name in names {
        let name = places::repository(&manifest, options.registry.as_ref(), name)?;
        let repository = client.repository(&name);
        let untagged = pushed.get(&name.to_string()).cloned().unwrap_or_default();
        let state = State::read(&repository, untagged, &deployed)?;
        report.repositories.push(state.prune(&repository, &templates, options)?);
        task.advance(1);
    }
    Ok(report)
}

/// What is said to be deployed.
#[derive(Default)]
struct Deployed {
    digests: BTreeSet<Digest>,
    /// Names with a tag in place of a digest: what it names now stays.
    tags: BTreeSet<(RepositoryName, ManifestName)>,
}

impl Deployed {
    fn read(options: &PruneOptions) -> Result<Self, Error> {
        let Some(path) = &options.deployed else { return Ok(Self::default()) };
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let running = Running::parse(&text).map_err(|source| AttestError::Running { path: path.clone(), source })?;
        let mut tags = BTreeSet::new();
        for (name, pods) in running.unknown {
            match name.parse::<Reference>() {
                Ok(reference) => _ = tags.insert((reference.name().clone(), reference.target())),
                // What a pod has is as its engine writes it, such as the id of an image that no registry has.
                Err(_) if !pods.is_empty() => {}
                Err(_) => return Err(PublishError::Deployed { path: path.clone(), name }.into()),
            }
        }
        Ok(Self { digests: running.images.keys().filter_map(Reference::digest).collect(), tags })
    }

    fn has(&self, repository: &Repository, tag: &Tag) -> bool {
        self.tags.contains(&(repository.name().clone(), tag.clone().into()))
    }
}

/// The digests that pushes told of, by repository.
fn pushed(options: &PruneOptions) -> Result<BTreeMap<String, BTreeSet<Digest>>, Error> {
    let mut pushed: BTreeMap<String, BTreeSet<Digest>> = BTreeMap::new();
    for path in &options.reports {
        for image in PushReport::read(path)?.images {
            pushed.entry(image.repository).or_default().extend(image.digest);
        }
    }
    Ok(pushed)
}

/// What is in a repository, as far as tags and reports lead.
struct State {
    /// What tags and reports name, with its tags.
    roots: BTreeMap<Digest, Root>,
    deployed: BTreeSet<Digest>,
}

#[derive(Default)]
struct Root {
    tags: BTreeSet<Tag>,
    /// What an index names.
    children: BTreeSet<Digest>,
    /// When the image was made, in seconds since 1970; `None` when it does not say.
    created: Option<i64>,
}

impl State {
    fn read(repository: &Repository, untagged: BTreeSet<Digest>, deployed: &Deployed) -> Result<Self, PublishError> {
        let mut roots: BTreeMap<Digest, Root> = BTreeMap::new();
        let mut staying = deployed.digests.clone();
        let tags = match repository.list_tags() {
            Ok(tags) => tags,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        for tag in tags.into_iter().filter(|tag| !is_attachment(tag)) {
            let Some(found) = repository.head_manifest(&tag.clone().into())? else { continue };
            if deployed.has(repository, &tag) {
                staying.insert(found.digest);
            }
            roots.entry(found.digest).or_default().tags.insert(tag);
        }
        untagged.into_iter().for_each(|digest| _ = roots.entry(digest).or_default());
        let mut gone = Vec::new();
        for (digest, root) in &mut roots {
            match read_root(repository, *digest) {
                Ok((children, created)) => (root.children, root.created) = (children, created),
                Err(error) if error.is_not_found() => gone.push(*digest),
                Err(error) => return Err(error.into()),
            }
        }
        gone.iter().for_each(|digest| _ = roots.remove(digest));
        Ok(Self { roots, deployed: staying })
    }

    /// The roots that go: old, none of the newest, and every tag of theirs is one that may go.
    fn expired(&self, templates: &[TagTemplate], options: &PruneOptions, now: i64) -> BTreeSet<Digest> {
        let may_go = |root: &&Root| root.tags.iter().all(|tag| templates.iter().any(|one| one.could_be(tag)));
        let mut candidates: Vec<(i64, Digest)> = self
            .roots
            .iter()
            .filter(|(digest, root)| may_go(root) && !self.deployed.contains(*digest))
            .filter_map(|(digest, root)| Some((root.created?, *digest)))
            .collect();
        candidates.sort_by(|a, b| b.cmp(a));
        let old = |created: i64| now.saturating_sub(created) >= i64::from(options.days) * DAY;
        candidates
            .into_iter()
            .skip(options.keep)
            .filter(|(created, _)| old(*created))
            .map(|(_, digest)| digest)
            .collect()
    }

    fn prune(
        self,
        repository: &Repository,
        templates: &[TagTemplate],
        options: &PruneOptions,
    ) -> Result<PrunedRepository, PublishError> {
        let expired = self.expired(templates, options, now());
        let staying = self.roots.iter().filter(|(digest, _)| !expired.contains(*digest));
        let mut kept: BTreeSet<Digest> = self.deployed.clone();
        for (digest, root) in staying {
            kept.insert(*digest);
            kept.extend(&root.children);
        }
        let mut deleted: Vec<Digest> = expired.iter().copied().collect();
        let children: BTreeSet<Digest> =
            expired.iter().flat_map(|digest| &self.roots[digest].children).copied().collect();
        deleted.extend(children.into_iter().filter(|child| !kept.contains(child) && !expired.contains(child)));
        let attached = attached(repository, &deleted, &kept)?;
        deleted.extend(attached);
        if !options.dry_run {
            for digest in &deleted {
                repository.delete_manifest(&ManifestName::Digest(*digest))?;
            }
        }
        let tags = expired.iter().flat_map(|digest| &self.roots[digest].tags).map(ToString::to_string);
        Ok(PrunedRepository {
            repository: repository.name().to_string(),
            tags: tags.collect(),
            deleted,
            kept: self.roots.len() - expired.len(),
        })
    }
}

/// Whether a tag stands for what is attached to a digest: `sha256-…`, with cosign's endings or without.
fn is_attachment(tag: &Tag) -> bool {
    tag.as_str().starts_with("sha256-")
}

/// What an index names, and when the image was made.
fn read_root(repository: &Repository, digest: Digest) -> Result<(BTreeSet<Digest>, Option<i64>), RegistryError> {
    let fetched = repository.get_manifest(&digest.into())?;
    if fetched.descriptor.media_type.is_index() {
        let children: BTreeSet<Digest> = ImageIndex::parse(&fetched.bytes)
            .map(|index| index.manifests.iter().map(|manifest| manifest.digest).collect())
            .unwrap_or_default();
        let mut created = None;
        for child in &children {
            match repository.get_manifest(&(*child).into()) {
                Ok(manifest) => created = created.max(created_of(repository, &manifest.bytes)?),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        return Ok((children, created));
    }
    Ok((BTreeSet::new(), created_of(repository, &fetched.bytes)?))
}

fn created_of(repository: &Repository, manifest: &[u8]) -> Result<Option<i64>, RegistryError> {
    let Ok(manifest) = ImageManifest::parse(manifest) else { return Ok(None) };
    if !manifest.config.media_type.is_config() {
        return Ok(None);
    }
    let bytes = repository.read_blob(&manifest.config, MAX_DOCUMENT as u64)?;
    Ok(ImageConfig::parse(&bytes).ok().and_then(|config| config.created).map(|created| created.0))
}

/// What is attached to digests that go: referrers, and what is under cosign's and the fallback's tags.
fn attached(
    repository: &Repository,
    subjects: &[Digest],
    kept: &BTreeSet<Digest>,
) -> Result<BTreeSet<Digest>, PublishError> {
    let mut attached = BTreeSet::new();
    for subject in subjects {
        attached.extend(repository.referrers(*subject, None)?.into_iter().map(|referrer| referrer.digest));
        for suffix in ["", ".sig", ".att"] {
            let tag = format!("sha256-{}{suffix}", subject.to_hex()).parse::<Tag>();
            let Ok(tag) = tag else { continue };
            attached.extend(repository.head_manifest(&tag.into())?.map(|manifest| manifest.digest));
        }
    }
    attached.retain(|digest| !kept.contains(digest) && !subjects.contains(digest));
    Ok(attached)
}

fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(roots: &[(&[u8], &[&str], i64)], deployed: &[&[u8]]) -> State {
        let root = |(content, tags, days): &(&[u8], &[&str], i64)| {
            let tags = tags.iter().map(|tag| tag.parse().unwrap()).collect();
            (Digest::of(content), Root { tags, children: BTreeSet::new(), created: Some(1000 * DAY - days * DAY) })
        };
        let deployed = deployed.iter().map(|content| Digest::of(content)).collect();
        State { roots: roots.iter().map(root).collect(), deployed }
    }

    #[test]
    fn only_what_is_old_and_passing_goes() {
        let templates = ["{date}-{commit}".parse().unwrap()];
        let state = state(
            &[
                (b"new", &["20260101-0123456789ab"], 1),
                (b"old", &["20250101-0123456789ab"], 100),
                (b"older", &["20240101-0123456789ab"], 200),
                (b"tagged", &["20240102-0123456789ab", "v1"], 300),
                (b"deployed", &["20240103-0123456789ab"], 300),
                (b"untagged", &[], 300),
            ],
            &[b"deployed"],
        );
        let expired = |days, keep| {
            let options = PruneOptions { days, keep, ..PruneOptions::default() };
            state.expired(&templates, &options, 1000 * DAY)
        };
        let set = |contents: &[&[u8]]| contents.iter().map(|content| Digest::of(content)).collect::<BTreeSet<_>>();
        assert_eq!(expired(90, 1), set(&[b"old", b"older", b"untagged"]));
        assert_eq!(expired(150, 0), set(&[b"older", b"untagged"]));
        assert_eq!(expired(90, 3), set(&[b"untagged"]));
    }
}
