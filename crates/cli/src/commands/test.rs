//! `plywood test`

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use camino::Utf8PathBuf;
use clap::Args;
use plywood::engine::EngineKind;
use plywood::test::{TestOptions, TestReport, TestedImage, test};
use plywood_core::manifest::RegistryPrefix;
use plywood_core::platform::Platform;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;
use crate::render::plural;

const EXAMPLES: &str = "\
Examples:
  plywood test                      every image, on this machine's platform
  plywood test base --engine docker
  plywood test base@sha256:…                 as the registry has it, before `plywood promote`
  plywood test --report pushed.json          all that `plywood push --untagged --json` has pushed
  plywood test localhost:5000/x@sha256:… --image base
  plywood test base --json | jq '.images[].tests[] | select(.failures != [])'";

const PASSED: Style = AnsiColor::Green.on_default();
const FAILED: Style = AnsiColor::Red.on_default().bold();

/// Boot images and run the manifest's tests
///
/// Each test runs in a container of its own, in podman or else docker; images of the workspace are built first where
/// needed. What is named with a tag or digest is fetched from its registry, verified, and tested as it is there, its size
/// limit too. Exits with status 3 when a test does not pass.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TestArgs {
    /// The images: names of the manifest, or what is in a registry as NAME@sha256:… or by its full name [default: all of
    /// the manifest]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Test what the report FILE of `push --json` has, as it is in the registry
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "prefix"])]
    report: Option<Utf8PathBuf>,
    /// Run the tests of the image NAME on what is in a registry [default: that of the repository's name]
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
    /// Look below PREFIX [default: the workspace's registry]
    #[arg(long = "registry", value_name = "PREFIX")]
    prefix: Option<RegistryPrefix>,
    /// Test on P, such as linux/arm64 (repeatable) [default: this machine's]
    #[arg(long = "platform", value_name = "P")]
    platforms: Vec<Platform>,
    /// Use podman or docker [default: whichever is there]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<EngineKind>,
    /// Fail when the lock is missing or stale instead of repairing it
    #[arg(long)]
    locked: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs it.
pub(crate) fn run(args: TestArgs, context: &Context) -> Result<Exit, Failure> {
    let TestArgs { images, report, image, prefix, platforms, engine, locked, registry } = args;
    let client = registry.client()?;
    let options = TestOptions { images, report: report.clone(), image, registry: prefix, platforms, engine, locked };
    let tested = test(&options, &context.workspace, &client, &context.progress)?;
    context.print(&tested, text)?;
    match tested.images.last() {
        Some(_) if report.is_some() && tested.passed() => {
            context.next(&format!("promote --report {}", report.unwrap_or_default()));
        }
        Some(TestedImage { reference: Some(reference), .. }) if tested.passed() => {
            context.next(&format!("promote {reference}"));
        }
        Some(TestedImage { name, reference: None, .. }) => {
            context.next(&format!("{} {name}", if tested.passed() { "run" } else { "inspect" }));
        }
        _ => {}
    }
    Ok(Exit::gate(tested.passed()))
}

/// The report as people read it.
fn text(report: &TestReport) -> String {
    let mut text = String::new();
    for image in &report.images {
        let from = image.reference.as_ref().map(|reference| format!(", from {reference}")).unwrap_or_default();
        let _ = writeln!(text, "{} for {} in {}{from}", image.name, image.platform, report.engine);
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
