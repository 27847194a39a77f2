//! `plywood schema`

use clap::Args;
use plywood_core::manifest;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  plywood schema > plywood.schema.json
  sed -i '1i #:schema ./plywood.schema.json' plywood.toml     editors complete keys from then on";

/// Print the JSON schema of plywood.toml
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SchemaArgs {}

/// Runs it.
pub(crate) fn run(_: &SchemaArgs, context: &Context) -> Result<Exit, Failure> {
    context.print(&manifest::schema(), |schema| format!("{schema:#}\n"))?;
    Ok(Exit::Done)
}
