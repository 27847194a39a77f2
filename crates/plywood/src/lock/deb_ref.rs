//! A locked package as something to download.

use plywood_core::debian::release::UnixTime;
use plywood_core::lockfile::LockedPackage;
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;

use crate::debian::{ArchiveName, DebRef};

/// The file of a package that was locked at `date`, for `platform`, from the archive of `distribution` if that is not
/// Debian.
pub fn deb_ref(package: &LockedPackage, platform: Platform, date: Timestamp, distribution: Option<&str>) -> DebRef {
    let architecture = if package.any_architecture { "all" } else { platform.architecture() };
    let archive = archive_name(package.repository.as_str(), distribution);
    DebRef {
        name: format!("{} {} ({architecture})", package.name, package.version),
        archive,
        path: package.path.to_string(),
        size: package.size,
        hash: package.sha256,
        seen: UnixTime(date.0),
    }
}

/// What follows the distribution in the lock's word for its security archive.
const SECURITY: &str = "-security";

/// The lock's word for an archive: of another distribution than Debian, that one's name instead.
pub(super) fn archive_label(archive: &ArchiveName, distribution: Option<&str>) -> String {
    match (archive, distribution) {
        (ArchiveName::Debian, Some(id)) => id.to_owned(),
        (ArchiveName::Security, Some(id)) => format!("{id}{SECURITY}"),
        _ => archive.to_string(),
    }
}

/// The inverse of [`archive_label`].
fn archive_name(label: &str, distribution: Option<&str>) -> ArchiveName {
    match distribution.and_then(|id| label.strip_prefix(id)) {
        Some("") => ArchiveName::Debian,
        Some(SECURITY) => ArchiveName::Security,
        _ => {
            let Ok(archive) = label.parse::<ArchiveName>();
            archive
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_of_distributions_have_their_names() {
        let named = ArchiveName::Repository("docker".to_owned());
        for (archive, distribution, expect) in [
            (ArchiveName::Debian, None, "debian"),
            (ArchiveName::Security, None, "security"),
            (ArchiveName::Debian, Some("ubuntu"), "ubuntu"),
            (ArchiveName::Security, Some("ubuntu"), "ubuntu-security"),
            (named, Some("ubuntu"), "docker"),
        ] {
            let label = archive_label(&archive, distribution);
            assert_eq!(label, expect);
            assert_eq!(archive_name(&label, distribution), archive);
        }
    }
}
