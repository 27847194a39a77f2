//! Marking packages for installation in the order in which `apt-get install` does.
//!
//! This follows the behaviour of apt 2.6's `pkgDepCache::MarkInstall`: depth first, the candidate version alone, the
//! first alternative that can be marked, what is marked already before anything new. It gives no proof that nothing
//! else would do: where it gets stuck, [`super::search`] takes over.

use std::rc::Rc;

use super::relations::{RelationCache, Relations, Want};
use super::universe::{NameId, PackageId, Universe};

/// How deep dependencies may nest; apt has the same limit.
const MAX_DEPTH: usize = 3000;

/// What is decided about one name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    /// The version that may be installed.
    pub(super) candidate: Option<PackageId>,
    /// The version that will be there.
    pub(super) chosen: Option<PackageId>,
    /// The version that was there before: the base system's or the parent image's.
    pub(super) present: Option<PackageId>,
    /// Whether the decision must not be taken back.
    protected: bool,
}

/// Marks of every name, and the means to decide more.
pub(super) struct Marking<'u> {
    universe: &'u Universe,
    relations: &'u RelationCache<'u>,
    recommends: bool,
    marks: Vec<Mark>,
}

impl<'u> Marking<'u> {
    /// Nothing chosen; the candidate of each name is the version apt prefers.
    pub(super) fn new(universe: &'u Universe, relations: &'u RelationCache<'u>) -> Self {
        let mut marks = vec![Mark::default(); universe.name_count()];
        for id in universe.ids() {
            if let Some(mark) = marks.get_mut(universe.name_of(id).number()) {
                mark.candidate = mark.candidate.or(Some(id));
            }
        }
        Self { universe, relations, recommends: false, marks }
    }

    /// From here on, recommended packages are wanted, too.
    pub(super) fn set_recommends(&mut self, recommends: bool) {
        self.recommends = recommends;
    }

    /// Makes a version the candidate of its name.
    pub(super) fn set_candidate(&mut self, id: PackageId) {
        self.mark_mut(self.universe.name_of(id)).candidate = Some(id);
    }

    /// Takes a version as being there.
    pub(super) fn set_present(&mut self, id: PackageId) {
        let mark = self.mark_mut(self.universe.name_of(id));
        (mark.present, mark.chosen) = (Some(id), Some(id));
    }

    /// Takes everything chosen so far as being there, and protects nothing any more.
    pub(super) fn settle(&mut self) {
        for mark in &mut self.marks {
            (mark.present, mark.protected) = (mark.chosen, false);
        }
    }

    /// What is chosen, in order of names.
    pub(super) fn chosen(&self) -> impl Iterator<Item = PackageId> {
        self.marks.iter().filter_map(|mark| mark.chosen)
    }

    /// Whether this very version is chosen.
    pub(super) fn is_chosen(&self, id: PackageId) -> bool {
        self.mark(self.universe.name_of(id)).chosen == Some(id)
    }

    /// Whether something chosen satisfies the want.
    pub(super) fn is_satisfied(&self, want: &Want) -> bool {
        want.all_targets().any(|target| self.is_chosen(target))
    }

    /// Asks for packages as the command line of `apt-get install` does: all of them are marked before the dependencies of
    /// the first are looked at.
    pub(super) fn install_requested(&mut self, requested: &[PackageId]) {
        for &id in requested {
            let mark = self.mark_mut(self.universe.name_of(id));
            (mark.candidate, mark.chosen, mark.protected) = (Some(id), Some(id), true);
        }
        for &id in requested {
            self.install(self.universe.name_of(id), true, 0);
        }
    }

    /// Adds what packages that are chosen recommend, where that takes nothing back.
    pub(super) fn install_recommended(&mut self, ids: &[PackageId]) {
        self.recommends = true;
        for &id in ids.iter().filter(|&&id| self.is_chosen(id)).collect::<Vec<_>>() {
            self.install(self.universe.name_of(id), true, 0);
        }
    }

    /// Chooses one of the alternatives of a want that nothing chosen satisfies yet.
    pub(super) fn install_one_of(&mut self, want: &Want) -> bool {
        self.is_satisfied(want) || self.install_first_solution(want, false, 0)
    }

    fn mark(&self, name: NameId) -> Mark {
        self.marks.get(name.number()).copied().unwrap_or_default()
    }

    /// Names come from the universe, for each name of which there is a mark.
    fn mark_mut(&mut self, name: NameId) -> &mut Mark {
        &mut self.marks[name.number()]
    }

    /// Marks the candidate of a name and what it needs; `false` when that cannot be.
    fn install(&mut self, name: NameId, from_user: bool, depth: usize) -> bool {
        let mark = self.mark(name);
        let marked = mark.chosen.is_some() && mark.chosen == mark.candidate;
        if depth > MAX_DEPTH || (mark.protected && !marked && !from_user) {
            return false;
        }
        let Some(candidate) = mark.candidate else { return false };
        if marked && !mark.protected {
            return true;
        }
        let relations = self.relations.of(candidate);
        if relations.malformed.is_some() {
            return false;
        }
        let fail_early = !mark.protected && !from_user;
        let mut complete = self.clear_conflicts(&relations, mark.protected, from_user);
        if !complete && fail_early {
            return false;
        }
        self.mark_mut(name).chosen = Some(candidate);
        complete &= self.install_dependencies(name, &relations, mark.protected, from_user, depth);
        if !complete && fail_early {
            self.discard(name);
        }
        complete
    }

