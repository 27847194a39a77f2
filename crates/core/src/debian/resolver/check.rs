//! The independent check that a set of packages is consistent: it knows nothing of how the set was found.

use std::collections::BTreeSet;

use super::Goals;
use super::relations::RelationCache;
use super::universe::{PackageId, Universe};

/// Something that is wrong with a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// Something asked for is not there.
    Absent,
    /// A dependency of this package is not satisfied.
    Unsatisfied(PackageId),
    /// The first package cannot be with the second.
    Conflict(PackageId, PackageId),
}

/// Everything that is wrong with `chosen`; empty when dpkg would take it.
pub(super) fn problems(
    universe: &Universe,
    relations: &RelationCache<'_>,
    chosen: &BTreeSet<PackageId>,
    goals: &Goals,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let wanted = goals.base.iter().chain(&goals.named);
    problems.extend(wanted.filter(|id| !chosen.contains(id)).map(|_| Problem::Absent));
    // A kept package may give way to another version of itself, but not vanish.
    let names: BTreeSet<_> = chosen.iter().map(|&id| universe.name_of(id)).collect();
    let kept = goals.kept.iter().filter(|&&id| !names.contains(&universe.name_of(id)));
    problems.extend(kept.map(|_| Problem::Absent));
    let groups = goals.groups.iter().filter(|want| !want.all_targets().any(|target| chosen.contains(&target)));
    problems.extend(groups.map(|_| Problem::Absent));
    for &id in chosen {
        let relations = relations.of(id);
        let unsatisfied = |want: &&super::relations::Want| {
            want.is_critical() && !want.all_targets().any(|target| chosen.contains(&target))
        };
        if relations.malformed.is_some() || relations.wants.iter().find(unsatisfied).is_some() {
            problems.push(Problem::Unsatisfied(id));
        }
        let refused = relations.refusals.iter().flat_map(|refusal| &refusal.targets);
        problems.extend(refused.filter(|target| chosen.contains(target)).map(|&target| Problem::Conflict(id, target)));
    }
    problems
}
