//! `plywood test`

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use clap::Args;
use plywood::engine::EngineKind;
use plywood::test::{TestOptions, TestReport, test};
use plywood_core::platform::Platform;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::plural;

const EXAMPLES: &str = "\
Examples:
  plywood test                      every image, on this machine's platform
  plywood test base --engine docker
  plywood test base --json | jq '.images[].tests[] | select(.failures != [])'";

const PASSED: Style = AnsiColor::Green.on_default();
const FAILED: Style = AnsiColor::Red.on_default().bold();

/// Boot images and run the manifest's tests
///
/// Each test runs in a container of its own, in podman or else docker; images are built first where needed. Exits with
/// status 3 when a test does not pass.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TestArgs {
    /// The images by name [default: all]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Test on P, such as linux/arm64 (repeatable) [default: this machine's]
    #[arg(long = "platform", value_name = "P")]
    platforms: Vec<Platform>,
    /// Use podman or docker [default: whichever is there]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<EngineKind>,
    /// Fail when the lock is missing or stale instead of repairing it
    #[arg(long)]
    locked: bool,
}

/// Runs it.
pub(crate) fn run(args: TestArgs, context: &Context) -> Result<Exit, Failure> {
    let TestArgs { images, platforms, engine, locked } = args;
    let options = TestOptions { images, platforms, engine, locked };
    let report = test(&options, &context.workspace, &context.progress)?;
    context.print(&report, text)?;
    if let Some(image) = report.images.last() {
        context.next(&format!("{} {}", if report.passed() { "run" } else { "inspect" }, image.name));
    }
    Ok(Exit::gate(report.passed()))
}

/// The report as people read it.
fn text(report: &TestReport) -> String {
    let mut text = String::new();
    for image in &report.images {
        let _ = writeln!(text, "{} for {} in {}", image.name, image.platform, report.engine);
        for test in &image.tests {
            let passed = test.failures.is_empty();
            let (style, mark) = if passed { (PASSED, "ok    ") } else { (FAILED, "FAILED") };
            let _ = writeln!(text, "  {style}{mark}{style:#}  {}", test.title);
            for failure in &test.failures {
                let _ = writeln!(text, "            {failure}");
            }
        }
        if image.tests.is_empty() {
            let _ = writeln!(text, "  no tests: add [[images.{}.tests]] to plywood.toml", image.name);
        }
    }
    let all = report.images.iter().flat_map(|image| &image.tests);
    let failed = all.clone().filter(|test| !test.failures.is_empty()).count();
    let _ = writeln!(text, "\n{}, {failed} failed", plural(all.count(), "test"));
    text
}
