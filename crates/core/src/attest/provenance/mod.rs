//! Where an image came from (SLSA Provenance v1), from the manifest and the lock.
//!
//! Equal inputs give equal bytes: nothing in it is measured, and the times that SLSA allows are left out. What a run adds, its
//! builder and its page in the CI, is in `runDetails` alone.

mod base;
mod mark;
mod materials;
mod model;
mod nix;
#[cfg(test)]
mod tests;

pub use materials::{MaterialChange, Materials, materials};
pub use model::{
    BuildDefinition, Builder, ExternalParameters, InternalParameters, Provenance, ResourceDescriptor, RunDetails,
    RunMetadata, Source,
};

/// The type of the predicate.
pub const SLSA_PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// How plywood builds, and what the parameters mean: described in plywood's documentation of provenance.
pub const BUILD_TYPE: &str = "https://plywood.dev/build/image/v1";
