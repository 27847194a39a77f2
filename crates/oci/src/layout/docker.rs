//! Docker's own archives: what every `docker load` takes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use plywood_core::oci::{Reference, to_json};
use serde::Serialize;

use super::LayoutError;
use super::archive::Archive;
use crate::image::Image;
use crate::layer::Layer;
use crate::store::Store;

/// One image in `manifest.json` (Docker image-spec 1.2, "Combined Image JSON + Filesystem Changeset Format").
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ArchivedImage {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// Writes images as a `docker-archive`: layers uncompressed, the configuration as it is, so that the image ID is the
/// same as everywhere. Each image has its names; one platform each, since the format knows no others.
///
/// # Errors
/// When a blob cannot be read or `out` not be written.
pub fn write_docker_archive(
    store: &Store,
    images: &[(Vec<Reference>, &Image)],
    out: impl Write,
) -> Result<(), LayoutError> {
    let mut archive = Archive::new(out);
    let layers: BTreeMap<String, &Layer> =
        images.iter().flat_map(|(_, image)| &image.layers).map(|layer| (layer_name(layer), layer)).collect();
    for (name, layer) in layers {
        let path = store.blob_path(layer.digest);
        let blob = File::open(&path).map_err(LayoutError::io("read", &path))?;
        let mut uncompressed = layer.compression.decoder(blob).map_err(LayoutError::io("read", &path))?;
        archive.file(&name, layer.uncompressed_size, &mut uncompressed)?;
    }
    let configs: BTreeMap<String, &Image> = images.iter().map(|(_, image)| (config_name(image), *image)).collect();
    for (name, image) in configs {
        let path = store.blob_path(image.config.digest);
        let mut config = File::open(&path).map_err(LayoutError::io("read", &path))?;
        archive.file(&name, image.config.size, &mut config)?;
    }
    let archived: Vec<ArchivedImage> = images.iter().map(|(names, image)| archived_image(names, image)).collect();
    archive.bytes("manifest.json", &to_json(&archived))?;
    archive.finish()
}

fn archived_image(names: &[Reference], image: &Image) -> ArchivedImage {
    ArchivedImage {
        config: config_name(image),
        repo_tags: names.iter().map(Reference::to_string).collect(),
        layers: image.layers.iter().map(layer_name).collect(),
    }
}

fn config_name(image: &Image) -> String {
    format!("{}.json", image.config.digest.to_hex())
}

fn layer_name(layer: &Layer) -> String {
    format!("{}.tar", layer.diff_id.to_hex())
}
