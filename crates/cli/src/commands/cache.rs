//! `plywood cache`

use std::time::Duration;

use clap::{Args, Subcommand};
use plywood::cache::{CacheReport, PruneOptions, prune, show};
use plywood_core::manifest::ByteSize;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{plural, size::Size, table::Table};

const EXAMPLES: &str = "\
Examples:
  plywood cache show
  plywood cache prune --unused-for 30       what was not used for 30 days
  plywood cache prune --keep '5 GB'         what was unused the longest, until 5 GB are left
  plywood cache prune --all";

/// Show or prune the cache
///
/// The cache holds what builds can make again: unpacked packages, layers, downloads. All workspaces share it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Show what is in the cache
    #[command(after_help = "Examples:\n  plywood cache show\n  plywood cache show --json")]
    Show,
    /// Remove what has not been used for long
    #[command(after_help = EXAMPLES)]
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct PruneArgs {
    /// Remove what was last used more than DAYS days ago
    #[arg(long, value_name = "DAYS")]
    unused_for: Option<u32>,
    /// Remove what was unused the longest until SIZE is left, such as '5 GB'
    #[arg(long, value_name = "SIZE")]
    keep: Option<ByteSize>,
    /// Remove everything
    #[arg(long, conflicts_with_all = ["unused_for", "keep"])]
    all: bool,
}

/// Runs it.
pub(crate) fn run(args: CacheArgs, context: &Context) -> Result<Exit, Failure> {
    match args.command {
        CacheCommand::Show => {
            context.print(&show(&context.workspace)?, text)?;
            context.next("cache prune --unused-for 30");
        }
        CacheCommand::Prune(args) => {
            const DAY: u64 = 24 * 60 * 60;
            let max_age = args.unused_for.map(|days| Duration::from_secs(u64::from(days) * DAY));
            let max_bytes = if args.all { Some(0) } else { args.keep.map(|size| size.0) };
            let report = prune(PruneOptions { max_age, max_bytes }, &context.workspace)?;
            context.print(&report, |report| {
                let count = plural(usize::try_from(report.files).unwrap_or(usize::MAX), "file");
                format!("removed {count}, {} from {}\n", Size(report.bytes), report.path)
            })?;
            context.next("cache show");
        }
    }
    Ok(Exit::Done)
}

/// The report as people read it.
fn text(report: &CacheReport) -> String {
    let mut table = Table::new(["kind", "files", "size", "what"]).right([1, 2]);
    for kind in &report.kinds {
        table.row([
            kind.name.to_owned(),
            kind.files.to_string(),
            Size(kind.bytes).to_string(),
            kind.purpose.to_owned(),
        ]);
    }
    format!("{table}\nin {}\n", report.path)
}
