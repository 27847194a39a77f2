//! Unpacking packages over each other by dpkg's rules (dpkg's `tarobject`, Debian Policy 6.6 and 7.6).

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice;
use debversion::Version;

use super::relation::Relation;
use super::{Diversion, DiversionError, Diversions, MergeError, PackageState, Stanza, StatOverrides, TriggerInterest};
use crate::debian::deb::{Conffile, UnpackedDeb, merged_usr};
use crate::platform::Platform;
use crate::tree::{Content, Meta, Node, NodeKind, Tree, TreeError, TreePath};

const INFO: TreePath = TreePath::literal("var/lib/dpkg/info");

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
}

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
    version: Option<Version>,
    replaces: Vec<Relation>,
}

impl InstalledPackage {
    /// The package's name.
    pub fn name(&self) -> &str {
        self.control.get_str("Package").unwrap_or_default()
    }

    fn new(deb: &UnpackedDeb) -> Result<Self, MergeError> {
        let field = |field: &'static str| {
            let value = deb.control.get(field).unwrap_or_default().to_owned();
            move || MergeError::Field { package: deb.package().to_owned(), field, value }
        };
        let qualified_name = deb.qualified_name();
        let replaces = deb.control.get_str("Replaces").unwrap_or_default();
        let triggers = deb.control_file("triggers").unwrap_or_default();
        Ok(Self {
            control: deb.control.clone(),
            conffiles: deb.conffiles.clone(),
            interests: TriggerInterest::parse_file(&qualified_name, triggers).collect(),
            state: PackageState::Unpacked,
            version: Some(deb.version().parse().map_err(|_| field("Version")())?),
            replaces: Relation::parse_list(replaces).ok_or_else(field("Replaces"))?,
            qualified_name,
        })
    }

    /// Whether its files may take the place of those of `other`.
    fn replaces(&self, other: &Self) -> bool {
        self.replaces.iter().any(|relation| relation.matches(other.name(), other.version.as_ref()))
    }
}

/// What to do with an entry of a package.
enum Decision {
    /// It goes there, and these packages lose theirs.
    Place { losers: Vec<usize> },
    /// A package before it replaces it in this path.
    KeepExisting,
}

