//! `plywood inspect`: what is in an image that was built, and what would make it fail its users. Nothing is run.

use plywood_core::digest::Digest;
use plywood_core::inspect::{Fault, InstalledPackage, Subject, inspect as check, installed_packages};
use plywood_core::oci::{ImageConfig, RuntimeConfig};
use plywood_core::platform::Platform;
use plywood_core::tree::{NoPackedContent, Tree, TreePath};
use plywood_oci::layout::{ImageLayout, LayoutImage};
use serde::Serialize;

use crate::Error;
use crate::build::Output;
use crate::events::{Events, Task, Unit};
use crate::os;
use crate::workspace::Workspace;

/// What `inspect` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InspectOptions {
    /// The image, by its name in the manifest or its full name; the only one there is when `None`.
    pub image: Option<String>,
    /// Where it is; [`Workspace::default_layout`] when `None`.
    pub from: Option<Output>,
    /// Which of its platforms; the host's when `None`.
    pub platform: Option<Platform>,
    /// The uid that an editor would give the user; 1001 when `None`.
    pub other_uid: Option<u32>,
}

/// What is in an image, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectReport {
    /// Its full name.
    pub reference: String,
    /// The platform looked at.
    pub platform: Platform,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The digest of its config: what engines call the image id.
    pub image_id: Digest,
    /// Whom it runs as; empty for root.
    pub user: String,
    /// What is wrong, in the order of the rules.
    pub faults: Vec<Fault>,
    /// How many rules were applied.
    pub rules: usize,
    /// Its layers, bottom up.
    pub layers: Vec<InspectedLayer>,
    /// Its Debian packages, by name.
    pub packages: Vec<InstalledPackage>,
    /// How many files it has, directories and links included.
    pub entries: usize,
    /// Bytes of all its regular files.
    pub content_size: u64,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedLayer {
    /// The digest of the layer as stored.
    pub digest: Digest,
    /// Bytes as stored.
    pub size: u64,
    /// What its history says is in it.
    pub comment: String,
}

/// Reads an image from a layout or archive, every layer verified, and applies the rules of [`plywood_core::inspect`].
///
/// # Errors
/// When there is no such image, or it is damaged.
pub fn inspect(options: &InspectOptions, workspace: &Workspace, events: &dyn Events) -> Result<InspectReport, Error> {
    let path = match &options.from {
        None => workspace.default_layout(),
        Some(Output::OciLayout(path) | Output::OciArchive(path)) => path.clone(),
        Some(output @ Output::DockerArchive(_)) => return Err(Error::NotInspectable { output: output.clone() }),
    };
    if options.from.is_none() && !path.exists() {
        return Err(Error::NothingBuilt { image: options.image.clone() });
    }
    let layout = ImageLayout::open(path)?;
    let reference = find_name(&layout, options.image.as_deref())?;
    let platform = options.platform.unwrap_or_else(os::platform);
    let image = layout.image(reference.as_deref(), platform)?;
    let task = Task::start(events, "Reading layers", None, Unit::Items);
    let tree = layout.tree(&image)?;
    drop(task);
    Ok(report(reference.unwrap_or_default(), platform, options.other_uid, &image, &tree))
}

fn report(
    reference: String,
    platform: Platform,
    other_uid: Option<u32>,
    image: &LayoutImage,
    tree: &Tree,
) -> InspectReport {
    let subject = subject(tree, platform, &image.config, other_uid);
    let status = tree.read(&TreePath::literal("var/lib/dpkg/status"), &NoPackedContent);
    let content = tree.iter().map(|(_, node)| match &node.kind {
        plywood_core::tree::NodeKind::File { content, .. } => content.size(),
        _ => 0,
    });
    InspectReport {
        reference,
        platform,
        digest: image.descriptor.digest,
        image_id: image.manifest.config.digest,
        user: subject.user.clone(),
        faults: check(&subject),
        rules: plywood_core::inspect::rules().len(),
        layers: layers(image),
        packages: status.map(|status| installed_packages(&status)).unwrap_or_default(),
        entries: tree.len(),
        content_size: content.sum(),
    }
}

