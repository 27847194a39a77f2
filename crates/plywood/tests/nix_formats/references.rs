//! Reference graphs against `nix-store -q`.

use std::collections::BTreeSet;

use plywood_core::nix::{ReferenceGraph, StorePath};

use crate::nix::Nix;

/// Thirty texts that refer to some of those before them, and derivations over these.
const EXPRESSION: &str = r#"
let
  numbers = builtins.genList (n: n) 30;
  texts = builtins.foldl' (texts: n: texts ++ [ (builtins.toFile "text-${toString n}"
    (toString (builtins.filter (t: t != null) (map (k: if k < n && k > n - 9 && n + 2 * k == 3 * ((n + 2 * k) / 3) + 1 then builtins.elemAt texts k else null) numbers))))
  ]) [ ] numbers;
  make = name: inputs: derivation { inherit name inputs; system = "x86_64-linux"; builder = "/bin/sh"; };
  a = make "a" texts;
  b = make "b" [ a (builtins.elemAt texts 3) ];
  c = make "c" [ a ];
in [ (make "top" [ b c ]).drvPath (builtins.elemAt texts 29) (builtins.elemAt texts 28) ]
"#;

#[test]
fn closures_are_those_of_nix() {
    let Some(nix) = Nix::new() else { return };
    let roots: Vec<String> = serde_json::from_value(nix.eval(EXPRESSION)).expect("paths");
    let roots: Vec<StorePath> = roots.iter().map(|root| StorePath::from_absolute(root).expect("a path")).collect();
    let all = nix.paths(&["-q", "--requisites", &roots[0].absolute(), &roots[1].absolute(), &roots[2].absolute()]);
    assert!(all.len() > 30, "{}", all.len());
    let references = |path: &StorePath| nix.paths(&["-q", "--references", &path.absolute()]).into_iter().collect();
    let graph = ReferenceGraph(all.iter().map(|path| (path.clone(), references(path))).collect());
    assert!(graph.missing().is_empty());
    assert_eq!(graph.closure(&roots).into_iter().cloned().collect::<BTreeSet<_>>(), all.iter().cloned().collect());
    for path in all.iter().step_by(3) {
        let theirs: BTreeSet<_> = nix.paths(&["-q", "--requisites", &path.absolute()]).into_iter().collect();
        assert_eq!(graph.closure([path]).into_iter().cloned().collect::<BTreeSet<_>>(), theirs, "{path}");
        let theirs: BTreeSet<_> = nix.paths(&["-q", "--referrers", &path.absolute()]).into_iter().collect();
        let ours = all.iter().filter(|referrer| graph.references(referrer).any(|reference| reference == path));
        assert_eq!(ours.cloned().collect::<BTreeSet<_>>(), theirs, "{path}");
    }
    let unreferenced = graph.unreferenced().into_iter().cloned().collect::<BTreeSet<_>>();
    let theirs =
        all.iter().filter(|path| nix.paths(&["-q", "--referrers", &path.absolute()]).iter().all(|by| by == *path));
    assert_eq!(unreferenced, theirs.cloned().collect());
}

/// `nix why-depends` shows one of the shortest chains: one line for each path.
#[test]
fn chains_are_as_short_as_those_of_nix() {
    let Some(nix) = Nix::new() else { return };
    let roots: Vec<String> = serde_json::from_value(nix.eval(EXPRESSION)).expect("paths");
    // Of a derivation Nix would build the outputs.
    let root = StorePath::from_absolute(&roots[1]).expect("a path");
    let all = nix.paths(&["-q", "--requisites", &root.absolute()]);
    assert!(all.len() > 20, "{}", all.len());
    let references = |path: &StorePath| nix.paths(&["-q", "--references", &path.absolute()]).into_iter().collect();
    let graph = ReferenceGraph(all.iter().map(|path| (path.clone(), references(path))).collect());
    for path in all.iter().filter(|path| **path != root).step_by(2) {
        let theirs = nix.nix(&["why-depends", &root.absolute(), &path.absolute()]);
        let theirs = theirs.lines().filter(|line| line.contains("/nix/store/")).count();
        let ours = graph.shortest_chain([&root], path).expect("a chain");
        assert_eq!(ours.len(), theirs, "{path}");
    }
}
