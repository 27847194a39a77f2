//! `plywood build`: from the lock to images.

mod assemble;
mod describe;
mod error;
mod image;
mod known;
mod late;
mod load;
mod make;
mod nix;
mod nix_plan;
mod output;
mod packages;
mod plan;
mod record;
mod report;
mod sources;
mod store_files;
mod store_paths;
mod write;

use std::num::NonZeroUsize;

use plywood_core::manifest::ImageName;
use plywood_core::platform::Platform;

pub use error::BuildError;
pub(crate) use known::{Known, Made, MadeImage, MadePlatform};
pub(crate) use load::Loadable;
pub(crate) use make::make_images;
pub(crate) use nix_plan::{PlannedPath, from_lock as nix_of_image};
pub use output::{Output, ParseOutputError};
pub(crate) use packages::{WantedDeb, unpacked};
pub(crate) use plan::{ImagePlan, codec, plan};
pub use report::{BuildReport, BuiltImage, BuiltLayer, BuiltPlatform, LayerOrigin};
pub(crate) use store_files::SegmentFiles;

use crate::Error;
use crate::engine::{Engine, EngineError, EngineKind};
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

/// What `build` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// The images by name; all of the manifest's when empty.
    pub images: Vec<String>,
    /// The platforms; the host's alone when empty.
    pub platforms: Vec<Platform>,
    /// Whether to make every platform of each image, whatever `platforms` says.
    pub every_platform: bool,
    /// Whether to fail where the lock is missing, stale or no longer obtainable, instead of repairing it.
    pub locked: bool,
    /// Where the images go; [`Workspace::default_layout`] when `None`.
    pub output: Option<Output>,
    /// The engine that gets the images too.
    pub load: Option<EngineKind>,
    /// How many threads to work with; one per processor when `None`.
    pub jobs: Option<NonZeroUsize>,
    /// Instead of images of the manifest one that it does not have.
    pub store_paths: Option<StorePathImage>,
}

/// An image of store paths that are named directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePathImage {
    /// What it is called.
    pub name: ImageName,
    /// The store paths, as people name them: absolute, by base name, or links to them.
    pub paths: Vec<String>,
    /// The image of the workspace that it is built on; none when `None`, and then no manifest is needed either.
    pub from: Option<String>,
}

/// Builds images from the lock, which is made or repaired first unless `locked`.
///
/// # Errors
/// A bad manifest or lock, an input that cannot be obtained or is not what the lock says, a package whose scripts
/// cannot be replayed, or an output that cannot be written.
pub fn build(options: &BuildOptions, workspace: &Workspace, events: &dyn Events) -> Result<BuildReport, Error> {
    if options.store_paths.is_none() {
        let manifest = workspace.manifest()?;
        for name in &options.images {
            manifest.resolve(name)?;
        }
    }
    // An engine that is not there is told before the work, not after it.
    let engine = options.load.map(|kind| Engine::find(Some(kind))).transpose()?;
    let mut report = make::make(options, workspace, events)?;
    if let Some(engine) = engine {
        let kind = engine.kind();
        let loadable = Loadable::new(kind, &report, options, workspace, events)?;
        for image in &report.images {
            let [platform] = image.platforms.as_slice() else {
                let count = image.platforms.len();
                return Err(EngineError::SeveralPlatforms { engine: kind, count }.into());
            };
            let _task = Task::start(events, format!("Loading {} into {kind}", image.name), None, Unit::Items);
            engine.load(loadable.output(), image, platform)?;
        }
        report.loaded = Some(kind);
    }
    Ok(report)
}
