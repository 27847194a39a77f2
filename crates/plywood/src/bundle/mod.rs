//! Bundles for sites without a network: images, what is attached to them, and store paths, in one file.
//!
//! A bundle is read whole and verified before anything is done with it, whoever made it.

mod closure;
mod collect;
mod create;
mod error;
mod inspect;
mod load;
mod open;
mod push;
#[cfg(test)]
mod tests;
mod unpack;

pub use create::{BundleCreateOptions, BundleCreateReport, create};
pub use error::BundleError;
pub use inspect::{BundleReport, BundledImage, inspect};
pub use load::{BundleLoadOptions, BundleLoadReport, LoadedImage, load};
pub use push::{BundlePushOptions, BundlePushReport, PushedRepository, push};
pub use unpack::{BundleUnpackReport, unpack};

use plywood_core::bundle::{BundleDescriptor, BundleEntry};
use plywood_core::oci::MAX_DOCUMENT;

/// The documents of a bundle in their order, with the most bytes that each has.
const DOCUMENTS: [(&str, u64); 3] =
    [("oci-layout", 1024), ("index.json", MAX_DOCUMENT as u64), (BundleDescriptor::NAME, BundleDescriptor::MAX_LEN)];
/// The first of them.
const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// As many manifests are followed.
const MAX_MANIFESTS: usize = 1 << 16;

/// Whether `asked` means an entry: by its full name, or by the last part of its repository with its tag or without.
fn is_meant(asked: &str, entry: &BundleEntry) -> bool {
    let reference = entry.reference().to_string();
    let last = reference.rsplit('/').next().unwrap_or_default();
    let without_tag = last.split([':', '@']).next().unwrap_or_default();
    [reference.as_str(), last, without_tag].contains(&asked)
}