/// The image's files and what its configuration says of them.
fn subject<'t>(tree: &'t Tree, platform: Platform, config: &ImageConfig, other_uid: Option<u32>) -> Subject<'t> {
    let mut subject = Subject::new(tree, &NoPackedContent, platform);
    let config = &config.config;
    subject.user = config.user.clone();
    subject.workdir = config.working_dir.clone();
    subject.labels = config.labels.clone();
    subject.started = started(config);
    let variable = |entry: &String| entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    subject.env = config.env.iter().filter_map(variable).collect();
    subject.other_uid = other_uid.unwrap_or(subject.other_uid);
    subject
}

/// The first word of the image's command, and of its health check.
fn started(config: &RuntimeConfig) -> Vec<String> {
    let command = config.entrypoint.iter().chain(&config.cmd).flatten().next();
    let check = config.healthcheck.iter().filter_map(|check| match check.test.first()?.as_str() {
        "CMD" => check.test.get(1).cloned(),
        "CMD-SHELL" => Some("/bin/sh".to_owned()),
        _ => None,
    });
    command.cloned().into_iter().chain(check).collect()
}

/// The layers with what the steps of the history that made them say.
fn layers(image: &LayoutImage) -> Vec<InspectedLayer> {
    let history = &image.config.history;
    let mut steps = history.iter().filter(|step| !step.empty_layer);
    let comment = |step: Option<&plywood_core::oci::History>| {
        step.and_then(|step| step.comment.clone().or_else(|| step.created_by.clone())).unwrap_or_default()
    };
    let layer = |layer: &plywood_core::oci::Descriptor| InspectedLayer {
        digest: layer.digest,
        size: layer.size,
        comment: comment(steps.next()),
    };
    image.manifest.layers.iter().map(layer).collect()
}

/// The full name of an image in a layout: as it is, or the one whose last part without the tag it is.
fn find_name(layout: &ImageLayout, image: Option<&str>) -> Result<Option<String>, Error> {
    let Some(image) = image else { return Ok(None) };
    let names: Vec<String> = layout.names().map(str::to_owned).collect();
    let found =
        names.iter().find(|name| *name == image).or_else(|| names.iter().find(|name| short_name(name) == image));
    match found {
        Some(name) => Ok(Some(name.clone())),
        None => Err(Error::NothingBuilt { image: Some(image.to_owned()) }),
    }
}

/// `base` of `ghcr.io/example/infra/base:latest`.
fn short_name(reference: &str) -> &str {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split([':', '@']).next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_have_short_ones() {
        for (reference, expect) in
            [("ghcr.io/example/infra/base:latest", "base"), ("base", "base"), ("localhost:5000/base@sha256:00", "base")]
        {
            assert_eq!(short_name(reference), expect);
        }
    }

    #[test]
    fn the_first_words_are_what_an_engine_starts() {
        let check = |json: &str, expect: &[&str]| {
            let config: RuntimeConfig = serde_json::from_str(json).expect(json);
            assert_eq!(started(&config), expect, "{json}");
        };
        check("{}", &[]);
        check(r#"{"Cmd":["python3","-q"]}"#, &["python3"]);
        check(r#"{"Entrypoint":["/entry"],"Cmd":["python3"]}"#, &["/entry"]);
        check(r#"{"Entrypoint":[],"Cmd":["python3"],"Healthcheck":{"Test":["NONE"]}}"#, &["python3"]);
        check(r#"{"Healthcheck":{"Test":["CMD","curl","-f"]}}"#, &["curl"]);
        check(r#"{"Healthcheck":{"Test":["CMD-SHELL","curl -f x"]}}"#, &["/bin/sh"]);
    }
}
