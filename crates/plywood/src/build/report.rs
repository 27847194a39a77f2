//! What `build` made. Nothing in it depends on the clock, so equal builds give equal reports but for [`LayerOrigin`].

use std::collections::BTreeSet;

use plywood_core::digest::{DiffId, Digest};
use plywood_core::item::ItemKey;
use plywood_core::platform::Platform;
use serde::{Deserialize, Serialize};

use super::Output;
use crate::engine::EngineKind;
use crate::lock::LockReport;

/// What `build` made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Where the images are.
    pub output: Output,
    /// What was done to the lock first; `None` when it was as it should be.
    pub lock: Option<LockReport>,
    /// The images, those they stand on before them.
    pub images: Vec<BuiltImage>,
    /// The engine that has them too.
    pub loaded: Option<EngineKind>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuiltImage {
    /// Its name in the manifest.
    pub name: String,
    /// Its full name, such as `ghcr.io/example/infra/base:latest`: how the output's index and engines know it.
    pub reference: String,
    /// The digest of its index over the platforms, or of its manifest in a docker archive.
    pub digest: Digest,
    /// Each platform.
    pub platforms: Vec<BuiltPlatform>,
}

/// One image on one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltPlatform {
    /// Which.
    pub platform: Platform,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The digest of its config: what engines call the image id.
    pub image_id: Digest,
    /// How many packages it has.
    pub packages: usize,
    /// How many store paths it has.
    pub store_paths: usize,
    /// Bytes of those that are there for `nix develop` without a network alone.
    pub develop_size: u64,
    /// Bytes of its layers as stored: what a machine that has none of them downloads.
    pub compressed_size: u64,
    /// Bytes of its layers uncompressed: what it takes on disk.
    pub uncompressed_size: u64,
    /// Its layers, bottom up.
    pub layers: Vec<BuiltLayer>,
    /// What configuring its packages left out or passed over on purpose, one sentence each without a period.
    pub notes: BTreeSet<String>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltLayer {
    /// The digest of the layer as stored.
    pub digest: Digest,
    /// The digest of its uncompressed tar.
    pub diff_id: DiffId,
    /// Bytes as stored.
    pub compressed_size: u64,
    /// Bytes uncompressed.
    pub uncompressed_size: u64,
    /// What is in it, in order; empty for a layer of generated state.
    pub items: Vec<ItemKey>,
    /// The images of the workspace that have it, this one included.
    pub images: BTreeSet<String>,
    /// Why these items are together, one sentence without a period.
    pub reason: String,
    /// Whether this build had to make it.
    pub origin: LayerOrigin,
}

/// Where a layer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerOrigin {
    /// This build made it.
    Made,
    /// The cache had it.
    Cached,
    /// A registry has it; it was neither made nor fetched.
    Registry,
    /// It is one of the image outside of the workspace that the image is built on, as it is there.
    Inherited,
}
