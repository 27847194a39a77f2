//! `plywood why`

use std::fmt::Write as _;

use clap::Args;
use plywood::why::{Answer, WhyOptions, WhyReport, why};
use plywood::workspace::MANIFEST_NAME;
use plywood_core::platform::Platform;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  plywood why runtime-python openssl                 a package, by its name
  plywood why runtime-python /nix/store/…-zlib-1.3   a store path, or its hash alone
  plywood why devcontainer-base libc6                which requested package needs it
  plywood why devcontainer-base /usr/bin/rg          what a file belongs to
  plywood why runtime-python glibc --json";

/// Say who asks for something that an image has, and over what
///
/// Shows the line of plywood.toml that asks for a store path or Debian package, and the shortest chain from there to it:
/// for store paths with the file in which each names the next. Reads the lock; files are seen where the image was built
/// on this machine. Exits with status 2 when the image has no such thing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WhyArgs {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    /// A store path, its hash, a package, or a path in the image
    #[arg(value_name = "WHAT")]
    what: String,
    /// On P, such as linux/arm64 [default: this machine's]
    #[arg(long, value_name = "P")]
    platform: Option<Platform>,
}

/// Runs it.
pub(crate) fn run(args: WhyArgs, context: &Context) -> Result<Exit, Failure> {
    let WhyArgs { image, what, platform } = args;
    let report = why(&WhyOptions { image, what, platform }, &context.workspace)?;
    context.print(&report, text)?;
    Ok(Exit::Done)
}

fn text(report: &WhyReport) -> String {
    let mut text = String::new();
    for answer in &report.answers {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&one(report, answer));
    }
    text
}

fn one(report: &WhyReport, answer: &Answer) -> String {
    let mut text = format!("{} is in {} for {}\n", answer.subject, report.image, report.platform);
    let _ = writeln!(text, "  asked for by {}", answer.asked_by);
    if let Some(place) = &answer.place {
        let _ = writeln!(text, "  {MANIFEST_NAME}:{}: {}", place.line, place.text);
    }
    for (depth, step) in answer.chain.iter().enumerate() {
        let indent = "  ".repeat(depth);
        let by = step.by.as_ref().map(|by| format!("  ({by})")).unwrap_or_default();
        let _ = writeln!(text, "  {indent}{}{by}", step.name);
    }
    if !answer.variables.is_empty() {
        let _ = writeln!(text, "  named by the shell's {}", answer.variables.join(", "));
    }
    text
}
