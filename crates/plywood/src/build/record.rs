//! Images remembered by everything they are made from, so that a build that changes nothing does nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::Utf8PathBuf;
use plywood_core::digest::{Digest, FileHash};
use plywood_core::image::Sources;
use plywood_core::item::{ItemId, ItemKey};
use plywood_core::manifest::model::{ScriptPolicy, Workspace as WorkspaceTable};
use plywood_core::manifest::{BaseReference, ResolvedImage};
use plywood_core::nix::StorePath;
use plywood_core::oci::{Timestamp, to_json};
use plywood_core::platform::Platform;
use plywood_core::tree::{Content, NodeKind};
use plywood_oci::image::Image;
use plywood_oci::store::Store;
use serde::{Deserialize, Serialize};

use super::nix_plan::{NixPlan, PlannedPath};
use super::plan::{ImagePlan, PlannedItem};

/// A finished image, with what was said while its packages were configured; the rest of its report follows from its plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) image: Image,
    pub(super) notes: BTreeSet<String>,
}

/// Everything that decides about the bytes of an image, but for what the workspace gives it.
#[derive(Serialize)]
struct Inputs<'a> {
    program: &'a str,
    workspace: &'a WorkspaceTable,
    image: &'a ResolvedImage,
    platform: Platform,
    date: Timestamp,
    created: Timestamp,
    /// Names and items, in the order of installation.
    packages: Vec<(&'a str, ItemId)>,
    requested: &'a BTreeSet<String>,
    scripts: BTreeMap<&'a str, (ScriptPolicy, FileHash)>,
    base: Option<(&'a BaseReference, Digest)>,
    nix: Option<NixInputs<'a>>,
    /// What is in each: items by what does not change when the lock has others.
    layers: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct NixInputs<'a> {
    paths: Vec<PathInputs<'a>>,
    runtime: Vec<String>,
    roots: Vec<(String, &'a str, i64)>,
    shell: Option<(&'a BTreeMap<String, String>, &'a str)>,
    as_available: bool,
}

#[derive(Serialize)]
struct PathInputs<'a> {
    path: String,
    name: &'a str,
    nar_hash: String,
    nar_size: u64,
    references: Vec<String>,
    deriver: Option<String>,
}

/// Identity of an image before it is made: the program, what manifest and lock say of it, and what the workspace gives it. What they say of
/// other images is not in it, nor which of those share its layers.
pub(super) fn key(
    plan: &ImagePlan<'_>,
    workspace: &WorkspaceTable,
    date: Timestamp,
    created: Timestamp,
    sources: &Sources,
) -> ItemId {
    let inputs = Inputs {
        program: env!("PLYWOOD_SOURCES"),
        workspace,
        image: plan.image,
        platform: plan.platform,
        date,
        created,
        packages: plan.packages.iter().map(|package| (package.deb.name.as_str(), package.item())).collect(),
        requested: &plan.requested,
        scripts: plan.scripts.iter().map(|(name, script)| (name.as_str(), (script.policy, script.sha256))).collect(),
        base: plan.base.as_ref().map(|(base, locked)| (*base, locked.manifest)),
        nix: plan.nix.as_ref().map(nix_inputs),
        layers: plan.layers.iter().map(|layer| layer.items.iter().map(item_inputs).collect()).collect(),
    };
    let mut parts: Vec<Vec<u8>> = vec![to_json(&inputs)];
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

fn item_inputs((key, item): &(ItemKey, PlannedItem)) -> String {
    match item {
        PlannedItem::Package(_) => key.0.clone(),
        PlannedItem::StorePath(path) => path.to_string(),
    }
}

fn texts(paths: &BTreeSet<StorePath>) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

fn nix_inputs(nix: &NixPlan) -> NixInputs<'_> {
    NixInputs {
        paths: nix.paths.iter().map(|(path, planned)| path_inputs(path, planned)).collect(),
        runtime: texts(&nix.runtime),
        roots: nix.roots.iter().map(|root| (root.path.to_string(), root.owner.as_str(), root.priority)).collect(),
        shell: nix.shell.as_ref().map(|shell| (&shell.env, shell.hook.as_str())),
        as_available: nix.as_available,
    }
}

fn path_inputs<'a>(path: &StorePath, planned: &'a PlannedPath) -> PathInputs<'a> {
    PathInputs {
        path: path.to_string(),
        name: &planned.name,
        nar_hash: planned.nar_hash.to_nix(),
        nar_size: planned.nar_size,
        references: texts(&planned.references),
        deriver: planned.deriver.as_ref().map(ToString::to_string),
    }
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
