//! `plywood lock`

use std::fmt::Write as _;

use clap::Args;
use plywood::lock::{LockOptions, LockOutcome, LockReport, PackageChange, Upgrade, lock};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{plural, size::Size, table::Table};

const EXAMPLES: &str = "\
Examples:
  plywood lock                      write plywood.lock, keeping what is locked already
  plywood lock --upgrade            take the newest version of every package
  plywood lock --upgrade curl git   of these, and what they need
  plywood lock --check              exit 3 when plywood.lock does not fit plywood.toml";

/// Decide every input by hash and write plywood.lock
///
/// Resolves the packages of every image on every platform of the manifest, and which of them share a layer. What is
/// locked stays until it is upgraded; `plywood build` reads the lock and decides nothing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LockArgs {
    /// Move PKG, or every package, to the newest version
    #[arg(long, value_name = "PKG", num_args = 0..)]
    upgrade: Option<Vec<String>>,
    /// Lay out all layers anew instead of keeping those of the last lock
    #[arg(long)]
    replan: bool,
    /// Write nothing; exit 3 when the lock does not fit the manifest
    #[arg(long, conflicts_with_all = ["upgrade", "replan"])]
    check: bool,
}

/// Runs it.
pub(crate) fn run(args: LockArgs, context: &Context) -> Result<Exit, Failure> {
    let upgrade = match args.upgrade {
        None => Upgrade::Nothing,
        Some(packages) if packages.is_empty() => Upgrade::Everything,
        Some(packages) => Upgrade::Packages(packages),
    };
    let options = LockOptions { upgrade, replan: args.replan, check: args.check };
    let report = lock(&options, &context.workspace, &context.progress)?;
    context.print(&report, text)?;
    let stale = report.outcome == LockOutcome::Stale;
    context.next(if stale { "lock" } else { "build" });
    Ok(Exit::gate(!stale))
}

/// The report as people read it.
pub(crate) fn text(report: &LockReport) -> String {
    let mut text = summary(report) + "\n";
    for reason in &report.reasons {
        let _ = writeln!(text, "  {reason}");
    }
    if !report.changes.is_empty() {
        let mut table = Table::new(["platform", "package", "from", "to"]);
        for PackageChange { platform, package, from, to } in &report.changes {
            let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
            table.row([platform.to_string(), package.clone(), version(from), version(to)]);
        }
        let _ = write!(text, "\n{table}");
        let (changes, size) = (plural(report.changes.len(), "change"), Size(report.download));
        let _ = writeln!(text, "\n{changes}, {size} to download");
    }
    let mut table = Table::new(["image", "platform", "packages", "layers", "download"]).right([2, 3, 4]);
    for image in &report.images {
        let size = Size(image.download_size).to_string();
        let (packages, layers) = (image.packages.to_string(), image.layers.to_string());
        table.row([image.name.clone(), image.platform.to_string(), packages, layers, size]);
    }
    let _ = write!(text, "\n{table}");
    text
}

/// What became of the lock, in one line.
pub(crate) fn summary(report: &LockReport) -> String {
    let path = &report.path;
    match report.outcome {
        LockOutcome::Created => format!("wrote {path}"),
        LockOutcome::Updated => format!("updated {path}"),
        LockOutcome::Unchanged => format!("{path} fits the manifest"),
        LockOutcome::Stale => format!("{path} does not fit the manifest"),
    }
}
