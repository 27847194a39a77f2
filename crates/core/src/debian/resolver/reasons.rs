//! Why each package is there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use super::Goals;
use super::relations::{RelationCache, Want};
use super::universe::{PackageId, Universe};
use crate::debian::relation::RelationKind;

/// Why a package is part of a resolution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Every system has it, or it belongs to the base (apt).
    Base,
    /// The parent image has it.
    Kept,
    /// It was asked for.
    Requested,
    /// Another package of the resolution needs it.
    Dependency {
        /// The name of that package, the one closest to a request.
        of: String,
        /// How it needs it.
        kind: RelationKind,
        /// The relation as written, such as `libc6 (>= 2.38)`.
        relation: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Base => f.write_str("part of the base system"),
            Reason::Kept => f.write_str("part of the parent image"),
            Reason::Requested => f.write_str("requested"),
            Reason::Dependency { of, kind, relation } => write!(f, "{of} {} {relation}", kind.verb()),
        }
    }
}

/// What of the marked packages is needed for the goals. Marking can leave packages behind that served a path it gave up.
pub(super) fn needed(
    universe: &Universe,
    relations: &RelationCache<'_>,
    marked: &BTreeSet<PackageId>,
    goals: &Goals,
) -> BTreeSet<PackageId> {
    // A kept package may have been upgraded: it is the name that stays.
    let root = |&id: &PackageId| universe.ids_of(universe.name_of(id)).find(|id| marked.contains(id));
    let roots = goals.base.iter().chain(&goals.kept).chain(&goals.named);
    let mut queue: VecDeque<PackageId> = roots.filter_map(root).collect();
    queue.extend(goals.groups.iter().flat_map(Want::all_targets).filter(|id| marked.contains(id)));
    let mut reached: BTreeSet<PackageId> = queue.iter().copied().collect();
    while let Some(id) = queue.pop_front() {
        for target in relations.of(id).wants.iter().flat_map(Want::all_targets) {
            if marked.contains(&target) && reached.insert(target) {
                queue.push_back(target);
            }
        }
    }
    reached
}

/// The reason of each chosen package: the shortest way from what was asked for, ties broken by the order of requests and
/// of relations.
pub(super) fn reasons(
    universe: &Universe,
    relations: &RelationCache<'_>,
    chosen: &BTreeSet<PackageId>,
    goals: &Goals,
) -> BTreeMap<PackageId, Reason> {
    let mut reasons: BTreeMap<PackageId, Reason> = BTreeMap::new();
    let mut queue = VecDeque::new();
    let mut give = |id: PackageId, reason: Reason, reasons: &mut BTreeMap<PackageId, Reason>| {
        if chosen.contains(&id) && !reasons.contains_key(&id) {
            reasons.insert(id, reason);
            queue.push_back(id);
        }
    };
    let asked = goals.groups.iter().filter_map(|want| want.all_targets().find(|id| chosen.contains(id)));
    for id in goals.named.iter().copied().chain(asked) {
        give(id, Reason::Requested, &mut reasons);
    }
    for &id in &goals.base {
        give(id, Reason::Base, &mut reasons);
    }
    for &id in &goals.kept {
        let version = universe.ids_of(universe.name_of(id)).find(|version| chosen.contains(version));
        give(version.unwrap_or(id), Reason::Kept, &mut reasons);
    }
    while let Some(id) = queue.pop_front() {
        for want in &relations.of(id).wants {
            let Some(target) = want.all_targets().find(|target| chosen.contains(target)) else { continue };
            if reasons.contains_key(&target) {
                continue;
            }
            let of = universe.package(id).name().to_owned();
            reasons.insert(target, Reason::Dependency { of, kind: want.kind, relation: want.group.to_string() });
            queue.push_back(target);
        }
    }
    reasons
}
