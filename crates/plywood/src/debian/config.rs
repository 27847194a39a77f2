//! What [`Archive`](super::Archive) needs to know: suites, mirrors, third-party repositories, patience.

use std::fmt;
use std::str::FromStr;

use plywood_core::debian::release::UnixTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::keyring::Keyring;
use super::mirror_url::MirrorUrl;
use super::mirrors::Mirrors;
use crate::http::Patience;
use crate::http::credentials::Credentials;

/// Which archive a suite or package belongs to.
///
/// Written as `debian`, `security` or the name that the manifest gives a third-party repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArchiveName {
    /// Debian's main archive.
    Debian,
    /// Debian's security archive.
    Security,
    /// A third-party repository of the manifest.
    Repository(String),
}

impl fmt::Display for ArchiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArchiveName::Debian => "debian",
            ArchiveName::Security => "security",
            ArchiveName::Repository(name) => name,
        })
    }
}

impl FromStr for ArchiveName {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "debian" => ArchiveName::Debian,
            "security" => ArchiveName::Security,
            other => ArchiveName::Repository(other.to_owned()),
        })
    }
}

impl Serialize for ArchiveName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ArchiveName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(name) = std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse();
        Ok(name)
    }
}

/// A moment in the snapshot archive, written as there: `20261123T081500Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snapshot(pub UnixTime);

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_string().chars().filter(|c| !matches!(c, '-' | ':')).try_for_each(|c| write!(f, "{c}"))
    }
}

/// Everything [`Archive`](super::Archive) fetches from.
#[derive(Debug, Clone)]
pub struct ArchiveConfig {
    /// Debian's suite or codename, such as `trixie`.
    pub suite: String,
    /// Whether `<suite>-updates` belongs to it.
    pub updates: bool,
    /// Whether `<suite>-security` belongs to it.
    pub security: bool,
    /// Components of Debian to read, normally just `main`.
    pub components: Vec<String>,
    /// Where Debian's archives are; see [`Mirrors::find`].
    pub mirrors: Mirrors,
    /// Whom to believe about Debian, normally [`Keyring::debian`].
    pub keyring: Keyring,
    /// Third-party repositories in the order of the manifest.
    pub repositories: Vec<Repository>,
    /// How long to wait and how often to try.
    pub patience: Patience,
}

impl ArchiveConfig {
    /// Debian's `suite` from `mirrors` with its updates and security suites, believed by Debian's own keys.
    pub fn debian(suite: impl Into<String>, mirrors: Mirrors) -> Self {
        let suite = suite.into();
        let rolling = matches!(suite.as_str(), "sid" | "unstable" | "experimental");
        Self {
            suite,
            updates: !rolling,
            security: !rolling,
            components: vec!["main".to_owned()],
            mirrors,
            keyring: Keyring::debian(),
            repositories: Vec::new(),
            patience: Patience::default(),
        }
    }

    /// Debian's suites that are read, each with its archive.
    pub fn debian_suites(&self) -> Vec<(ArchiveName, String)> {
        let suite = &self.suite;
        let mut suites = vec![(ArchiveName::Debian, suite.clone())];
        suites.extend(self.updates.then(|| (ArchiveName::Debian, format!("{suite}-updates"))));
        suites.extend(self.security.then(|| (ArchiveName::Security, format!("{suite}-security"))));
        suites
    }
}

/// A third-party repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its name in the manifest.
    pub name: String,
    /// Its base.
    pub url: MirrorUrl,
    /// Its suite, such as `trixie` or `stable`; ending in a slash for a flat repository (sources.list(5), "exact path").
    pub suite: String,
    /// Its components; empty for a flat repository.
    pub components: Vec<String>,
    /// Whom to believe about it.
    pub keyring: Keyring,
    /// What to identify with, at its own host only.
    pub credentials: Option<Credentials>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_names_survive_text() {
        for name in [ArchiveName::Debian, ArchiveName::Security, ArchiveName::Repository("nodesource".to_owned())] {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn snapshots_are_written_as_the_archive_does() {
        assert_eq!(Snapshot(UnixTime(1_795_421_700)).to_string(), "20261123T081500Z");
    }

    #[test]
    fn a_suite_comes_with_what_belongs_to_it() {
        let mut config = ArchiveConfig::debian("trixie", Mirrors::default());
        let shown = |config: &ArchiveConfig| {
            config.debian_suites().iter().map(|(archive, suite)| format!("{archive} {suite}")).collect::<Vec<_>>()
        };
        assert_eq!(shown(&config), ["debian trixie", "debian trixie-updates", "security trixie-security"]);
        config.updates = false;
        assert_eq!(shown(&config), ["debian trixie", "security trixie-security"]);
        assert_eq!(shown(&ArchiveConfig::debian("sid", Mirrors::default())), ["debian sid"]);
    }
}
