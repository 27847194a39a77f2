//! OCI image values: descriptors, manifests, indexes, configurations (OCI image-spec 1.1) and image references.
//!
//! What is written is deterministic: fields come in the order of the specification, maps sorted, no white space.
//! What is read from outside is bounded and checked once, here.

pub mod annotations;
mod config;
mod descriptor;
pub mod distribution;
mod index;
mod json;
mod manifest;
mod media_type;
mod reference;
mod repository_name;
#[cfg(test)]
mod tests;
mod timestamp;

pub use config::{Healthcheck, History, ImageConfig, RootFs, RuntimeConfig};
pub use descriptor::{Descriptor, PlatformSpec};
pub use index::ImageIndex;
pub use json::{MAX_DOCUMENT, ParseDocumentError, to_json};
pub use manifest::ImageManifest;
pub use media_type::MediaType;
pub use reference::{ManifestName, ParseReferenceError, Reference, Tag};
pub use repository_name::RepositoryName;
pub use timestamp::Timestamp;
