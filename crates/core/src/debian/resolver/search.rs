//! The complete search, for requests at which apt's greedy way gets stuck.
//!
//! Every version of every package is a candidate here, apt's preference comes first, and resolvo's solver goes through the
//! rest: either there is a set, or there is none.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;

use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, DenseIndex as _, Dependencies, DependencyProvider,
    HintDependenciesAvailable, Interner, KnownDependencies, Problem, SolvableId, Solver, SolverCache, StringId,
    VersionSetId, VersionSetUnionId,
};

use super::Goals;
use super::relations::{RelationCache, Want};
use super::universe::{NameId, PackageId, Universe};

/// A set of packages that satisfies `goals`, in order; `None` when there is none.
pub(super) fn search(universe: &Universe, relations: &RelationCache<'_>, goals: &Goals) -> Option<Vec<PackageId>> {
    let provider = Provider { universe, relations, kept: kept(universe, goals), sets: RefCell::default() };
    let mut requirements = Vec::new();
    for &id in goals.base.iter().chain(&goals.named) {
        requirements.push(provider.sets.borrow_mut().single(universe.name_of(id), vec![id]).into());
    }
    for &id in &goals.kept {
        let name = universe.name_of(id);
        requirements.push(provider.sets.borrow_mut().single(name, universe.ids_of(name).collect()).into());
    }
    for want in &goals.groups {
        requirements.push(provider.requirement(want)?);
    }
    let solution = Solver::new(provider).solve(Problem::new().requirements(requirements)).ok()?;
    let mut chosen: Vec<PackageId> = solution.into_iter().map(|id| PackageId::from_number(id.to_index())).collect();
    chosen.sort_unstable();
    Some(chosen)
}

fn kept(universe: &Universe, goals: &Goals) -> BTreeMap<NameId, PackageId> {
    goals.kept.iter().map(|&id| (universe.name_of(id), id)).collect()
}

/// Shows the universe to the solver. Its ids are the solver's.
struct Provider<'u> {
    universe: &'u Universe,
    relations: &'u RelationCache<'u>,
    kept: BTreeMap<NameId, PackageId>,
    sets: RefCell<Sets>,
}

/// Sets of packages of one name, and unions of them, by number.
#[derive(Default)]
struct Sets {
    sets: Vec<(NameId, Vec<PackageId>)>,
    unions: Vec<Vec<VersionSetId>>,
}

impl Sets {
    fn single(&mut self, name: NameId, members: Vec<PackageId>) -> VersionSetId {
        self.sets.push((name, members));
        VersionSetId::from_index(self.sets.len() - 1)
    }
}

impl Provider<'_> {
    /// The alternatives of a want, in order; `None` when there is nothing that satisfies it.
    fn requirement(&self, want: &Want) -> Option<ConditionalRequirement> {
        let mut by_name: Vec<(NameId, Vec<PackageId>)> = Vec::new();
        for target in want.all_targets() {
            let name = self.universe.name_of(target);
            match by_name.iter_mut().find(|(known, _)| *known == name) {
                Some((_, members)) => members.push(target),
                None => by_name.push((name, vec![target])),
            }
        }
        let mut sets = self.sets.borrow_mut();
        let mut ids: Vec<VersionSetId> =
            by_name.into_iter().map(|(name, members)| sets.single(name, members)).collect();
        if ids.len() <= 1 {
            return ids.pop().map(Into::into);
        }
        sets.unions.push(ids);
        Some(VersionSetUnionId::from_index(sets.unions.len() - 1).into())
    }

    fn dependencies(&self, id: PackageId) -> Option<KnownDependencies> {
        let relations = self.relations.of(id);
        if relations.malformed.is_some() {
            return None;
        }
        let wants = relations.wants.iter().filter(|want| want.is_critical());
        let requirements = wants.map(|want| self.requirement(want)).collect::<Option<Vec<_>>>()?;
        let mut refused: BTreeMap<NameId, Vec<PackageId>> = BTreeMap::new();
        for &target in relations.refusals.iter().flat_map(|refusal| &refusal.targets) {
            refused.entry(self.universe.name_of(target)).or_default().push(target);
        }
        let mut sets = self.sets.borrow_mut();
        let mut allow_others = |(name, refused): (NameId, Vec<PackageId>)| {
            let others = self.universe.ids_of(name).filter(|id| !refused.contains(id)).collect();
            sets.single(name, others)
        };
        Some(KnownDependencies { requirements, constrains: refused.into_iter().map(&mut allow_others).collect() })
    }

    fn members(&self, set: VersionSetId) -> (NameId, Vec<PackageId>) {
        self.sets.borrow().sets.get(set.to_index()).cloned().unwrap_or_default()
    }
}

fn package(id: SolvableId) -> PackageId {
    PackageId::from_number(id.to_index())
}

fn solvable(id: PackageId) -> SolvableId {
    SolvableId::from_index(id.number())
}

// The texts serve the solver's own explanations, which are not used: see `explain`.
impl Interner for Provider<'_> {
    type NameId = resolvo::NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, id: SolvableId) -> impl Display + '_ {
        self.universe.package(package(id)).version()
    }

    fn display_name(&self, name: resolvo::NameId) -> impl Display + '_ {
        self.universe.name_text(NameId::from_number(name.to_index()))
    }

    fn display_version_set(&self, set: VersionSetId) -> impl Display + '_ {
        set.to_index()
    }

    fn display_string(&self, _: StringId) -> impl Display + '_ {
        "its dependencies cannot be satisfied"
    }

    fn version_set_name(&self, set: VersionSetId) -> resolvo::NameId {
        resolvo::NameId::from_index(self.members(set).0.number())
    }

    fn solvable_name(&self, id: SolvableId) -> resolvo::NameId {
        resolvo::NameId::from_index(self.universe.name_of(package(id)).number())
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.sets.borrow().unions.get(union.to_index()).cloned().unwrap_or_default().into_iter()
    }

    fn resolve_condition(&self, _: ConditionId) -> Condition {
        // No requirement is made with a condition.
        Condition::Requirement(VersionSetId::from_index(0))
    }
}

// The solver's trait is asynchronous; nothing here ever waits.
impl DependencyProvider for Provider<'_> {
    async fn filter_candidates(&self, candidates: &[SolvableId], set: VersionSetId, inverse: bool) -> Vec<SolvableId> {
        let (_, members) = self.members(set);
        candidates.iter().copied().filter(|&id| members.contains(&package(id)) != inverse).collect()
    }

    async fn get_candidates(&self, name: resolvo::NameId) -> Option<Candidates> {
        let name = NameId::from_number(name.to_index());
        Some(Candidates {
            candidates: self.universe.ids_of(name).map(solvable).collect(),
            favored: self.kept.get(&name).copied().map(solvable),
            hint_dependencies_available: HintDependenciesAvailable::All,
            ..Candidates::default()
        })
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, candidates: &mut [SolvableId]) {
        candidates.sort_by_key(|id| id.to_index());
    }

    async fn get_dependencies(&self, id: SolvableId) -> Dependencies {
        match self.dependencies(package(id)) {
            Some(known) => Dependencies::Known(known),
            None => Dependencies::Unknown(StringId::from_index(0)),
        }
    }
}
