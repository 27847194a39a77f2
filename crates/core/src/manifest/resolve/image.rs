//! One image over its parent.

use std::collections::BTreeMap;

use super::accounts::Accounts;
use super::{
    Bases, DEFAULT_PATH, DebianSource, RequestedPackage, ResolvedBase, ResolvedImage, base, debian, nix, placements,
};
use crate::manifest::document::Document;
use crate::manifest::model::{DebianSetting, EnvValue, HealthcheckSetting, Image};
use crate::manifest::read::Problems;
use crate::manifest::{BaseReference, EnvName, ImageName, Platform, Problem, Spanned};
use crate::tree::TreePath;

/// An image without `from`; `None` without a suite, which validation has noted.
pub(super) fn rooted(
    document: &Document,
    name: &Spanned<ImageName>,
    image: &Image,
    problems: &mut Problems,
) -> Option<ResolvedImage> {
    let source = match image.debian.as_deref() {
        Some(DebianSetting::Off) => None,
        own => Some(debian::source(own.and_then(DebianSetting::table), document.debian.as_ref())?),
    };
    Some(merged(document, name, image, None, source, workspace_platforms(document), problems))
}

/// An image over its parent.
pub(super) fn derived(
    document: &Document,
    name: &Spanned<ImageName>,
    image: &Image,
    parent: &ResolvedImage,
    problems: &mut Problems,
) -> ResolvedImage {
    for platform in image.platforms.iter().flat_map(|platforms| &platforms.value) {
        if !parent.platforms.contains(&platform.value) {
            let problem = Problem::ParentPlatform { parent: parent.name.to_string(), platform: platform.to_string() };
            problems.add(platform.span.clone(), problem);
        }
    }
    merged(document, name, image, Some(parent), parent.debian.clone(), parent.platforms.clone(), problems)
}

/// An image over one outside of the workspace; its name in `parents` is nobody's.
pub(super) fn based(
    document: &Document,
    name: &Spanned<ImageName>,
    image: &Image,
    reference: BaseReference,
    bases: &Bases,
    problems: &mut Problems,
) -> Option<ResolvedImage> {
    let facts = bases.get(&reference);
    let platforms = workspace_platforms(document);
    let parent = base::as_parent(document, name, image, reference, facts, platforms.clone())?;
    let debian = parent.debian.clone();
    let resolved = merged(document, name, image, Some(&parent), debian, platforms, problems);
    Some(ResolvedImage { parents: Vec::new(), ..resolved })
}

/// The platforms of images that name none.
fn workspace_platforms(document: &Document) -> Vec<Platform> {
    let workspace = document.workspace.platforms.as_ref().map(|platforms| listed(platforms));
    workspace.unwrap_or_else(|| Platform::ALL.to_vec())
}

fn listed(platforms: &[Spanned<Platform>]) -> Vec<Platform> {
    let mut listed: Vec<Platform> = platforms.iter().map(|platform| platform.value).collect();
    listed.sort();
    listed.dedup();
    listed
}

