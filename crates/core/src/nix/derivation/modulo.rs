//! The paths of a derivation's outputs, from the derivation (Nix's `libstore/derivations.cc`, "hashDerivationModulo").

use std::collections::{BTreeMap, BTreeSet};

use super::{Derivation, DerivationOutput};
use crate::digest::Sha256Hash;
use crate::nix::{ContentAddress, ParseStorePathError, StorePath};

/// What a derivation's outputs are to those that need them: by output name, a hash that does not change when only the
/// way to something fixed does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuloHashes(BTreeMap<String, Sha256Hash>);

/// Why the paths of outputs cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModuloError {
    /// What a derivation needs was not given.
    #[error("it needs the output `{output}` of {derivation}, which is not known")]
    Unknown {
        /// The derivation it needs.
        derivation: StorePath,
        /// The output it needs of it.
        output: String,
    },
    /// Some output is known only once it is built.
    #[error("the path of its output `{0}` is known only once it is built")]
    Floating(String),
    /// A derivation with a fixed output may have no other.
    #[error("it has a fixed output and others as well")]
    Mixed,
    /// Nix does not allow the name that an output would have.
    #[error("an output cannot be named")]
    Name(#[from] ParseStorePathError),
}

impl Derivation {
    /// The hashes by which those that depend on this derivation know it; `inputs` are those of all that it needs.
    ///
    /// # Errors
    /// When something that it needs is missing, or is known only once it is built.
    pub fn modulo(&self, inputs: &BTreeMap<StorePath, ModuloHashes>) -> Result<ModuloHashes, ModuloError> {
        if let Some((name, path, address)) = self.fixed()? {
            let text = format!("fixed:out:{}{}:{}", address.method.prefix(), address.hash.to_base16(), path.absolute());
            return Ok(ModuloHashes([(name.clone(), Sha256Hash::of(text.as_bytes()))].into()));
        }
        let hash = self.hash_modulo(inputs, false)?;
        Ok(ModuloHashes(self.outputs.keys().map(|name| (name.clone(), hash)).collect()))
    }

    /// The paths that its outputs must have, for the name it has; `inputs` are the hashes of all that it needs.
    ///
    /// # Errors
    /// When something that it needs is missing or is known only once it is built, or Nix does not allow a name.
    pub fn output_paths(
        &self,
        name: &str,
        inputs: &BTreeMap<StorePath, ModuloHashes>,
    ) -> Result<BTreeMap<String, StorePath>, ModuloError> {
        if let Some((output, _, address)) = self.fixed()? {
            return Ok([(output.clone(), StorePath::fixed_output(name, &address)?)].into());
        }
        let hash = self.hash_modulo(inputs, true)?;
        let path = |output: &String| Ok((output.clone(), StorePath::output(name, output, hash)?));
        self.outputs.keys().map(path).collect()
    }

    /// The one fixed output, when it has one.
    fn fixed(&self) -> Result<Option<(&String, &StorePath, ContentAddress)>, ModuloError> {
        let fixed = self.outputs.iter().find_map(|(name, output)| match output {
            DerivationOutput::Fixed { path, method, hash } => {
                Some((name, path, ContentAddress { method: *method, hash: hash.clone() }))
            }
            _ => None,
        });
        if fixed.is_some() && self.outputs.len() > 1 { Err(ModuloError::Mixed) } else { Ok(fixed) }
    }

    fn hash_modulo(&self, inputs: &BTreeMap<StorePath, ModuloHashes>, masked: bool) -> Result<Sha256Hash, ModuloError> {
        let floating = self.outputs.iter().find(|(_, output)| !matches!(output, DerivationOutput::InputAddressed(_)));
        if let Some((name, _)) = floating {
            return Err(ModuloError::Floating(name.clone()));
        }
        let mut by_hash: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (derivation, outputs) in &self.input_derivations {
            for output in outputs {
                let hash = inputs.get(derivation).and_then(|known| known.0.get(output));
                let unknown = || ModuloError::Unknown { derivation: derivation.clone(), output: output.clone() };
                by_hash.entry(hash.ok_or_else(unknown)?.to_hex()).or_default().insert(output.clone());
            }
        }
        Ok(Sha256Hash::of(&self.to_aterm_modulo(&by_hash, masked)))
    }
}
