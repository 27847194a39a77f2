//! dpkg's file `status` (dpkg(1), "PACKAGE STATES").

use std::fmt;
use std::str::FromStr;

use super::{ParseStanzaError, Stanza, Stanzas};

/// How far a package's installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackageState {
    /// Not there.
    NotInstalled,
    /// Removed but for its conffiles.
    ConfigFiles,
    /// Its unpacking was interrupted.
    HalfInstalled,
    /// Its files are there, its `postinst` has not run.
    Unpacked,
    /// Its `postinst` failed.
    HalfConfigured,
    /// It waits for another package's trigger.
    TriggersAwaited,
    /// Its trigger is to run.
    TriggersPending,
    /// All done.
    Installed,
}

/// A word is no package state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no package state of dpkg")]
pub struct ParsePackageStateError(String);

const STATES: [(PackageState, &str); 8] = [
    (PackageState::NotInstalled, "not-installed"),
    (PackageState::ConfigFiles, "config-files"),
    (PackageState::HalfInstalled, "half-installed"),
    (PackageState::Unpacked, "unpacked"),
    (PackageState::HalfConfigured, "half-configured"),
    (PackageState::TriggersAwaited, "triggers-awaited"),
    (PackageState::TriggersPending, "triggers-pending"),
    (PackageState::Installed, "installed"),
];

impl fmt::Display for PackageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STATES.iter().find(|(state, _)| state == self).map_or("", |(_, word)| word))
    }
}

impl FromStr for PackageState {
    type Err = ParsePackageStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = STATES.iter().find(|(_, word)| *word == text);
        found.map(|(state, _)| *state).ok_or_else(|| ParsePackageStateError(text.to_owned()))
    }
}

/// A whole `status` file, or one of the fragments in `status.d` that images without dpkg carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusFile {
    /// The stanzas in order.
    pub stanzas: Vec<Stanza>,
}

/// Why a `status` file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseStatusError {
    /// A stanza is malformed.
    #[error("stanza {number} of dpkg's status file is malformed")]
    Stanza {
        /// Which one, from 1.
        number: usize,
        /// Why.
        #[source]
        source: ParseStanzaError,
    },
    /// A stanza names no package.
    #[error("stanza {number} of dpkg's status file names no package")]
    NoPackage {
        /// Which one, from 1.
        number: usize,
    },
    /// Larger than [`StatusFile::MAX_LEN`].
    #[error("dpkg's status file is larger than {} bytes", StatusFile::MAX_LEN)]
    TooLong,
}

impl StatusFile {
    /// The largest file that is read, in bytes.
    pub const MAX_LEN: usize = 100 << 20;

    /// Reads a file.
    ///
    /// # Errors
    /// For a malformed stanza, one without a package, and a file that is too large.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseStatusError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(ParseStatusError::TooLong);
        }
        let mut stanzas = Vec::new();
        for (index, stanza) in Stanzas::new(bytes).enumerate() {
            let number = index + 1;
            let stanza = stanza.map_err(|source| ParseStatusError::Stanza { number, source })?;
            if stanza.get_str("Package").is_none_or(str::is_empty) {
                return Err(ParseStatusError::NoPackage { number });
            }
            stanzas.push(stanza);
        }
        Ok(Self { stanzas })
    }

    /// The packages whose files are there, whatever has run of their scripts.
    pub fn installed(&self) -> impl Iterator<Item = &Stanza> {
        self.stanzas.iter().filter(|stanza| state(stanza).is_some_and(|state| state >= PackageState::Unpacked))
    }
}

/// The state in a stanza's `Status: want flag state`.
pub fn state(stanza: &Stanza) -> Option<PackageState> {
    match stanza.get_str("Status") {
        Some(words) => words.split_ascii_whitespace().nth(2)?.parse().ok(),
        // A fragment of `status.d` has none: what is in the image is installed.
        None => Some(PackageState::Installed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unpacked_counts_as_installed() {
        let check = |status: &str, expect: bool| {
            let file = StatusFile::parse(format!("Package: p\n{status}Version: 1\n").as_bytes()).expect("a good file");
            assert_eq!(file.installed().count(), usize::from(expect), "{status}");
        };
        check("Status: install ok installed\n", true);
        check("Status: hold ok triggers-pending\n", true);
        check("Status: install ok unpacked\n", true);
        check("Status: deinstall ok config-files\n", false);
        check("Status: purge ok not-installed\n", false);
        check("Status: install ok what\n", false);
        check("Status: odd\n", false);
        check("", true);
    }

    #[test]
    fn faults_say_where_they_are() {
        let parse = |text: &str| StatusFile::parse(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(parse(""), Ok(StatusFile::default()));
        assert_eq!(parse("Package: a\n\nVersion: 1\n"), Err("stanza 2 of dpkg's status file names no package".into()));
        assert_eq!(parse("Package: a\n\nb\n"), Err("stanza 2 of dpkg's status file is malformed".into()));
    }

    #[test]
    fn states_survive_text() {
        for (state, _) in STATES {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert!("odd".parse::<PackageState>().is_err());
    }
}
