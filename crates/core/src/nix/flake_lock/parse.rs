//! Reading `flake.lock`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{FlakeInput, FlakeLock, FlakeLockError, FlakeNode, FlakeReference};
use crate::digest::NarHash;

/// The file. What newer versions of Nix may add is passed over, as Nix does.
#[derive(Deserialize)]
struct File {
    version: u32,
    root: String,
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    inputs: Option<BTreeMap<String, FlakeInput>>,
    locked: Option<FlakeReference>,
    original: Option<FlakeReference>,
    /// Up to version 5, `lastModified` and `narHash` stood here.
    info: Option<FlakeReference>,
    #[serde(default = "yes")]
    flake: bool,
}

fn yes() -> bool {
    true
}

impl FlakeLock {
    /// Reads a `flake.lock`.
    ///
    /// # Errors
    /// When it is not one that Nix reads, or an input leads nowhere.
    pub fn parse(bytes: &[u8]) -> Result<Self, FlakeLockError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(FlakeLockError::TooLong);
        }
        let File { version, root, nodes } = serde_json::from_slice(bytes)?;
        if !(5..=7).contains(&version) {
            return Err(FlakeLockError::Version(version));
        }
        if !nodes.contains_key(&root) {
            return Err(FlakeLockError::NoNode(root));
        }
        let nodes = nodes.into_iter().map(|(name, node)| {
            let node = node.check(&name, name == root)?;
            Ok((name, node))
        });
        let nodes = nodes.collect::<Result<BTreeMap<_, _>, FlakeLockError>>()?;
        let targets = super::resolve::targets(&root, &nodes)?;
        Ok(Self { version, root, nodes, targets })
    }
}

impl Node {
    fn check(self, name: &str, is_root: bool) -> Result<FlakeNode, FlakeLockError> {
        let missing = |field| FlakeLockError::Missing { node: name.to_owned(), field };
        let Self { inputs, mut locked, original, info, flake } = self;
        if let (Some(locked), Some(info)) = (&mut locked, info) {
            for (attribute, value) in info.attributes {
                locked.attributes.entry(attribute).or_insert(value);
            }
        }
        if !is_root && locked.is_none() {
            return Err(missing("locked"));
        }
        if !is_root && original.is_none() {
            return Err(missing("original"));
        }
        for reference in locked.iter().chain(&original) {
            if reference.kind().is_none() {
                return Err(missing("type"));
            }
            if reference.attributes.contains_key("narHash") {
                let hash = reference.text("narHash").unwrap_or_default();
                let wrong = |source| FlakeLockError::NarHash { node: name.to_owned(), source };
                hash.parse::<NarHash>().map_err(wrong)?;
            }
        }
        Ok(FlakeNode { inputs: inputs.unwrap_or_default(), locked, original, is_flake: flake })
    }
}
