//! The universe: every package that one architecture can choose from, of all suites and archives.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use crate::debian::packages_index::{BinaryPackage, MultiArch, PackagesIndex};
use crate::debian::relation::{ArchQualifier, Relation, RelationKind};
use crate::debian::version::DebVersion;

/// One index that goes into a universe, and how much its packages are wanted.
#[derive(Debug)]
pub struct PackageSource {
    /// The packages.
    pub index: PackagesIndex,
    /// apt's pin priority (apt_preferences(5)): the highest wins, before the version does; below 0 nothing is taken.
    /// See [`crate::debian::release::Release::default_priority`].
    pub priority: i16,
    /// For an archive of a third party: the only packages that may come from it. `None` admits all.
    pub allow: Option<BTreeSet<String>>,
}

/// Every package that one architecture can choose from.
#[derive(Debug)]
pub struct Universe {
    architecture: String,
    /// Sorted by name; of one name, the one apt prefers first.
    entries: Vec<Entry>,
    /// Sorted as the entries are.
    names: Vec<Name>,
    /// Sorted by the virtual name; of one name, the provider apt prefers first.
    provisions: Vec<Provision>,
}

#[derive(Debug)]
struct Entry {
    package: BinaryPackage,
    name: NameId,
    source: usize,
    priority: i16,
}

#[derive(Debug)]
struct Name {
    first: usize,
    end: usize,
}

#[derive(Debug)]
struct Provision {
    name: Box<str>,
    any_architecture: bool,
    version: Option<DebVersion>,
    owner: PackageId,
}

/// A package of a universe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PackageId(u32);

/// A name of a universe under which there is at least one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct NameId(u32);

impl NameId {
    pub(super) fn from_number(number: usize) -> Self {
        Self(number as u32)
    }

    pub(super) fn number(self) -> usize {
        self.0 as usize
    }
}

impl PackageId {
    pub(super) fn from_number(number: usize) -> Self {
        Self(number as u32)
    }

    pub(super) fn number(self) -> usize {
        self.0 as usize
    }
}

impl Universe {
    /// Merges indexes for `architecture`. The order of `sources` breaks ties, as the order of apt's sources does; the
    /// position in it is what [`super::Chosen::source`] speaks of.
    ///
    /// Packages of other architectures are left out, and so are those that an allow list does not name.
    pub fn new(architecture: &str, sources: Vec<PackageSource>) -> Self {
        let mention = number_names(&sources);
        let mut entries = Vec::new();
        for (number, source) in sources.into_iter().enumerate() {
            let PackageSource { index, priority, allow } = source;
            let wanted = |package: &BinaryPackage| {
                priority >= 0
                    && (package.architecture() == architecture || package.architecture() == "all")
                    && allow.as_ref().is_none_or(|names| names.contains(package.name()))
            };
            let packages = index.into_packages().into_iter().filter(wanted);
            entries.extend(packages.map(|package| Entry { package, name: NameId(0), source: number, priority }));
        }
        entries.sort_by(|a, b| {
            let by_name = a.package.name().cmp(b.package.name());
            let by_priority = || b.priority.cmp(&a.priority);
            by_name.then_with(by_priority).then_with(|| b.package.version().cmp(a.package.version()))
        });
        entries.dedup_by(|later, earlier| {
            later.package.name() == earlier.package.name() && later.package.version() == earlier.package.version()
        });
        let names = number_entries(&mut entries);
        let provisions = collect_provisions(&entries, &mention);
        Self { architecture: architecture.to_owned(), entries, names, provisions }
    }

