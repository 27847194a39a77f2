//! What the installer remembers of a package.

use crate::debian::deb::{Conffile, UnpackedDeb};
use crate::debian::dpkg::{MergeError, PackageState, Stanza, TriggerInterest};
use crate::debian::relation::{OrGroup, Relation};
use crate::debian::version::DebVersion;

/// What the installer remembers of an unpacked package.
#[derive(Debug, Clone)]
pub struct InstalledPackage {
    /// Its control stanza.
    pub control: Stanza,
    /// The name as dpkg qualifies it: `libc6:amd64`, but `bash`.
    pub qualified_name: String,
    /// Its conffiles.
    pub conffiles: Vec<Conffile>,
    /// The triggers it is interested in.
    pub interests: Vec<TriggerInterest>,
    /// How far its installation is.
    pub state: PackageState,
    /// The stanza that a base's dpkg has of it; `None` for a package that was unpacked since.
    pub recorded: Option<Stanza>,
    /// Conffiles of a version before that this one has not, which stay.
    pub obsolete_conffiles: Vec<Conffile>,
    version: DebVersion,
    replaces: Vec<Relation>,
}

impl InstalledPackage {
    /// The package's name.
    pub fn name(&self) -> &str {
        self.control.get_str("Package").unwrap_or_default()
    }

    pub(super) fn new(deb: &UnpackedDeb) -> Result<Self, MergeError> {
        let field = |field: &'static str| {
            let value = deb.control.get(field).unwrap_or_default().to_owned();
            MergeError::Field { package: deb.package().to_owned(), field, value }
        };
        let qualified_name = deb.qualified_name();
        let replaces = deb.control.get_str("Replaces").unwrap_or_default();
        let replaces = OrGroup::parse_list(replaces).map_err(|_| field("Replaces"))?;
        let triggers = deb.control_file("triggers").unwrap_or_default();
        Ok(Self {
            control: deb.control.clone(),
            conffiles: deb.conffiles.clone(),
            interests: TriggerInterest::parse_file(&qualified_name, triggers).collect(),
            state: PackageState::Unpacked,
            recorded: None,
            obsolete_conffiles: Vec::new(),
            version: deb.version().parse().map_err(|_| field("Version"))?,
            replaces: replaces.into_iter().flat_map(|group| group.0).collect(),
            qualified_name,
        })
    }

    /// Whether its files may take the place of those of `other`.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.replaces.iter().any(|relation| *relation.name == *other.name() && relation.admits(&other.version))
    }
}
