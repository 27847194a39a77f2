//! The dependency resolver: which packages an image gets, in which order, and why.
//!
//! It chooses what `apt-get install` would choose on a freshly bootstrapped system (see [`marking`] for how), from the
//! indexes alone. Where apt's greedy way gets stuck, a complete search decides whether there is a solution at all.

mod check;
mod error;
mod explain;
mod marking;
mod order;
mod reasons;
mod relations;
mod request;
mod search;
mod suggest;
mod universe;

pub use error::{Obstacle, ResolveError};
pub use reasons::Reason;
pub use request::{Base, PackageRequest, ParseRequestError, Request};
pub use universe::{PackageSource, Universe};

use std::collections::BTreeSet;

use super::packages_index::BinaryPackage;
use marking::Marking;
use relations::{RelationCache, Want};
use universe::PackageId;

/// A set of packages in which every dependency is satisfied and nothing conflicts.
#[derive(Debug, Clone)]
pub struct Resolution<'u> {
    /// In the order in which they are configured: what a package depends on comes before it, but for cycles; what is
    /// essential comes as early as that allows.
    pub packages: Vec<Chosen<'u>>,
}

/// A package of a resolution.
#[derive(Debug, Clone)]
pub struct Chosen<'u> {
    /// The package.
    pub package: &'u BinaryPackage,
    /// Position of its index in the list that [`Universe::new`] was given.
    pub source: usize,
    /// Why it is there.
    pub reason: Reason,
}

/// What a request comes down to in a universe.
struct Goals {
    /// Packages every resolution starts from: essential ones and apt.
    base: Vec<PackageId>,
    /// Packages of the parent image.
    kept: Vec<PackageId>,
    /// Packages asked for by name.
    named: Vec<PackageId>,
    /// Alternatives asked for.
    groups: Vec<Want>,
}

/// Resolves requests; without state of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Resolver;

impl Resolver {
    /// Chooses packages for a request. Equal universes and requests give equal resolutions.
    ///
    /// # Errors
    /// [`ResolveError`] when a package does not exist or no set of packages satisfies the request.
    pub fn resolve<'u>(universe: &'u Universe, request: &Request) -> Result<Resolution<'u>, ResolveError> {
        let relations = RelationCache::new(universe);
        let goals = request::goals(universe, &relations, request)?;
        let chosen = choose(universe, &relations, &goals, request.recommends)?;
        let mut reasons = reasons::reasons(universe, &relations, &chosen, &goals);
        let packages = order::configure_order(universe, &relations, &chosen).into_iter().map(|id| Chosen {
            package: universe.package(id),
            source: universe.source_of(id),
            reason: reasons.remove(&id).unwrap_or(Reason::Requested),
        });
        Ok(Resolution { packages: packages.collect() })
    }
}

/// Apt's way first, the search where that fails, the explanation where that fails, too. Whatever comes out is checked.
fn choose(
    universe: &Universe,
    relations: &RelationCache<'_>,
    goals: &Goals,
    recommends: bool,
) -> Result<BTreeSet<PackageId>, ResolveError> {
    let finish = |marking: Marking<'_>| {
        let marked = marking.chosen().collect();
        let chosen = reasons::needed(universe, relations, &marked, goals);
        check::problems(universe, relations, &chosen, goals).is_empty().then_some(chosen)
    };
    let mut marking = Marking::new(universe, relations);
    mark(&mut marking, goals, recommends);
    if let Some(chosen) = finish(marking) {
        return Ok(chosen);
    }
    let found = search::search(universe, relations, goals);
    let mut marking = Marking::new(universe, relations);
    for &id in found.iter().flatten() {
        marking.set_candidate(id);
    }
    marking.install_requested(found.as_deref().unwrap_or_default());
    if recommends {
        marking.install_recommended(&goals.named);
    }
    finish(marking).ok_or_else(|| explain::explain(universe, relations, goals))
}

/// The base first, as a bootstrap does; then what is asked for, as on the bootstrapped system.
fn mark(marking: &mut Marking<'_>, goals: &Goals, recommends: bool) {
    for &id in &goals.kept {
        marking.set_candidate(id);
        marking.set_present(id);
    }
    for &id in &goals.named {
        marking.set_candidate(id);
    }
    marking.install_requested(&goals.base);
    marking.settle();
    marking.set_recommends(recommends);
    marking.install_requested(&goals.named);
    for group in &goals.groups {
        marking.install_one_of(group);
    }
}

#[cfg(test)]
mod tests;