    /// While a package's dependencies are decided, nothing deeper may take the package itself back.
    fn install_dependencies(
        &mut self,
        name: NameId,
        relations: &Rc<Relations>,
        protected: bool,
        from_user: bool,
        depth: usize,
    ) -> bool {
        // What a package that is there already recommends was left out on purpose.
        let mark = self.mark(name);
        let recommends = self.recommends && (mark.present.is_none() || mark.present != mark.chosen);
        let wanted: Vec<&Want> = relations
            .wants
            .iter()
            .filter(|want| (want.is_critical() || recommends) && (protected || !self.is_satisfied(want)))
            .collect();
        self.mark_mut(name).protected = true;
        let mut complete = true;
        for want in wanted {
            if self.install_dependency(want, protected, depth) {
                continue;
            }
            complete = false;
            if !protected && !from_user {
                break;
            }
        }
        self.mark_mut(name).protected = protected;
        complete
    }

    /// Decides one want of a package; `false` when one that must be cannot be.
    fn install_dependency(&mut self, want: &Want, protected: bool, depth: usize) -> bool {
        if !self.is_satisfied(want) {
            return self.install_first_solution(want, protected, depth) || !want.is_critical();
        }
        if protected && want.is_critical() {
            return self.protect_only_solution(want, depth);
        }
        true
    }

    /// What a protected package needs without a choice is protected, too.
    fn protect_only_solution(&mut self, want: &Want, depth: usize) -> bool {
        let mut names: Vec<PackageId> = want.all_targets().filter(|&id| self.is_candidate_or_present(id)).collect();
        names.sort_unstable();
        names.dedup();
        let [only] = names[..] else { return true };
        let name = self.universe.name_of(only);
        if self.mark(name).protected {
            return true;
        }
        self.mark_mut(name).protected = true;
        self.install(name, false, depth + 1)
    }

    fn install_first_solution(&mut self, want: &Want, protected: bool, depth: usize) -> bool {
        let solutions = self.solutions(want);
        for &solution in &solutions {
            let name = self.universe.name_of(solution);
            if self.mark(name).candidate != Some(solution) {
                continue;
            }
            if protected && want.is_critical() && solutions.len() == 1 {
                let mark = self.mark(name);
                if mark.protected && mark.chosen != Some(solution) {
                    continue;
                }
                let mark = self.mark_mut(name);
                (mark.chosen, mark.protected) = (Some(solution), true);
            }
            if self.install(name, false, depth + 1) {
                return true;
            }
        }
        false
    }

    /// The candidates that satisfy a want: those whose name is there in another version first, then in order of the
    /// alternatives; without those that a protected decision excludes.
    fn solutions(&self, want: &Want) -> Vec<PackageId> {
        let mut solutions: Vec<PackageId> = want.all_targets().filter(|&id| self.is_candidate(id)).collect();
        solutions.sort_by_key(|&id| self.mark(self.universe.name_of(id)).present.is_none());
        solutions.dedup();
        solutions.retain(|&id| {
            let mark = self.mark(self.universe.name_of(id));
            !(mark.protected && mark.chosen.is_none())
        });
        solutions
    }

    fn is_candidate(&self, id: PackageId) -> bool {
        self.mark(self.universe.name_of(id)).candidate == Some(id)
    }

    fn is_candidate_or_present(&self, id: PackageId) -> bool {
        self.is_candidate(id) || self.mark(self.universe.name_of(id)).present == Some(id)
    }

    /// Takes back what a package to be installed cannot be with; `false` when that is protected.
    fn clear_conflicts(&mut self, relations: &Relations, protected: bool, from_user: bool) -> bool {
        let mut cleared = true;
        for target in relations.refusals.iter().flat_map(|refusal| &refusal.targets).copied() {
            if !self.is_candidate_or_present(target) {
                continue;
            }
            let name = self.universe.name_of(target);
            if self.is_chosen(target) && !self.withdraw(name) {
                cleared = false;
                if !protected && !from_user {
                    return false;
                }
            } else if protected {
                let mark = self.mark_mut(name);
                (mark.candidate, mark.protected) = (None, true);
            }
        }
        cleared
    }

    /// Takes the choice of a name back, unless it is protected or part of every system.
    fn withdraw(&mut self, name: NameId) -> bool {
        let mark = self.mark(name);
        let essential = mark.present.is_some_and(|id| self.universe.package(id).is_essential());
        if mark.protected || essential {
            return false;
        }
        let mark = self.mark_mut(name);
        (mark.chosen, mark.present) = (None, None);
        true
    }

    /// Gives a package up that cannot be installed; it is not tried again.
    fn discard(&mut self, name: NameId) {
        let mark = self.mark_mut(name);
        (mark.chosen, mark.candidate) = (mark.present, mark.present);
    }
}
