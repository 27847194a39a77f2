//! Which store path refers to which.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::StorePath;

/// Store paths and what each refers to; a path may refer to itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceGraph(pub BTreeMap<StorePath, BTreeSet<StorePath>>);

impl ReferenceGraph {
    /// What a path refers to; nothing when the path is not in the graph.
    pub fn references(&self, path: &StorePath) -> impl Iterator<Item = &StorePath> {
        self.0.get(path).into_iter().flatten()
    }

    /// Everything that these paths need, themselves included.
    pub fn closure<'g>(&'g self, roots: impl IntoIterator<Item = &'g StorePath>) -> BTreeSet<&'g StorePath> {
        let mut closure = BTreeSet::new();
        let mut waiting: Vec<&StorePath> = roots.into_iter().collect();
        while let Some(path) = waiting.pop() {
            if closure.insert(path) {
                waiting.extend(self.references(path));
            }
        }
        closure
    }

    /// The paths that some path refers to and that are not in the graph themselves.
    pub fn missing(&self) -> BTreeSet<&StorePath> {
        self.0.values().flatten().filter(|path| !self.0.contains_key(*path)).collect()
    }

    /// The shortest way from one of the roots to a path, both included; of equally short ones the first in order.
    pub fn shortest_chain<'g>(
        &'g self,
        roots: impl IntoIterator<Item = &'g StorePath>,
        to: &StorePath,
    ) -> Option<Vec<&'g StorePath>> {
        let mut from: BTreeMap<&StorePath, Option<&StorePath>> = BTreeMap::new();
        let mut waiting: VecDeque<&StorePath> = VecDeque::new();
        for root in roots.into_iter().collect::<BTreeSet<_>>() {
            from.insert(root, None);
            waiting.push_back(root);
        }
        while let Some(path) = waiting.pop_front() {
            if path == to {
                let mut chain: Vec<_> =
                    std::iter::successors(Some(path), |path| from.get(path).copied().flatten()).collect();
                chain.reverse();
                return Some(chain);
            }
            for next in self.references(path) {
                if !from.contains_key(next) {
                    from.insert(next, Some(path));
                    waiting.push_back(next);
                }
            }
        }
        None
    }

    /// All paths of the graph, each after what it refers to; paths in a circle, which Nix never makes, come in order.
    pub fn references_first(&self) -> Vec<&StorePath> {
        let mut ordered = Vec::with_capacity(self.0.len());
        let mut seen = BTreeSet::new();
        for start in self.0.keys() {
            // A stack of its own: closures can be deep.
            let mut stack = vec![(start, false)];
            while let Some((path, done)) = stack.pop() {
                if done {
                    ordered.push(path);
                } else if seen.insert(path) {
                    stack.push((path, true));
                    let inside = self.references(path).filter(|next| self.0.contains_key(*next)).collect::<Vec<_>>();
                    stack
                        .extend(inside.into_iter().rev().filter(|next| !seen.contains(next)).map(|next| (next, false)));
                }
            }
        }
        ordered
    }

    /// The paths that no other path of the graph refers to.
    pub fn unreferenced(&self) -> BTreeSet<&StorePath> {
        let mut roots: BTreeSet<&StorePath> = self.0.keys().collect();
        for (path, references) in &self.0 {
            references.iter().filter(|reference| *reference != path).for_each(|reference| _ = roots.remove(reference));
        }
        roots
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(name: &str) -> StorePath {
        StorePath::new(super::super::StoreHash::from_bytes([7; 20]), name).unwrap()
    }

    fn graph(edges: &[(&str, &[&str])]) -> ReferenceGraph {
        ReferenceGraph(edges.iter().map(|(from, to)| (path(from), to.iter().map(|to| path(to)).collect())).collect())
    }

    #[test]
    fn closures_chains_and_orders() {
        let graph = graph(&[
            ("app", &["app", "python", "glibc"]),
            ("python", &["glibc", "openssl"]),
            ("openssl", &["glibc"]),
            ("glibc", &["glibc"]),
            ("other", &[]),
        ]);
        let names = |paths: Vec<&StorePath>| paths.into_iter().map(|path| path.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(graph.closure([&path("python")]).into_iter().collect()), ["glibc", "openssl", "python"]);
        assert_eq!(
            names(graph.shortest_chain([&path("app")], &path("openssl")).unwrap()),
            ["app", "python", "openssl"]
        );
        assert_eq!(names(graph.shortest_chain([&path("app")], &path("glibc")).unwrap()), ["app", "glibc"]);
        assert_eq!(graph.shortest_chain([&path("app")], &path("other")), None);
        assert_eq!(names(graph.references_first()), ["glibc", "openssl", "python", "app", "other"]);
        assert_eq!(names(graph.unreferenced().into_iter().collect()), ["app", "other"]);
        assert_eq!(graph.missing().len(), 0);
    }

    #[test]
    fn circles_end() {
        let graph = graph(&[("a", &["b"]), ("b", &["a", "c"])]);
        assert_eq!(graph.closure([&path("a")]).len(), 3);
        assert_eq!(graph.references_first().len(), 2);
        assert_eq!(graph.missing().len(), 1);
    }

    proptest! {
        /// Closures are closed, chains are chains and the shortest, references come first, in any graph.
        #[test]
        fn what_must_hold_holds(edges in prop::collection::btree_map(0..9_u8, prop::collection::btree_set(0..9_u8, 0..4), 1..9), root in 0..9_u8) {
            let name = |at: &u8| path(&at.to_string());
            let acyclic = edges.iter().all(|(from, to)| to.iter().all(|to| to <= from));
            let graph = ReferenceGraph(edges.iter().map(|(from, to)| (name(from), to.iter().map(name).collect())).collect());
            let root = name(&root);
            let closure = graph.closure([&root]);
            prop_assert!(closure.contains(&root));
            for path in &closure {
                prop_assert!(graph.references(path).all(|next| closure.contains(next)));
            }
            let mut distances = BTreeMap::from([(&root, 1)]);
            for _ in 0..9 {
                for (from, length) in distances.clone() {
                    graph.references(from).for_each(|next| _ = distances.entry(next).or_insert(length + 1));
                }
            }
            for to in (0..9).map(|at| name(&at)) {
                let chain = graph.shortest_chain([&root], &to);
                prop_assert_eq!(chain.is_some(), closure.contains(&to));
                let Some(chain) = chain else { continue };
                prop_assert_eq!((chain.first(), chain.last()), (Some(&&root), Some(&&to)));
                prop_assert!(chain.windows(2).all(|pair| graph.references(pair[0]).any(|next| next == pair[1])));
                prop_assert_eq!(Some(&chain.len()), distances.get(&to));
            }
            let order = graph.references_first();
            prop_assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), graph.0.keys().collect::<BTreeSet<_>>());
            prop_assert_eq!(order.len(), graph.0.len());
            if acyclic {
                for (at, path) in order.iter().enumerate() {
                    prop_assert!(graph.references(path).all(|next| next == *path || !order[at..].contains(&next)));
                }
            }
            let unreferenced = graph.unreferenced();
            for path in graph.0.keys() {
                let referenced = graph.0.iter().any(|(from, to)| from != path && to.contains(path));
                prop_assert_ne!(unreferenced.contains(path), referenced);
            }
        }
    }
}
