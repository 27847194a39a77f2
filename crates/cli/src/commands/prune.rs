//! `plywood prune`

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use clap::Args;
use plywood::publish::{PruneOptions, PruneReport, prune};
use plywood_core::manifest::{RegistryPrefix, TagTemplate};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;
use crate::render::plural;

const EXAMPLES: &str = "\
Examples:
  plywood prune --older-than 90 --dry-run
  plywood prune --older-than 90 --keep 5 --deployed running.txt
  plywood prune base --older-than 30 --tag '{date}-{commit}'";

/// Delete old images from a registry
///
/// Looks at the tags of each image that come and go: those that --tag or `publish.tags` make with a date or a commit. An
/// image goes when it is old enough, is none of the newest, and every tag of it may go; with it go its platforms and what is
/// attached to them, unless another tag or index names them. What is in the list of --deployed always stays. The registry
/// must allow deletion, and frees the space when it next collects garbage.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PruneArgs {
    /// The images by name [default: all]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Delete what was made at least DAYS days ago
    #[arg(long = "older-than", value_name = "DAYS")]
    days: u32,
    /// Keep the N newest images of each repository however old they are
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep: usize,
    /// Tags made by T may go (repeatable) [default: those of publish.tags with {date} or {commit}]
    #[arg(long = "tag", value_name = "T")]
    tags: Vec<TagTemplate>,
    /// Keep what is in the list FILE of running images: a reference on each line, JSON, or pods of kubectl; of one without a digest what its tag names now
    #[arg(long, value_name = "FILE")]
    deployed: Option<Utf8PathBuf>,
    /// Look also at what the report FILE of `push --untagged --json` has, tagged or not (repeatable)
    #[arg(long = "report", value_name = "FILE")]
    reports: Vec<Utf8PathBuf>,
    /// Look below PREFIX [default: the workspace's registry]
    #[arg(long = "registry", value_name = "PREFIX")]
    prefix: Option<RegistryPrefix>,
    /// Say what would go and delete nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs it.
pub(crate) fn run(args: PruneArgs, context: &Context) -> Result<Exit, Failure> {
    let client = args.registry.client()?;
    let options = PruneOptions {
        images: args.images,
        registry: args.prefix,
        days: args.days,
        keep: args.keep,
        tags: args.tags,
        deployed: args.deployed,
        reports: args.reports,
        dry_run: args.dry_run,
    };
    let report = prune(&options, &context.workspace, &client, &context.progress)?;
    context.print(&report, text)?;
    Ok(Exit::Done)
}

fn text(report: &PruneReport) -> String {
    let mut text = String::new();
    let done = if report.dry_run { "would delete" } else { "deleted" };
    for repository in &report.repositories {
        let tags =
            if repository.tags.is_empty() { String::new() } else { format!(" ({})", repository.tags.join(", ")) };
        let count = plural(repository.deleted.len(), "manifest");
        let _ = writeln!(text, "{}: {done} {count}{tags}, kept {}", repository.repository, repository.kept);
    }
    text
}
