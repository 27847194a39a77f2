//! `plywood build`: from the lock to images.

mod output;
mod report;

use std::num::NonZeroUsize;

use plywood_core::platform::Platform;

pub use output::{Output, ParseOutputError};
pub use report::{BuildReport, BuiltImage, BuiltLayer, BuiltPlatform, LayerOrigin};

use crate::Error;
use crate::events::Events;
use crate::workspace::Workspace;

/// What `build` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// The images by name; all of the manifest's when empty.
    pub images: Vec<String>,
    /// The platforms; the host's alone when empty.
    pub platforms: Vec<Platform>,
    /// Whether to fail where the lock is missing, stale or no longer obtainable, instead of repairing it.
    pub locked: bool,
    /// Where the images go; [`Workspace::default_layout`] when `None`.
    pub output: Option<Output>,
    /// How many threads to work with; one per processor when `None`.
    pub jobs: Option<NonZeroUsize>,
}

/// Builds images from the lock, which is made or repaired first unless `locked`.
///
/// # Errors
/// A bad manifest or lock, an input that cannot be obtained or is not what the lock says, a package whose scripts
/// cannot be replayed, or an output that cannot be written.
pub fn build(options: &BuildOptions, workspace: &Workspace, events: &dyn Events) -> Result<BuildReport, Error> {
    let _ = (options, workspace.read_manifest()?, events);
    Err(Error::Unfinished("build"))
}
