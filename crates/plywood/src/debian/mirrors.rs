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
    /// Looks in [`OVERRIDE`], then takes the manifest's mirrors, else those of this machine's apt, else Debian's own.
    ///
    /// # Errors
    /// When the override or a mirror of the manifest is no mirror's URL.
    pub fn find(manifest: &[String], snapshot: Option<Snapshot>) -> Result<Self, MirrorError> {
        let replaced = std::env::var(OVERRIDE).unwrap_or_default();
        Self::choose(&replaced, manifest, &apt_sources::read(Path::new("/etc/apt")), snapshot)
    }

    /// [`Mirrors::find`] with everything it finds in the environment handed in.
    ///
    /// # Errors
    /// As [`Mirrors::find`].
    pub fn choose(
        replaced: &str,
        manifest: &[String],
        machine: &[AptSource],
        snapshot: Option<Snapshot>,
    ) -> Result<Self, MirrorError> {
        let replaced: Vec<String> = replaced.split_whitespace().map(str::to_owned).collect();
        if !replaced.is_empty() {
            let mut mirrors = Self::only(parse(&replaced, OVERRIDE)?);
            mirrors.snapshot = snapshot;
            return Ok(mirrors);
        }
        let mut mirrors =
            if manifest.is_empty() { Self::of_machine(machine) } else { Self::only(parse(manifest, "the manifest")?) };
        mirrors.debian.extend(manifest.is_empty().then(|| default(defaults::ARCHIVE)).flatten());
        mirrors.security.extend(default(defaults::SECURITY));
        mirrors.snapshot_archive = default(defaults::SNAPSHOT);
        mirrors.snapshot = snapshot;
        Ok(mirrors.without_doubles())
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
    pub fn at_snapshot(&self, archive: &ArchiveName, snapshot: &Snapshot) -> Option<MirrorUrl> {
        let base = self.snapshot_archive.as_ref()?;
        base.join(&format!("{archive}/{snapshot}")).ok()?.as_str().parse().ok()
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
    use super::*;

    fn source(archive: ArchiveName, url: &str) -> AptSource {
        AptSource { archive, url: url.parse().expect("a good URL") }
    }

    fn check(replaced: &str, manifest: &[&str], machine: &[AptSource], debian: &[&str], security: &[&str]) {
        let manifest: Vec<String> = manifest.iter().map(|&url| url.to_owned()).collect();
        let mirrors = Mirrors::choose(replaced, &manifest, machine, None).expect("good mirrors");
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
        let error = Mirrors::choose("", &["http://a:b@[/debian".to_owned()], &[], None).expect_err("no URL");
        assert_eq!(error.to_string(), "cannot use the Debian mirror of the manifest");
    }

    #[test]
    fn snapshots_have_a_place_of_their_own() {
        let mirrors = Mirrors::choose("", &[], &[], None).expect("good mirrors");
        let moment = "20261123T081500Z".parse().expect("a snapshot");
        let url = mirrors.at_snapshot(&ArchiveName::Security, &moment).expect("a place");
        assert_eq!(url.to_string(), format!("{}/debian-security/20261123T081500Z", defaults::SNAPSHOT));
    }
}
