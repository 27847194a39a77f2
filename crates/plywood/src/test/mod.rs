//! `plywood test`: boot an image and see whether the manifest's tests hold.

mod expectation;
mod http;
mod pushed;
mod subject;

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use plywood_core::digest::Digest;
use plywood_core::manifest::model::{Check, HttpRequest};
use plywood_core::manifest::{Manifest, RegistryPrefix, ResolvedImage, Spanned};
use plywood_core::oci::Reference;
use plywood_core::platform::Platform;
use plywood_oci::registry::RegistryClient;
use plywood_oci::store::Store;
use serde::Serialize;

use crate::Error;
use crate::build::{BuildOptions, BuildReport, BuiltImage, BuiltPlatform, Loadable, build};
use crate::engine::{ContainerOptions, Engine, EngineError, EngineKind};
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

use subject::Subject;
pub use subject::SubjectError;

/// What `test` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// The images: names of the manifest, or what is in a registry as `IMAGE@sha256:…` or by its full name; all of the
    /// manifest's when empty.
    pub images: Vec<String>,
    /// A report of `plywood push --json`: every image in it is tested, or those of `images`, by names of the manifest.
    pub report: Option<Utf8PathBuf>,
    /// The image of the manifest whose tests are run on what is in a registry; the one that is pushed to that repository
    /// when `None`.
    pub image: Option<String>,
    /// Where the images are instead of the workspace's registry.
    pub registry: Option<RegistryPrefix>,
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
    /// Its full name with its digest, where it came from a registry.
    pub reference: Option<String>,
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

/// Boots images and runs their tests, every one in a container of its own. Those of the workspace are built where needed,
/// those of a registry are fetched by `client` and tested as they are there.
///
/// # Errors
/// As `build`, when an image of a registry cannot be had, and when the engine fails; that tests fail is in the report.
pub fn test(
    options: &TestOptions,
    workspace: &Workspace,
    client: &RegistryClient,
    events: &dyn Events,
) -> Result<TestReport, Error> {
    let manifest = workspace.manifest()?;
    let parse = |text: &String| Subject::parse(text, options.image.as_deref(), options.registry.as_ref(), &manifest);
    let subjects = match &options.report {
        Some(path) => Subject::of_report(path, &options.images, &manifest)?,
        None => options.images.iter().map(parse).collect::<Result<Vec<Subject>, Error>>()?,
    };
    let engine = Engine::find(options.engine)?;
    let session = Session { options, workspace, manifest: &manifest, engine: &engine, client, events };
    let mut images = Vec::new();
    let built = subjects.iter().filter_map(|subject| match subject {
        Subject::Built(image) => Some(image.clone()),
        Subject::Pushed { .. } => None,
    });
    let built: Vec<String> = built.collect();
    if options.report.is_none() && (subjects.is_empty() || !built.is_empty()) {
        session.built(built, &mut images)?;
    }
    for subject in &subjects {
        if let Subject::Pushed { image, reference } = subject {
            session.pushed(image, reference, &mut images)?;
        }
    }
    Ok(TestReport { engine: engine.kind(), images })
}

/// What the tests of one run share.
struct Session<'t> {
    options: &'t TestOptions,
    workspace: &'t Workspace,
    manifest: &'t Manifest,
    engine: &'t Engine,
    client: &'t RegistryClient,
    events: &'t dyn Events,
}

impl Session<'_> {
    /// Builds images of the workspace, all when none is named, and tests them.
    fn built(&self, names: Vec<String>, tested: &mut Vec<TestedImage>) -> Result<(), Error> {
        let build_options = BuildOptions {
            images: names,
            platforms: self.options.platforms.clone(),
            locked: self.options.locked,
            ..BuildOptions::default()
        };
        let built = build(&build_options, self.workspace, self.events)?;
        let loadable = Loadable::new(self.engine.kind(), &built, &build_options, self.workspace, self.events)?;
        for (image, platform) in wanted(&build_options.images, &built) {
            {
                let label = format!("Loading {} into {}", image.name, self.engine.kind());
                let _task = Task::start(self.events, label, None, Unit::Items);
                self.engine.load(loadable.output(), image, platform)?;
            }
            let resolved = self.manifest.resolve(&image.name)?;
            let tests = self.run(resolved, platform.platform, platform.image_id)?;
            tested.push(TestedImage { name: image.name.clone(), reference: None, platform: platform.platform, tests });
        }
        Ok(())
    }

    /// Tests what a registry has.
    fn pushed(&self, image: &str, reference: &Reference, tested: &mut Vec<TestedImage>) -> Result<(), Error> {
        let resolved = self.manifest.resolve(image)?;
        let store = Store::open(self.workspace.cache())?;
        let found = pushed::find(self.client, reference)?;
        let platforms = match self.options.platforms.as_slice() {
            [] => &[crate::os::platform()],
            platforms => platforms,
        };
        for platform in platforms {
            let loaded = pushed::load(&found, reference, *platform, self.engine, &store, self.events)?;
            let mut tests: Vec<TestResult> = pushed::size_limit(resolved, &loaded).into_iter().collect();
            tests.extend(self.run(resolved, *platform, loaded.config.digest)?);
            let (name, reference) = (image.to_owned(), Some(found.reference()));
            tested.push(TestedImage { name, reference, platform: *platform, tests });
        }
        Ok(())
    }

    /// Runs the tests of an image that the engine has.
    fn run(&self, image: &ResolvedImage, platform: Platform, id: Digest) -> Result<Vec<TestResult>, Error> {
        let total = image.tests.len() as u64;
        let label = format!("Testing {} for {platform}", image.name);
        let task = Task::start(self.events, label, Some(total), Unit::Items);
        let mut tests = Vec::new();
        for check in &image.tests {
            let container = ContainerOptions {
                image: id.to_hex(),
                platform: Some(platform),
                user: check.user.as_ref().map(ToString::to_string),
                env: BTreeMap::new(),
                ..ContainerOptions::default()
            };
            let failures = run_check(self.engine, check, container)?;
            tests.push(TestResult { title: check.title(), failures });
            task.advance(1);
        }
        Ok(tests)
    }
}

/// The images that were asked for, without those that were built only because others stand on them.
fn wanted<'b>(
    names: &'b [String],
    built: &'b BuildReport,
) -> impl Iterator<Item = (&'b BuiltImage, &'b BuiltPlatform)> {
    let is_wanted = |image: &&BuiltImage| names.is_empty() || names.contains(&image.name);
    built
        .images
        .iter()
        .filter(is_wanted)
        .flat_map(|image| image.platforms.iter().map(move |platform| (image, platform)))
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
