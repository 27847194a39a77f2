//! The `Release` file of a suite: what the archive says about it and the hashes of its indexes.
//!
//! Format: <https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files>. Only the text that a signature
//! covers may come here; verifying it is the caller's part.

mod date;

use std::collections::BTreeMap;

pub use date::{ParseDateError, UnixTime};

use super::control::{ControlError, Stanza};
use crate::digest::{FileHash, Sha256Hash};

/// What a suite's `Release` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Who makes the archive, such as `Debian`.
    pub origin: Option<String>,
    /// The archive's label, such as `Debian-Security`.
    pub label: Option<String>,
    /// The suite, such as `stable` or `stable-security`.
    pub suite: Option<String>,
    /// The code name, such as `trixie`.
    pub codename: Option<String>,
    /// When it was made.
    pub date: UnixTime,
    /// Until when it may be used, if the archive says so.
    pub valid_until: Option<UnixTime>,
    /// The architectures there are indexes for.
    pub architectures: Vec<String>,
    /// The components there are indexes for.
    pub components: Vec<String>,
    /// Whether indexes can be had under `by-hash/`, where an update in between does not change them.
    pub acquire_by_hash: bool,
    /// Whether apt takes packages from here only when told to (`NotAutomatic`, as for experimental).
    pub not_automatic: bool,
    /// Whether apt upgrades packages that came from here nevertheless (`ButAutomaticUpgrades`, as for backports).
    pub but_automatic_upgrades: bool,
    files: BTreeMap<String, IndexFile>,
}

/// Size and hash of an index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexFile {
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: FileHash,
}

/// Why a text is no `Release`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// It is no stanza, or has too few fields.
    #[error("malformed Release file")]
    Control(#[from] ControlError),
    /// A date that cannot be read.
    #[error("malformed field `{field}` of the Release file")]
    Date {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        source: ParseDateError,
    },
    /// A line of the `SHA256` field that is not `hash size path`.
    #[error("malformed line {line:?} in field `SHA256` of the Release file")]
    Checksum {
        /// The line.
        line: String,
    },
    /// One path with two sizes or hashes.
    #[error("the Release file gives two hashes for `{path}`")]
    Ambiguous {
        /// The path.
        path: String,
    },
}

/// A `Release` that must not be used at the given instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidityError {
    /// Its `Valid-Until` is over.
    #[error("the Release file of {suite} was valid until {until}, which is over")]
    Expired {
        /// Suite or code name.
        suite: String,
        /// The last instant.
        until: UnixTime,
    },
    /// Its `Date` lies more than a day ahead.
    #[error("the Release file of {suite} is of {date}, which is yet to come")]
    FromTheFuture {
        /// Suite or code name.
        suite: String,
        /// Its date.
        date: UnixTime,
    },
}

impl ValidityError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            ValidityError::Expired { .. } => {
                "the mirror may be stale: choose another one, or name a `snapshot` to take the past as it was"
                    .to_owned()
            }
            ValidityError::FromTheFuture { .. } => "check this machine's clock".to_owned(),
        })
    }
}

/// How far the mirror's clock may be ahead of ours, in seconds.
const CLOCK_TOLERANCE: i64 = 86_400;

impl Release {
    /// Parses the signed text of an `InRelease`, or a `Release`.
    ///
    /// # Errors
    /// [`ReleaseError`] when it is malformed or lacks `Date` or `SHA256`.
    pub fn parse(text: &str) -> Result<Self, ReleaseError> {
        let stanza = Stanza::parse(text)?;
        let owned = |field| stanza.get(field).filter(|value| !value.is_empty()).map(str::to_owned);
        let words = |field| stanza.get(field).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
        let yes = |field| stanza.get(field).is_some_and(|value| value.eq_ignore_ascii_case("yes"));
        let date = |field: &'static str, value: &str| {
            UnixTime::parse_rfc_2822(value).map_err(|source| ReleaseError::Date { field, source })
        };
        Ok(Self {
            origin: owned("Origin"),
            label: owned("Label"),
            suite: owned("Suite"),
            codename: owned("Codename"),
            date: date("Date", stanza.require("Date")?)?,
            valid_until: stanza.get("Valid-Until").map(|value| date("Valid-Until", value)).transpose()?,
            architectures: words("Architectures"),
            components: words("Components"),
            acquire_by_hash: yes("Acquire-By-Hash"),
            not_automatic: yes("NotAutomatic"),
            but_automatic_upgrades: yes("ButAutomaticUpgrades"),
            files: parse_checksums(stanza.require("SHA256")?)?,
        })
    }

    /// Judges the age of the file at instant `at`. A snapshot is judged at the snapshot's own instant.
    ///
    /// # Errors
    /// [`ValidityError`] when `Valid-Until` is over, or `Date` more than a day ahead.
    pub fn check_validity(&self, at: UnixTime) -> Result<(), ValidityError> {
        match self.valid_until {
            Some(until) if at > until => Err(ValidityError::Expired { suite: self.name().to_owned(), until }),
            _ if self.date.0.saturating_sub(at.0) > CLOCK_TOLERANCE => {
                Err(ValidityError::FromTheFuture { suite: self.name().to_owned(), date: self.date })
            }
            _ => Ok(()),
        }
    }

    /// The code name, else the suite.
    pub fn name(&self) -> &str {
        self.codename.as_deref().or(self.suite.as_deref()).unwrap_or("an unnamed suite")
    }

    /// The file of this path, relative to the folder of the `Release`, such as `main/binary-amd64/Packages.xz`.
    pub fn file(&self, path: &str) -> Option<IndexFile> {
        self.files.get(path).copied()
    }

    /// Every file with its path.
    pub fn files(&self) -> impl Iterator<Item = (&str, IndexFile)> {
        self.files.iter().map(|(path, file)| (path.as_str(), *file))
    }

    /// Where `path` can be had by its hash: `main/binary-amd64/by-hash/SHA256/<hash>`; `None` when the archive has no
    /// such folders or does not know the file.
    pub fn by_hash_path(&self, path: &str) -> Option<String> {
        let file = self.file(path).filter(|_| self.acquire_by_hash)?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let slash = if folder.is_empty() { "" } else { "/" };
        Some(format!("{folder}{slash}by-hash/SHA256/{}", file.sha256.to_hex()))
    }

    /// apt's pin priority of packages from this suite, unless one is configured (apt_preferences(5), "APT's Default
    /// Priority Assignments").
    pub const fn default_priority(&self) -> i16 {
        match (self.not_automatic, self.but_automatic_upgrades) {
            (false, _) => 500,
            (true, true) => 100,
            (true, false) => 1,
        }
    }
}

fn parse_checksums(value: &str) -> Result<BTreeMap<String, IndexFile>, ReleaseError> {
    let mut files = BTreeMap::new();
    for line in value.lines().map(str::trim_ascii).filter(|line| !line.is_empty()) {
        let malformed = || ReleaseError::Checksum { line: line.to_owned() };
        let mut words = line.split_ascii_whitespace();
        let (Some(hash), Some(size), Some(path), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(malformed());
        };
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(malformed());
        }
        let sha256 = FileHash::new(Sha256Hash::from_hex(hash).map_err(|_| malformed())?);
        let file = IndexFile { size: size.parse().map_err(|_| malformed())?, sha256 };
        if files.insert(path.to_owned(), file).is_some_and(|known| known != file) {
            return Err(ReleaseError::Ambiguous { path: path.to_owned() });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
