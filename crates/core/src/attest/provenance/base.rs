//! The image outside of the workspace that an image is built on, as a material.

use std::collections::BTreeMap;

use super::ResourceDescriptor;
use crate::digest::Digest;
use crate::lockfile::Lockfile;
use crate::manifest::{BaseReference, ResolvedImage};
use crate::platform::Platform;
use crate::purl::Purl;

/// The type of a base's package URL, by which it is told from other materials.
const KIND: &str = "oci";
const PREFIX: &str = "pkg:oci/";

/// The base of an image on a platform, by the digest of its manifest; nothing where it has none, or the lock lacks it.
pub(super) fn base(image: &ResolvedImage, lock: &Lockfile, platform: Platform) -> Option<ResourceDescriptor> {
    let reference = &image.base.as_ref()?.reference;
    let digest = lock.base(reference, platform)?.manifest;
    Some(ResourceDescriptor {
        name: reference.to_string(),
        uri: purl(reference, platform, digest).to_string(),
        digest: BTreeMap::from([("sha256".to_owned(), digest.hash().to_hex())]),
        annotations: BTreeMap::new(),
    })
}

/// A package URL of type `oci` (purl-spec, "oci"); one of a layout has no repository.
fn purl(reference: &BaseReference, platform: Platform, digest: Digest) -> Purl {
    let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_lowercase();
    match reference {
        BaseReference::Registry(reference) => {
            let purl = Purl::new(KIND, last(reference.repository()), digest.to_string());
            let purl = purl.qualifier("repository_url", reference.name().to_string());
            let purl = purl.qualifier("arch", platform.architecture());
            match reference.tag() {
                Some(tag) => purl.qualifier("tag", tag.to_string()),
                None => purl,
            }
        }
        BaseReference::Layout(layout) => {
            Purl::new(KIND, last(layout.path.as_str()), digest.to_string()).qualifier("arch", platform.architecture())
        }
    }
}

/// Whether a material is such a base.
pub(super) fn is_base(material: &ResourceDescriptor) -> bool {
    material.uri.starts_with(PREFIX)
}
