//! `plywood sign`

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use clap::Args;
use plywood::attest::{Attached, SignReport, sign};
use plywood::publish::reference;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;

const EXAMPLES: &str = "\
Examples:
  plywood sign ghcr.io/team/base@sha256:… --key ci.key
  PLYWOOD_SIGNING_KEY_FILE=ci.key plywood sign ghcr.io/team/base:latest";

/// Sign an image in a registry
///
/// Signs the image's index and the image of each platform, as cosign does, in both forms that are looked for: under
/// cosign's tag and as a referrer (OCI 1.1). Signing what is signed already changes nothing. The key is that of --key,
/// else the text in PLYWOOD_SIGNING_KEY or the file that PLYWOOD_SIGNING_KEY_FILE names; COSIGN_PASSWORD opens a key that
/// cosign has encrypted.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SignArgs {
    /// The image: its full name, or NAME:TAG or NAME@sha256:… of the workspace; a tag is looked up once, and what it names then is signed
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The private key
    #[arg(long, value_name = "FILE")]
    key: Option<Utf8PathBuf>,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs it.
pub(crate) fn run(args: SignArgs, context: &Context) -> Result<Exit, Failure> {
    let client = args.registry.client()?;
    let report = sign(&reference(&args.image, &context.workspace)?, args.key.as_deref(), &client, &context.progress)?;
    context.print(&report, |report| text(report, "signed"))?;
    context.next(&format!("verify {}", report.reference));
    Ok(Exit::Done)
}

/// The report as people read it.
pub(super) fn text(report: &SignReport, done: &str) -> String {
    let mut text = String::new();
    for digest in &report.digests {
        let what = digest.platform.map(|platform| format!(" ({platform})")).unwrap_or_default();
        let outcome = match digest.outcome {
            Attached::Written => done.to_owned(),
            Attached::Present => format!("{done} already"),
        };
        let _ = writeln!(text, "{outcome}: {}{what}", digest.digest);
    }
    let _ = writeln!(text, "by the key {}", report.key);
    text
}
