//! `plywood audit`

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use clap::Args;
use plywood::attest::{AuditOptions, AuditReport, AuditState, AuditedImage, audit};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;
use crate::render::{plural, table::Table};

const EXAMPLES: &str = "\
Examples:
  plywood audit running.txt                                        one image@sha256:… a line
  kubectl get pods -A -o json | plywood audit - --strict           everything that runs in a cluster
  plywood audit running.json --key ci.pub --json";

/// Say of running images who signed them and where they came from
///
/// Reads a list of images by digest (one a line, a JSON list, or what `kubectl get pods -o json` prints) and says of each
/// the commit, the lock, the builder and whether a key that is believed signed it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AuditArgs {
    /// The list; `-` for standard input
    #[arg(value_name = "FILE")]
    list: Utf8PathBuf,
    /// Believe the public key in FILE (repeatable) [default: `keys` in [publish] of plywood.toml]
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<Utf8PathBuf>,
    /// Exit with status 3 unless every image is signed and says where it came from
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs it.
pub(crate) fn run(args: AuditArgs, context: &Context) -> Result<Exit, Failure> {
    let client = args.registry.client()?;
    let options = AuditOptions { list: args.list, keys: args.keys };
    let report = audit(&options, &client, &context.workspace, &context.progress)?;
    context.print(&report, text)?;
    Ok(Exit::gate(report.holds || !args.strict))
}

/// The report as people read it.
fn text(report: &AuditReport) -> String {
    let mut table = Table::new(["state", "commit", "lock", "builder", "image"]);
    for image in &report.images {
        let cell = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let provenance = image.provenance.as_ref();
        let dirty = if provenance.is_some_and(|it| it.dirty) { "+" } else { "" };
        let commit = provenance.and_then(|it| it.commit.as_deref()).map(|commit| format!("{}{dirty}", short(commit)));
        let lock = provenance.and_then(|it| it.lock).map(|lock| short(&lock.to_hex()).to_owned());
        let builder = provenance.map(|it| it.builder.clone());
        table.row([state(image).to_owned(), cell(commit), cell(lock), cell(builder), image.reference.clone()]);
    }
    let mut text = table.to_string();
    for image in &report.images {
        if let Some(reason) = &image.reason {
            let _ = writeln!(text, "\n{}:\n  {reason}", image.reference);
        }
    }
    let good = report.images.iter().filter(|image| image.state == AuditState::Attested).count();
    let _ = writeln!(text, "\n{good} of {} signed with provenance", plural(report.images.len(), "image"));
    text
}

fn state(image: &AuditedImage) -> &'static str {
    match image.state {
        AuditState::Attested => "attested",
        AuditState::Signed => "signed",
        AuditState::Unsigned => "UNSIGNED",
        AuditState::Unknown => "UNKNOWN",
    }
}

/// The first 12 digits, as git shows them.
fn short(hex: &str) -> &str {
    hex.get(..12).unwrap_or(hex)
}
