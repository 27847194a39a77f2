//! `plywood push`

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use clap::Args;
use plywood::publish::{PushOptions, PushOutcome, PushReport, PushedImage, push};
use plywood_core::manifest::{RegistryPrefix, TagTemplate};
use plywood_core::platform::Platform;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;
use crate::render::{error::hint_line, plural, size::Size};

const EXAMPLES: &str = "\
Examples:
  plywood push                                   every image on all its platforms, then its tags
  plywood push base --tag '{date}-{commit}' --tag latest
  plywood push --dry-run                         what would be uploaded
  plywood push --untagged --json > pushed.json   by digest alone; then
  plywood test --report pushed.json              what is there; then
  plywood promote --report pushed.json           once the tests have passed
  plywood push --platform linux/arm64 --untagged --json > arm64.json    on each runner; then
  plywood push --index-only amd64.json --index-only arm64.json          on one of them";

/// Build images and put them into a registry
///
/// Uploads only what the registry lacks, mounts what another image of the workspace has there, and pushes by digest first:
/// tags move last, to an index over the platforms. What is pushed is signed when there is a key: that of --key, else
/// PLYWOOD_SIGNING_KEY or PLYWOOD_SIGNING_KEY_FILE. An image that fails holds back only itself and those built on it.
///
/// Layers that the registry has already under the same key are not built: from an empty cache an unchanged image is pushed
/// without a download. They are believed only when a key in `publish.keys` of the manifest signed the image, or with
/// --trust-registry.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PushArgs {
    /// The images by name [default: all]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Push for P, such as linux/arm64 (repeatable) [default: all of the image's]
    #[arg(long = "platform", value_name = "P")]
    platforms: Vec<Platform>,
    /// Push below PREFIX, such as ghcr.io/team [default: the workspace's registry]
    #[arg(long = "registry", value_name = "PREFIX")]
    prefix: Option<RegistryPrefix>,
    /// Tag as T, with {date}, {commit} and {version} (repeatable) [default: publish.tags, or latest]
    #[arg(long = "tag", value_name = "T")]
    tags: Vec<TagTemplate>,
    /// Move no tags
    #[arg(long, conflicts_with = "tags")]
    untagged: bool,
    /// Do nothing where the tag that stays, such as latest, has these images already, whichever commit it is
    #[arg(long)]
    if_changed: bool,
    /// Say what would be moved and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Join what the report FILE of `push --json` has of other runners under one index, without building (repeatable)
    #[arg(long, value_name = "FILE")]
    index_only: Vec<Utf8PathBuf>,
    /// Sign with the private key FILE
    #[arg(long, value_name = "FILE")]
    key: Option<Utf8PathBuf>,
    /// Believe the registry's layer keys without a signature
    #[arg(long)]
    trust_registry: bool,
    /// Fail when the lock is missing or stale instead of repairing it
    #[arg(long)]
    locked: bool,
    /// Use N threads [default: one per processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs it.
pub(crate) fn run(args: PushArgs, context: &Context) -> Result<Exit, Failure> {
    let client = args.registry.client()?;
    let options = PushOptions {
        images: args.images,
        platforms: args.platforms,
        registry: args.prefix,
        tags: args.tags,
        untagged: args.untagged,
        if_changed: args.if_changed,
        dry_run: args.dry_run,
        index_only: args.index_only,
        key: args.key,
        trust_registry: args.trust_registry,
        locked: args.locked,
        jobs: args.jobs,
    };
    let report = push(&options, &context.workspace, &client, &context.progress)?;
    context.print(&report, text)?;
    if report.failed() {
        return Ok(Exit::Failed);
    }
    if let Some(image) = report.images.first().filter(|_| !options.dry_run) {
        let digest = image.digest.map(|digest| digest.to_string()).unwrap_or_default();
        match options.untagged {
            true => context.next(&format!("promote {}@{digest}", image.name)),
            false => context.next(&format!("verify {}@{digest}", image.repository)),
        }
    }
    Ok(Exit::Done)
}

fn text(report: &PushReport) -> String {
    let mut text = String::new();
    let mut told = None;
    for image in &report.images {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line(image, report.dry_run));
        // What helps one image mostly helps the next: once is enough.
        if image.hint.is_some() && image.hint != told {
            text += &hint_line(image.hint.as_deref());
            told.clone_from(&image.hint);
        }
    }
    text
}

fn line(image: &PushedImage, dry_run: bool) -> String {
    let digest = image.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
    let what = format!("{}{digest}", image.repository);
    let error = image.error.as_deref().unwrap_or_default();
    let blobs = &image.blobs;
    let moved = format!(
        "{} uploaded ({}), {} mounted, {} there",
        plural(blobs.uploaded, "blob"),
        Size(blobs.uploaded_bytes),
        blobs.mounted,
        blobs.present
    );
    let tags = if image.tags.is_empty() { String::new() } else { format!(" as {}", image.tags.join(", ")) };
    match image.outcome {
        PushOutcome::Pushed if dry_run => format!("would push {what}{tags}: {moved}"),
        PushOutcome::Pushed => format!("pushed {what}{tags}: {moved}{}", if image.signed { ", signed" } else { "" }),
        PushOutcome::Unchanged => format!("unchanged {what}{tags}"),
        PushOutcome::Failed => format!("failed {}: {error}", image.repository),
        PushOutcome::HeldBack => format!("held back {}: {error}", image.repository),
    }
}
