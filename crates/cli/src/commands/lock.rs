//! `plywood lock`

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use plywood::lock::{BaseChange, LockOptions, LockOutcome, LockReport, LockSubject, PackageChange, Upgrade, lock};
use plywood::nix::eval::{EvalOptions, NixChoice};
use plywood_core::digest::Digest;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{plural, size::Size, table::Table};

/// As many digits of a digest are shown as engines show.
const SHORT: usize = 12;

const EXAMPLES: &str = "\
Examples:
  plywood lock                      write plywood.lock, keeping what is locked already
  plywood lock --upgrade            take the newest version of every package
  plywood lock --upgrade curl git   of these, and what they need; a base is moved by its name, too
  plywood lock --check              exit 3 when plywood.lock does not fit plywood.toml
  plywood lock --only shells.rust   one shell, anew; also sets.NAME and images.NAME (repeatable)
  plywood lock --override-input nixpkgs path:/src/nixpkgs
                                    with another nixpkgs than flake.lock says, this once";

/// Decide every input by hash and write plywood.lock
///
/// Resolves the packages of every image on every platform of the manifest, and which of them share a layer. What is
/// locked stays until it is upgraded; `plywood build` reads the lock and decides nothing.
///
/// What images and shells have of Nix is locked as the workspace's flake evaluates it, for every platform: this machine's own is built or
/// downloaded by Nix, others are evaluated and looked up in binary caches. Locks made on machines of different platforms join.
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
    /// Lock only PART, anew: sets.NAME, shells.NAME or images.NAME (repeatable)
    #[arg(long, value_name = "PART")]
    only: Vec<LockSubject>,
    /// Where Nix runs
    #[arg(long, value_enum, default_value_t)]
    nix: Where,
    /// Let the flake REF stand in for the input NAME of the flake, as in Nix (repeatable)
    #[arg(long, num_args = 2, value_names = ["NAME", "REF"])]
    override_input: Vec<String>,
}

/// Where Nix runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Where {
    /// On this machine if it has Nix 2.8 or later, else in a container
    #[default]
    Auto,
    /// On this machine
    Host,
    /// In a container of the workspace's own image with Nix
    Container,
}

impl From<Where> for NixChoice {
    fn from(place: Where) -> Self {
        match place {
            Where::Auto => Self::Auto,
            Where::Host => Self::Host,
            Where::Container => Self::Container,
        }
    }
}

/// Runs it.
pub(crate) fn run(args: LockArgs, context: &Context) -> Result<Exit, Failure> {
    let upgrade = match args.upgrade {
        None => Upgrade::Nothing,
        Some(packages) if packages.is_empty() => Upgrade::Everything,
        Some(packages) => Upgrade::Packages(packages),
    };
    let pairs = args.override_input.chunks_exact(2);
    let pairs = pairs.filter_map(|pair| Some((pair.first()?.clone(), pair.last()?.clone())));
    let nix = EvalOptions { nix: args.nix.into(), override_inputs: pairs.collect() };
    let options = LockOptions { upgrade, replan: args.replan, check: args.check, only: args.only, nix };
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
    if !report.bases.is_empty() {
        let mut table = Table::new(["platform", "base", "from", "to"]);
        for BaseChange { platform, base, from, to } in &report.bases {
            let short = |digest: &Digest| digest.to_hex().chars().take(SHORT).collect();
            let digest = |digest: &Option<Digest>| digest.as_ref().map_or_else(|| "-".to_owned(), short);
            table.row([platform.to_string(), base.clone(), digest(from), digest(to)]);
        }
        let _ = write!(text, "\n{table}");
    }
    if !report.changes.is_empty() {
        let mut table = Table::new(["platform", "package", "from", "to"]);
        for PackageChange { platform, package, from, to } in &report.changes {
            let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
            table.row([platform.to_string(), package.clone(), version(from), version(to)]);
        }
        let _ = write!(text, "\n{table}");
        let (changes, size) = (plural(report.changes.len(), "change"), Size(report.download));
        let store = match report.nar_size {
            0 => String::new(),
            size => format!(", {} of store paths", Size(size)),
        };
        let _ = writeln!(text, "\n{changes}, {size} to download{store}");
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
