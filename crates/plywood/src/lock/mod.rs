//! `plywood lock`: decide every input by hash, and which package goes to which layer.

mod report;

pub use report::{LockOutcome, LockReport, LockedImage, PackageChange};

use crate::Error;
use crate::events::Events;
use crate::workspace::Workspace;

/// What `lock` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockOptions {
    /// Which packages may move to newer versions.
    pub upgrade: Upgrade,
    /// Whether to lay out all layers anew instead of keeping those of the last lock where they still hold.
    pub replan: bool,
    /// Whether to only say if the lock fits the manifest, writing nothing and reading no archive.
    pub check: bool,
}

/// Which packages may move to newer versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// None: what is locked stays; only what the manifest newly asks for is resolved.
    #[default]
    Nothing,
    /// All of them.
    Everything,
    /// These, and what their new versions need.
    Packages(Vec<String>),
}

/// Brings the lock in line with the manifest.
///
/// # Errors
/// A bad manifest or lock, an archive that cannot be reached or trusted, or packages that do not go together.
pub fn lock(options: &LockOptions, workspace: &Workspace, events: &dyn Events) -> Result<LockReport, Error> {
    let _ = (options, workspace.manifest()?, events);
    Err(Error::Unfinished("lock"))
}
