//! `plywood referrers`

use clap::Args;
use plywood::attest::{ReferrersReport, referrers};
use plywood::publish::reference;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;
use crate::render::{size::Size, table::Table};

const EXAMPLES: &str = "\
Examples:
  plywood referrers ghcr.io/team/base:latest
  plywood referrers ghcr.io/team/base@sha256:… --json";

/// List what is attached to an image in a registry
///
/// Lists referrers (OCI 1.1, or the tag that stands in for them) and what cosign keeps under its tags: signatures,
/// provenance, bills of materials. Nothing of it is verified; `plywood verify` does that.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReferrersArgs {
    /// The image: its full name, or NAME:TAG or NAME@sha256:… of the workspace
    #[arg(value_name = "IMAGE")]
    image: String,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs it.
pub(crate) fn run(args: ReferrersArgs, context: &Context) -> Result<Exit, Failure> {
    let client = args.registry.client()?;
    let report = referrers(&reference(&args.image, &context.workspace)?, &client)?;
    context.print(&report, text)?;
    Ok(Exit::Done)
}

/// The report as people read it.
fn text(report: &ReferrersReport) -> String {
    if report.referrers.is_empty() {
        return format!("nothing is attached to {}\n", report.reference);
    }
    let mut table = Table::new(["type", "says", "size", "where"]).right([2]);
    for referrer in &report.referrers {
        let says = referrer.predicate_type.clone().unwrap_or_else(|| "-".to_owned());
        let place = referrer.tag.clone().unwrap_or_else(|| referrer.digest.to_string());
        table.row([referrer.artifact_type.clone(), says, Size(referrer.size).to_string(), place]);
    }
    format!("{}\n\n{table}", report.reference)
}
