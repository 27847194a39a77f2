//! The OCI configuration and annotations of an image, from its definition.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::manifest::model::{self, Command, Workspace};
use crate::manifest::{BaseReference, ResolvedImage, Seconds};
use crate::oci::{Healthcheck, History, ImageConfig, RuntimeConfig, Timestamp, annotations};
use crate::platform::Platform;

const NANOSECONDS: u64 = 1_000_000_000;

/// The configuration, complete but for the diff IDs. `layers` says what each layer is, bottom up.
pub fn image_config(
    image: &ResolvedImage,
    workspace: &Workspace,
    platform: Platform,
    created: Timestamp,
    layers: &[String],
) -> ImageConfig {
    let mut config = ImageConfig::new(platform, runtime_config(image, workspace), Vec::new());
    config.created = Some(created);
    config.history = layers.iter().map(|comment| history(created, comment)).collect();
    config
}

fn history(created: Timestamp, comment: &str) -> History {
    History {
        created: Some(created),
        created_by: Some("plywood build".to_owned()),
        comment: Some(comment.to_owned()),
        empty_layer: false,
    }
}

/// What a container of the image starts with.
fn runtime_config(image: &ResolvedImage, workspace: &Workspace) -> RuntimeConfig {
    let nothing = RuntimeConfig::default();
    // What a base says and the manifest could not is kept; what both say is the image's word, since that was merged.
    let base = image.base.as_ref().map_or(&nothing, |base| &base.config);
    let texts =
        |own: Vec<String>, inherited: &BTreeSet<String>| own.into_iter().chain(inherited.iter().cloned()).collect();
    RuntimeConfig {
        user: image.user.as_ref().map_or_else(|| base.user.clone(), ToString::to_string),
        exposed_ports: texts(image.ports.iter().map(ToString::to_string).collect(), &base.exposed_ports),
        env: env(image, &base.env),
        entrypoint: image.entrypoint.clone(),
        cmd: image.cmd.clone(),
        volumes: texts(image.volumes.iter().map(ToString::to_string).collect(), &base.volumes),
        working_dir: image.workdir.to_string(),
        labels: labels(image, workspace, &base.labels),
        stop_signal: image.stop_signal.as_ref().map_or_else(|| base.stop_signal.clone(), ToString::to_string),
        healthcheck: image.healthcheck.as_ref().map(healthcheck).or_else(|| base.healthcheck.clone()),
    }
}

/// A base's variables in its order, then those it has not.
fn env(image: &ResolvedImage, base: &[String]) -> Vec<String> {
    let mut left = image.env.clone();
    let mut env = Vec::new();
    for entry in base {
        let name = entry.split_once('=').map_or(entry.as_str(), |(name, _)| name);
        match left.remove(name) {
            Some(value) => env.push(format!("{name}={value}")),
            // One that the manifest has no name for; a second one of a name is no more.
            None if !image.env.contains_key(name) => env.push(entry.clone()),
            None => {}
        }
    }
    env.extend(left.iter().map(|(name, value)| format!("{name}={value}")));
    env
}

fn healthcheck(check: &model::Healthcheck) -> Healthcheck {
    let nanoseconds = |time: Option<Seconds>| time.map_or(0, |Seconds(seconds)| u64::from(seconds) * NANOSECONDS);
    Healthcheck {
        test: healthcheck_test(&check.command),
        interval: nanoseconds(check.interval),
        timeout: nanoseconds(check.timeout),
        start_period: nanoseconds(check.start_period),
        retries: check.retries.map_or(0, |retries| u64::from(retries.0)),
    }
}

/// Docker's two forms of a check (Docker Engine API, `HealthConfig.Test`).
fn healthcheck_test(command: &Command) -> Vec<String> {
    match command {
        Command::Shell(line) => vec!["CMD-SHELL".to_owned(), line.clone()],
        Command::Arguments(words) => ["CMD".to_owned()].into_iter().chain(words.iter().cloned()).collect(),
    }
}

/// The manifest's labels, and what the image-spec predefines where the manifest does not say otherwise, over those of a
/// base. What a base says of itself in a word of its own is not true of the image.
fn labels(image: &ResolvedImage, workspace: &Workspace, base: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut labels = base.clone();
    for own in [annotations::TITLE, annotations::DESCRIPTION] {
        labels.remove(own);
    }
    labels.extend(described(image, workspace));
    labels.extend(image.labels.iter().map(|(key, value)| (key.to_string(), value.clone())));
    labels
}

/// The annotations of the image's manifests and index (image-spec, "Pre-Defined Annotation Keys").
pub fn image_annotations(image: &ResolvedImage, workspace: &Workspace, created: Timestamp) -> BTreeMap<String, String> {
    let mut annotations = described(image, workspace);
    annotations.insert(annotations::CREATED.to_owned(), created.to_string());
    annotations
}

/// What an image says of the one outside of the workspace that it is built on: its name, and the digest of the manifest
/// whose layers it begins with (image-spec, "Pre-Defined Annotation Keys").
pub fn base_annotations(name: &BaseReference, digest: Digest) -> [(String, String); 2] {
    [(annotations::BASE_NAME.to_owned(), name.to_string()), (annotations::BASE_DIGEST.to_owned(), digest.to_string())]
}

/// The history of an image over a base: the base's own, then a step for each layer of ours. A base that tells nothing
/// of its `layers` gets a step for each.
pub fn history_over(base: &[History], layers: usize, name: &BaseReference, own: Vec<History>) -> Vec<History> {
    let untold = || History { comment: Some(format!("a layer of {name}")), ..History::default() };
    let below = match base {
        [] => std::iter::repeat_with(untold).take(layers).collect(),
        told => told.to_vec(),
    };
    below.into_iter().chain(own).collect()
}

fn described(image: &ResolvedImage, workspace: &Workspace) -> BTreeMap<String, String> {
    let mut described = BTreeMap::from([(annotations::TITLE.to_owned(), image.name.to_string())]);
    if let Some(description) = &image.description {
        described.insert(annotations::DESCRIPTION.to_owned(), description.clone());
    }
    if let Some(source) = &workspace.source {
        described.insert(annotations::SOURCE.to_owned(), source.to_string());
    }
    described
}
