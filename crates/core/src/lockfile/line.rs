//! Lines of columns: packages, releases, uses and scripts, each one string of the lock.

use std::fmt::Write as _;
use std::str::FromStr;

use super::types::{LockedPackage, LockedRelease, LockedScript, PackageKey, PackageUse};
use crate::digest::{FileHash, Sha256Hash};
use crate::manifest::PackageName;
use crate::manifest::model::ScriptPolicy;
use crate::oci::Timestamp;
use crate::platform::Platform;

/// What stands in a column that repeats an earlier one: the source's name and version are mostly the package's own.
const SAME: &str = "=";

/// Takes the columns of a line one by one.
pub(super) struct Columns<'a>(std::str::Split<'a, char>);

impl<'a> Columns<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        Self(line.split(' '))
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        self.0.next().filter(|column| !column.is_empty())
    }

    pub(super) fn value<T: FromStr>(&mut self) -> Option<T> {
        self.text()?.parse().ok()
    }

    /// A number as `Display` writes it: no sign, no leading zero.
    pub(super) fn number(&mut self) -> Option<u64> {
        let text = self.text()?;
        let plain = text == "0" || !text.starts_with(['0', '+']);
        text.parse().ok().filter(|_| plain)
    }

    fn hash(&mut self) -> Option<FileHash> {
        Sha256Hash::from_hex(self.text()?).ok().map(FileHash::new)
    }

    fn timestamp(&mut self) -> Option<Timestamp> {
        self.text().and_then(timestamp)
    }

    /// The next column, even an empty one, while there is one.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    /// The value, unless the line goes on.
    pub(super) fn end<T>(mut self, value: T) -> Option<T> {
        self.0.next().is_none().then_some(value)
    }
}

/// An instant, written as [`Timestamp`] writes it and in no other way.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).filter(|instant| instant.to_string() == text)
}

/// The columns of a package, for the lock's comment.
pub(super) const PACKAGE_COLUMNS: &str = "name version architecture repository path size installed-KiB source source-version sha256; `=` repeats name or version";

pub(super) fn write_package(package: &LockedPackage, platform: Platform) -> String {
    let LockedPackage { name, version, repository, path, size, installed_size, .. } = package;
    let architecture = if package.any_architecture { "all" } else { platform.architecture() };
    let source = if package.source == *name { SAME } else { package.source.as_str() };
    let source_version = if package.source_version == *version { SAME } else { package.source_version.as_str() };
    let sha256 = package.sha256.to_hex();
    format!(
        "{name} {version} {architecture} {repository} {path} {size} {installed_size} {source} {source_version} {sha256}"
    )
}

pub(super) fn read_package(line: &str, platform: Platform) -> Option<LockedPackage> {
    let mut columns = Columns::of(line);
    let name: PackageName = columns.value()?;
    let version: crate::manifest::ExactVersion = columns.value()?;
    let any_architecture = match columns.text()? {
        "all" => true,
        architecture if architecture == platform.architecture() => false,
        _ => return None,
    };
    let package = LockedPackage {
        any_architecture,
        repository: columns.value()?,
        path: columns.value()?,
        size: columns.number()?,
        installed_size: columns.number()?,
        source: match columns.text()? {
            SAME => name.clone(),
            source => source.parse().ok().filter(|source| *source != name)?,
        },
        source_version: match columns.text()? {
            SAME => version.clone(),
            other => other.parse().ok().filter(|other| *other != version)?,
        },
        sha256: columns.hash()?,
        name,
        version,
    };
    columns.end(package)
}

pub(super) fn write_release(release: &LockedRelease) -> String {
    let LockedRelease { repository, suite, date, sha256 } = release;
    format!("{repository} {suite} {date} {}", sha256.to_hex())
}

pub(super) fn read_release(line: &str) -> Option<LockedRelease> {
    let mut columns = Columns::of(line);
    let release = LockedRelease {
        repository: columns.value()?,
        suite: columns.value()?,
        date: columns.timestamp()?,
        sha256: columns.hash()?,
    };
    columns.end(release)
}

/// Marks a package that the manifest asks for.
const REQUESTED: &str = "requested";

/// `with_version` where the name alone would not tell which package of the platform is meant.
pub(super) fn write_use(used: &PackageUse, with_version: bool) -> String {
    let mut line = used.package.name.to_string();
    if with_version {
        // Writing to a string cannot fail.
        let _ = write!(line, "={}", used.package.version);
    }
    if used.requested {
        line.push(' ');
        line.push_str(REQUESTED);
    }
    line
}

/// A use, its package looked up by name and, where written, version.
pub(super) fn read_use(line: &str, find: impl Fn(&str, Option<&str>) -> Option<PackageKey>) -> Option<PackageUse> {
    let mut columns = Columns::of(line);
    let (name, version) = match columns.text()? {
        column if column.contains('=') => column.split_once('=').map(|(name, version)| (name, Some(version)))?,
        name => (name, None),
    };
    let requested = match columns.text() {
        Some(REQUESTED) => true,
        Some(_) => return None,
        None if line.ends_with(' ') => return None,
        None => false,
    };
    columns.end(PackageUse { package: find(name, version)?, requested })
}

pub(super) fn write_script(name: &PackageName, script: &LockedScript) -> String {
    format!("{name} {} {}", script.policy.as_str(), script.sha256.to_hex())
}

pub(super) fn read_script(line: &str) -> Option<(PackageName, LockedScript)> {
    let mut columns = Columns::of(line);
    let name = columns.value()?;
    let policy = match columns.text()? {
        "run" => ScriptPolicy::Run,
        "skip" => ScriptPolicy::Skip,
        _ => return None,
    };
    let sha256 = columns.hash()?;
    columns.end((name, LockedScript { policy, sha256 }))
}
