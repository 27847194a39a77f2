//! What [`Archive`](super::Archive) needs to know: suites, mirrors, third-party repositories, patience.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use plywood_core::debian::release::UnixTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::credentials::Credentials;
use super::keyring::Keyring;
use super::mirror_url::MirrorUrl;
use super::mirrors::Mirrors;

/// Which archive a suite or package belongs to.
///
/// Written as `debian`, `debian-security` or the name that the manifest gives a third-party repository.
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
            ArchiveName::Security => "debian-security",
            ArchiveName::Repository(name) => name,
        })
    }
}

impl FromStr for ArchiveName {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "debian" => ArchiveName::Debian,
            "debian-security" => ArchiveName::Security,
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

/// A moment in the snapshot archive, as it writes it: `20261123T081500Z`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snapshot(String);

/// The text is no moment of the snapshot archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no snapshot; one is written as `20261123T081500Z`")]
pub struct ParseSnapshotError(String);

impl FromStr for Snapshot {
    type Err = ParseSnapshotError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let snapshot = Self(text.to_owned());
        match snapshot.parse_instant() {
            Some(instant) if Self::at(instant, 0).as_ref() == Some(&snapshot) => Ok(snapshot),
            _ => Err(ParseSnapshotError(text.to_owned())),
        }
    }
}

impl Snapshot {
    /// The moment `later` seconds after `instant`; `None` outside the years 1970 to 9999.
    pub fn at(instant: UnixTime, later: i64) -> Option<Self> {
        let instant = UnixTime(instant.0.checked_add(later)?);
        let text: String = instant.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        (instant.0 >= 0 && text.len() == "20261123T081500Z".len()).then_some(Self(text))
    }

    /// The moment.
    pub fn instant(&self) -> UnixTime {
        // Every way to make a snapshot has checked that it is one.
        self.parse_instant().unwrap_or(UnixTime(0))
    }

    fn parse_instant(&self) -> Option<UnixTime> {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let part = |from: usize, to: usize| self.0.get(from..to);
        let month = MONTHS.get(part(4, 6)?.parse::<usize>().ok()?.checked_sub(1)?)?;
        let (day, year) = (part(6, 8)?, part(0, 4)?);
        let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
        UnixTime::parse_rfc_2822(&format!("{day} {month} {year} {hour}:{minute}:{second} UTC")).ok()
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything [`Archive`](super::Archive) fetches from.
#[derive(Debug, Clone)]
pub struct ArchiveConfig {
    /// Debian's release by codename, such as `trixie`; its updates and security suites come with it where it has them.
    pub suite: String,
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
    /// Debian's `suite` from `mirrors`, believed by Debian's own keys.
    pub fn debian(suite: impl Into<String>, mirrors: Mirrors) -> Self {
        Self {
            suite: suite.into(),
            components: vec!["main".to_owned()],
            mirrors,
            keyring: Keyring::debian(),
            repositories: Vec::new(),
            patience: Patience::default(),
        }
    }

    /// Debian's suites that belong to [`ArchiveConfig::suite`], each with its archive: only released ones have updates.
    pub fn debian_suites(&self) -> Vec<(ArchiveName, String)> {
        let suite = &self.suite;
        let mut suites = vec![(ArchiveName::Debian, suite.clone())];
        if !matches!(suite.as_str(), "sid" | "unstable" | "experimental") {
            suites.push((ArchiveName::Debian, format!("{suite}-updates")));
            suites.push((ArchiveName::Security, format!("{suite}-security")));
        }
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

/// How long to wait and how often to try.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// Without a byte, before a transfer counts as stalled.
    pub stall: Duration,
    /// Attempts at one mirror when its failure may pass.
    pub attempts: usize,
    /// Before the second attempt; doubled before each further one.
    pub backoff: Duration,
    /// At most, whatever `Retry-After` asks for.
    pub longest_pause: Duration,
    /// Files in transfer at once.
    pub parallel: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(20),
            attempts: 4,
            backoff: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            parallel: 8,
        }
    }
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
    fn snapshots_are_moments() {
        let snapshot: Snapshot = "20261123T081500Z".parse().expect("a snapshot");
        assert_eq!(snapshot.instant().to_string(), "2026-11-23T08:15:00Z");
        assert_eq!(
            Snapshot::at(snapshot.instant(), 86_400).map(|later| later.to_string()).as_deref(),
            Some("20261124T081500Z")
        );
        for text in [
            "20261323T081500Z",
            "20260230T081500Z",
            "20261123X081500Z",
            "2026112äT08150Z",
            "",
            "20261123",
            "20261123T081500",
            "2026-11-23T08:15Z",
            "20261123T081500Z/../..",
        ] {
            assert_eq!(text.parse::<Snapshot>(), Err(ParseSnapshotError(text.to_owned())), "{text}");
        }
    }
}
