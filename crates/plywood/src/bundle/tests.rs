//! Bundles whose blobs are whole and which nevertheless make no sense.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::bundle::{BundleDescriptor, BundleEntry};
use plywood_core::digest::{Digest, FileHash, NarHash};
use plywood_core::nix::{Compression, NarInfo, StorePath};
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, MediaType, Reference, to_json};
use plywood_oci::layout::sealed::write_sealed;
use plywood_oci::registry::{BlobSource, no_progress};
use proptest::prelude::*;

use super::open::Bundle;
use super::{BundleError, DOCUMENTS, OCI_LAYOUT};
use crate::events::Silent;
use crate::nix::push::nar_file_name;

/// A bundle that is made by hand.
struct Draft {
    folder: tempfile::TempDir,
    entries: Vec<BundleEntry>,
    blobs: BTreeMap<Digest, BlobSource>,
    nar_infos: Vec<Digest>,
}

impl Draft {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, entries: Vec::new(), blobs: BTreeMap::new(), nar_infos: Vec::new() }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).expect("UTF-8").join(name)
    }

    fn blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let path = self.path(&digest.to_hex());
        std::fs::write(&path, bytes).expect("written");
        self.blobs.insert(digest, BlobSource::file(digest, bytes.len() as u64, path));
        digest
    }

    fn document(&mut self, media_type: MediaType, bytes: &[u8]) -> Descriptor {
        self.blob(bytes);
        Descriptor::of(media_type, bytes)
    }

    fn image(&mut self, layer: &[u8]) -> Descriptor {
        let config = self.document(MediaType::IMAGE_CONFIG, b"{}");
        let layer = self.document(MediaType::LAYER_TAR, layer);
        let manifest = to_json(&ImageManifest::new(config, vec![layer], BTreeMap::new()));
        self.document(MediaType::IMAGE_MANIFEST, &manifest)
    }

    fn index(&mut self, manifests: Vec<Descriptor>) -> Descriptor {
        let index = to_json(&ImageIndex::new(manifests, BTreeMap::new()));
        self.document(MediaType::IMAGE_INDEX, &index)
    }

    fn name(&mut self, name: &str, descriptor: &Descriptor) {
        let reference: Reference = name.parse().expect("a reference");
        self.entries.push(BundleEntry::new(reference.name().clone(), reference.target(), descriptor));
    }

    fn nar_info(&mut self, name: &str, references: &[&StorePath]) -> StorePath {
        let hash = self.blob(name.as_bytes());
        let path: StorePath = format!("0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-{name}").parse().expect("a path");
        let hash = FileHash::new(hash.hash());
        let info = NarInfo {
            store_path: path.clone(),
            url: nar_file_name(hash, Compression::None).expect("a name"),
            compression: Compression::None,
            file_hash: Some(hash),
            file_size: Some(name.len() as u64),
            nar_hash: NarHash::of(b""),
            nar_size: 1,
            references: references.iter().copied().cloned().collect(),
            deriver: None,
            signatures: Vec::new(),
            content_address: None,
        };
        let digest = self.blob(info.to_text().as_bytes());
        self.nar_infos.push(digest);
        path
    }

    fn open(&self) -> Result<Bundle, BundleError> {
        let index = to_json(&BundleEntry::index(&self.entries));
        self.open_with(&index)
    }

    fn open_with(&self, index: &[u8]) -> Result<Bundle, BundleError> {
        let descriptor = BundleDescriptor::new(self.nar_infos.iter().copied().collect()).to_bytes();
        let [layout, index_name, descriptor_name] = DOCUMENTS.map(|(name, _)| name);
        let documents: [(&str, &[u8]); 3] = [(layout, OCI_LAYOUT), (index_name, index), (descriptor_name, &descriptor)];
        let mut bytes = Vec::new();
        write_sealed(&documents, &self.blobs, &mut bytes, &no_progress).expect("written");
        let path = self.path("bundle.tar");
        std::fs::write(&path, bytes).expect("written");
        Bundle::open(&path, &Silent)
    }
}

fn refused(draft: &Draft) -> String {
    draft.open().expect_err("it makes no sense").to_string()
}

#[test]
fn what_is_named_and_there_is_read() {
    let mut draft = Draft::new();
    let image = draft.image(b"layer");
    let index = draft.index(vec![image.clone(), image]);
    draft.name("a.test/b:1", &index);
    let library = draft.nar_info("lib", &[]);
    draft.nar_info("app", &[&library]);
    let bundle = draft.open().expect("it is whole");
    assert_eq!((bundle.below(index.digest).len(), bundle.blobs_below(index.digest).len()), (2, 2));
    assert_eq!(bundle.nar_infos.len(), 2);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut draft = Draft::new();
    draft.blob(b"stray");
    assert!(refused(&draft).contains("nothing in"));

    let mut draft = Draft::new();
    let image = draft.image(b"layer");
    draft.name("a.test/b:1", &image);
    draft.blobs.remove(&Digest::of(b"layer"));
    assert!(refused(&draft).contains("has no blob"));

    let mut draft = Draft::new();
    let mut image = draft.image(b"layer");
    image.size += 1;
    let index = draft.index(vec![image]);
    draft.name("a.test/b:1", &index);
    assert!(refused(&draft).contains("is named with"));

    let mut draft = Draft::new();
    let mut image = draft.image(b"layer");
    image.media_type = MediaType::IMAGE_INDEX;
    draft.name("a.test/b:1", &image);
    assert!(refused(&draft).contains("cannot read the manifest"));

    let mut draft = Draft::new();
    let library = draft.nar_info("lib", &[]);
    let app = draft.nar_info("app", &[&library]);
    draft.nar_infos.remove(0);
    assert!(refused(&draft).contains("is missing, which it refers to"), "{app}");
}

/// Nobody nests indexes so; whoever does must not make the reader fall over.
#[test]
fn indexes_in_each_other_without_end_are_no_problem() {
    let mut draft = Draft::new();
    let mut below = draft.image(b"layer");
    for _ in 0..3000 {
        below = draft.index(vec![below]);
    }
    draft.name("a.test/b:1", &below);
    assert_eq!(draft.open().expect("it is whole").below(below.digest).len(), 3001);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn changed_indexes_are_refused(at: prop::sample::Index, value: u8) {
        let mut draft = Draft::new();
        let image = draft.image(b"layer");
        draft.name("a.test/b:1", &image);
        let mut index = to_json(&BundleEntry::index(&draft.entries));
        let at = at.index(index.len());
        let changed = index[at] != value;
        index[at] = value;
        if let Ok(bundle) = draft.open_with(&index) {
            // Another name is another bundle, which is as whole.
            prop_assert!(!changed || bundle.entries[0].reference() != "a.test/b:1".parse().expect("a reference"));
        }
    }
}
