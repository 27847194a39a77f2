//! What Debian's commands keep between calls: the state of the shell's machine.

use std::collections::{BTreeMap, BTreeSet};

use debversion::Version;

use super::debconf::Debconf;
use super::triggers::Triggers;
use crate::debian::deb::ElfInfo;
use crate::debian::dpkg::Installer;
use crate::shell::Machine;
use crate::tree::TreePath;

/// Everything besides the tree that Debian's commands see and change.
#[derive(Debug)]
pub struct System {
    /// The packages, their states, diversions and overrides. Its own tree is empty while scripts are evaluated: the
    /// tree is then the machine's.
    pub installer: Installer,
    /// Shared objects by path.
    pub elf: BTreeMap<TreePath, ElfInfo>,
    /// debconf's templates and answers.
    pub debconf: Debconf,
    /// Which triggers are pending.
    pub triggers: Triggers,
    /// The package whose script is evaluated.
    pub current: CurrentPackage,
    /// What was passed over on purpose, for the explanation of the build.
    pub notes: BTreeSet<String>,
}

/// What debconf needs of the package whose script is evaluated, which may not be unpacked yet.
#[derive(Debug, Clone, Default)]
pub struct CurrentPackage {
    /// The name its questions belong to: as dpkg qualifies it, but in `preinst` without the architecture.
    pub owner: String,
    /// Its `templates`.
    pub templates: Vec<u8>,
    /// Its `config`, which runs before `postinst configure`.
    pub config: Option<Vec<u8>>,
}

impl System {
    /// A system over which nothing has been installed.
    pub fn new(installer: Installer) -> Self {
        Self {
            installer,
            elf: BTreeMap::new(),
            debconf: Debconf::default(),
            triggers: Triggers::default(),
            current: CurrentPackage::default(),
            notes: BTreeSet::new(),
        }
    }

    /// Whether the package is there in a version before this one.
    pub(super) fn has_version_before(&self, package: &str, version: &str) -> bool {
        let parse = |text: &str| text.parse::<Version>().ok();
        let there =
            self.installer.package(package).and_then(|package| package.control.get_str("Version")).and_then(parse);
        matches!((there, parse(version)), (Some(there), Some(limit)) if there < limit)
    }

    /// Leaves a word about something that was passed over on purpose.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notes.insert(text.into());
    }
}

impl Machine<'_, System> {
    /// Lends the machine's tree to the installer for one operation.
    pub(super) fn with_installer<T>(&mut self, operate: impl FnOnce(&mut Installer) -> T) -> T {
        std::mem::swap(&mut self.tree, &mut self.state.installer.tree);
        let result = operate(&mut self.state.installer);
        std::mem::swap(&mut self.tree, &mut self.state.installer.tree);
        result
    }
}
