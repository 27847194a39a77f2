//! `plywood verify`

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use camino::Utf8PathBuf;
use clap::Args;
use plywood::attest::{
    CheckState, ProvenanceSummary, RebuildDifference, RebuildReport, VerifyOptions, VerifyReport, verify,
};
use plywood::publish::reference;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;
use crate::render::plural;

const EXAMPLES: &str = "\
Examples:
  plywood verify base:latest                                  the workspace's, with the keys of plywood.toml
  plywood verify ghcr.io/team/base@sha256:… --key ci.pub      from anywhere
  plywood verify ghcr.io/team/base:latest --rebuild           and build it again from the lock";

/// Check an image's signature and where it came from
///
/// Looks for a signature over the digest by one of the keys, and for a provenance that one of them signed. In a
/// workspace, its manifest and lock must be those that the provenance names, with every package. Exits with status 3
/// when something does not hold.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// The image: its full name, or NAME:TAG or NAME@sha256:… of the workspace
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Believe the public key in FILE (repeatable) [default: `keys` in [publish] of plywood.toml]
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<Utf8PathBuf>,
    /// Demand that URI built it
    #[arg(long, value_name = "URI")]
    builder: Option<String>,
    /// Do not compare with the manifest and lock here
    #[arg(long, conflicts_with = "rebuild")]
    no_workspace: bool,
    /// Build it again with an empty cache and name the first file that differs; the workspace must be at its commit
    #[arg(long)]
    rebuild: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs it.
pub(crate) fn run(args: VerifyArgs, context: &Context) -> Result<Exit, Failure> {
    let client = args.registry.client()?;
    let options = VerifyOptions {
        reference: reference(&args.image, &context.workspace)?,
        keys: args.keys,
        builder: args.builder,
        workspace: !args.no_workspace,
        rebuild: args.rebuild,
    };
    let report = verify(&options, &client, &context.workspace, &context.progress)?;
    context.print(&report, text)?;
    Ok(Exit::gate(report.holds))
}

/// The report as people read it.
fn text(report: &VerifyReport) -> String {
    const GOOD: Style = AnsiColor::Green.on_default();
    const BAD: Style = AnsiColor::Red.on_default().bold();
    const HINT: Style = AnsiColor::Cyan.on_default().bold();
    let mut text = format!("{}\n", report.reference);
    for check in &report.checks {
        let (style, mark) = match check.state {
            CheckState::Passed => (GOOD, "ok"),
            CheckState::Failed => (BAD, "FAILED"),
            CheckState::Skipped => (Style::new(), "-"),
        };
        let _ = writeln!(text, "  {style}{mark:6}{style:#}  {:10}  {}", check.name, check.message);
        if let Some(hint) = check.hint.as_ref().filter(|_| check.failed()) {
            let _ = writeln!(text, "          {HINT}hint:{HINT:#} {hint}");
        }
    }
    if let Some(provenance) = &report.provenance {
        text += &came_from(provenance);
    }
    if let Some(rebuild) = &report.rebuild {
        text += &differences(rebuild);
    }
    text + &match report.holds {
        true => format!("\n{GOOD}everything holds{GOOD:#}\n"),
        false => format!("\n{BAD}not everything holds{BAD:#}\n"),
    }
}

/// Where an image came from.
pub(super) fn came_from(provenance: &ProvenanceSummary) -> String {
    let mut text = format!("\nimage     {}\n", provenance.image);
    let mut row = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{name:8}  {value}");
        }
    };
    row("source", &provenance.repository);
    let dirty = if provenance.dirty { ", with changes that are in no commit" } else { "" };
    row("commit", &provenance.commit.as_ref().map(|commit| format!("{commit}{dirty}")));
    row("lock", &provenance.lock.map(|lock| lock.to_string()));
    for base in &provenance.bases {
        row("base", &Some(base.clone()));
    }
    row("builder", &Some(provenance.builder.clone()));
    row("run", &provenance.run);
    row("plywood", &Some(provenance.plywood.clone()));
    row("key", &Some(provenance.key.to_string()));
    text
}

/// What building again gave that is not the same.
fn differences(report: &RebuildReport) -> String {
    let mut text = String::new();
    for platform in report.platforms.iter().filter(|platform| !platform.same) {
        let _ = writeln!(text, "\n{}: {} became {}", platform.platform, platform.digest, platform.rebuilt);
        for difference in &platform.differences {
            let _ = match difference {
                RebuildDifference::Annotation { key } => writeln!(text, "  annotation {key} of the manifest"),
                RebuildDifference::Config { field } => writeln!(text, "  {field} of the configuration"),
                RebuildDifference::LayerCount { registry, rebuilt } => {
                    writeln!(text, "  {} became {rebuilt}", plural(*registry, "layer"))
                }
                RebuildDifference::Layer { number, digest, what, files, first } => {
                    let first = match first {
                        None => "the same files, in another order or compressed otherwise".to_owned(),
                        Some(first) if *files == 1 => first.to_string(),
                        Some(first) => format!("{first}; and {} more", plural(files - 1, "file")),
                    };
                    writeln!(text, "  layer {number} ({what}), {digest}:\n    {first}")
                }
            };
        }
    }
    text
}