impl Installer {
    /// An empty system with the links of merged /usr that this platform has.
    ///
    /// On trixie `base-files` brings the same links and they become its own; on bookworm whoever bootstraps makes them.
    pub fn new(platform: Platform) -> Self {
        let mut installer = Self {
            tree: Tree::new(),
            diversions: Diversions::default(),
            statoverrides: StatOverrides::default(),
            platform,
            packages: Vec::new(),
            owners: BTreeMap::new(),
            generated_links: BTreeSet::new(),
        };
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
        let package = InstalledPackage::new(deb)?;
        if self.packages.iter().any(|other| other.qualified_name == package.qualified_name) {
            return Err(MergeError::Twice(package.qualified_name));
        }
        let index = self.packages.len();
        self.packages.push(package);
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

    fn unpack_entry(
        &mut self,
        deb: &UnpackedDeb,
        index: usize,
        (path, node): &(TreePath, Node),
        kept: &mut Vec<TreePath>,
    ) -> Result<(), MergeError> {
        let name = deb.dpkg_path(path);
        let used = self.diversions.resolve(&name, deb.package()).clone();
        let merged = if used == name { path.clone() } else { self.merged(deb, &used)? };
        let at = self.reach(deb, &merged)?;
        if node.is_directory() {
            self.own(name, index);
            return self.unpack_directory(deb, at, node);
        }
        if let NodeKind::Symlink { target } = &node.kind
            && self.is_link_to_same_directory(&at, target)
        {
            self.own(name, index);
            return Ok(());
        }
        match self.decide(index, &name)? {
            Decision::KeepExisting => {
                kept.push(name);
                Ok(())
            }
            Decision::Place { losers } => {
                if self.tree.get(&at).is_some_and(Node::is_directory) {
                    return Err(MergeError::DirectoryInTheWay { package: deb.package().to_owned(), path: at });
                }
                let mut node = node.clone();
                if let Some(stat) = self.statoverrides.get(&name) {
                    stat.apply(&mut node.meta);
                }
                self.take_over(&losers, &name);
                self.own(name, index);
                self.place(deb, at, node)
            }
        }
    }

    /// A directory that is there, or a link to one, keeps its metadata.
    fn unpack_directory(&mut self, deb: &UnpackedDeb, at: TreePath, node: &Node) -> Result<(), MergeError> {
        match self.tree.lookup(at.as_bytes()) {
            Some((_, there)) if there.is_directory() => Ok(()),
            _ if self.tree.contains(&at) => Err(MergeError::Unreachable {
                package: deb.package().to_owned(),
                path: at.clone(),
                source: TreeError::NotADirectory(at),
            }),
            _ => {
                let mut node = node.clone();
                if let Some(stat) = self.statoverrides.get(&at) {
                    stat.apply(&mut node.meta);
                }
                self.place(deb, at, node)
            }
        }
    }

    /// A symbolic link changes nothing where there is a directory, or a link that leads to the same one.
    fn is_link_to_same_directory(&self, at: &TreePath, target: &[u8]) -> bool {
        let Some(there) = self.tree.get(at) else { return false };
        if there.is_directory() {
            return true;
        }
        if self.generated_links.contains(at) || !matches!(there.kind, NodeKind::Symlink { .. }) {
            return false;
        }
        let parent = at.parent().unwrap_or(TreePath::ROOT);
        let old = self.tree.resolve(&TreePath::ROOT, at.as_bytes(), true).ok();
        let new = self.tree.resolve(&parent, target, true).ok();
        old.is_some() && old == new && old.and_then(|path| self.tree.get(&path)).is_some_and(Node::is_directory)
    }

    /// Whether the package may put something at a name that others may have.
    fn decide(&self, index: usize, name: &TreePath) -> Result<Decision, MergeError> {
        let owners = self.owners.get(name).map(Vec::as_slice).unwrap_or_default();
        let Some(package) = self.packages.get(index) else { return Ok(Decision::Place { losers: Vec::new() }) };
        let diverting = self.diversions.get(name).and_then(|diversion| diversion.package.as_deref());
        let others = owners.iter().filter(|owner| **owner != index);
        let others = others.filter_map(|owner| Some((*owner, self.packages.get(*owner)?)));
        let mut losers = Vec::new();
        for (owner, other) in others {
            let same = other.name() == package.name();
            let diverted = diverting.is_some_and(|by| by == package.name() || by == other.name());
            if same || diverted {
                continue;
            }
            if package.replaces(other) {
                losers.push(owner);
                continue;
            }
            if other.replaces(package) {
                return Ok(Decision::KeepExisting);
            }
            return Err(MergeError::Conflict {
                package: package.name().to_owned(),
                owner: other.name().to_owned(),
                path: name.clone(),
            });
        }
        Ok(Decision::Place { losers })
    }

    /// Strikes a path from the lists of packages that it was taken from.
    fn take_over(&mut self, losers: &[usize], name: &TreePath) {
        for loser in losers {
            if let Some(owners) = self.owners.get_mut(name) {
                owners.retain(|owner| owner != loser);
            }
            self.strike_from_list(*loser, name);
        }
    }

    fn strike_from_list(&mut self, index: usize, name: &TreePath) {
        let absolute = [b"/", name.as_bytes()].concat();
        self.strike_from_info(index, "list", |line| line == absolute);
    }

    /// Removes lines from an info file that dpkg wrote itself; those are the ones whose contents are at hand.
    fn strike_from_info(&mut self, index: usize, file: &str, strike: impl Fn(&[u8]) -> bool) {
        let Some(package) = self.packages.get(index) else { return };
        let Ok(path) = INFO.join(format!("{}.{file}", package.qualified_name)) else { return };
        if let Some(Node { meta, kind: NodeKind::File { content: Content::Inline(lines), .. } }) = self.tree.get(&path)
        {
            let kept = lines.lines_with_terminator().filter(|line| !strike(line.strip_suffix(b"\n").unwrap_or(line)));
            let node = Node::file(meta.clone(), kept.collect::<Vec<_>>().concat());
            // The node is there, so its parents are.
            let _ = self.tree.insert(path, node);
        }
    }

    fn own(&mut self, name: TreePath, index: usize) {
        self.owners.entry(name).or_default().push(index);
    }

    fn merged(&self, deb: &UnpackedDeb, path: &TreePath) -> Result<TreePath, MergeError> {
        merged_usr(path).map_err(|source| MergeError::Path { package: deb.package().to_owned(), source })
    }

    /// Where a path leads when the links above it are followed; missing directories are made, as dpkg does.
    fn reach(&mut self, deb: &UnpackedDeb, path: &TreePath) -> Result<TreePath, MergeError> {
        if let Some(name) = path.components().nth(1).filter(|_| path.starts_with(&TreePath::literal("usr")))
            && deb.aliased.contains(path)
        {
            // A rarer one, such as /lib32: without the link its files could not be found by the name they have.
            if let Ok(alias) = TreePath::parse(name)
                && !self.tree.contains(&alias)
            {
                self.link_into_usr(&alias);
            }
        }
        let unreachable =
            |source| MergeError::Unreachable { package: deb.package().to_owned(), path: path.clone(), source };
        match self.tree.resolve(&TreePath::ROOT, path.as_bytes(), false) {
            Err(TreeError::NotFound(missing)) => {
                let parent = path.parent().unwrap_or(TreePath::ROOT);
                // Behind a dangling link there is nothing to make.
                if !parent.starts_with(&missing) {
                    return Err(unreachable(TreeError::NotFound(missing)));
                }
                self.tree.create_dir_all(&parent, &Meta::root(0o755, 0)).map_err(unreachable)?;
                Ok(path.clone())
            }
            other => other.map_err(unreachable),
        }
    }

    fn ensure_directory(&mut self, deb: &UnpackedDeb, path: &TreePath, meta: &Meta) -> Result<(), MergeError> {
        let at = self.reach(deb, path)?;
        if self.tree.contains(&at) { Ok(()) } else { self.place(deb, at, Node::directory(meta.clone())) }
    }

    fn place(&mut self, deb: &UnpackedDeb, at: TreePath, node: Node) -> Result<(), MergeError> {
        self.generated_links.remove(&at);
        match self.tree.insert(at.clone(), node) {
            Ok(_) => Ok(()),
            Err(TreeError::IsADirectory(path)) => {
                Err(MergeError::DirectoryInTheWay { package: deb.package().to_owned(), path })
            }
            Err(source) => Err(MergeError::Unreachable { package: deb.package().to_owned(), path: at, source }),
        }
    }

    /// Makes the link `name -> usr/name` and the directory it leads to.
    fn link_into_usr(&mut self, name: &TreePath) {
        let target = [b"usr/", name.as_bytes()].concat();
        if let Ok(directory) = TreePath::parse(&target)
            && self.tree.create_dir_all(&directory, &Meta::root(0o755, 0)).is_ok()
            && self.tree.insert(name.clone(), Node::symlink(target, 0)).is_ok()
        {
            self.generated_links.insert(name.clone());
        }
    }
}