fn merged(
    document: &Document,
    name: &Spanned<ImageName>,
    image: &Image,
    parent: Option<&ResolvedImage>,
    debian: Option<DebianSource>,
    platforms: Vec<Platform>,
    problems: &mut Problems,
) -> ResolvedImage {
    let system = debian.is_some() || parent.is_some_and(|parent| parent.base.is_some());
    let accounts = Accounts::merge(name, image, parent, problems);
    let placements = placements::merge(image, parent, &accounts, problems);
    let Accounts { user, users, groups } = accounts;
    if !system {
        without_debian(image, problems);
    }
    let recommends = |table: &crate::manifest::model::Debian| table.recommends;
    let default_recommends = || {
        image
            .debian
            .as_deref()
            .and_then(DebianSetting::table)
            .and_then(recommends)
            .or(document.debian.as_ref().and_then(recommends))
    };
    ResolvedImage {
        name: name.value.clone(),
        parents: parent
            .map(|parent| [&parent.parents[..], std::slice::from_ref(&parent.name)].concat())
            .unwrap_or_default(),
        description: image.description.clone(),
        platforms: image.platforms.as_ref().map_or(platforms, |platforms| listed(platforms)),
        nix: nix::merge(document, image, parent, system, problems),
        debian,
        recommends: written(&image.recommends)
            .or(parent.map(|parent| parent.recommends))
            .or_else(default_recommends)
            .unwrap_or(false),
        packages: packages(name, image, parent),
        scripts: over(
            parent.map(|parent| &parent.scripts),
            image.scripts.iter().map(|(name, policy)| (&name.value, policy)),
        ),
        user,
        users,
        groups,
        placements,
        env: env(image, parent),
        labels: over(parent.map(|parent| &parent.labels), image.labels.iter().map(|(key, value)| (&key.value, value))),
        ports: union(parent.map(|parent| &parent.ports[..]), &image.ports),
        volumes: union(parent.map(|parent| &parent.volumes[..]), &image.volumes),
        workdir: image
            .workdir
            .clone()
            .or_else(|| parent.map(|parent| parent.workdir.clone()))
            .unwrap_or(TreePath::ROOT),
        entrypoint: written(&image.entrypoint).or_else(|| parent.and_then(|parent| parent.entrypoint.clone())),
        cmd: written(&image.cmd).or_else(|| inherited_cmd(image, parent)),
        healthcheck: match &image.healthcheck {
            Some(HealthcheckSetting::On(check)) => Some(check.clone()),
            Some(HealthcheckSetting::Off) => None,
            None => parent.and_then(|parent| parent.healthcheck.clone()),
        },
        stop_signal: image.stop_signal.clone().or_else(|| parent.and_then(|parent| parent.stop_signal.clone())),
        compression: image.compression.or(parent.map(|parent| parent.compression)).unwrap_or_default(),
        layers: image.layers.or(parent.map(|parent| parent.layers)).unwrap_or_default(),
        size_limit: image.size_limit,
        tests: image.tests.iter().map(|test| test.value.clone()).collect(),
        certificates: document.workspace.certificates.iter().map(|path| path.value.clone()).collect(),
        base: parent.and_then(|parent| parent.base.clone()).map(|base| without_replaced(base, image)),
    }
}

/// A base's check that the image replaces or switches off is no more; what else it replaces has types that tell.
fn without_replaced(mut base: ResolvedBase, image: &Image) -> ResolvedBase {
    if image.healthcheck.is_some() {
        base.config.healthcheck = None;
    }
    base
}

/// What only Debian's packages give a meaning to has none in an image without them.
fn without_debian(image: &Image, problems: &mut Problems) {
    for package in &image.packages {
        problems.add(package.span.clone(), Problem::NoDebian { key: "packages" });
    }
    for name in image.scripts.keys() {
        problems.add(name.span.clone(), Problem::NoDebian { key: "scripts" });
    }
    if let Some(recommends) = &image.recommends {
        problems.add(recommends.span.clone(), Problem::NoDebian { key: "recommends" });
    }
}

fn packages(name: &ImageName, image: &Image, parent: Option<&ResolvedImage>) -> Vec<RequestedPackage> {
    let own = image.packages.iter().map(|request| RequestedPackage { request: request.clone(), image: name.clone() });
    parent.map(|parent| parent.packages.clone()).unwrap_or_default().into_iter().chain(own).collect()
}

fn env(image: &Image, parent: Option<&ResolvedImage>) -> BTreeMap<EnvName, String> {
    let mut env = parent.map(|parent| parent.env.clone()).unwrap_or_default();
    if let (None, Ok(path)) = (parent, "PATH".parse()) {
        env.insert(path, DEFAULT_PATH.to_owned());
    }
    for (name, value) in &image.env {
        let value = match value {
            EnvValue::Set(text) => text.clone(),
            EnvValue::Edit(edit) => edit.apply(env.get(&name.value).map(String::as_str)),
        };
        env.insert(name.value.clone(), value);
    }
    env
}

/// A parent's command is the arguments of its entrypoint: it goes when the entrypoint changes, as in Dockerfiles.
fn inherited_cmd(image: &Image, parent: Option<&ResolvedImage>) -> Option<Vec<String>> {
    match image.entrypoint {
        Some(_) => None,
        None => parent.and_then(|parent| parent.cmd.clone()),
    }
}

fn written<T: Clone>(value: &Option<Spanned<T>>) -> Option<T> {
    value.as_ref().map(|value| value.value.clone())
}

fn over<'a, K: Ord + Clone + 'a, V: Clone + 'a>(
    parent: Option<&BTreeMap<K, V>>,
    own: impl Iterator<Item = (&'a K, &'a V)>,
) -> BTreeMap<K, V> {
    let mut merged = parent.cloned().unwrap_or_default();
    merged.extend(own.map(|(key, value)| (key.clone(), value.clone())));
    merged
}

fn union<T: Clone + Ord>(parent: Option<&[T]>, own: &[Spanned<T>]) -> Vec<T> {
    let mut all: Vec<T> = parent.into_iter().flatten().chain(own.iter().map(|member| &member.value)).cloned().collect();
    all.sort();
    all.dedup();
    all
}
