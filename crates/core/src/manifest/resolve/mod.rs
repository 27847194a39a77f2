//! What each image is once its `from` chain is merged.
//!
//! A child adds packages, sets, files, variables, labels, ports and volumes to its parent's; where both say something about one path or
//! variable, the child's word holds. Its user takes the place of a parent's user with the same id, and its shell that of a parent's. Only `description`, `size-limit`
//! and `tests` are an image's own.

mod accounts;
mod debian;
mod image;
mod nix;
mod placements;
mod types;

use std::collections::BTreeMap;

use super::ImageName;
use super::document::Document;
use super::read::Problems;
pub use nix::ResolvedNix;
pub(super) use nix::sets_within;
pub use types::{DebianSource, Placement, RequestedPackage, ResolvedImage, ResolvedRepository, ResolvedUser};

/// The path that an image's `PATH` starts from: that of Debian's login shells and of Docker.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Resolves every image whose chain is complete. The chains must end.
pub(super) fn all(document: &Document, problems: &mut Problems) -> BTreeMap<ImageName, ResolvedImage> {
    let mut resolved: BTreeMap<ImageName, ResolvedImage> = BTreeMap::new();
    // Parents first: each round resolves the images whose parents the rounds before have resolved.
    loop {
        let before = resolved.len();
        for (name, image) in &document.images {
            if resolved.contains_key(&name.value) {
                continue;
            }
            let parent = image.from.as_ref().map(|from| resolved.get(from.as_str()));
            let next = match parent {
                Some(None) => continue,
                Some(Some(parent)) => Some(image::derived(document, name, image, parent, problems)),
                None => image::rooted(document, name, image, problems),
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
