//! `plywood test`: boot an image and see whether the manifest's tests hold.

mod expectation;
mod http;

use std::collections::BTreeMap;
use std::time::Duration;

use plywood_core::manifest::model::{Check, HttpRequest};
use plywood_core::manifest::{Manifest, ResolvedImage, Spanned};
use plywood_core::platform::Platform;
use serde::Serialize;

use crate::Error;
use crate::build::{BuildOptions, BuildReport, BuiltImage, BuiltPlatform, Loadable, Output, build};
use crate::engine::{ContainerOptions, Engine, EngineError, EngineKind};
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

/// What `test` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// The images by name; all of the manifest's when empty.
    pub images: Vec<String>,
    /// The platforms; the host's alone when empty.
    pub platforms: Vec<Platform>,
    /// The engine; whichever is there when `None`.
    pub engine: Option<EngineKind>,
    /// As for `build`.
    pub locked: bool,
}

/// What `test` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// What booted the images.
    pub engine: EngineKind,
    /// Each image on each platform.
    pub images: Vec<TestedImage>,
}

/// One image on one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestedImage {
    /// Its name in the manifest.
    pub name: String,
    /// On which platform.
    pub platform: Platform,
    /// Its tests, in the order of the manifest, those of the images it stands on first.
    pub tests: Vec<TestResult>,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// What it shows.
    pub title: String,
    /// What did not hold, one text each; empty when it passed.
    pub failures: Vec<String>,
}

impl TestReport {
    /// Whether all tests passed.
    pub fn passed(&self) -> bool {
        self.images.iter().flat_map(|image| &image.tests).all(|test| test.failures.is_empty())
    }
}

/// Builds the images where needed, boots each and runs its tests, every one in a container of its own.
///
/// # Errors
/// As `build`, and when the engine fails; that tests fail is in the report.
pub fn test(options: &TestOptions, workspace: &Workspace, events: &dyn Events) -> Result<TestReport, Error> {
    let manifest = workspace.manifest()?;
    for name in &options.images {
        manifest.resolve(name)?;
    }
    let engine = Engine::find(options.engine)?;
    let build_options = BuildOptions {
        images: options.images.clone(),
        platforms: options.platforms.clone(),
        locked: options.locked,
        ..BuildOptions::default()
    };
    let built = build(&build_options, workspace, events)?;
    let loadable = Loadable::new(engine.kind(), &built, &build_options, workspace, events)?;
    let mut images = Vec::new();
    for (image, platform) in wanted(options, &built) {
        images.push(test_image(&engine, &manifest, loadable.output(), image, platform, events)?);
    }
    Ok(TestReport { engine: engine.kind(), images })
}

/// The images that were asked for, without those that were built only because others stand on them.
fn wanted<'b>(
    options: &'b TestOptions,
    built: &'b BuildReport,
) -> impl Iterator<Item = (&'b BuiltImage, &'b BuiltPlatform)> {
    let is_wanted = |image: &&BuiltImage| options.images.is_empty() || options.images.contains(&image.name);
    built
        .images
        .iter()
        .filter(is_wanted)
        .flat_map(|image| image.platforms.iter().map(move |platform| (image, platform)))
}

fn test_image(
    engine: &Engine,
    manifest: &Manifest,
    output: &Output,
    image: &BuiltImage,
    platform: &BuiltPlatform,
    events: &dyn Events,
) -> Result<TestedImage, Error> {
    let resolved: &ResolvedImage = manifest.resolve(&image.name)?;
    {
        let _task = Task::start(events, format!("Loading {} into {}", image.name, engine.kind()), None, Unit::Items);
        engine.load(output, image, platform)?;
    }
    let total = resolved.tests.len() as u64;
    let task =
        Task::start(events, format!("Testing {} for {}", image.name, platform.platform), Some(total), Unit::Items);
    let mut tests = Vec::new();
    for check in &resolved.tests {
        let container = ContainerOptions {
            image: platform.image_id.to_hex(),
            platform: Some(platform.platform),
            user: check.user.as_ref().map(ToString::to_string),
            env: BTreeMap::new(),
            ..ContainerOptions::default()
        };
        let failures = run_check(engine, check, container)?;
        tests.push(TestResult { title: check.title(), failures });
        task.advance(1);
    }
    Ok(TestedImage { name: image.name.clone(), platform: platform.platform, tests })
}

/// What does not hold of one test. An engine that takes too long is a failed test, any other fault of it an error.
fn run_check(engine: &Engine, check: &Check, container: ContainerOptions) -> Result<Vec<String>, Error> {
    let limit = Duration::from_secs(check.timeout.unwrap_or(Check::DEFAULT_TIMEOUT).0.into());
    match (&check.command, &check.http) {
        (Some(command), _) => {
            let container = ContainerOptions { command: command.to_arguments(), bare: true, ..container };
            match engine.run(&container, limit) {
                Ok(captured) => Ok(expectation::failures(check, &captured)),
                Err(EngineError::TimedOut { limit, .. }) => {
                    Ok(vec![format!("it did not end within {} s", limit.as_secs())])
                }
                Err(error) => Err(error.into()),
            }
        }
        (None, Some(Spanned { value: request, .. })) => run_request(engine, request, container, limit),
        (None, None) => Ok(Vec::new()),
    }
}

fn run_request(
    engine: &Engine,
    request: &HttpRequest,
    container: ContainerOptions,
    limit: Duration,
) -> Result<Vec<String>, Error> {
    let port = request.port.0;
    let container = engine.start(&ContainerOptions { ports: vec![port], ..container })?;
    match container.host_port(port) {
        Ok(Some(host_port)) => Ok(http::failures(request, host_port, limit)),
        // A container that has ended has no ports.
        Ok(None) | Err(EngineError::Failed { .. }) => {
            Ok(vec![format!("nothing listens on port {port}: the container has ended")])
        }
        Err(error) => Err(error.into()),
    }
}
