//! Bundles: one file with images, what is attached to them, and store paths, for sites without a network.
//!
//! A bundle is an image layout in a tar (OCI image-spec, "Image Layout Specification") whose index names everything that
//! has a name where it comes from: tagged images as `repository:tag`, all else, such as referrers, as
//! `repository@digest`. What an image layout has no place for, the store paths, is in [`BundleDescriptor`].

mod descriptor;
mod entry;
mod node;

pub use descriptor::{BundleDescriptor, ParseBundleError};
pub use entry::BundleEntry;
pub use node::{ManifestNode, ParseNodeError};
