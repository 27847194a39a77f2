//! A bundle that was read whole: every blob is what it is called, everything that is named is there, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use plywood_core::bundle::{BundleDescriptor, BundleEntry, ManifestNode};
use plywood_core::digest::Digest;
use plywood_core::nix::{NarInfo, StorePath};
use plywood_core::oci::{Descriptor, ImageIndex, MAX_DOCUMENT, to_json};
use plywood_oci::layout::sealed::SealedArchive;

use super::{BundleError, DOCUMENTS, MAX_MANIFESTS, OCI_LAYOUT};
use crate::events::{Events, Task, Unit};
use crate::nix::push::nar_file_name;

/// All manifests and narinfos together, in bytes; they stay in memory.
const MAX_TOTAL: u64 = 512 << 20;

/// A bundle that was verified.
#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) archive: SealedArchive,
    /// What has a name, by name.
    pub(super) entries: Vec<BundleEntry>,
    /// Every manifest and index.
    pub(super) nodes: BTreeMap<Digest, ManifestNode>,
    pub(super) nar_infos: BTreeMap<StorePath, NarInfo>,
}

impl Bundle {
    /// Reads and verifies a bundle.
    ///
    /// # Errors
    /// For whatever is not as [`super::create()`] writes it.
    pub(super) fn open(path: &Utf8Path, events: &dyn Events) -> Result<Self, BundleError> {
        let length = std::fs::metadata(path).map_err(BundleError::io("open", path))?.len();
        let task = Task::start(events, format!("Checking {path}"), Some(length), Unit::Bytes);
        let archive = SealedArchive::open(path, &DOCUMENTS, &|bytes| task.advance(bytes))?;
        let form = |document| BundleError::Form { path: path.to_owned(), document };
        let [layout, index, descriptor] = archive.documents() else { return Err(form("oci-layout")) };
        if layout != OCI_LAYOUT {
            return Err(form("oci-layout"));
        }
        // First, since it says whether this is a bundle that is understood.
        let descriptor = BundleDescriptor::parse(descriptor)
            .map_err(|source| BundleError::Descriptor { path: path.to_owned(), source })?;
        let parsed = ImageIndex::parse(index).map_err(|source| BundleError::Index { path: path.to_owned(), source })?;
        let entries = BundleEntry::of_index(&parsed).filter(|_| to_json(&parsed) == *index);
        let entries = entries.ok_or_else(|| form("index.json"))?;
        let mut check = Check { archive: &archive, reached: BTreeSet::new(), total: 0 };
        let nodes = check.manifests(&entries)?;
        let nar_infos = check.nar_infos(&descriptor.nar_infos)?;
        check.nothing_else()?;
        Ok(Self { archive, entries, nodes, nar_infos })
    }

    /// Every manifest and index that an entry leads to, those below others before them.
    pub(super) fn below(&self, root: Digest) -> Vec<Descriptor> {
        let entry = self.entries.iter().find(|entry| entry.descriptor.digest == root);
        // A stack of our own: nobody says how many indexes may be within each other.
        let mut pending: Vec<(Descriptor, bool)> =
            entry.map(|entry| (entry.descriptor.clone(), false)).into_iter().collect();
        let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
        while let Some((descriptor, all_below_done)) = pending.pop() {
            if all_below_done {
                order.push(descriptor);
            } else if seen.insert(descriptor.digest) {
                let children = self.nodes.get(&descriptor.digest).into_iter().flat_map(|node| &node.manifests);
                let children: Vec<_> = children.map(|child| (child.clone(), false)).collect();
                pending.push((descriptor, true));
                pending.extend(children);
            }
        }
        order
    }

    /// The configuration and layers of all that an entry leads to.
    pub(super) fn blobs_below(&self, root: Digest) -> BTreeSet<Digest> {
        let nodes = self.below(root).into_iter().filter_map(|manifest| self.nodes.get(&manifest.digest));
        nodes.flat_map(|node| &node.blobs).map(|blob| blob.digest).collect()
    }
}

