//! Images remembered by everything they are made from, so that a build that changes nothing does nothing.

use std::fs;

use camino::Utf8PathBuf;
use plywood_core::digest::Digest;
use plywood_core::image::Sources;
use plywood_core::item::ItemId;
use plywood_core::oci::Timestamp;
use plywood_core::tree::{Content, NodeKind};
use plywood_oci::image::Image;
use plywood_oci::store::Store;
use serde::{Deserialize, Serialize};

use super::plan::ImagePlan;
use super::report::BuiltPlatform;

/// A finished image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) image: Image,
    pub(super) built: BuiltPlatform,
}

/// Identity of an image before it is made: the program, the manifest, the lock and what the workspace gives it.
pub(super) fn key(plan: &ImagePlan<'_>, manifest: Digest, lock: &str, created: Timestamp, sources: &Sources) -> ItemId {
    let mut parts: Vec<Vec<u8>> = vec![
        env!("PLYWOOD_SOURCES").into(),
        manifest.to_string().into(),
        lock.into(),
        plan.image.name.to_string().into(),
        plan.platform.to_string().into(),
        created.to_string().into(),
    ];
    for (source, tree) in &sources.trees {
        parts.push(source.as_str().into());
        for (path, node) in tree {
            parts.push(path.as_bytes().to_vec());
            parts.push(format!("{:o}", node.meta.mode).into());
            parts.push(match &node.kind {
                NodeKind::File { content: Content::Inline(bytes), .. } => bytes.to_vec(),
                other => format!("{other:?}").into(),
            });
        }
    }
    for (path, bytes) in sources.system.iter().chain(&sources.certificates) {
        parts.push(path.as_bytes().to_vec());
        parts.push(bytes.to_vec());
    }
    ItemId::of_parts(parts.iter().map(Vec::as_slice))
}

/// The image of this key, when all its blobs are still there.
pub(super) fn find(store: &Store, key: ItemId) -> Option<Record> {
    let record: Record = serde_json::from_slice(&fs::read(path(store, key)).ok()?).ok()?;
    let there = |digest| store.blob_path(digest).exists();
    let layers = record.image.layers.iter().all(|layer| match layer.key {
        Some(key) => matches!(store.layer(key), Ok(Some(_))),
        None => store.has_blob(layer.digest, layer.size),
    });
    (layers && there(record.image.manifest.digest) && there(record.image.config.digest)).then_some(record)
}

/// Remembers a finished image. That it cannot be remembered costs time later, nothing else.
pub(super) fn keep(store: &Store, key: ItemId, record: &Record) {
    let path = path(store, key);
    let Some(folder) = path.parent() else { return };
    let written = fs::create_dir_all(folder).ok().and_then(|()| {
        let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
        serde_json::to_writer(&mut file, record).ok()?;
        file.persist(&path).ok()
    });
    drop(written);
}

fn path(store: &Store, key: ItemId) -> Utf8PathBuf {
    store.root().join("images").join(key.to_hex())
}
