//! `plywood doctor`

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use clap::Args;
use plywood::doctor::{DoctorReport, State, doctor};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  plywood doctor
  plywood doctor --json | jq '.findings[] | select(.state != \"good\")'";

/// Say what this machine has and lacks
///
/// Looks at the cache's disk, Debian's mirrors, the container engine, and what packages with `scripts` need. Exits with
/// status 3 when building cannot work; what only running images needs is reported, and no failure.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {}

/// Runs it.
pub(crate) fn run(_: &DoctorArgs, context: &Context) -> Result<Exit, Failure> {
    let report = doctor(&context.workspace, &context.progress)?;
    context.print(&report, text)?;
    if report.can_build() {
        context.next("build");
    }
    Ok(Exit::gate(report.can_build()))
}

/// The report as people read it.
fn text(report: &DoctorReport) -> String {
    const GOOD: Style = AnsiColor::Green.on_default();
    const LACKING: Style = AnsiColor::Yellow.on_default();
    const BROKEN: Style = AnsiColor::Red.on_default().bold();
    let mut text = String::new();
    for finding in &report.findings {
        let (style, mark) = match finding.state {
            State::Good => (GOOD, "ok     "),
            State::Lacking => (LACKING, "lacking"),
            State::Broken => (BROKEN, "broken "),
        };
        let _ = writeln!(text, "{style}{mark}{style:#}  {:16}  {}", finding.id, finding.message);
        if let Some(fix) = &finding.fix {
            let _ = writeln!(text, "         {:16}  fix: {fix}", "");
        }
    }
    text
}
