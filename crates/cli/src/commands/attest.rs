//! `plywood attest`

use camino::Utf8PathBuf;
use clap::Args;
use plywood::attest::attest;
use plywood::publish::reference;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;

const EXAMPLES: &str = "\
Examples:
  plywood attest ghcr.io/team/base:latest --type cyclonedx --predicate base.cdx.json --key ci.key
  plywood attest ghcr.io/team/base@sha256:… --type https://example.com/tests/v1 --predicate tests.json";

/// Attach a signed statement to an image in a registry
///
/// Says of the digest what is in a JSON file, as an in-toto statement in a signed envelope, under cosign's tag and as a
/// referrer (OCI 1.1). The key is found as for `plywood sign`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AttestArgs {
    /// The image or artifact: its full name, or NAME:TAG or NAME@sha256:… of the workspace
    #[arg(value_name = "IMAGE")]
    image: String,
    /// What kind of thing it says: a URI, or cyclonedx, spdx, openvex
    #[arg(long = "type", value_name = "URI", value_parser = predicate_type)]
    predicate_type: String,
    /// The JSON file with what to say
    #[arg(long, value_name = "FILE")]
    predicate: Utf8PathBuf,
    /// The private key
    #[arg(long, value_name = "FILE")]
    key: Option<Utf8PathBuf>,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// The URIs of what has a name of its own, as cosign has them.
fn predicate_type(text: &str) -> Result<String, String> {
    match text {
        "cyclonedx" => Ok("https://cyclonedx.org/bom".to_owned()),
        "spdx" => Ok("https://spdx.dev/Document".to_owned()),
        "openvex" => Ok("https://openvex.dev/ns".to_owned()),
        uri if uri.contains(':') && uri.len() <= 1024 && !uri.contains(char::is_whitespace) => Ok(uri.to_owned()),
        _ => Err("it is neither a URI nor one of cyclonedx, spdx, openvex".to_owned()),
    }
}

/// Runs it.
pub(crate) fn run(args: AttestArgs, context: &Context) -> Result<Exit, Failure> {
    let client = args.registry.client()?;
    let report = attest(
        &reference(&args.image, &context.workspace)?,
        &args.predicate_type,
        &args.predicate,
        args.key.as_deref(),
        &client,
    )?;
    context.print(&report, |report| super::sign::text(report, "attested"))?;
    context.next(&format!("referrers {}", report.reference));
    Ok(Exit::Done)
}
