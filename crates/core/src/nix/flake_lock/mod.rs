//! `flake.lock`: what the inputs of a flake are locked to (Nix manual, "nix flake", "Lock files"; Nix's
//! `libexpr/flake/lockfile.cc`). Versions 5 to 7, as Nix 2.4 and later read them.

mod parse;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::shown::Shown;
use super::{ContentAddress, ContentMethod, ParseStorePathError, StorePath};
use crate::digest::{NarHash, ParseNarHashError};

/// A flake's lock file. Every input of every node leads somewhere: that was checked when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlakeLock {
    version: u32,
    root: String,
    nodes: BTreeMap<String, FlakeNode>,
    /// Node and input name to the node that the input leads to.
    targets: BTreeMap<String, BTreeMap<String, String>>,
}

/// A flake, or another tree, in a lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlakeNode {
    /// Its inputs, by their names in its `flake.nix`.
    pub inputs: BTreeMap<String, FlakeInput>,
    /// What it is locked to; the root has nothing here.
    pub locked: Option<FlakeReference>,
    /// What `flake.nix` asks for; the root has nothing here.
    pub original: Option<FlakeReference>,
    /// Whether it has a `flake.nix` that counts.
    pub is_flake: bool,
}

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum FlakeInput {
    /// A node, by its name in the lock file.
    Node(String),
    /// `follows`: the same as another input, by its path from the root flake; an empty path is the root itself.
    Follows(Vec<String>),
}

/// Attributes of a flake reference, such as `type`, `owner`, `rev` or `narHash` (Nix manual, "Flake references").
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct FlakeReference {
    /// All of them, in their order.
    pub attributes: BTreeMap<String, FlakeAttribute>,
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum FlakeAttribute {
    /// `true` or `false`.
    Boolean(bool),
    /// A number, such as `lastModified` in seconds since 1970.
    Integer(u64),
    /// A text.
    Text(String),
}

/// Why bytes are no lock file.
#[derive(Debug, thiserror::Error)]
pub enum FlakeLockError {
    /// It is longer than [`FlakeLock::MAX_LEN`].
    #[error("flake.lock is longer than {} bytes", FlakeLock::MAX_LEN)]
    TooLong,
    /// It is no JSON, or not of this form.
    #[error("flake.lock is not as Nix writes it")]
    Json(#[from] serde_json::Error),
    /// Nix 2.8 reads other versions only.
    #[error("flake.lock has version {0}, not 5 to 7")]
    Version(u32),
    /// A node is named that is not there.
    #[error("flake.lock has no node `{}`", Shown(.0))]
    NoNode(String),
    /// A node other than the root that is locked to nothing.
    #[error("the node `{}` of flake.lock has no `{field}`", Shown(node))]
    Missing {
        /// The node.
        node: String,
        /// What it lacks.
        field: &'static str,
    },
    /// A `narHash` is none.
    #[error("the node `{}` of flake.lock has a bad `narHash`", Shown(node))]
    NarHash {
        /// The node.
        node: String,
        /// Why.
        #[source]
        source: ParseNarHashError,
    },
    /// `follows` leads to an input that is not there.
    #[error("the input `{}` of node `{}` in flake.lock follows an input that is not there", Shown(input), Shown(node))]
    FollowsNothing {
        /// The node.
        node: String,
        /// Its input.
        input: String,
    },
    /// `follows` leads back to itself, or over more inputs than anybody would write.
    #[error("the input `{}` of node `{}` in flake.lock follows itself", Shown(input), Shown(node))]
    FollowsItself {
        /// The node.
        node: String,
        /// Its input.
        input: String,
    },
}

impl FlakeLock {
    /// The longest lock file that is read, in bytes; one of a thousand inputs has about half a MiB.
    pub const MAX_LEN: usize = 8 << 20;

    /// Its version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The name of the node that is the flake itself.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// All nodes by their names, the root included.
    pub fn nodes(&self) -> &BTreeMap<String, FlakeNode> {
        &self.nodes
    }

    /// The inputs of a node and the nodes that they lead to, `follows` followed; none for a node that is not there.
    pub fn inputs(&self, node: &str) -> impl Iterator<Item = (&str, &str)> {
        self.targets.get(node).into_iter().flatten().map(|(input, target)| (input.as_str(), target.as_str()))
    }

    /// The name and the node that an input of the flake leads to, by the names on the way: `["home", "nixpkgs"]` is
    /// `nixpkgs` as `home` has it. The empty way leads to the root.
    pub fn input<'l, 'w>(&'l self, way: impl IntoIterator<Item = &'w str>) -> Option<(&'l str, &'l FlakeNode)> {
        let mut at = self.root.as_str();
        for input in way {
            at = self.targets.get(at)?.get(input)?;
        }
        Some((at, self.nodes.get(at)?))
    }
}

impl FlakeReference {
    /// An attribute that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name) {
            Some(FlakeAttribute::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// An attribute that is a number.
    pub fn integer(&self, name: &str) -> Option<u64> {
        match self.attributes.get(name) {
            Some(FlakeAttribute::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// What kind of place it names, such as `github`, `git`, `path` or `tarball`.
    pub fn kind(&self) -> Option<&str> {
        self.text("type")
    }

    /// The hash of the NAR of its files. `None` also when it is no SHA-256; within a [`FlakeLock`] none is otherwise.
    pub fn nar_hash(&self) -> Option<NarHash> {
        self.text("narHash")?.parse().ok()
    }

    /// Where Nix puts its files in the store, when their hash is known.
    pub fn store_path(&self) -> Option<StorePath> {
        let address = ContentAddress { method: ContentMethod::Recursive, hash: self.nar_hash()?.into() };
        let path: Result<StorePath, ParseStorePathError> = StorePath::fixed_output("source", &address);
        path.ok()
    }
}
