//! What `lock` did.

use camino::Utf8PathBuf;
use plywood_core::platform::Platform;
use serde::Serialize;

/// What `lock` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockReport {
    /// The lock file.
    pub path: Utf8PathBuf,
    /// What became of it.
    pub outcome: LockOutcome,
    /// Why it had to change, one sentence each without a period, such as "`jq` was added to image `base`".
    pub reasons: Vec<String>,
    /// What moved, by platform and package.
    pub changes: Vec<PackageChange>,
    /// Each image on each platform.
    pub images: Vec<LockedImage>,
}

/// What became of the lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockOutcome {
    /// There was none before.
    Created,
    /// It was rewritten.
    Updated,
    /// It already fits the manifest.
    Unchanged,
    /// It does not fit the manifest; with `check`, so that nothing was written.
    Stale,
}

/// A package that was added, removed or moved to another version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackageChange {
    /// Where.
    pub platform: Platform,
    /// The binary package's name.
    pub package: String,
    /// The version before; `None` when it is new.
    pub from: Option<String>,
    /// The version now; `None` when it is gone.
    pub to: Option<String>,
}

/// One image on one platform, as locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockedImage {
    /// Its name in the manifest.
    pub name: String,
    /// For which platform.
    pub platform: Platform,
    /// How many packages it has, those of the images below it included.
    pub packages: usize,
    /// How many layers it will have, its own generated layer included.
    pub layers: usize,
    /// Bytes of all its `.deb` files.
    pub download_size: u64,
}
