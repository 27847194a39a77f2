//! Where Debian's archives are: the manifest's mirrors, else this machine's, else Debian's own; at last the snapshots.

mod apt_sources;

use std::path::Path;

use super::config::{ArchiveName, Snapshot};
use super::defaults;
use super::mirror_url::{MirrorUrl, ParseMirrorUrlError};
pub use apt_sources::AptSource;

/// Names a mirror that replaces every other, snapshots included; several are separated by spaces.
///
/// The security archive is looked for beside it (`…/debian-security` beside `…/debian`), else in it.
pub const OVERRIDE: &str = "PLYWOOD_DEBIAN_MIRROR";

/// Where to look for Debian's archives, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// Of Debian's main archive.
    pub debian: Vec<MirrorUrl>,
    /// Of the security archive.
    pub security: Vec<MirrorUrl>,
    /// The base of the snapshot archive; `None` leaves it out.
    pub snapshot_archive: Option<MirrorUrl>,
    /// The manifest's snapshot: indexes come from there alone.
    pub snapshot: Option<Snapshot>,
}

/// What the manifest says of mirrors.
#[derive(Debug, Clone, Copy, Default)]
pub struct NamedMirrors<'m> {
    /// `debian.mirrors`; empty for the default.
    pub debian: &'m [String],
    /// `debian.security-mirrors`; empty for those beside `debian`, then the default.
    pub security: &'m [String],
    /// `debian.snapshot`.
    pub snapshot: Option<Snapshot>,
}

/// A mirror cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use the Debian mirror of {place}")]
pub struct MirrorError {
    /// Where it is named; the text itself may hold a password.
    pub place: String,
    /// Why.
    #[source]
    pub source: ParseMirrorUrlError,
}

impl Mirrors {
    /// Looks in [`OVERRIDE`], then takes the manifest's mirrors, else those of this machine's apt and then Debian's own.
    ///
    /// # Errors
    /// When the override or a mirror of the manifest is no mirror's URL.
    pub fn find(named: &NamedMirrors<'_>) -> Result<Self, MirrorError> {
        let replaced = std::env::var(OVERRIDE).unwrap_or_default();
        Self::choose(&replaced, named, &apt_sources::read(Path::new("/etc/apt")))
    }

    /// The named mirrors alone: those of security, or else the same; no snapshots.
    ///
    /// # Errors
    /// When one is no mirror's URL.
    pub fn named(named: &NamedMirrors<'_>) -> Result<Self, MirrorError> {
        let debian = parse(named.debian, "`debian.mirrors`")?;
        let security = match named.security {
            [] => debian.clone(),
            security => parse(security, "`debian.security-mirrors`")?,
        };
        Ok(Self { debian, security, snapshot_archive: None, snapshot: None }.without_doubles())
    }

    /// [`Mirrors::find`] with everything it finds in the environment handed in.
    ///
    /// # Errors
    /// As [`Mirrors::find`].
    pub fn choose(replaced: &str, named: &NamedMirrors<'_>, machine: &[AptSource]) -> Result<Self, MirrorError> {
        let replaced: Vec<String> = replaced.split_whitespace().map(str::to_owned).collect();
        // A snapshot in the manifest is a demand that no other mirror can meet.
        let snapshot_archive =
            if replaced.is_empty() || named.snapshot.is_some() { default(defaults::SNAPSHOT) } else { None };
        let mut mirrors = if !replaced.is_empty() {
            Self::only(parse(&replaced, OVERRIDE)?)
        } else if named.debian.is_empty() {
            let mut machine = Self::of_machine(machine);
            machine.debian.extend(default(defaults::ARCHIVE));
            machine
        } else {
            Self { security: Vec::new(), ..Self::only(parse(named.debian, "`debian.mirrors`")?) }
        };
        if replaced.is_empty() {
            mirrors.add_security(named)?;
        }
        Ok(Self { snapshot_archive, snapshot: named.snapshot, ..mirrors.without_doubles() })
    }

    fn add_security(&mut self, named: &NamedMirrors<'_>) -> Result<(), MirrorError> {
        if named.security.is_empty() {
            if !named.debian.is_empty() {
                self.security = self.debian.iter().filter_map(MirrorUrl::security_sibling).collect();
            }
            self.security.extend(default(defaults::SECURITY));
        } else {
            self.security = parse(named.security, "`debian.security-mirrors`")?;
        }
        Ok(())
    }

    /// Only `debian` and the security archives beside them; no snapshots.
    pub fn only(debian: Vec<MirrorUrl>) -> Self {
        let security = debian.iter().map(|url| url.security_sibling().unwrap_or_else(|| url.clone())).collect();
        Self { debian, security, snapshot_archive: None, snapshot: None }
    }

