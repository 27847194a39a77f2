//! The OCI configuration and annotations of an image, from its definition.

use std::collections::BTreeMap;

use crate::manifest::model::{Command, Workspace};
use crate::manifest::{ResolvedImage, Seconds};
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
    RuntimeConfig {
        user: image.user.as_ref().map(ToString::to_string).unwrap_or_default(),
        exposed_ports: image.ports.iter().map(ToString::to_string).collect(),
        env: image.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        entrypoint: image.entrypoint.clone(),
        cmd: image.cmd.clone(),
        volumes: image.volumes.iter().map(ToString::to_string).collect(),
        working_dir: image.workdir.to_string(),
        labels: labels(image, workspace),
        stop_signal: image.stop_signal.as_ref().map(ToString::to_string).unwrap_or_default(),
        healthcheck: image.healthcheck.as_ref().map(|check| {
            let nanoseconds =
                |time: Option<Seconds>| time.map_or(0, |Seconds(seconds)| u64::from(seconds) * NANOSECONDS);
            Healthcheck {
                test: healthcheck_test(&check.command),
                interval: nanoseconds(check.interval),
                timeout: nanoseconds(check.timeout),
                start_period: nanoseconds(check.start_period),
                retries: check.retries.map_or(0, |retries| u64::from(retries.0)),
            }
        }),
    }
}

/// Docker's two forms of a check (Docker Engine API, `HealthConfig.Test`).
fn healthcheck_test(command: &Command) -> Vec<String> {
    match command {
        Command::Shell(line) => vec!["CMD-SHELL".to_owned(), line.clone()],
        Command::Arguments(words) => ["CMD".to_owned()].into_iter().chain(words.iter().cloned()).collect(),
    }
}

/// The manifest's labels, and what the image-spec predefines where the manifest does not say otherwise.
fn labels(image: &ResolvedImage, workspace: &Workspace) -> BTreeMap<String, String> {
    let mut labels = described(image, workspace);
    labels.extend(image.labels.iter().map(|(key, value)| (key.to_string(), value.clone())));
    labels
}

/// The annotations of the image's manifests and index (image-spec, "Pre-Defined Annotation Keys").
pub fn image_annotations(image: &ResolvedImage, workspace: &Workspace, created: Timestamp) -> BTreeMap<String, String> {
    let mut annotations = described(image, workspace);
    annotations.insert(annotations::CREATED.to_owned(), created.to_string());
    annotations
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
