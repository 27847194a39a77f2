//! Random universes: a resolution is always consistent, and there is one whenever trying everything finds one.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::debian::resolver::universe::PackageId;

const NAMES: [&str; 5] = ["aa", "bb", "cc", "dd", "ee"];

/// A relation to one of the names, or to a virtual package.
fn relation() -> impl Strategy<Value = String> {
    let names = prop::sample::select(&["aa", "bb", "cc", "dd", "ee", "mm"][..]);
    let bounds = prop::sample::select(&["", "", "", " (>= 2)", " (<< 2)", " (= 1)"][..]);
    (names, bounds).prop_map(|(name, bound)| format!("{name}{bound}"))
}

fn package() -> impl Strategy<Value = String> {
    let group = prop::collection::vec(relation(), 1..3).prop_map(|alternatives| alternatives.join(" | "));
    let depends = prop::collection::vec(group, 0..3).prop_map(|groups| groups.join(", "));
    let conflicts = prop::option::of(relation());
    let provides = prop::sample::select(&["", "mm", "mm (= 2)"][..]);
    let head = (prop::sample::select(&NAMES[..]), prop::sample::select(&["1", "2"][..]));
    (head, depends, conflicts, provides).prop_map(|((name, version), depends, conflicts, provides)| {
        let mut line = format!("{name} {version}");
        for (field, value) in
            [("Depends", depends), ("Conflicts", conflicts.unwrap_or_default()), ("Provides", provides.to_owned())]
        {
            if !value.is_empty() {
                line.push_str(&format!("; {field}: {value}"));
            }
        }
        line
    })
}

/// Whether any set of packages, one version of each name at most, satisfies the goals.
fn exists(universe: &Universe, relations: &RelationCache<'_>, goals: &Goals) -> bool {
    fn extend(
        universe: &Universe,
        relations: &RelationCache<'_>,
        goals: &Goals,
        name: usize,
        set: &mut BTreeSet<PackageId>,
    ) -> bool {
        let Some(text) = NAMES.get(name) else {
            return check::problems(universe, relations, set, goals).is_empty();
        };
        let versions = universe.name(text).map(|name| universe.ids_of(name)).into_iter().flatten();
        versions.map(Some).chain([None]).any(|version| {
            set.extend(version);
            let found = extend(universe, relations, goals, name + 1, set);
            if let Some(version) = version {
                set.remove(&version);
            }
            found
        })
    }
    extend(universe, relations, goals, 0, &mut BTreeSet::new())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_resolution_is_found_exactly_when_there_is_one(
        packages in prop::collection::vec(package(), 1..8),
        asked in prop::collection::vec(prop::sample::select(&NAMES[..]), 1..3),
        recommends in any::<bool>(),
    ) {
        let lines: Vec<&str> = packages.iter().map(String::as_str).collect();
        let universe = universe(&lines);
        let request = Request { recommends, ..request(&asked) };
        let relations = RelationCache::new(&universe);
        let Ok(goals) = request::goals(&universe, &relations, &request) else { return Ok(()) };
        match Resolver::resolve(&universe, &request) {
            Ok(resolution) => {
                let again = Resolver::resolve(&universe, &request).map(|again| names(&again));
                prop_assert_eq!(again, Ok(names(&resolution)));
                let set = universe.ids().filter(|&id| {
                    resolution.packages.iter().any(|chosen| std::ptr::eq(chosen.package, universe.package(id)))
                });
                prop_assert_eq!(check::problems(&universe, &relations, &set.collect(), &goals), []);
            }
            Err(error) => prop_assert!(!exists(&universe, &relations, &goals), "{}", error),
        }
    }
}
