//! A suite: where its files are, whether its `InRelease` is to be believed, and what that lists.

use std::time::{Duration, UNIX_EPOCH};

use plywood_core::debian::release::{IndexFile, Release, UnixTime, ValidityError};
use plywood_core::digest::FileHash;

use super::super::config::ArchiveName;
use super::super::inrelease;
use super::super::keyring::Keyring;
use super::decompress::FORMS;
use super::error::{Failure, FetchError};
use super::sources::{Base, Source};
use crate::decompress::Compression;

/// Debian's largest `Packages` has 57 MB, 10 MB compressed.
pub(super) const MAX_COMPRESSED: u64 = 256 << 20;
pub(super) const MAX_UNCOMPRESSED: u64 = 1 << 30;

/// A suite to read.
pub(super) struct Suite<'c> {
    pub(super) archive: ArchiveName,
    pub(super) name: String,
    pub(super) components: &'c [String],
    pub(super) keyring: &'c Keyring,
    pub(super) at: UnixTime,
    /// Whether packages for every architecture must be there.
    pub(super) complete: bool,
}

/// A verified `InRelease` and who gave it.
pub(super) struct Verified {
    pub(super) hash: FileHash,
    pub(super) text: String,
    pub(super) release: Release,
    /// The place of the giver in the list of mirrors.
    pub(super) mirror: usize,
}

/// A `Packages` file as the `InRelease` lists it.
pub(super) struct Listed {
    pub(super) component: String,
    pub(super) architecture: String,
    pub(super) path: String,
    pub(super) file: IndexFile,
    pub(super) compression: Compression,
    /// Uncompressed length, in bytes.
    pub(super) limit: u64,
}

impl Suite<'_> {
    /// Whether there are no components and `Packages` lies beside `InRelease` (sources.list(5)).
    pub(super) fn is_flat(&self) -> bool {
        self.name.ends_with('/')
    }

    /// The path of a file of the suite below the archive's base.
    pub(super) fn path(&self, file: &str) -> String {
        if self.is_flat() {
            let folder = self.name.trim_start_matches("./").trim_matches('/');
            return if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
        }
        format!("dists/{}/{file}", self.name)
    }

    /// Whether the archive gives the suite this name.
    pub(super) fn is_called(&self, release: &Release) -> bool {
        [&release.codename, &release.suite].into_iter().any(|name| name.as_ref() == Some(&self.name))
    }

    /// Whether an `InRelease` is signed, current and of this suite.
    pub(super) fn judge(&self, bytes: &[u8]) -> Result<(String, Release), Failure> {
        let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(self.at.0).unwrap_or(0));
        let text = inrelease::verify(bytes, self.keyring, at)?;
        let release = Release::parse(&text).map_err(|error| Failure::Release(error.to_string()))?;
        // A mirror could pass off another suite of Debian, signed by the same keys.
        if !matches!(self.archive, ArchiveName::Repository(_)) && !self.is_called(&release) {
            return Err(Failure::Release(format!("it is the index of {}", release.name())));
        }
        match release.check_validity(self.at) {
            Ok(()) => Ok((text, release)),
            Err(ValidityError::Expired { until, .. }) => Err(Failure::Expired(until.to_string())),
            Err(error) => Err(Failure::Release(error.to_string())),
        }
    }

    pub(super) fn no_packages_file(&self, component: &str, architecture: &str) -> FetchError {
        FetchError::NoPackagesFile {
            archive: self.archive.clone(),
            suite: self.name.clone(),
            component: component.to_owned(),
            architecture: architecture.to_owned(),
        }
    }
}

/// The smallest form of a `Packages` file that the suite lists.
pub(super) fn find(suite: &Suite<'_>, release: &Release, component: &str, architecture: &str) -> Option<Listed> {
    let plain =
        if suite.is_flat() { "Packages".to_owned() } else { format!("{component}/binary-{architecture}/Packages") };
    let limit = release.file(&plain).map_or(MAX_UNCOMPRESSED, |file| file.size.min(MAX_UNCOMPRESSED));
    FORMS.into_iter().find_map(|(compression, extension)| {
        let path = format!("{plain}{extension}");
        let file = release.file(&path).or_else(|| release.file(&format!("./{path}")))?;
        let (component, architecture) = (component.to_owned(), architecture.to_owned());
        Some(Listed { component, architecture, path, file, compression, limit })
    })
}

/// Whoever gave the `InRelease` is asked first, by hash first: such a file stays when the suite is updated.
pub(super) fn places(suite: &Suite<'_>, verified: &Verified, bases: &[Base], path: &str) -> Vec<Source> {
    let (before, from_giver) = bases.split_at_checked(verified.mirror).unwrap_or((&[], bases));
    let paths = [verified.release.by_hash_path(path), Some(path.to_owned())];
    let files = |base: &Base| {
        let found = paths.iter().flatten().filter_map(|path| base.file(&suite.path(path)).ok());
        found.collect::<Vec<_>>()
    };
    from_giver.iter().chain(before).flat_map(files).collect()
}
