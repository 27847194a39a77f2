//! Image layouts (OCI image-spec, "Image Layout Specification") and archives, written and read.

mod archive;
mod directory;
mod docker;
mod error;
mod read;
pub mod sealed;
mod tree;

use std::collections::BTreeMap;

use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, ImageIndex, Reference, annotations, to_json};

pub use archive::{write_file, write_oci_archive};
pub use directory::write_directory;
pub use docker::write_docker_archive;
pub use error::LayoutError;
pub use read::{ImageLayout, LayoutImage};

use crate::image::{Image, assemble_index};
use crate::store::{Store, StoreError};

/// The content of `oci-layout`.
const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// An image, of one platform or several, to be written out under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What engines call it.
    pub name: Reference,
    /// Names the manifest, or the index when there are several platforms.
    pub root: Descriptor,
    /// The image of each platform.
    pub images: Vec<Image>,
}

impl Export {
    /// Of one image its manifest, of several an index over them, which is put into the store.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn new(store: &Store, name: Reference, images: Vec<Image>) -> Result<Self, StoreError> {
        let root = match images.as_slice() {
            [image] => image.manifest.clone(),
            _ => assemble_index(store, &images, BTreeMap::new())?,
        };
        Ok(Self { name, root, images })
    }

    /// The root with the names by which podman, skopeo and containerd find it.
    fn named_root(&self) -> Descriptor {
        let name = self.name.to_string();
        self.root.clone().annotated(annotations::REF_NAME, name.clone()).annotated(annotations::CONTAINERD_NAME, name)
    }

    /// Every blob with its size in bytes.
    fn blobs(&self) -> impl Iterator<Item = (Digest, u64)> {
        let of = |image: &Image| {
            let layers = image.layers.iter().map(|layer| (layer.digest, layer.size));
            let documents = [&image.config, &image.manifest].map(|document| (document.digest, document.size));
            layers.chain(documents).collect::<Vec<_>>()
        };
        self.images.iter().flat_map(of).chain([(self.root.digest, self.root.size)])
    }
}

/// The blobs of several exports, each once.
fn all_blobs(exports: &[Export]) -> BTreeMap<Digest, u64> {
    exports.iter().flat_map(Export::blobs).collect()
}

/// The content of `index.json`, without those of `old` that a new one takes the name of.
fn index_json(exports: &[Export], old: Vec<Descriptor>) -> (Vec<u8>, ImageIndex) {
    let new: Vec<Descriptor> = exports.iter().map(Export::named_root).collect();
    let name = |descriptor: &Descriptor| descriptor.annotations.get(annotations::REF_NAME).cloned();
    let kept = old.into_iter().filter(|old| name(old).is_some() && new.iter().all(|new| name(new) != name(old)));
    let mut manifests: Vec<Descriptor> = kept.chain(new.iter().cloned()).collect();
    manifests.sort_by_key(name);
    let index = ImageIndex::new(manifests, BTreeMap::new());
    (to_json(&index), index)
}
