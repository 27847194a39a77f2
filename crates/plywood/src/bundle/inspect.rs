//! `plywood bundle inspect`

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::bundle::BundleEntry;
use plywood_core::digest::Digest;
use serde::Serialize;

use super::open::Bundle;
use crate::Error;
use crate::events::Events;

/// What is in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleReport {
    /// The bundle.
    pub file: Utf8PathBuf,
    /// How many blobs it has.
    pub blobs: usize,
    /// Bytes of all blobs.
    pub size: u64,
    /// What has a name, by name.
    pub images: Vec<BundledImage>,
    /// How many store paths it has.
    pub store_paths: usize,
    /// Bytes of their NARs as they are in the bundle.
    pub store_size: u64,
}

/// Something that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundledImage {
    /// Its full name.
    pub reference: String,
    /// Its digest.
    pub digest: Digest,
    /// What kind of artifact it is; `None` for an image.
    pub artifact_type: Option<String>,
    /// What it is attached to.
    pub subject: Option<Digest>,
    /// The platforms that it is for, as an index names them.
    pub platforms: BTreeSet<String>,
    /// Bytes of all that it leads to.
    pub size: u64,
}

/// Verifies a bundle and says what is in it.
///
/// # Errors
/// When it cannot be read, or is not as plywood writes it.
pub fn inspect(file: &Utf8Path, events: &dyn Events) -> Result<BundleReport, Error> {
    let bundle = Bundle::open(file, events)?;
    Ok(BundleReport {
        file: file.to_owned(),
        blobs: bundle.archive.blobs().count(),
        size: bundle.archive.blobs().map(|(_, size)| size).sum(),
        images: bundle.entries.iter().map(|entry| image(&bundle, entry)).collect(),
        store_paths: bundle.nar_infos.len(),
        store_size: bundle.nar_infos.values().filter_map(|info| info.file_size).sum(),
    })
}

fn image(bundle: &Bundle, entry: &BundleEntry) -> BundledImage {
    let digest = entry.descriptor.digest;
    let node = bundle.nodes.get(&digest);
    let manifests = bundle.below(digest);
    let platforms = manifests.iter().filter_map(|manifest| manifest.platform.as_ref()).map(|platform| {
        let variant = platform.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
        format!("{}/{}{variant}", platform.os, platform.architecture)
    });
    let blobs = bundle.blobs_below(digest).into_iter().filter_map(|blob| bundle.archive.size(blob));
    BundledImage {
        reference: entry.reference().to_string(),
        digest,
        artifact_type: node.and_then(|node| node.artifact_type.as_ref()).map(ToString::to_string),
        subject: node.and_then(|node| node.subject.as_ref()).map(|subject| subject.digest),
        platforms: platforms.collect(),
        size: manifests.iter().map(|manifest| manifest.size).chain(blobs).sum(),
    }
}
