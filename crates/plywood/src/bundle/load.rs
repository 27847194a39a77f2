//! `plywood bundle load`

use std::fs::{self, File};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::bundle::BundleEntry;
use plywood_core::digest::{DiffId, Digest};
use plywood_core::oci::{Descriptor, ImageConfig, ImageIndex, MAX_DOCUMENT, Reference, annotations, to_json};
use plywood_core::platform::Platform;
use plywood_oci::codec::LayerCompression;
use plywood_oci::image::Image;
use plywood_oci::layer::Layer;
use plywood_oci::layout::{LayoutError, write_docker_archive, write_file};
use plywood_oci::store::Store;
use plywood_oci::unpacked::LayerRef;
use serde::Serialize;

use super::open::Bundle;
use super::{BundleError, OCI_LAYOUT, is_meant};
use crate::Error;
use crate::build::Output;
use crate::engine::{Engine, EngineError, EngineKind};
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

/// What of a bundle goes into an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleLoadOptions {
    /// The bundle.
    pub file: Utf8PathBuf,
    /// The images, by their full names or the last parts of them; all that are for the platform when empty.
    pub images: Vec<String>,
    /// The engine; whichever is there when `None`.
    pub engine: Option<EngineKind>,
    /// The platform; the host's when `None`.
    pub platform: Option<Platform>,
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleLoadReport {
    /// The engine.
    pub engine: EngineKind,
    /// The images.
    pub images: Vec<LoadedImage>,
}

/// An image in an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadedImage {
    /// Its full name.
    pub reference: String,
    /// What the engine calls it: the digest of its configuration.
    pub image_id: Digest,
}