    fn of_machine(sources: &[AptSource]) -> Self {
        let of = |archive: ArchiveName| -> Vec<MirrorUrl> {
            sources.iter().filter(|source| source.archive == archive).map(|source| source.url.clone()).collect()
        };
        Self { debian: of(ArchiveName::Debian), security: of(ArchiveName::Security), ..Self::default() }
    }

    fn without_doubles(mut self) -> Self {
        for list in [&mut self.debian, &mut self.security] {
            let mut seen = std::collections::BTreeSet::new();
            list.retain(|url| seen.insert(url.clone()));
        }
        self
    }

    /// The base of one of Debian's archives as it was at `snapshot`; `None` without a snapshot archive.
    pub fn at_snapshot(&self, archive: &ArchiveName, snapshot: Snapshot) -> Option<MirrorUrl> {
        let folder = match archive {
            ArchiveName::Debian => "debian",
            ArchiveName::Security => "debian-security",
            ArchiveName::Repository(_) => return None,
        };
        self.snapshot_archive.as_ref()?.join(&format!("{folder}/{snapshot}")).ok()?.as_str().parse().ok()
    }
}

fn parse(texts: &[String], place: &str) -> Result<Vec<MirrorUrl>, MirrorError> {
    let url = |text: &String| text.parse().map_err(|source| MirrorError { place: place.to_owned(), source });
    texts.iter().map(url).collect()
}

/// The constants are good URLs, which a test sees to.
fn default(url: &str) -> Option<MirrorUrl> {
    url.parse().ok()
}

#[cfg(test)]
mod tests {
    use plywood_core::debian::release::UnixTime;

    use super::*;

    fn source(archive: ArchiveName, url: &str) -> AptSource {
        AptSource { archive, url: url.parse().expect("a good URL") }
    }

    fn check(replaced: &str, manifest: &[&str], machine: &[AptSource], debian: &[&str], security: &[&str]) {
        let manifest: Vec<String> = manifest.iter().map(|&url| url.to_owned()).collect();
        let named = NamedMirrors { debian: &manifest, ..NamedMirrors::default() };
        let mirrors = Mirrors::choose(replaced, &named, machine).expect("good mirrors");
        let shown = |list: &[MirrorUrl]| list.iter().map(MirrorUrl::to_string).collect::<Vec<_>>();
        assert_eq!(shown(&mirrors.debian), debian, "debian");
        assert_eq!(shown(&mirrors.security), security, "security");
        assert_eq!(mirrors.snapshot_archive.is_some(), replaced.is_empty());
    }

    #[test]
    fn the_first_that_says_something_is_asked() {
        let machine = [
            source(ArchiveName::Debian, "http://near/debian"),
            source(ArchiveName::Debian, "http://near/debian"),
            source(ArchiveName::Security, "http://near/debian-security"),
        ];
        let (own, own_security) = (defaults::ARCHIVE, defaults::SECURITY);
        check("", &[], &[], &[own], &[own_security]);
        check("", &[], &machine, &["http://near/debian", own], &["http://near/debian-security", own_security]);
        check(
            "",
            &["http://mine/debian/"],
            &machine,
            &["http://mine/debian"],
            &["http://mine/debian-security", own_security],
        );
        check(
            "file:///a http://b/debian",
            &["http://mine/debian"],
            &machine,
            &["file:///a", "http://b/debian"],
            &["file:///a", "http://b/debian-security"],
        );
    }

    #[test]
    fn a_bad_mirror_is_named_by_its_place() {
        let bad = ["http://a:b@[/debian".to_owned()];
        for (named, place) in [
            (NamedMirrors { debian: &bad, ..NamedMirrors::default() }, "`debian.mirrors`"),
            (NamedMirrors { security: &bad, ..NamedMirrors::default() }, "`debian.security-mirrors`"),
        ] {
            let error = Mirrors::choose("", &named, &[]).expect_err("no URL");
            assert_eq!(error.to_string(), format!("cannot use the Debian mirror of {place}"));
        }
    }

    #[test]
    fn snapshots_have_a_place_of_their_own() {
        let moment = Snapshot(UnixTime(1_795_421_700));
        let named = NamedMirrors { snapshot: Some(moment), ..NamedMirrors::default() };
        for replaced in ["", "file:///near"] {
            let mirrors = Mirrors::choose(replaced, &named, &[]).expect("good mirrors");
            let url = mirrors.at_snapshot(&ArchiveName::Security, moment).expect("a place");
            assert_eq!(url.to_string(), format!("{}/debian-security/20261123T081500Z", defaults::SNAPSHOT));
        }
    }
}
