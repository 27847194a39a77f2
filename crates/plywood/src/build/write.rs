//! Finished images into the output.

use plywood_core::manifest::Manifest;
use plywood_core::oci::Reference;
use plywood_oci::image::Image;
use plywood_oci::layout::{Export, write_directory, write_docker_archive, write_file, write_oci_archive};
use plywood_oci::store::Store;

use super::known::MadeImage;
use super::{BuildError, BuiltImage, Output};

/// The tag of what was just built; tags for publishing are the registry's business.
const TAG: &str = "latest";

/// Writes all images to the output and says how they are named there.
///
/// # Errors
/// When the output cannot be written, or cannot hold several platforms.
pub(super) fn write(
    store: &Store,
    output: &Output,
    images: &[MadeImage],
    manifest: &Manifest,
) -> Result<Vec<BuiltImage>, BuildError> {
    let mut exports = Vec::with_capacity(images.len());
    let mut built = Vec::with_capacity(images.len());
    for finished in images {
        let reference = reference(manifest, &finished.name)?;
        let platforms: Vec<Image> = finished.platforms.iter().map(|platform| platform.image.clone()).collect();
        let export = Export::new(store, reference.clone(), platforms)?;
        built.push(BuiltImage {
            name: finished.name.clone(),
            reference: reference.to_string(),
            digest: export.root.digest,
            platforms: finished.platforms.iter().map(|platform| platform.built.clone()).collect(),
        });
        exports.push(export);
    }
    match output {
        Output::OciLayout(directory) => write_directory(store, directory, &exports)?,
        Output::OciArchive(path) => write_file(path, |out| write_oci_archive(store, &exports, out))?,
        Output::DockerArchive(path) => {
            let named: Vec<(Vec<Reference>, &Image)> = exports
                .iter()
                .flat_map(|export| export.images.iter().map(|image| (vec![export.name.clone()], image)))
                .collect();
            write_file(path, |out| write_docker_archive(store, &named, out))?;
        }
    }
    Ok(built)
}

/// How engines and the output's index know an image: below the workspace's registry, or as podman's local images.
fn reference(manifest: &Manifest, image: &str) -> Result<Reference, BuildError> {
    let workspace = manifest.workspace();
    let text = match &workspace.registry {
        Some(registry) => format!("{registry}/{image}:{TAG}"),
        None => format!("localhost/{}/{image}:{TAG}", workspace.name),
    };
    text.parse().map_err(|source| BuildError::Reference { image: image.to_owned(), source })
}
