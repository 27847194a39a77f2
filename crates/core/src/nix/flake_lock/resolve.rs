//! Where inputs lead once `follows` is followed.

use std::collections::BTreeMap;

use super::{FlakeInput, FlakeLockError, FlakeNode};

/// How many `follows` may hang on each other. People write two or three.
const MAX_FOLLOWS: usize = 64;

type Nodes = BTreeMap<String, FlakeNode>;

/// The node of every input of every node.
pub(super) fn targets(root: &str, nodes: &Nodes) -> Result<BTreeMap<String, BTreeMap<String, String>>, FlakeLockError> {
    let mut resolver = Resolver { root, nodes, known: BTreeMap::new() };
    let mut targets = BTreeMap::new();
    for (name, node) in nodes {
        let mut own = BTreeMap::new();
        for input in node.inputs.keys() {
            own.insert(input.clone(), resolver.input(name, input, 0)?.to_owned());
        }
        targets.insert(name.clone(), own);
    }
    Ok(targets)
}

struct Resolver<'n> {
    root: &'n str,
    nodes: &'n Nodes,
    /// What each input leads to; `None` while that is being found out. Without it, inputs that follow each other several
    /// times over would take time beyond measure.
    known: BTreeMap<(&'n str, &'n str), Option<&'n str>>,
}

impl<'n> Resolver<'n> {
    /// The node that an input of a node leads to; both are there.
    fn input(&mut self, node: &'n str, input: &'n str, depth: usize) -> Result<&'n str, FlakeLockError> {
        let named = || (node.to_owned(), input.to_owned());
        let circle = || {
            let (node, input) = named();
            FlakeLockError::FollowsItself { node, input }
        };
        let nothing = || {
            let (node, input) = named();
            FlakeLockError::FollowsNothing { node, input }
        };
        match self.known.get(&(node, input)) {
            Some(Some(known)) => return Ok(known),
            Some(None) => return Err(circle()),
            None if depth > MAX_FOLLOWS => return Err(circle()),
            None => _ = self.known.insert((node, input), None),
        }
        let nodes = self.nodes;
        let target = match nodes.get(node).and_then(|node| node.inputs.get(input)) {
            Some(FlakeInput::Node(name)) => {
                nodes.get_key_value(name).map(|(name, _)| name.as_str()).ok_or(FlakeLockError::NoNode(name.clone()))?
            }
            Some(FlakeInput::Follows(way)) => {
                let mut at = self.root;
                for step in way {
                    let there = nodes.get(at).and_then(|node| node.inputs.get_key_value(step));
                    let (step, _) = there.ok_or_else(nothing)?;
                    at = self.input(at, step, depth + 1)?;
                }
                at
            }
            None => return Err(nothing()),
        };
        self.known.insert((node, input), Some(target));
        Ok(target)
    }
}
