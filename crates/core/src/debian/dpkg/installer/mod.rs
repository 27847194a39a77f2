//! Unpacking packages over each other by dpkg's rules (dpkg's `tarobject`, Debian Policy 6.6 and 7.6).

mod conflicts;
mod over;
mod package;
mod place;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};

use super::{Diversion, DiversionError, Diversions, MergeError, PackageState, Stanza, StatOverrides};
use crate::debian::deb::{UnpackedDeb, merged_usr};
use crate::platform::Platform;
use crate::tree::{Node, Tree, TreePath};

pub use over::BaseSystemError;
pub use package::InstalledPackage;

/// A file system into which packages are unpacked one after the other.
///
/// For each package a caller runs its `preinst`, then [`Installer::unpack_package`]; later, in the order of
/// configuration, its `postinst`, then [`Installer::mark_installed`].
#[derive(Debug, Clone)]
pub struct Installer {
    /// The file system so far; scripts change it between packages.
    pub tree: Tree,
    /// The diversions in force.
    pub diversions: Diversions,
    /// The owners and modes set for good.
    pub statoverrides: StatOverrides,
    platform: Platform,
    packages: Vec<InstalledPackage>,
    /// Which packages have a path, in the order they were unpacked. Keys are paths as packages write them.
    owners: BTreeMap<TreePath, Vec<usize>>,
    /// The links of merged /usr that no package has brought yet.
    generated_links: BTreeSet<TreePath>,
    /// What the base's dpkg remembers of packages that are not there.
    remains: Vec<Stanza>,
    /// Whether a package was unpacked.
    changed: bool,
}

impl Installer {
    /// A system that dpkg knows nothing of.
    fn with_tree(tree: Tree, platform: Platform) -> Self {
        Self {
            tree,
            diversions: Diversions::default(),
            statoverrides: StatOverrides::default(),
            platform,
            packages: Vec::new(),
            owners: BTreeMap::new(),
            generated_links: BTreeSet::new(),
            remains: Vec::new(),
            changed: false,
        }
    }

    /// An empty system with the links of merged /usr that this platform has.
    ///
    /// On trixie `base-files` brings the same links and they become its own; on bookworm whoever bootstraps makes them.
    pub fn new(platform: Platform) -> Self {
        let mut installer = Self::with_tree(Tree::new(), platform);
        for name in ["bin", "lib", "sbin"] {
            installer.link_into_usr(&TreePath::literal(name));
        }
        if platform == Platform::LinuxAmd64 {
            installer.link_into_usr(&TreePath::literal("lib64"));
        }
        installer
    }

    /// The platform it installs for.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// The packages in the order they were unpacked.
    pub fn packages(&self) -> &[InstalledPackage] {
        &self.packages
    }

    /// Whether a package was unpacked; otherwise the database is as the base has it.
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// What the base's dpkg remembers of packages that are not there.
    pub fn remains(&self) -> &[Stanza] {
        &self.remains
    }

    /// A package by its name, qualified or not.
    pub fn package(&self, name: &str) -> Option<&InstalledPackage> {
        self.packages.iter().find(|package| package.qualified_name == name || package.name() == name)
    }

    /// The packages that have this path (as they write it, before merged /usr), qualified, in order of unpacking.
    pub fn owners(&self, path: &TreePath) -> impl Iterator<Item = &str> {
        let owners = self.owners.get(path).map(Vec::as_slice).unwrap_or_default();
        owners.iter().filter_map(|index| self.packages.get(*index)).map(|package| package.qualified_name.as_str())
    }

    /// Every path that belongs to a package, as packages write it.
    pub fn owned_paths(&self) -> impl Iterator<Item = &TreePath> {
        self.owners.keys()
    }

    /// Records that a package's `postinst` has run; `false` when there is no such package.
    pub fn mark_installed(&mut self, name: &str) -> bool {
        let found = self.packages.iter_mut().find(|one| one.qualified_name == name || one.name() == name);
        found.map(|package| package.state = PackageState::Installed).is_some()
    }

