//! What each image is once its `from` chain is merged.
//!
//! A child adds packages, sets, files, variables, labels, ports and volumes to its parent's; where both say something about one path or
//! variable, the child's word holds. Its user takes the place of a parent's user with the same id, and its shell that of a parent's. Only `description`, `size-limit`
//! and `tests` are an image's own.
//!
//! A chain may start from an image outside of the workspace. What that one is becomes known when it is locked, so that images
//! are resolved twice: for the manifest alone, and over what is known.

mod accounts;
mod base;
mod debian;
mod image;
mod nix;
mod placements;
mod types;

use std::collections::BTreeMap;

use super::document::Document;
use super::read::Problems;
use super::{BaseReference, ImageName};
pub use base::{BaseFacts, Distribution, ResolvedBase};
pub use nix::ResolvedNix;
pub(super) use nix::sets_within;
pub use types::{DebianSource, Placement, RequestedPackage, ResolvedImage, ResolvedRepository, ResolvedUser};

/// The path that an image's `PATH` starts from: that of Debian's login shells and of Docker.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is known of bases outside of the workspace.
pub type Bases = BTreeMap<BaseReference, BaseFacts>;

/// Resolves every image whose chain is complete, over what is known of bases. The chains must end.
pub(super) fn all(document: &Document, bases: &Bases, problems: &mut Problems) -> BTreeMap<ImageName, ResolvedImage> {
    let mut resolved: BTreeMap<ImageName, ResolvedImage> = BTreeMap::new();
    // Parents first: each round resolves the images whose parents the rounds before have resolved.
    loop {
        let before = resolved.len();
        for (name, image) in &document.images {
            if resolved.contains_key(&name.value) {
                continue;
            }
            let next = match image.from.as_ref() {
                None => image::rooted(document, name, image, problems),
                Some(from) => match (resolved.get(from.as_str()), from.parse()) {
                    (Some(parent), _) => Some(image::derived(document, name, image, parent, problems)),
                    (None, Ok(base)) if BaseReference::is_meant(from) => {
                        image::based(document, name, image, base, bases, problems)
                    }
                    _ => continue,
                },
            };
            if let Some(next) = next {
                resolved.insert(name.value.clone(), next);
            }
        }
        if resolved.len() == before {
            return resolved;
        }
    }
}
