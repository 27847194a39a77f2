//! What a lock is made of.

use std::collections::BTreeMap;
use std::fmt;

use crate::digest::{Digest, FileHash};
use crate::manifest::model::ScriptPolicy;
use crate::manifest::{ExactVersion, PackageName, text_type};
use crate::oci::Timestamp;
use crate::platform::Platform;

/// A signed release of an archive: what its `InRelease` was when the lock was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedRelease {
    /// Which archive.
    pub repository: RepositoryLabel,
    /// Which suite of it, as asked for.
    pub suite: SuiteLabel,
    /// Its `Date`.
    pub date: Timestamp,
    /// SHA-256 of the `InRelease` file.
    pub sha256: FileHash,
}

/// A package of one architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: ExactVersion,
    /// Whether it is for any architecture (`Architecture: all`) rather than for the platform's own.
    pub any_architecture: bool,
    /// The archive it comes from.
    pub repository: RepositoryLabel,
    /// Where the `.deb` is, relative to the archive.
    pub path: PoolPath,
    /// Length of the `.deb` in bytes.
    pub size: u64,
    /// What it takes when unpacked, in KiB, as the archive estimates (Debian Policy 5.6.20).
    pub installed_size: u64,
    /// The source package it is built from.
    pub source: PackageName,
    /// The version of the source package.
    pub source_version: ExactVersion,
    /// SHA-256 of the `.deb`.
    pub sha256: FileHash,
}

impl LockedPackage {
    /// What identifies it on its platform.
    pub fn key(&self) -> PackageKey {
        PackageKey { name: self.name.clone(), version: self.version.clone() }
    }
}

/// What identifies a package on one platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageKey {
    /// Its name.
    pub name: PackageName,
    /// Its version, as written.
    pub version: ExactVersion,
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.version)
    }
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedImage {
    /// What the manifest said about its packages ([`super::lock_inputs`]): when that changes, the lock is out of date for it.
    pub inputs: Digest,
    /// What it has on each platform.
    pub platforms: BTreeMap<Platform, LockedPlatform>,
}

/// An image on one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedPlatform {
    /// Its packages, those of its parents included, in the order of their installation.
    pub packages: Vec<PackageUse>,
    /// The packages whose maintainer scripts are not replayed but run or left out, as the manifest allows.
    pub scripts: BTreeMap<PackageName, LockedScript>,
}

/// A package in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageUse {
    /// Which package.
    pub package: PackageKey,
    /// Whether the manifest asks for it; otherwise another package needs it.
    pub requested: bool,
}

/// Maintainer scripts that the manifest vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockedScript {
    /// What happens with them.
    pub policy: ScriptPolicy,
    /// SHA-256 over the package's maintainer scripts: others than those that were looked at are not run.
    pub sha256: FileHash,
}

text_type! {
    /// Which archive a release or package comes from: `debian`, `debian-security`, or the manifest's name of a repository.
    RepositoryLabel,
    kind: "a repository",
    check: |text| match text.as_bytes() {
        [b'a'..=b'z' | b'0'..=b'9', rest @ ..]
            if rest.len() < 128 && rest.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-')) => Ok(()),
        _ => Err("it has up to 128 lower-case letters, digits, `.`, `_` and `-`"),
    }
}

text_type! {
    /// A suite as asked for: `trixie`, `trixie-security`, or the path of a flat repository.
    SuiteLabel,
    kind: "a suite",
    check: |text| match (1..=256).contains(&text.len()) && text.bytes().all(is_word) {
        true => Ok(()),
        false => Err("it has up to 256 printable ASCII characters without spaces, quotes and backslashes"),
    }
}

text_type! {
    /// The path of a `.deb` relative to its archive.
    PoolPath,
    kind: "a path in an archive",
    check: |text| {
        let path = text.strip_prefix("./").unwrap_or(text);
        match text.len() <= 4096 && text.bytes().all(is_word) && path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
            true => Ok(()),
            false => Err("it is relative, has no empty, `.` or `..` component, and is printable ASCII without quotes"),
        }
    }
}

/// Bytes that need no quoting in a column of a TOML string.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
}
