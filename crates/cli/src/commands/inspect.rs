//! `plywood inspect`

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use clap::Args;
use plywood::build::Output;
use plywood::inspect::{InspectOptions, InspectReport, inspect};
use plywood_core::platform::Platform;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{plural, size::Size, table::Table};

const EXAMPLES: &str = "\
Examples:
  plywood inspect base
  plywood inspect devcontainer-base --uid 1234       as an editor would change the user's uid
  plywood inspect base --platform linux/arm64 --packages
  plywood inspect --from oci-archive:base.tar";

/// Check an image's files without running it
///
/// Reads every layer of an image that was built, verifies it, and looks for what makes images fail their users: accounts
/// that do not agree, owners, setuid bits, the loader, PATH and HOME, and what a changed uid would break. Exits with
/// status 3 when something is found.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InspectArgs {
    /// The image, by its name in the manifest or its full name [default: the only one there is]
    #[arg(value_name = "IMAGE")]
    image: Option<String>,
    /// Read it from oci:DIR or oci-archive:FILE [default: where `plywood build` puts it]
    #[arg(long, value_name = "WHERE")]
    from: Option<Output>,
    /// Look at P, such as linux/arm64 [default: this machine's]
    #[arg(long, value_name = "P")]
    platform: Option<Platform>,
    /// The uid that an editor would give the user [default: 1001]
    #[arg(long, value_name = "UID")]
    uid: Option<u32>,
    /// List the Debian packages
    #[arg(long)]
    packages: bool,
    /// List the layers
    #[arg(long)]
    layers: bool,
}

/// Runs it.
pub(crate) fn run(args: InspectArgs, context: &Context) -> Result<Exit, Failure> {
    let InspectArgs { image, from, platform, uid, packages, layers } = args;
    let name = image.clone();
    let options = InspectOptions { image, from, platform, other_uid: uid };
    let report = inspect(&options, &context.workspace, &context.progress)?;
    context.print(&report, |report| text(report, packages, layers))?;
    if let Some(name) = name.filter(|_| report.faults.is_empty()) {
        context.next(&format!("test {name}"));
    }
    Ok(Exit::gate(report.faults.is_empty()))
}

/// The report as people read it.
fn text(report: &InspectReport, packages: bool, layers: bool) -> String {
    let mut text = String::new();
    let name = if report.reference.is_empty() { "the image" } else { &report.reference };
    let stored: u64 = report.layers.iter().map(|layer| layer.size).sum();
    let _ = writeln!(text, "{name} for {}\n  {}", report.platform, report.digest);
    let _ = writeln!(
        text,
        "  {}, {}, {}; {} to download, {} of files",
        plural(report.packages.len(), "package"),
        plural(report.layers.len(), "layer"),
        plural(report.entries, "entry").replace("entrys", "entries"),
        Size(stored),
        Size(report.content_size),
    );
    if layers {
        let mut table = Table::new(["layer", "size", "what"]).right([0, 1]);
        for (number, layer) in report.layers.iter().enumerate() {
            table.row([(number + 1).to_string(), Size(layer.size).to_string(), layer.comment.clone()]);
        }
        let _ = write!(text, "\n{table}");
    }
    if packages {
        let mut table = Table::new(["package", "version", "architecture", "source"]);
        for package in &report.packages {
            let (name, version) = (package.name.clone(), package.version.clone());
            table.row([name, version, package.architecture.clone(), package.source.clone()]);
        }
        let _ = write!(text, "\n{table}");
    }
    text + "\n" + &faults(report)
}

/// What is wrong, by rule, each rule with its hint once.
fn faults(report: &InspectReport) -> String {
    const FAULT: Style = AnsiColor::Red.on_default().bold();
    const HINT: Style = AnsiColor::Cyan.on_default().bold();
    const GOOD: Style = AnsiColor::Green.on_default();
    if report.faults.is_empty() {
        return format!("{GOOD}nothing wrong{GOOD:#} by {}\n", plural(report.rules, "rule"));
    }
    let mut text = String::new();
    for faults in report.faults.chunk_by(|a, b| a.rule == b.rule) {
        for fault in faults {
            let place = fault.path.as_ref().map(|path| format!("{path} ")).unwrap_or_default();
            let _ = writeln!(text, "{FAULT}{}{FAULT:#}: {place}{}", fault.rule, fault.message);
        }
        if let Some(fault) = faults.first() {
            let _ = writeln!(text, "  {HINT}hint:{HINT:#} {}", fault.hint);
        }
    }
    let _ = writeln!(text, "\n{} found", plural(report.faults.len(), "fault"));
    text
}
