//! `Packages` indexes: the binary packages a suite offers for one architecture.

mod names;
mod package;

use std::io::BufRead;

pub use package::{BinaryPackage, BinaryPackageError, MultiArch, Priority};

use super::control::{Stanza, StanzaReader, StanzaReaderError};
use names::MentionedNames;

/// The most packages accepted in one index; the archive's largest has about 70,000.
const MAX_PACKAGES: usize = 1_000_000;

/// The packages of one `Packages` file, in its order.
#[derive(Debug, Clone, Default)]
pub struct PackagesIndex {
    packages: Vec<BinaryPackage>,
    skipped: Vec<SkippedPackage>,
    mentioned: Vec<Box<str>>,
}

/// A package that cannot be used, since something that is needed of it is missing or malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedPackage {
    /// Its name as written, empty when it has none.
    pub name: String,
    /// Why it is left out.
    pub reason: BinaryPackageError,
}

/// Why a `Packages` file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PackagesIndexError {
    /// The source failed, or the file is not made of stanzas.
    #[error("cannot read the index of packages")]
    Stanza(#[from] StanzaReaderError),
    /// More packages than any archive has.
    #[error("the index has more than {MAX_PACKAGES} packages")]
    TooMany,
}

impl PackagesIndex {
    /// Reads an uncompressed `Packages` file, one stanza at a time.
    ///
    /// A package that lacks what the resolver or the download need is left out and listed by [`Self::skipped`]: one
    /// odd package of a third-party archive does not spoil the rest.
    ///
    /// # Errors
    /// [`PackagesIndexError`] when `source` fails or is no `Packages` file.
    pub fn read(source: impl BufRead) -> Result<Self, PackagesIndexError> {
        let mut index = Self::read_with(source, |stanza| Some(BinaryPackage::from_stanza(stanza)))?;
        index.packages.shrink_to_fit();
        Ok(index)
    }

    /// Reads dpkg's `status` of a system: the packages that are there. Nothing of them can be downloaded.
    ///
    /// # Errors
    /// [`PackagesIndexError`] when `source` fails or is no such file.
    pub fn read_installed(source: impl BufRead) -> Result<Self, PackagesIndexError> {
        Self::read_with(source, |stanza| {
            let state = stanza.get("Status").and_then(|status| status.split_ascii_whitespace().nth(2));
            let gone = state.is_some_and(|state| matches!(state, "not-installed" | "config-files" | "half-installed"));
            (!gone).then(|| BinaryPackage::from_status(stanza))
        })
    }

    /// Reads stanza by stanza what `parse` makes of each; those that it gives nothing for are passed over.
    fn read_with(
        source: impl BufRead,
        parse: impl Fn(&Stanza<'_>) -> Option<Result<BinaryPackage, BinaryPackageError>>,
    ) -> Result<Self, PackagesIndexError> {
        let mut reader = StanzaReader::new(source);
        let mut index = Self::default();
        let mut names = MentionedNames::default();
        while let Some(stanza) = reader.next_stanza()? {
            if index.packages.len() == MAX_PACKAGES {
                return Err(PackagesIndexError::TooMany);
            }
            let Some(package) = parse(&stanza) else { continue };
            names.add_stanza(&stanza);
            match package {
                Ok(package) => index.packages.push(package),
                Err(reason) => {
                    let name = stanza.get("Package").unwrap_or_default().to_owned();
                    index.skipped.push(SkippedPackage { name, reason });
                }
            }
        }
        index.mentioned = names.into_names();
        Ok(index)
    }

    /// Drops the packages that `keep` is false for.
    pub fn retain(&mut self, keep: impl FnMut(&BinaryPackage) -> bool) {
        self.packages.retain(keep);
    }

    /// The packages, in the order of the file.
    pub fn packages(&self) -> &[BinaryPackage] {
        &self.packages
    }

    /// The packages left out, in the order of the file.
    pub fn skipped(&self) -> &[SkippedPackage] {
        &self.skipped
    }

    /// Every name of a package, real or virtual, in the order in which the file first mentions it: apt breaks ties
    /// between providers by this.
    pub(crate) fn mentioned(&self) -> &[Box<str>] {
        &self.mentioned
    }

    /// The packages for the universe.
    pub(crate) fn into_packages(self) -> Vec<BinaryPackage> {
        self.packages
    }
}

#[cfg(test)]
mod tests;
