//! What the registry has already, found again by keys, so that a machine with an empty cache need not make it.
//!
//! A registry could put anything under a key. So keys are read only from an index that a believed key has signed, whose
//! digest covers all that it names, or when the user says that the registry is to be trusted.

use plywood_core::attest::PublicKey;
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, MediaType, RepositoryName, Tag, annotations};
use plywood_oci::image::Image;
use plywood_oci::layer::Layer;
use plywood_oci::registry::{RegistryClient, Repository};
use plywood_oci::store::Store;

use super::PublishError;
use crate::Error;
use crate::attest;
use crate::build::Known;
use crate::events::{Event, Events};

/// Whose word is taken for keys.
pub(super) enum Believed {
    /// Nobody's: nothing is reused.
    Nobody,
    /// That of these keys.
    Keys(Vec<PublicKey>),
    /// The registry's own.
    Registry,
}

/// Reads what is under the tags of these repositories. What is not there, or not believed, is not known; that is all.
///
/// # Errors
/// When the registry cannot be asked, or the store not be written.
pub(super) fn published(
    client: &RegistryClient,
    repositories: &[(RepositoryName, Tag)],
    believed: &Believed,
    store: &Store,
    events: &dyn Events,
) -> Result<Known, Error> {
    let mut known = Known::default();
    if matches!(believed, Believed::Nobody) {
        return Ok(known);
    }
    for (name, tag) in repositories {
        let repository = client.repository(name);
        let fetched = match repository.get_manifest(&tag.clone().into()) {
            Ok(fetched) if fetched.descriptor.media_type.is_index() => fetched,
            Ok(_) => continue,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(PublishError::from(error).into()),
        };
        let Ok(index) = ImageIndex::parse(&fetched.bytes) else { continue };
        if !is_believed(&repository, &fetched.descriptor, believed)? {
            let what = repository.name().reference(&fetched.descriptor.digest.into());
            events.emit(Event::Detail(format!("no trusted key signed {what}, so nothing of it is reused")));
            continue;
        }
        for image in &index.manifests {
            add(&repository, image, store, &mut known)?;
        }
    }
    Ok(known)
}

fn is_believed(repository: &Repository, index: &Descriptor, believed: &Believed) -> Result<bool, Error> {
    match believed {
        Believed::Nobody => Ok(false),
        Believed::Registry => Ok(true),
        Believed::Keys(keys) => Ok(attest::is_signed(repository, index.digest, keys)?),
    }
}

/// Enters an image and its layers.
fn add(repository: &Repository, descriptor: &Descriptor, store: &Store, known: &mut Known) -> Result<(), Error> {
    let fetched = match repository.get_manifest(&descriptor.digest.into()) {
        Ok(fetched) => fetched,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(PublishError::from(error).into()),
    };
    let Ok(manifest) = ImageManifest::parse(&fetched.bytes) else { return Ok(()) };
    let layers: Vec<Option<Layer>> = manifest.layers.iter().map(Layer::of_descriptor).collect();
    for layer in layers.iter().flatten() {
        if let Some(key) = layer.key {
            known.layers.entry(key).or_insert_with(|| layer.clone());
        }
    }
    let key = descriptor.annotations.get(annotations::IMAGE_KEY).and_then(|key| key.parse().ok());
    if let (Some(key), Some(layers)) = (key, layers.into_iter().collect::<Option<Vec<Layer>>>()) {
        store.put_blob(&fetched.bytes)?;
        let mut named = Descriptor::new(MediaType::IMAGE_MANIFEST, descriptor.digest, fetched.descriptor.size);
        named.platform.clone_from(&descriptor.platform);
        known.images.insert(key, Image { manifest: named, config: manifest.config, layers });
    }
    Ok(())
}
