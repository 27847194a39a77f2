//! Derivations: what `.drv` files hold (Nix manual, "Derivation ATerm file format"; Nix's `libstore/derivations.cc`).
//!
//! The reader takes exactly what Nix writes, so that [`Derivation::to_aterm`] gives back the same bytes and a path
//! computed from a derivation is the one that it was read from.

mod attributes;
mod error;
mod modulo;
mod parse;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

use super::{ContentHash, ContentMethod, HashAlgorithm, ParseStorePathError, StorePath};
use crate::digest::Sha256Hash;
pub use attributes::DerivationAttributes;
pub use error::DerivationError;
pub use modulo::{ModuloError, ModuloHashes};

/// What Nix builds from: everything that a build may depend on.
///
/// Its name is not in it; it is that of its store path without `.drv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// What it makes, by output name; at least one.
    pub outputs: BTreeMap<String, DerivationOutput>,
    /// The derivations whose outputs it needs, and which of them.
    pub input_derivations: BTreeMap<StorePath, BTreeSet<String>>,
    /// The store paths it needs that no derivation makes.
    pub input_sources: BTreeSet<StorePath>,
    /// Where it can be built, such as `x86_64-linux`.
    pub system: BString,
    /// The program that builds it.
    pub builder: BString,
    /// The builder's arguments.
    pub arguments: Vec<BString>,
    /// The builder's environment. Values are bytes: Nix does not ask for UTF-8.
    pub environment: BTreeMap<BString, BString>,
}

/// What is known of an output before it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DerivationOutput {
    /// Its path follows from the derivation.
    InputAddressed(StorePath),
    /// Its content is known, and its path follows from that.
    Fixed {
        /// The path.
        path: StorePath,
        /// What is hashed.
        method: ContentMethod,
        /// The hash.
        hash: ContentHash,
    },
    /// Its path follows from its content, which nobody knows yet (Nix's `ca-derivations`).
    Floating {
        /// What will be hashed.
        method: ContentMethod,
        /// How.
        algorithm: HashAlgorithm,
    },
    /// Its content is another one each time (Nix's `impure-derivations`).
    Impure {
        /// What will be hashed.
        method: ContentMethod,
        /// How.
        algorithm: HashAlgorithm,
    },
    /// Its path follows from the derivation, once the floating outputs that it needs are known.
    Deferred,
}

impl DerivationOutput {
    /// The path, when it is known.
    pub fn path(&self) -> Option<&StorePath> {
        match self {
            Self::InputAddressed(path) | Self::Fixed { path, .. } => Some(path),
            Self::Floating { .. } | Self::Impure { .. } | Self::Deferred => None,
        }
    }
}

impl Derivation {
    /// The longest derivation that is read, in bytes; real ones have up to a few MiB.
    pub const MAX_LEN: usize = 64 << 20;

    /// The most derivations, sources, arguments or variables that are read of each.
    pub const MAX_MEMBERS: usize = 1 << 20;

    /// The store path of this derivation's text, for the name it has.
    ///
    /// # Errors
    /// When Nix does not allow the name.
    pub fn store_path(&self, name: &str) -> Result<StorePath, ParseStorePathError> {
        let references = self.input_derivations.keys().chain(&self.input_sources).cloned().collect();
        StorePath::text(&format!("{name}.drv"), Sha256Hash::of(&self.to_aterm()), &references)
    }
}
