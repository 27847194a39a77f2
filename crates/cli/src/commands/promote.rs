//! `plywood promote`

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use clap::Args;
use plywood::publish::{PromoteOptions, PromoteReport, promote};
use plywood_core::digest::Digest;
use plywood_core::manifest::{RegistryPrefix, TagTemplate};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;
use crate::render::error::hint_line;

const EXAMPLES: &str = "\
Examples:
  plywood push --untagged --json > pushed.json; plywood test --report pushed.json && plywood promote --report pushed.json
  plywood promote base@sha256:… --tag latest
  plywood promote base --to sha256:…             roll back to an earlier digest";

/// Move tags to images that are in the registry
///
/// Looks whether the image is whole there, then moves its tags: those of --tag, else `publish.tags` of the manifest. Of
/// these an image of another commit than the workspace's gets only those without {date}, {commit} and {version}. Says
/// what each tag named before, which is what to roll back to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PromoteArgs {
    /// The images: names of the manifest or full references, each with @sha256:… unless --to or --report says it
    #[arg(value_name = "IMAGE", required_unless_present = "report")]
    images: Vec<String>,
    /// Move the tags that stay from push to push, such as latest, to DIGEST
    #[arg(long, value_name = "DIGEST", conflicts_with = "report")]
    to: Option<Digest>,
    /// Promote what the report FILE of `push --json` has
    #[arg(long, value_name = "FILE")]
    report: Option<Utf8PathBuf>,
    /// Look below PREFIX [default: the workspace's registry]
    #[arg(long = "registry", value_name = "PREFIX")]
    prefix: Option<RegistryPrefix>,
    /// Move the tag T, with {date}, {commit} and {version} (repeatable) [default: publish.tags, or latest]
    #[arg(long = "tag", value_name = "T")]
    tags: Vec<TagTemplate>,
    /// Say what would be moved and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs it.
pub(crate) fn run(args: PromoteArgs, context: &Context) -> Result<Exit, Failure> {
    let client = args.registry.client()?;
    let options = PromoteOptions {
        images: args.images,
        to: args.to,
        report: args.report,
        registry: args.prefix,
        tags: args.tags,
        dry_run: args.dry_run,
    };
    let report = promote(&options, &context.workspace, &client)?;
    context.print(&report, text)?;
    Ok(if report.failed() { Exit::Failed } else { Exit::Done })
}

fn text(report: &PromoteReport) -> String {
    let mut text = String::new();
    let moves = if report.dry_run { "would move" } else { "moved" };
    for image in &report.images {
        for tag in &image.tags {
            let line = match tag.before {
                Some(before) if before == image.digest => format!("is there: {}:{}", image.repository, tag.tag),
                Some(before) => format!("{moves} {}:{} from {before}", image.repository, tag.tag),
                None => format!("{moves} {}:{}, which is new", image.repository, tag.tag),
            };
            let _ = writeln!(text, "{line} to {}", image.digest);
        }
        if let Some(error) = &image.error {
            let _ = writeln!(text, "failed {}@{}: {error}", image.repository, image.digest);
            text += &hint_line(image.hint.as_deref());
        }
    }
    text
}
