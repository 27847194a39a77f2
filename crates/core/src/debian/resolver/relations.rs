//! The relations of packages that resolving looks at, parsed once each.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::universe::{PackageId, Universe};
use crate::debian::relation::{OrGroup, Relation, RelationKind};

/// Something a package wants: one of several alternatives.
#[derive(Debug)]
pub(super) struct Want {
    pub(super) kind: RelationKind,
    pub(super) group: OrGroup,
    /// For each alternative what satisfies it, in the order in which apt tries.
    pub(super) targets: Vec<Vec<PackageId>>,
}

/// Something a package cannot be with.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: RelationKind,
    pub(super) relation: Relation,
    /// What it excludes, but for packages of its own name.
    pub(super) targets: Vec<PackageId>,
}

/// The relations of one package, in the order in which apt reads the fields.
#[derive(Debug, Default)]
pub(super) struct Relations {
    pub(super) wants: Vec<Want>,
    pub(super) refusals: Vec<Refusal>,
    /// Set when a field cannot be parsed: the package cannot be installed then.
    pub(super) malformed: Option<(RelationKind, crate::debian::relation::ParseRelationError)>,
}

impl Want {
    pub(super) fn is_critical(&self) -> bool {
        self.kind != RelationKind::Recommends
    }

    /// Everything that satisfies one of the alternatives, in order.
    pub(super) fn all_targets(&self) -> impl Iterator<Item = PackageId> {
        self.targets.iter().flatten().copied()
    }
}

/// Parses the relations of packages as they are asked for.
pub(super) struct RelationCache<'u> {
    universe: &'u Universe,
    parsed: RefCell<HashMap<PackageId, Rc<Relations>>>,
}

impl<'u> RelationCache<'u> {
    pub(super) fn new(universe: &'u Universe) -> Self {
        Self { universe, parsed: RefCell::default() }
    }

    pub(super) fn of(&self, id: PackageId) -> Rc<Relations> {
        if let Some(known) = self.parsed.borrow().get(&id) {
            return Rc::clone(known);
        }
        let relations = Rc::new(self.parse(id));
        self.parsed.borrow_mut().insert(id, Rc::clone(&relations));
        relations
    }

    /// Gives a group of a request or of a package its targets.
    pub(super) fn want(&self, kind: RelationKind, group: OrGroup) -> Want {
        let targets = group.0.iter().map(|relation| self.universe.targets(relation)).collect();
        Want { kind, group, targets }
    }

    fn parse(&self, id: PackageId) -> Relations {
        let package = self.universe.package(id);
        let mut relations = Relations::default();
        for kind in [RelationKind::PreDepends, RelationKind::Depends, RelationKind::Recommends] {
            match package.relations(kind) {
                Ok(groups) => relations.wants.extend(groups.into_iter().map(|group| self.want(kind, group))),
                Err(error) => relations.malformed = Some((kind, error)),
            }
        }
        for kind in [RelationKind::Conflicts, RelationKind::Breaks] {
            match package.relations(kind) {
                // Negative relations have no alternatives; what is written as such counts one by one.
                Ok(groups) => {
                    relations.refusals.extend(groups.into_iter().flat_map(|group| group.0).map(|relation| {
                        let own = self.universe.name_of(id);
                        let mut targets = self.universe.targets(&relation);
                        targets.retain(|&target| self.universe.name_of(target) != own);
                        Refusal { kind, relation, targets }
                    }));
                }
                Err(error) => relations.malformed = Some((kind, error)),
            }
        }
        relations
    }
}
