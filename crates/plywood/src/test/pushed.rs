//! Images as they are in a registry, put into an engine.

use camino::Utf8Path;
use plywood_core::manifest::ResolvedImage;
use plywood_core::oci::{Reference, Tag};
use plywood_core::platform::Platform;
use plywood_oci::image::Image;
use plywood_oci::layout::{Export, write_directory, write_docker_archive, write_file};
use plywood_oci::registry::RegistryClient;
use plywood_oci::store::Store;

use super::TestResult;
use crate::Error;
use crate::build::Output;
use crate::engine::{Engine, EngineError, EngineKind};
use crate::events::{Events, Task, Unit};
use crate::publish::PublishError;
use crate::pull::RegistryImage;

/// As many digits of a digest are in a name for people.
const SHORT: usize = 12;

/// What a name in a registry stands for.
///
/// # Errors
/// When the registry does not have it.
pub(super) fn find(client: &RegistryClient, reference: &Reference) -> Result<RegistryImage, Error> {
    Ok(RegistryImage::find(client.repository(reference.name()), &reference.target())?)
}

/// Brings an image into the store and from there into the engine.
///
/// There it has a tag made of its digest, so that no name that somebody uses comes to name another image.
///
/// # Errors
/// When it cannot be had, or the engine fails.
pub(super) fn load(
    found: &RegistryImage,
    reference: &Reference,
    platform: Platform,
    engine: &Engine,
    store: &Store,
    events: &dyn Events,
) -> Result<Image, Error> {
    let image = found.fetch(platform, store, events)?;
    let hex = found.digest().to_hex();
    let tag = format!("sha256-{}", hex.get(..SHORT).unwrap_or(&hex));
    let tag: Tag = tag.parse().map_err(|source| PublishError::Reference { text: tag.clone(), source })?;
    let name = reference.with_tag(tag);
    let _task = Task::start(events, format!("Loading {name} into {}", engine.kind()), None, Unit::Items);
    let stage = |source| EngineError::Stage { source };
    // In the cache: the folder for temporary files is memory on many machines, and blobs are linked here.
    let folder = tempfile::tempdir_in(store.root()).map_err(stage)?;
    let place = Utf8Path::from_path(folder.path());
    let place = place.ok_or_else(|| stage(std::io::ErrorKind::InvalidFilename.into()))?;
    let output = match engine.kind() {
        EngineKind::Podman => {
            let layout = place.join("oci");
            write_directory(store, &layout, &[Export::new(store, name.clone(), vec![image.clone()])?])?;
            Output::OciLayout(layout)
        }
        EngineKind::Docker => {
            let archive = place.join("image.tar");
            write_file(&archive, |out| write_docker_archive(store, &[(vec![name.clone()], &image)], out))?;
            Output::DockerArchive(archive)
        }
    };
    engine.load_as(&output, &name.to_string(), image.config.digest, platform)?;
    Ok(image)
}

/// Holds the layers against the size limit of the manifest, as a build does.
pub(super) fn size_limit(image: &ResolvedImage, layers: &Image) -> Option<TestResult> {
    let limit = image.size_limit?.0;
    let size: u64 = layers.layers.iter().map(|layer| layer.size).sum();
    let failure = format!("it has {size} bytes compressed; its size limit is {limit} bytes");
    let failures = if size > limit { vec![failure] } else { Vec::new() };
    Some(TestResult { title: "size-limit".to_owned(), failures })
}