    /// Debian's name of the architecture.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The packages of a name, the one apt prefers first.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = &BinaryPackage> {
        let found = self.name(name).map(|name| self.ids_of(name)).into_iter().flatten();
        found.map(|id| self.package(id))
    }

    /// The packages that provide a virtual package, the one apt prefers first, each once.
    pub fn providers(&self, name: &str) -> Vec<&BinaryPackage> {
        let mut seen = BTreeSet::new();
        let owners = self.provisions_of(name).iter().map(|provision| provision.owner);
        owners.filter(|owner| seen.insert(*owner)).map(|owner| self.package(owner)).collect()
    }

    /// Every name of a package or virtual package, in order, possibly twice.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &str> {
        let real = (0..self.names.len()).map(|number| self.name_text(NameId(number as u32)));
        real.chain(self.provisions.iter().map(|provision| &*provision.name))
    }

    /// Every package.
    pub(super) fn ids(&self) -> impl Iterator<Item = PackageId> + use<> {
        (0..self.entries.len() as u32).map(PackageId)
    }

    /// Of each name the package apt prefers.
    pub(super) fn candidates(&self) -> impl Iterator<Item = PackageId> {
        self.names.iter().map(|name| PackageId(name.first as u32))
    }

    /// How many names there are.
    pub(super) fn name_count(&self) -> usize {
        self.names.len()
    }

    /// The name as written, if there is a package of it.
    pub(super) fn name(&self, name: &str) -> Option<NameId> {
        let found = self
            .names
            .binary_search_by(|entry| self.entries.get(entry.first).map_or("", |entry| entry.package.name()).cmp(name));
        found.ok().map(|number| NameId(number as u32))
    }

    /// The text of a name.
    pub(super) fn name_text(&self, name: NameId) -> &str {
        self.ids_of(name).next().map_or("", |id| self.package(id).name())
    }

    /// The packages of a name, the one apt prefers first.
    pub(super) fn ids_of(&self, name: NameId) -> impl Iterator<Item = PackageId> + use<> {
        let (first, end) = self.names.get(name.number()).map_or((0, 0), |name| (name.first, name.end));
        (first as u32..end as u32).map(PackageId)
    }

    /// A package. Ids come from this universe alone, so there always is one.
    pub(super) fn package(&self, id: PackageId) -> &BinaryPackage {
        &self.entries[id.number()].package
    }

    /// The name of a package.
    pub(super) fn name_of(&self, id: PackageId) -> NameId {
        self.entries[id.number()].name
    }

    /// The number of the source a package comes from.
    pub(super) fn source_of(&self, id: PackageId) -> usize {
        self.entries[id.number()].source
    }

    /// What satisfies a relation: packages of the name itself, then those that provide it, each in apt's order.
    pub(super) fn targets(&self, relation: &Relation) -> Vec<PackageId> {
        let mut targets = Vec::new();
        let real = self.name(&relation.name).map(|name| self.ids_of(name)).into_iter().flatten();
        targets.extend(real.filter(|&id| self.is_real_target(id, relation)));
        for provision in self.provisions_of(&relation.name) {
            if self.is_provided_target(provision, relation) && !targets.contains(&provision.owner) {
                targets.push(provision.owner);
            }
        }
        targets
    }

    fn is_real_target(&self, id: PackageId, relation: &Relation) -> bool {
        let package = self.package(id);
        let architecture = match &relation.qualifier {
            None | Some(ArchQualifier::Native) => true,
            Some(ArchQualifier::Any) => package.multi_arch() == MultiArch::Allowed,
            Some(ArchQualifier::Architecture(wanted)) => **wanted == *self.architecture,
        };
        architecture && relation.admits(package.version())
    }

    /// An unversioned provision satisfies no constraint (Debian Policy 7.5).
    fn is_provided_target(&self, provision: &Provision, relation: &Relation) -> bool {
        let architecture = match &relation.qualifier {
            None | Some(ArchQualifier::Native) => !provision.any_architecture,
            Some(ArchQualifier::Any) => {
                provision.any_architecture || self.package(provision.owner).multi_arch() == MultiArch::Allowed
            }
            Some(ArchQualifier::Architecture(wanted)) => **wanted == *self.architecture,
        };
        architecture
            && match (&relation.constraint, &provision.version) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(constraint), Some(version)) => constraint.is_satisfied_by(version),
            }
    }

    fn provisions_of(&self, name: &str) -> &[Provision] {
        let start = self.provisions.partition_point(|provision| *provision.name < *name);
        let rest = self.provisions.get(start..).unwrap_or_default();
        let length = rest.partition_point(|provision| *provision.name == *name);
        rest.get(..length).unwrap_or_default()
    }
}

/// Numbers every name in the order in which the indexes mention it, as apt's cache does.
fn number_names(sources: &[PackageSource]) -> HashMap<Box<str>, u32> {
    let mut numbers = HashMap::new();
    for name in sources.iter().flat_map(|source| source.index.mentioned()) {
        let next = numbers.len() as u32;
        numbers.entry(name.clone()).or_insert(next);
    }
    numbers
}

fn number_entries(entries: &mut [Entry]) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for (first, group) in chunk_bounds(entries) {
        let id = NameId(names.len() as u32);
        names.push(Name { first, end: first + group });
        for entry in entries.iter_mut().skip(first).take(group) {
            entry.name = id;
        }
    }
    names
}

/// Start and length of each run of entries with the same name.
fn chunk_bounds(entries: &[Entry]) -> Vec<(usize, usize)> {
    let mut start = 0;
    let runs = entries.chunk_by(|a, b| a.package.name() == b.package.name());
    runs.map(|run| {
        let bounds = (start, run.len());
        start += run.len();
        bounds
    })
    .collect()
}

/// Provisions sorted by virtual name and then as apt prefers providers: essential and protected ones, then by archive
/// priority, then the one whose name was mentioned last.
fn collect_provisions(entries: &[Entry], mention: &HashMap<Box<str>, u32>) -> Vec<Provision> {
    let mut provisions = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        // A malformed field provides nothing; apt stops at it, too.
        for group in entry.package.relations(RelationKind::Provides).unwrap_or_default() {
            for Relation { name, qualifier, constraint, .. } in group.0 {
                let any_architecture = qualifier == Some(ArchQualifier::Any);
                let version = constraint.map(|constraint| constraint.version);
                provisions.push(Provision { name, any_architecture, version, owner: PackageId(number as u32) });
            }
        }
    }
    let preference = |provision: &Provision| {
        let entry = entries.get(provision.owner.number());
        entry.map(|entry| {
            let package = &entry.package;
            let mentioned = mention.get(package.name()).copied();
            (!package.is_essential(), !package.is_protected(), package.priority(), Reverse(mentioned), provision.owner)
        })
    };
    provisions.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| preference(a).cmp(&preference(b))));
    provisions
}
