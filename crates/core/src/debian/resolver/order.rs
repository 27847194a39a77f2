//! The order in which packages are configured.
//!
//! dpkg configures a package once what it depends on is configured, and where dependencies form a circle it begins
//! somewhere (dpkg's `packages.c`; Debian Policy 7.2). Where a circle is cut here depends on the packages alone, and never on
//! a `Pre-Depends` unless those alone form the circle.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::relations::RelationCache;
use super::universe::{PackageId, Universe};
use crate::debian::relation::RelationKind;

/// What a package waits for.
#[derive(Default)]
struct Waits {
    before_unpack: BTreeSet<PackageId>,
    before_configure: BTreeSet<PackageId>,
}

/// Puts `chosen` in the order of configuration.
pub(super) fn configure_order(
    universe: &Universe,
    relations: &RelationCache<'_>,
    chosen: &BTreeSet<PackageId>,
) -> Vec<PackageId> {
    let waits: BTreeMap<PackageId, Waits> = chosen.iter().map(|&id| (id, waits(relations, chosen, id))).collect();
    // Essential packages are visited first, so that they come as early as what they need allows; then by name.
    let mut visits: Vec<PackageId> = chosen.iter().copied().collect();
    visits.sort_by_key(|&id| (Reverse(universe.package(id).is_essential()), id));
    let mut order = Vec::with_capacity(visits.len());
    for circle in circles(&visits, &waits) {
        order.extend(cut(universe, circle, &waits));
    }
    order
}

fn waits(relations: &RelationCache<'_>, chosen: &BTreeSet<PackageId>, id: PackageId) -> Waits {
    let mut waits = Waits::default();
    for want in relations.of(id).wants.iter().filter(|want| want.is_critical()) {
        let Some(target) = want.all_targets().find(|target| chosen.contains(target)) else { continue };
        if target == id {
            continue;
        }
        match want.kind {
            RelationKind::PreDepends => waits.before_unpack.insert(target),
            _ => waits.before_configure.insert(target),
        };
    }
    waits
}

/// Strongly connected components, each after those it waits for (Tarjan's algorithm, with a stack of our own since
/// chains of dependencies get long).
fn circles(visits: &[PackageId], waits: &BTreeMap<PackageId, Waits>) -> Vec<Vec<PackageId>> {
    let mut search = Tarjan { waits, state: BTreeMap::new(), path: Vec::new(), found: Vec::new() };
    for &id in visits {
        if !search.state.contains_key(&id) {
            search.visit(id);
        }
    }
    search.found
}

struct Tarjan<'a> {
    waits: &'a BTreeMap<PackageId, Waits>,
    state: BTreeMap<PackageId, Visited>,
    path: Vec<PackageId>,
    found: Vec<Vec<PackageId>>,
}

#[derive(Clone, Copy)]
struct Visited {
    number: usize,
    lowest: usize,
    on_path: bool,
}

impl Tarjan<'_> {
    fn enter(&mut self, id: PackageId) -> (PackageId, std::vec::IntoIter<PackageId>) {
        let number = self.state.len();
        self.state.insert(id, Visited { number, lowest: number, on_path: true });
        self.path.push(id);
        let next: Vec<PackageId> = self.waits.get(&id).into_iter().flat_map(Waits::all).collect();
        (id, next.into_iter())
    }

    fn visit(&mut self, root: PackageId) {
        let mut stack = vec![self.enter(root)];
        while let Some((id, next)) = stack.last_mut() {
            let id = *id;
            match next.next() {
                Some(target) => match self.state.get(&target).copied() {
                    None => stack.push(self.enter(target)),
                    Some(visited) if visited.on_path => self.lower(id, visited.number),
                    Some(_) => {}
                },
                None => {
                    stack.pop();
                    self.leave(id, stack.last().map(|(parent, _)| *parent));
                }
            }
        }
    }

    fn lower(&mut self, id: PackageId, lowest: usize) {
        if let Some(visited) = self.state.get_mut(&id) {
            visited.lowest = visited.lowest.min(lowest);
        }
    }

    fn leave(&mut self, id: PackageId, parent: Option<PackageId>) {
        let Some(visited) = self.state.get(&id).copied() else { return };
        if let Some(parent) = parent {
            self.lower(parent, visited.lowest);
        }
        if visited.lowest == visited.number {
            let start = self.path.iter().rposition(|&on_path| on_path == id).unwrap_or(0);
            let circle = self.path.split_off(start);
            for id in &circle {
                if let Some(visited) = self.state.get_mut(id) {
                    visited.on_path = false;
                }
            }
            self.found.push(circle);
        }
    }
}

impl Waits {
    fn all(&self) -> impl Iterator<Item = PackageId> {
        self.before_unpack.iter().chain(&self.before_configure).copied()
    }
}

/// Orders the packages of one circle: always the one that waits for the fewest of those that are left, counting
/// pre-dependencies first; then what is essential; then by name.
fn cut(universe: &Universe, circle: Vec<PackageId>, waits: &BTreeMap<PackageId, Waits>) -> Vec<PackageId> {
    let mut left: BTreeSet<PackageId> = circle.into_iter().collect();
    let mut order = Vec::with_capacity(left.len());
    while let Some(next) = left.iter().copied().min_by_key(|id| {
        let open = |set: &BTreeSet<PackageId>| set.intersection(&left).count();
        let (unpack, configure) =
            waits.get(id).map_or((0, 0), |waits| (open(&waits.before_unpack), open(&waits.before_configure)));
        (unpack, configure, !universe.package(*id).is_essential(), *id)
    }) {
        left.remove(&next);
        order.push(next);
    }
    order
}