/// An image of one platform in a bundle.
struct Chosen {
    reference: Reference,
    /// Names what the bundle's entry names: the index, where there is one.
    root: Descriptor,
    manifest: Descriptor,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// Puts images of a bundle into an engine's store, under their full names.
///
/// # Errors
/// When the bundle is not whole, lacks an image, or the engine fails.
pub fn load(
    options: &BundleLoadOptions,
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<BundleLoadReport, Error> {
    let engine = Engine::find(options.engine)?;
    let bundle = Bundle::open(&options.file, events)?;
    let platform = options.platform.unwrap_or_else(crate::os::platform);
    let chosen = choose(&bundle, &options.images, platform)?;
    // In the cache: the folder for temporary files is memory on many machines.
    let cache = workspace.cache();
    let folder = fs::create_dir_all(cache).and_then(|()| tempfile::tempdir_in(cache));
    let folder = folder.map_err(BundleError::io("write in", cache))?;
    let place = Utf8Path::from_path(folder.path());
    let place = place.ok_or_else(|| EngineError::Stage { source: io::ErrorKind::InvalidFilename.into() })?;
    let mut images = Vec::new();
    for image in &chosen {
        let _task =
            Task::start(events, format!("Loading {} into {}", image.reference, engine.kind()), None, Unit::Items);
        let output = match engine.kind() {
            EngineKind::Podman => stage_layout(&bundle, image, &place.join("oci"))?,
            EngineKind::Docker => stage_archive(&bundle, image, &place.join("store"), &place.join("image.tar"))?,
        };
        engine.load_as(&output, &image.reference.to_string(), image.config.digest, platform)?;
        images.push(LoadedImage { reference: image.reference.to_string(), image_id: image.config.digest });
    }
    Ok(BundleLoadReport { engine: engine.kind(), images })
}

fn choose(bundle: &Bundle, asked: &[String], platform: Platform) -> Result<Vec<Chosen>, BundleError> {
    let images: Vec<&BundleEntry> = bundle.entries.iter().filter(|entry| entry.is_tagged_image()).collect();
    let mut chosen = Vec::new();
    if asked.is_empty() {
        for entry in images {
            chosen.extend(for_platform(bundle, entry, platform)?);
        }
        return Ok(chosen);
    }
    for name in asked {
        let meant: Vec<&BundleEntry> = images.iter().filter(|entry| is_meant(name, entry)).copied().collect();
        if meant.is_empty() {
            let names = images.iter().map(|entry| entry.reference().to_string()).collect();
            return Err(BundleError::NoSuchImage { asked: name.clone(), names });
        }
        for entry in meant {
            let found = for_platform(bundle, entry, platform)?;
            let reference = entry.reference().to_string();
            chosen.push(found.ok_or(BundleError::NotForPlatform { reference, platform })?);
        }
    }
    Ok(chosen)
}

/// The image that an entry has for a platform; `None` for what is no image, or none for it.
fn for_platform(bundle: &Bundle, entry: &BundleEntry, platform: Platform) -> Result<Option<Chosen>, BundleError> {
    let root = &entry.descriptor;
    let fits = |child: &&Descriptor| child.platform.as_ref().and_then(|spec| spec.known()) == Some(platform);
    let manifest = match bundle.nodes.get(&root.digest) {
        Some(node) if root.media_type.is_index() => node.manifests.iter().find(fits).cloned(),
        _ => Some(root.clone()),
    };
    let Some(manifest) = manifest else { return Ok(None) };
    let Some(node) = bundle.nodes.get(&manifest.digest) else { return Ok(None) };
    let Some((config, layers)) = node.blobs.split_first() else { return Ok(None) };
    if node.artifact_type.is_some() || !config.media_type.is_config() {
        return Ok(None);
    }
    if !root.media_type.is_index() {
        // What has no index says itself what it is for.
        let bytes = bundle.archive.read(config.digest, MAX_DOCUMENT as u64)?;
        let own = ImageConfig::parse(&bytes).ok().map(|config| (config.os, config.architecture));
        if own != Some(("linux".to_owned(), platform.architecture().to_owned())) {
            return Ok(None);
        }
    }
    let (root, config, layers) = (root.clone(), config.clone(), layers.to_vec());
    Ok(Some(Chosen { reference: entry.reference(), root, manifest, config, layers }))
}

/// Copies what an image has into a folder of blobs. Layers of an image before it stay.
fn stage(bundle: &Bundle, image: &Chosen, blobs: &Utf8Path) -> Result<(), BundleError> {
    fs::create_dir_all(blobs).map_err(BundleError::io("create", blobs))?;
    for blob in image.layers.iter().chain([&image.config, &image.manifest, &image.root]) {
        let path = blobs.join(blob.digest.to_hex());
        if path.exists() {
            continue;
        }
        let mut file = File::create(&path).map_err(BundleError::io("write", &path))?;
        io::copy(&mut bundle.archive.blob(blob.digest)?, &mut file).map_err(BundleError::io("write", &path))?;
    }
    Ok(())
}

/// An image layout that has the image under its name; of its index no other platform is there, nor read.
fn stage_layout(bundle: &Bundle, image: &Chosen, folder: &Utf8Path) -> Result<Output, BundleError> {
    stage(bundle, image, &folder.join("blobs/sha256"))?;
    let named = image.root.clone().annotated(annotations::REF_NAME, image.reference.to_string());
    let index = to_json(&ImageIndex::new(vec![named], Default::default()));
    for (name, bytes) in [("oci-layout", OCI_LAYOUT), ("index.json", &index)] {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(BundleError::io("write", &path))?;
    }
    Ok(Output::OciLayout(folder.to_owned()))
}

/// A layer whose uncompressed bytes were compared with what the configuration says.
fn verified(store: &Store, layer: &Descriptor, diff_id: DiffId) -> Result<Layer, LayoutError> {
    let (digest, size, media_type) = (layer.digest, layer.size, layer.media_type.clone());
    let compression = LayerCompression::of(&media_type).ok_or(LayoutError::MediaType { digest, media_type })?;
    let unpacked = store.unpacked_layer(&LayerRef { digest, size, diff_id, compression })?;
    let uncompressed_size = unpacked.uncompressed_size();
    Ok(Layer { key: None, digest, diff_id, size, uncompressed_size, compression })
}

/// An archive of Docker's own, with uncompressed layers.
fn stage_archive(bundle: &Bundle, image: &Chosen, folder: &Utf8Path, archive: &Utf8Path) -> Result<Output, Error> {
    let store = Store::open(folder)?;
    stage(bundle, image, &folder.join("blobs/sha256"))?;
    let bytes = bundle.archive.read(image.config.digest, MAX_DOCUMENT as u64).map_err(BundleError::from)?;
    let config = ImageConfig::parse(&bytes).map_err(|source| BundleError::Manifest {
        place: image.reference.to_string(),
        digest: image.config.digest,
        source: source.into(),
    })?;
    let layers = image.layers.iter().zip(&config.rootfs.diff_ids);
    let layers = layers.map(|(layer, diff_id)| verified(&store, layer, *diff_id)).collect::<Result<_, _>>()?;
    let whole = Image { manifest: image.manifest.clone(), config: image.config.clone(), layers };
    write_file(archive, |out| write_docker_archive(&store, &[(vec![image.reference.clone()], &whole)], out))?;
    Ok(Output::DockerArchive(archive.to_owned()))
}
