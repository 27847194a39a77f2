//! The chain from a request to what stands in its way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Goals;
use super::error::{Obstacle, ResolveError};
use super::relations::{RelationCache, Want};
use super::universe::{PackageId, Universe};
use crate::debian::relation::RelationKind;

/// Explains why `goals` cannot be satisfied: by a dependency that nothing satisfies, else by a conflict among what they
/// need.
pub(super) fn explain(universe: &Universe, relations: &RelationCache<'_>, goals: &Goals) -> ResolveError {
    let firsts = goals.groups.iter().filter_map(|want| want.all_targets().next());
    let requested = goals.named.iter().copied().chain(firsts).collect();
    let explainer = Explainer { universe, relations, requested };
    let roots: Vec<PackageId> = goals.named.iter().chain(&goals.kept).chain(&goals.base).copied().collect();
    let mut hopeless = Hopeless::default();
    for &root in &roots {
        if explainer.is_hopeless(root, &mut hopeless) {
            let chain = explainer.missing_chain(root, &hopeless);
            return explainer.unsatisfiable(root, chain);
        }
    }
    explainer.first_conflict(&roots, &goals.groups)
}

/// Packages with a dependency that nothing satisfies, at any depth, and those known to have none.
#[derive(Default)]
struct Hopeless {
    yes: BTreeSet<PackageId>,
    seen: BTreeSet<PackageId>,
}

/// By whom and how a package came to be needed; `None` for what was asked for.
type Parents = BTreeMap<PackageId, Option<Link>>;

#[derive(Clone)]
struct Link {
    of: PackageId,
    kind: RelationKind,
    relation: String,
}

struct Explainer<'a> {
    universe: &'a Universe,
    relations: &'a RelationCache<'a>,
    /// What was asked for.
    requested: BTreeSet<PackageId>,
}

impl Explainer<'_> {
    fn unsatisfiable(&self, root: PackageId, chain: Vec<Obstacle>) -> ResolveError {
        ResolveError::Unsatisfiable { package: self.universe.package(root).name().to_owned(), chain }
    }

    /// Whether a dependency of the package, at any depth, has nothing that satisfies it. Looks at what can be reached
    /// once, then spreads hopelessness backwards until nothing changes.
    fn is_hopeless(&self, root: PackageId, hopeless: &mut Hopeless) -> bool {
        let mut queue = VecDeque::from([root]);
        let mut reached = Vec::new();
        while let Some(id) = queue.pop_front() {
            if hopeless.seen.insert(id) {
                reached.push(id);
                queue.extend(critical(&self.relations.of(id).wants).flat_map(Want::all_targets));
            }
        }
        loop {
            let before = hopeless.yes.len();
            for &id in &reached {
                let relations = self.relations.of(id);
                let stuck = |want: &Want| want.all_targets().all(|target| hopeless.yes.contains(&target));
                if relations.malformed.is_some() || critical(&relations.wants).any(stuck) {
                    hopeless.yes.insert(id);
                }
            }
            if hopeless.yes.len() == before {
                return hopeless.yes.contains(&root);
            }
        }
    }

    /// Follows the first stuck dependency down to the one that nothing satisfies.
    fn missing_chain(&self, root: PackageId, hopeless: &Hopeless) -> Vec<Obstacle> {
        let mut chain = Vec::new();
        let mut visited = BTreeSet::new();
        let mut at = Some(root);
        while let Some(id) = at.take().filter(|&id| visited.insert(id)) {
            let package = self.universe.package(id).name().to_owned();
            let relations = self.relations.of(id);
            if let Some((kind, _)) = relations.malformed {
                chain.push(Obstacle::Malformed { package, kind });
                break;
            }
            let stuck = |want: &&Want| want.all_targets().all(|target| hopeless.yes.contains(&target));
            let Some(want) = critical(&relations.wants).find(stuck) else { break };
            chain.push(Obstacle::Needs { package, kind: want.kind, relation: want.group.to_string() });
            at = want.all_targets().next();
            if at.is_none() {
                chain.push(Obstacle::Missing { available: self.available(want) });
            }
        }
        chain
    }

    /// What there is under the names of a want, as `name version`.
    fn available(&self, want: &Want) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for relation in &want.group.0 {
            let real = self.universe.versions(&relation.name);
            let all = real.chain(self.universe.providers(&relation.name));
            found.extend(all.map(|package| format!("{} {}", package.name(), package.version())));
        }
        found
    }

    /// Walks what the roots need, first alternatives first, and reports the first pair that cannot be together.
    fn first_conflict(&self, roots: &[PackageId], groups: &[Want]) -> ResolveError {
        let mut parents = Parents::new();
        let mut names = BTreeMap::new();
        let first = groups.iter().filter_map(|want| want.all_targets().next());
        let mut queue: VecDeque<(PackageId, Option<Link>)> =
            roots.iter().copied().chain(first).map(|id| (id, None)).collect();
        while let Some((id, parent)) = queue.pop_front() {
            if parents.contains_key(&id) || names.contains_key(&self.universe.name_of(id)) {
                continue;
            }
            parents.insert(id, parent);
            names.insert(self.universe.name_of(id), id);
            if let Some(error) = self.conflict_with(id, &parents) {
                return error;
            }
            for want in critical(&self.relations.of(id).wants) {
                let satisfied = want.all_targets().any(|target| parents.contains_key(&target));
                if let Some(target) = want.all_targets().next().filter(|_| !satisfied) {
                    let link = Link { of: id, kind: want.kind, relation: want.group.to_string() };
                    queue.push_back((target, Some(link)));
                }
            }
        }
        let root = roots.first().copied();
        let package = root.map_or_else(String::new, |id| self.universe.package(id).name().to_owned());
        ResolveError::Unsatisfiable { package, chain: Vec::new() }
    }

    /// The conflict of a package with one that is needed, too.
    fn conflict_with(&self, id: PackageId, parents: &Parents) -> Option<ResolveError> {
        let (refuser, refused) = parents.keys().find_map(|&other| {
            let refuses = |a: PackageId, b: PackageId| {
                self.relations.of(a).refusals.iter().any(|refusal| refusal.targets.contains(&b))
            };
            if refuses(id, other) {
                Some((id, other))
            } else if refuses(other, id) {
                Some((other, id))
            } else {
                None
            }
        })?;
        let relations = self.relations.of(refuser);
        let refusal = relations.refusals.iter().find(|refusal| refusal.targets.contains(&refused))?;
        let (root, mut chain) = self.needs(refuser, parents);
        let (origin, because) = self.needs(refused, parents);
        chain.push(Obstacle::Conflict {
            package: self.universe.package(refuser).name().to_owned(),
            kind: refusal.kind,
            relation: refusal.relation.to_string(),
            other: self.universe.package(refused).name().to_owned(),
            requested: self.requested.contains(&origin),
            because,
        });
        Some(self.unsatisfiable(root, chain))
    }

    /// The request that a package goes back to, and the needs from there to it.
    fn needs(&self, id: PackageId, parents: &Parents) -> (PackageId, Vec<Obstacle>) {
        let (mut at, mut needs) = (id, Vec::new());
        while let Some(Some(Link { of, kind, relation })) = parents.get(&at) {
            let package = self.universe.package(*of).name().to_owned();
            needs.push(Obstacle::Needs { package, kind: *kind, relation: relation.clone() });
            at = *of;
        }
        needs.reverse();
        (at, needs)
    }
}

/// Wants that must be satisfied.
fn critical(wants: &[Want]) -> impl Iterator<Item = &Want> {
    wants.iter().filter(|want| want.is_critical())
}