    /// Unpacks a package over those before it, its info files included.
    ///
    /// # Errors
    /// [`MergeError`]; the installer is then of no further use, since a part of the package may be in place.
    pub fn unpack_package(&mut self, deb: &UnpackedDeb) -> Result<(), MergeError> {
        let name = deb.qualified_name();
        if self.packages.iter().any(|other| other.qualified_name == name) {
            return Err(MergeError::Twice(name));
        }
        self.unpack_at(deb, self.packages.len())
    }

    /// Unpacks a package as the one of this number.
    fn unpack_at(&mut self, deb: &UnpackedDeb, index: usize) -> Result<(), MergeError> {
        let package = InstalledPackage::new(deb)?;
        self.changed = true;
        self.remains.retain(|stanza| stanza.get_str("Package") != Some(deb.package()));
        match self.packages.get_mut(index) {
            Some(old) => *old = package,
            None => self.packages.push(package),
        }
        let mut kept = Vec::new();
        for entry @ (path, node) in deb.data_entries() {
            if deb.implied.contains(path) {
                self.ensure_directory(deb, path, &node.meta)?;
            } else {
                self.unpack_entry(deb, index, entry, &mut kept)?;
            }
        }
        for (path, node) in deb.info_entries() {
            if deb.implied.contains(path) {
                self.ensure_directory(deb, path, &node.meta)?;
            } else {
                self.place(deb, path.clone(), node.clone())?;
            }
        }
        for name in kept {
            self.strike_from_list(index, &name);
            self.strike_from_info(index, "md5sums", |line| line.get(34..) == Some(name.as_bytes()));
        }
        Ok(())
    }

    /// Adds a diversion, and with `rename` moves the file that is there (dpkg-divert(1), `--add`). A file of the
    /// diverting package itself is not moved. `false` when the very same diversion is there already.
    ///
    /// # Errors
    /// When it clashes with another diversion. Moving fails silently only where there is nothing to move.
    pub fn divert(&mut self, diversion: Diversion, rename: bool) -> Result<bool, DiversionError> {
        let (from, to) = (self.location(&diversion.from), self.location(&diversion.to));
        if from.as_ref().and_then(|path| self.tree.get(path)).is_some_and(Node::is_directory) {
            return Err(DiversionError::NotDivertible(diversion.from));
        }
        let own = diversion.package.as_deref().is_some_and(|package| self.has(package, &diversion.from));
        let added = self.diversions.add(diversion)?;
        if added && rename && !own {
            self.move_file(from, to);
        }
        Ok(added)
    }

    /// Removes the diversion of a file, and with `rename` moves the diverted file back (`--remove`).
    pub fn undivert(&mut self, from: &TreePath, rename: bool) -> Option<Diversion> {
        let removed = self.diversions.remove(from)?;
        if rename {
            self.move_file(self.location(&removed.to), self.location(&removed.from));
        }
        Some(removed)
    }

    fn has(&self, package: &str, path: &TreePath) -> bool {
        let owners = self.owners.get(path).map(Vec::as_slice).unwrap_or_default();
        owners.iter().filter_map(|index| self.packages.get(*index)).any(|owner| owner.name() == package)
    }

    /// Where a path as packages write it is in the tree.
    fn location(&self, path: &TreePath) -> Option<TreePath> {
        let merged = merged_usr(path).ok()?;
        self.tree.resolve(&TreePath::ROOT, merged.as_bytes(), false).ok()
    }

    fn move_file(&mut self, from: Option<TreePath>, to: Option<TreePath>) {
        if let (Some(from), Some(to)) = (from, to) {
            // There may be nothing to move, which is as well: dpkg-divert says so and goes on.
            let _ = self.tree.rename(&from, &to);
        }
    }
}
