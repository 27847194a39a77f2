//! What is asked of the resolver.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::error::ResolveError;
use super::relations::RelationCache;
use super::suggest;
use super::universe::{PackageId, Universe};
use super::{Goals, Want};
use crate::debian::relation::{OrGroup, ParseRelationError, Relation, RelationKind, is_package_name};
use crate::debian::version::{DebVersion, ParseVersionError};

/// The packages that a resolution starts from, before those asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Base {
    /// None: a set that dpkg alone may not be able to configure.
    Nothing,
    /// The essential packages and what they need.
    Essential,
    /// The essential packages, apt, and what they need: the variant `apt` of mmdebstrap.
    #[default]
    Minbase,
}

/// A request for packages.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What the resolution starts from.
    pub base: Base,
    /// The packages asked for; their order counts, as on apt's command line.
    pub packages: Vec<PackageRequest>,
    /// Whether recommended packages of those asked for are taken, too.
    pub recommends: bool,
    /// Name and version of packages that are there already, those of a parent image or of a base: they stay. A version that the
    /// universe no longer has gives way to the one apt prefers.
    pub kept: Vec<(String, DebVersion)>,
}

/// One package asked for: `name`, `name=version`, `name (>= version)` or alternatives `a | b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRequest(OrGroup);

/// Why a text asks for no package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseRequestError {
    /// What follows `name=` is no version.
    #[error("malformed version of the package `{name}`")]
    Version {
        /// The package.
        name: String,
        /// What is wrong.
        source: ParseVersionError,
    },
    /// Neither a package name nor alternatives.
    #[error("`{text}` is neither a package name nor alternatives")]
    Relation {
        /// The text.
        text: String,
        /// What is wrong.
        source: ParseRelationError,
    },
}

impl FromStr for PackageRequest {
    type Err = ParseRequestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_ascii();
        if let Some((name, version)) = text.split_once('=').filter(|(name, _)| is_package_name(name)) {
            let malformed = |source| ParseRequestError::Version { name: name.to_owned(), source };
            let version = version.parse().map_err(malformed)?;
            return Ok(Self(OrGroup(vec![Relation::exactly(name, version)])));
        }
        let malformed = |source| ParseRequestError::Relation { text: text.to_owned(), source };
        OrGroup::parse(text).map(Self).map_err(malformed)
    }
}

impl fmt::Display for PackageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Finds what a request speaks of.
pub(super) fn goals(
    universe: &Universe,
    relations: &RelationCache<'_>,
    request: &Request,
) -> Result<Goals, ResolveError> {
    let kept: Vec<PackageId> =
        request.kept.iter().filter_map(|(name, version)| kept(universe, name, version)).collect();
    let mut goals = Goals { base: Vec::new(), kept, named: Vec::new(), groups: Vec::new() };
    for PackageRequest(group) in &request.packages {
        match &group.0[..] {
            [relation] => {
                // What is there already and will do is taken, as it is.
                let there = goals.kept.iter().copied().find(|&id| {
                    universe.package(id).name() == &*relation.name && relation.admits(universe.package(id).version())
                });
                let id = there.map_or_else(|| named(universe, relation), Ok)?;
                if !goals.named.contains(&id) {
                    goals.named.push(id);
                }
            }
            _ => goals.groups.push(alternatives(universe, relations, group)?),
        }
    }
    goals.base = base(universe, request.base, &goals)?;
    Ok(goals)
}

/// The kept version, else the one apt prefers; nothing when the package has left the archive.
fn kept(universe: &Universe, name: &str, version: &DebVersion) -> Option<PackageId> {
    let ids = || universe.name(name).map(|name| universe.ids_of(name)).into_iter().flatten();
    ids().find(|&id| universe.package(id).version() == version).or_else(|| ids().next())
}

/// The one package a name or `name=version` means, as apt understands it: a virtual package that a single package
/// provides stands for that one.
fn named(universe: &Universe, relation: &Relation) -> Result<PackageId, ResolveError> {
    let targets = universe.targets(relation);
    let real = targets.iter().find(|&&id| universe.package(id).name() == &*relation.name);
    if let Some(&real) = real {
        return Ok(real);
    }
    let Some(name) = universe.name(&relation.name) else {
        return virtual_package(universe, relation, &targets);
    };
    Err(ResolveError::NoSuchVersion {
        wanted: relation.to_string(),
        available: universe.ids_of(name).map(|id| universe.package(id).version().to_string()).collect(),
    })
}

fn virtual_package(universe: &Universe, relation: &Relation, targets: &[PackageId]) -> Result<PackageId, ResolveError> {
    let mut providers: Vec<&str> = universe.providers(&relation.name).iter().map(|package| package.name()).collect();
    providers.sort_unstable();
    providers.dedup();
    match (targets, &providers[..]) {
        ([only, ..], [_]) => Ok(*only),
        (_, []) => Err(ResolveError::UnknownPackage {
            name: relation.name.to_string(),
            similar: suggest::similar_names(universe, &relation.name),
        }),
        _ => Err(ResolveError::VirtualPackage {
            name: relation.name.to_string(),
            providers: providers.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// Alternatives need one that exists; the others may be of another suite.
fn alternatives(universe: &Universe, relations: &RelationCache<'_>, group: &OrGroup) -> Result<Want, ResolveError> {
    let want = relations.want(RelationKind::Depends, group.clone());
    if want.all_targets().next().is_none() {
        for relation in &group.0 {
            named(universe, relation)?;
        }
    }
    Ok(want)
}

/// The packages of the base in order of their names, at the versions asked for where they are asked for.
fn base(universe: &Universe, base: Base, goals: &Goals) -> Result<Vec<PackageId>, ResolveError> {
    if base == Base::Nothing {
        return Ok(Vec::new());
    }
    let mut ids: Vec<PackageId> = universe.candidates().filter(|&id| universe.package(id).is_essential()).collect();
    if base == Base::Minbase {
        ids.push(named(universe, &Relation::any_version("apt"))?);
    }
    let fixed: BTreeSet<PackageId> = goals.kept.iter().chain(&goals.named).copied().collect();
    for id in &mut ids {
        let name = universe.name_of(*id);
        *id = universe.ids_of(name).find(|version| fixed.contains(version)).unwrap_or(*id);
    }
    Ok(ids)
}
