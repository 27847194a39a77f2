//! What is in a base.

use std::collections::BTreeMap;

use plywood_core::debian::configure::BaseSystem;
use plywood_core::debian::deb::ElfInfo;
use plywood_core::debian::dpkg::Installer;
use plywood_core::debian::os_release::OsRelease;
use plywood_core::layering::Overlay;
use plywood_core::lockfile::LockedBase;
use plywood_core::manifest::{BaseReference, Distribution};
use plywood_core::platform::Platform;
use plywood_core::tree::{Content, NodeKind, PackedContent, ReadContent, Tree, TreePath};
use plywood_oci::codec::{Codec, LayerCompression};
use plywood_oci::layer::Layer;
use plywood_oci::segment::SegmentContents;
use plywood_oci::unpacked::LayerRef;

use super::{PullError, Puller};

const STATUS: TreePath = TreePath::literal("var/lib/dpkg/status");

/// A base whose layers are in the store, read.
#[derive(Debug)]
pub(crate) struct PulledBase {
    /// Its layers, bottom up, as ours are put on them.
    pub(crate) layers: Vec<Layer>,
    /// What contents in them are read by.
    pub(crate) refs: Vec<LayerRef>,
    /// The file system that they show.
    pub(crate) overlay: Overlay,
}

impl PulledBase {
    /// Fetches and reads the layers of a base.
    pub(crate) fn open(puller: &Puller<'_>, base: &BaseReference, locked: &LockedBase) -> Result<Self, PullError> {
        puller.fetch_layers(base, locked)?;
        let mut pulled = Self { layers: Vec::new(), refs: Vec::new(), overlay: Overlay::default() };
        for layer in &locked.layers {
            let compression = LayerCompression::of(&layer.media_type).ok_or_else(|| PullError::MediaType {
                base: base.to_string(),
                digest: layer.digest,
                media_type: layer.media_type.clone(),
            })?;
            let (digest, size, diff_id) = (layer.digest, layer.size, layer.diff_id);
            let layer_ref = LayerRef { digest, size, diff_id, compression };
            let failed = |source| PullError::Unpack { base: base.to_string(), source };
            let unpacked = puller.store.unpacked_layer(&layer_ref).map_err(failed)?;
            unpacked.apply(&mut pulled.overlay).map_err(failed)?;
            let uncompressed_size = unpacked.uncompressed_size();
            pulled.layers.push(Layer { key: None, digest, diff_id, size, uncompressed_size, compression });
            pulled.refs.push(layer_ref);
        }
        Ok(pulled)
    }

    /// Reads contents of the base, and of segments compressed by `codec`.
    pub(crate) fn contents<'s>(&self, puller: &Puller<'s>, codec: Codec) -> SegmentContents<'s> {
        SegmentContents::new(puller.store, codec).with_layers(self.refs.iter().copied())
    }

    /// What dpkg knows in the base, with its shared objects where `with_libraries`.
    pub(crate) fn system(
        &self,
        base: &BaseReference,
        platform: Platform,
        contents: &SegmentContents<'_>,
        with_libraries: bool,
    ) -> Result<BaseSystem, PullError> {
        let tree = self.overlay.to_tree();
        let elf = if with_libraries {
            libraries(&tree, contents).map_err(|source| PullError::Content { base: base.to_string(), source })?
        } else {
            BTreeMap::new()
        };
        let (installer, packages) = Installer::over(tree, platform, contents)
            .map_err(|source| PullError::System { base: base.to_string(), source })?;
        Ok(BaseSystem { installer, packages, elf })
    }

    /// dpkg's list of the base's packages; an error where it has none.
    pub(crate) fn status(
        &self,
        base: &BaseReference,
        contents: &dyn ReadContent,
    ) -> Result<std::sync::Arc<[u8]>, PullError> {
        let tree = self.overlay.to_tree();
        let status = tree.read(&STATUS, contents).ok().filter(|status| !status.is_empty());
        status.ok_or_else(|| {
            let name = OsRelease::of(&tree, contents);
            let name = name.as_ref().and_then(|release| release.get("PRETTY_NAME")).unwrap_or("it");
            PullError::NoPackages { base: base.to_string(), why: format!("{name} has no dpkg") }
        })
    }

    /// The keys that a system has for its own archive.
    pub(crate) fn archive_keys(&self, distribution: &str, contents: &dyn ReadContent) -> Vec<u8> {
        let tree = self.overlay.to_tree();
        let folders = ["usr/share/keyrings", "etc/apt/trusted.gpg.d"].map(TreePath::literal);
        let of_archive = |path: &&TreePath| {
            let name = path.file_name().map(ToString::to_string).unwrap_or_default();
            name.starts_with(distribution)
                && (name.ends_with(".gpg") || name.ends_with(".asc"))
                && !name.contains("removed")
                && !name.contains("cloud")
        };
        let files: Vec<TreePath> = folders
            .iter()
            .flat_map(|folder| {
                tree.children(folder).map(|(path, _)| path).filter(of_archive).cloned().collect::<Vec<_>>()
            })
            .collect();
        files.iter().filter_map(|path| tree.read(path, contents).ok()).flat_map(|bytes| bytes.to_vec()).collect()
    }
}

/// What system a base is.
pub(crate) fn distribution(pulled: &PulledBase, contents: &dyn ReadContent) -> Option<Distribution> {
    let release = OsRelease::of(&pulled.overlay.to_tree(), contents)?;
    Some(Distribution { id: release.id().to_owned(), codename: release.codename().and_then(|name| name.parse().ok()) })
}

/// The shared objects of a tree, each read once, in the order of the layers.
fn libraries(
    tree: &Tree,
    contents: &SegmentContents<'_>,
) -> Result<BTreeMap<TreePath, ElfInfo>, plywood_core::tree::ReadContentError> {
    let mut found = BTreeMap::new();
    let mut packed: Vec<(&PackedContent, &TreePath)> = Vec::new();
    for (path, node) in tree.iter().filter(|(path, _)| ElfInfo::is_wanted(path)) {
        match &node.kind {
            NodeKind::File { content: Content::Inline(bytes), .. } => {
                found.extend(ElfInfo::read(path, bytes).map(|info| (path.clone(), info)));
            }
            NodeKind::File { content: Content::Packed(content), .. } => packed.push((content, path)),
            _ => {}
        }
    }
    packed.sort_by_key(|(content, _)| (content.item, content.offset));
    for (content, path) in packed {
        let bytes = contents.read(content)?;
        found.extend(ElfInfo::read(path, &bytes).map(|info| (path.clone(), info)));
    }
    Ok(found)
}