/// A check under way.
struct Check<'a> {
    archive: &'a SealedArchive,
    /// The blobs that something leads to.
    reached: BTreeSet<Digest>,
    /// Bytes of documents that were read.
    total: u64,
}

impl Check<'_> {
    fn manifests(&mut self, entries: &[BundleEntry]) -> Result<BTreeMap<Digest, ManifestNode>, BundleError> {
        let mut nodes = BTreeMap::new();
        let mut pending: Vec<Descriptor> = entries.iter().map(|entry| entry.descriptor.clone()).collect();
        while let Some(descriptor) = pending.pop() {
            self.reach(&descriptor)?;
            if nodes.contains_key(&descriptor.digest) {
                continue;
            }
            if nodes.len() == MAX_MANIFESTS {
                return Err(self.too_many());
            }
            let bytes = self.read(descriptor.digest, MAX_DOCUMENT as u64)?;
            let node = ManifestNode::parse(&descriptor.media_type, &bytes).map_err(|source| BundleError::Manifest {
                place: self.archive.path().to_string(),
                digest: descriptor.digest,
                source,
            })?;
            node.blobs.iter().try_for_each(|blob| self.reach(blob))?;
            pending.extend(node.manifests.iter().cloned());
            nodes.insert(descriptor.digest, node);
        }
        Ok(nodes)
    }

    fn nar_infos(&mut self, digests: &BTreeSet<Digest>) -> Result<BTreeMap<StorePath, NarInfo>, BundleError> {
        let mut infos = BTreeMap::new();
        let path = self.archive.path().to_owned();
        for digest in digests {
            let refused = |why: &str| BundleError::NarInfo { path: path.clone(), digest: *digest, why: why.to_owned() };
            self.reached.insert(*digest);
            let bytes = self.read(*digest, NarInfo::MAX_LEN as u64)?;
            let info = NarInfo::parse(&bytes).map_err(|error| refused(&error.to_string()))?;
            let (Some(hash), Some(size)) = (info.file_hash, info.file_size) else {
                return Err(refused("it says no hash or size of the file"));
            };
            if nar_file_name(hash, info.compression).as_ref() != Some(&info.url) {
                return Err(refused("its file is not named by its hash"));
            }
            let nar = Digest::new(hash.hash());
            match self.archive.size(nar) {
                Some(found) if found == size => self.reached.insert(nar),
                Some(_) => return Err(refused("its file has another size")),
                None => return Err(refused("its file is not there")),
            };
            if infos.insert(info.store_path.clone(), info).is_some() {
                return Err(refused("another one is of the same store path"));
            }
        }
        for info in infos.values() {
            if let Some(missing) = info.references.iter().find(|path| !infos.contains_key(*path)) {
                let digest = Digest::of(info.to_text().as_bytes());
                return Err(BundleError::NarInfo {
                    path,
                    digest,
                    why: format!("{missing} is missing, which it refers to"),
                });
            }
        }
        Ok(infos)
    }

    fn reach(&mut self, descriptor: &Descriptor) -> Result<(), BundleError> {
        let (digest, expect) = (descriptor.digest, descriptor.size);
        let found = self.archive.source(digest)?.size;
        if found != expect {
            return Err(BundleError::Size { path: self.archive.path().to_owned(), digest, found, expect });
        }
        self.reached.insert(digest);
        Ok(())
    }

    fn read(&mut self, digest: Digest, limit: u64) -> Result<Vec<u8>, BundleError> {
        let bytes = self.archive.read(digest, limit)?;
        self.total += bytes.len() as u64;
        if self.total > MAX_TOTAL { Err(self.too_many()) } else { Ok(bytes) }
    }

    fn nothing_else(&self) -> Result<(), BundleError> {
        match self.archive.blobs().find(|(digest, _)| !self.reached.contains(digest)) {
            Some((digest, _)) => Err(BundleError::Stray { path: self.archive.path().to_owned(), digest }),
            None => Ok(()),
        }
    }

    fn too_many(&self) -> BundleError {
        BundleError::TooMany { place: self.archive.path().to_string() }
    }
}
