//! A locked package as something to download.

use plywood_core::debian::release::UnixTime;
use plywood_core::lockfile::LockedPackage;
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;

use crate::debian::{ArchiveName, DebRef};

/// The file of a package that was locked at `date`, for `platform`.
pub fn deb_ref(package: &LockedPackage, platform: Platform, date: Timestamp) -> DebRef {
    let architecture = if package.any_architecture { "all" } else { platform.architecture() };
    let Ok(archive) = package.repository.as_str().parse::<ArchiveName>();
    DebRef {
        name: format!("{} {} ({architecture})", package.name, package.version),
        archive,
        path: package.path.to_string(),
        size: package.size,
        hash: package.sha256,
        seen: UnixTime(date.0),
    }
}
