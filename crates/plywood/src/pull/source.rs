//! Where bases come from: registries, and layouts of the workspace.

use std::sync::OnceLock;

use camino::Utf8Path;
use plywood_core::digest::Digest;
use plywood_core::lockfile::LockedBase;
use plywood_core::manifest::BaseReference;
use plywood_core::oci::{Descriptor, ImageConfig, MAX_DOCUMENT, MediaType};
use plywood_oci::layout::ImageLayout;
use plywood_oci::registry::{ClientConfig, RegistryClient, RegistryError, Repository};
use plywood_oci::store::Store;

use super::PullError;
use crate::events::{Events, Task, Unit};

/// Fetches bases into the store.
pub(crate) struct Puller<'p> {
    /// The folder that layouts are named from.
    directory: &'p Utf8Path,
    pub(super) store: &'p Store,
    events: &'p dyn Events,
    /// Made when the first registry is asked, so that who asks none needs no certificates.
    client: OnceLock<RegistryClient>,
}

/// Where one base is.
pub(super) enum Place {
    Registry(Box<Repository>),
    Layout(Box<ImageLayout>),
}

impl<'p> Puller<'p> {
    pub(crate) fn new(directory: &'p Utf8Path, store: &'p Store, events: &'p dyn Events) -> Self {
        Self { directory, store, events, client: OnceLock::new() }
    }

    pub(super) fn place(&self, base: &BaseReference) -> Result<Place, PullError> {
        match base {
            BaseReference::Registry(reference) => {
                let client = self.client().map_err(|source| registry_error(base, source))?;
                Ok(Place::Registry(Box::new(client.repository(reference.name()))))
            }
            BaseReference::Layout(layout) => ImageLayout::open(self.directory.join(layout.path.as_str()))
                .map(|layout| Place::Layout(Box::new(layout)))
                .map_err(|source| PullError::Layout { base: base.to_string(), source }),
        }
    }

    fn client(&self) -> Result<&RegistryClient, RegistryError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = RegistryClient::new(ClientConfig::from_environment())?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Brings the layers of a base into the store, those that are there already excepted.
    pub(crate) fn fetch_layers(&self, base: &BaseReference, locked: &LockedBase) -> Result<(), PullError> {
        let there = |blob: &Descriptor| self.store.has_blob(blob.digest, blob.size);
        let layers = locked.layers.iter();
        let layers = layers.map(|layer| Descriptor::new(layer.media_type.clone(), layer.digest, layer.size));
        let missing: Vec<Descriptor> = layers.filter(|blob| !there(blob)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let bytes = missing.iter().map(|blob| blob.size).sum();
        let task = Task::start(self.events, format!("Fetching {base}"), Some(bytes), Unit::Bytes);
        match self.place(base)? {
            Place::Registry(repository) => {
                let fetched = repository.get_blobs_to(self.store, &missing, &|bytes| task.advance(bytes));
                fetched.map_err(|source| registry_error(base, source))?;
            }
            Place::Layout(layout) => {
                for blob in &missing {
                    let copied = layout.copy_blob_to(self.store, blob);
                    copied.map_err(|source| PullError::Layout { base: base.to_string(), source })?;
                    task.advance(blob.size);
                }
            }
        }
        Ok(())
    }

    /// The configuration of a base, from the store or from where the base is.
    pub(crate) fn config(&self, base: &BaseReference, locked: &LockedBase) -> Result<ImageConfig, PullError> {
        let digest = locked.config;
        let kept = std::fs::read(self.store.blob_path(digest)).ok().filter(|bytes| Digest::of(bytes) == digest);
        let bytes = match kept {
            Some(bytes) => bytes,
            None => self.read_config(base, locked)?,
        };
        ImageConfig::parse(&bytes).map_err(|source| PullError::Document { base: base.to_string(), source })
    }

    fn read_config(&self, base: &BaseReference, locked: &LockedBase) -> Result<Vec<u8>, PullError> {
        let blob = Descriptor::new(MediaType::IMAGE_CONFIG, locked.config, locked.config_size);
        let bytes = match self.place(base)? {
            Place::Registry(repository) => {
                repository.read_blob(&blob, MAX_DOCUMENT as u64).map_err(|source| registry_error(base, source))?
            }
            Place::Layout(layout) => {
                layout.document(&blob).map_err(|source| PullError::Layout { base: base.to_string(), source })?
            }
        };
        self.store.put_blob(&bytes)?;
        Ok(bytes)
    }
}

pub(super) fn registry_error(base: &BaseReference, source: RegistryError) -> PullError {
    PullError::Registry { base: base.to_string(), source: Box::new(source) }
}
