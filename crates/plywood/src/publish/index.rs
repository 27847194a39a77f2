//! The index over the platforms of an image: what tags name.

use std::collections::BTreeMap;

use plywood_core::attest::Source;
use plywood_core::manifest::Manifest;
use plywood_core::oci::{Descriptor, ImageIndex, MediaType, annotations, to_json};

/// An index as it is pushed.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) descriptor: Descriptor,
    pub(super) bytes: Vec<u8>,
    /// The image of each platform.
    pub(super) images: Vec<Descriptor>,
}

impl Index {
    /// Over these images, in the order of their platforms. The commit is said here and in no image, so that images stay
    /// what they are when a commit changes nothing of them.
    pub(super) fn over(mut images: Vec<Descriptor>, manifest: &Manifest, source: &Source) -> Self {
        images.sort_by_key(|image| image.platform.as_ref().map(|platform| platform.known()));
        let mut notes = BTreeMap::new();
        let address = manifest.workspace().source.as_ref().map(ToString::to_string);
        let revision =
            source.commit.clone().map(|commit| if source.dirty { format!("{commit}-dirty") } else { commit });
        let version = manifest.publish().and_then(|publish| publish.version.clone());
        for (key, value) in
            [(annotations::SOURCE, address), (annotations::REVISION, revision), (annotations::VERSION, version)]
        {
            notes.extend(value.map(|value| (key.to_owned(), value)));
        }
        let bytes = to_json(&ImageIndex::new(images.clone(), notes));
        Self { descriptor: Descriptor::of(MediaType::IMAGE_INDEX, &bytes), bytes, images }
    }

    /// Whether another index is over the same images, whatever else it says.
    pub(super) fn same_images(&self, other: &ImageIndex) -> bool {
        let digests = |images: &[Descriptor]| {
            let mut digests: Vec<_> = images.iter().map(|image| image.digest).collect();
            digests.sort();
            digests
        };
        digests(&self.images) == digests(&other.manifests)
    }
}
