//! A whole image of a registry in the store, to be put into an engine.

use plywood_core::digest::Digest;
use plywood_core::oci::distribution::ManifestKind;
use plywood_core::oci::{
    Descriptor, ImageConfig, ImageIndex, ImageManifest, MAX_DOCUMENT, ManifestName, ParseDocumentError,
};
use plywood_core::platform::Platform;
use plywood_oci::codec::LayerCompression;
use plywood_oci::image::Image;
use plywood_oci::layer::Layer;
use plywood_oci::registry::Repository;
use plywood_oci::store::Store;
use plywood_oci::unpacked::LayerRef;

use super::FetchError;
use crate::events::{Events, Task, Unit};

/// What a name stands for in a registry, an index or the manifest of one platform.
#[derive(Debug)]
pub(crate) struct RegistryImage {
    repository: Repository,
    root: Descriptor,
    /// `None` where the name stands for one platform's manifest.
    index: Option<ImageIndex>,
    bytes: Vec<u8>,
}

impl RegistryImage {
    /// Reads what a name stands for, once: wherever a tag moves afterwards, this is what it named.
    ///
    /// # Errors
    /// When it is not there, or no manifest and no index.
    pub(crate) fn find(repository: Repository, name: &ManifestName) -> Result<Self, FetchError> {
        let fetched = repository.get_manifest(name)?;
        let reference = || repository.name().reference(name).to_string();
        let index = match fetched.kind {
            ManifestKind::Index => ImageIndex::parse(&fetched.bytes).map(Some),
            ManifestKind::Manifest => Ok(None),
        };
        let index = index.map_err(|source| FetchError::Document { reference: reference(), source })?;
        Ok(Self { repository, root: fetched.descriptor, index, bytes: fetched.bytes })
    }

    /// The digest that the name stands for.
    pub(crate) fn digest(&self) -> Digest {
        self.root.digest
    }

    /// The full name with that digest and without a tag.
    pub(crate) fn reference(&self) -> String {
        self.repository.name().reference(&self.root.digest.into()).to_string()
    }

    /// Brings the image of one platform into the store: every blob by its digest, every layer also by its diff ID.
    ///
    /// # Errors
    /// When there is none for the platform, something is missing or not what it is named, or the store cannot be written.
    pub(crate) fn fetch(&self, platform: Platform, store: &Store, events: &dyn Events) -> Result<Image, FetchError> {
        let (manifest, parsed) = self.manifest(platform, store)?;
        if !parsed.config.media_type.is_config() {
            return Err(self.unread(&parsed.config));
        }
        let config = self.repository.read_blob(&parsed.config, MAX_DOCUMENT as u64)?;
        store.put_blob(&config)?;
        let parsed_config = ImageConfig::parse(&config).map_err(|source| self.document(source))?;
        // An index could say of an image what is not so.
        if (parsed_config.os.as_str(), parsed_config.architecture.as_str()) != ("linux", platform.architecture()) {
            return Err(self.not_for(platform));
        }
        let (layers, diff_ids) = (parsed.layers.len(), parsed_config.rootfs.diff_ids.len());
        if layers != diff_ids {
            return Err(FetchError::LayerCount { reference: self.reference(), layers, diff_ids });
        }
        self.fetch_layers(&parsed.layers, store, events)?;
        let layers = parsed.layers.iter().zip(&parsed_config.rootfs.diff_ids).map(|(layer, diff_id)| {
            let compression = LayerCompression::of(&layer.media_type).ok_or_else(|| self.unread(layer))?;
            let (digest, size, diff_id) = (layer.digest, layer.size, *diff_id);
            let unpacked = store.unpacked_layer(&LayerRef { digest, size, diff_id, compression });
            let unpacked = unpacked.map_err(|source| FetchError::Unpack { reference: self.reference(), source })?;
            let uncompressed_size = unpacked.uncompressed_size();
            Ok(Layer { key: None, digest, diff_id, size, uncompressed_size, compression })
        });
        let layers = layers.collect::<Result<_, FetchError>>()?;
        Ok(Image { manifest, config: parsed.config, layers })
    }

    /// The manifest of a platform, which is in the store then.
    fn manifest(&self, platform: Platform, store: &Store) -> Result<(Descriptor, ImageManifest), FetchError> {
        let (descriptor, bytes) = match &self.index {
            None => (self.root.clone(), self.bytes.clone()),
            Some(index) => {
                let digest = index.for_platform(platform).ok_or_else(|| self.not_for(platform))?.digest;
                let fetched = self.repository.get_manifest(&digest.into())?;
                (fetched.descriptor, fetched.bytes)
            }
        };
        if !descriptor.media_type.is_manifest() {
            return Err(self.unread(&descriptor));
        }
        store.put_blob(&bytes)?;
        let manifest = ImageManifest::parse(&bytes).map_err(|source| self.document(source))?;
        Ok((descriptor, manifest))
    }

    fn fetch_layers(&self, layers: &[Descriptor], store: &Store, events: &dyn Events) -> Result<(), FetchError> {
        let missing = layers.iter().filter(|layer| !store.has_blob(layer.digest, layer.size));
        let mut missing: Vec<Descriptor> = missing.cloned().collect();
        missing.sort_by_key(|layer| layer.digest);
        missing.dedup_by_key(|layer| layer.digest);
        if missing.is_empty() {
            return Ok(());
        }
        let bytes = missing.iter().map(|layer| layer.size).sum();
        let task = Task::start(events, format!("Fetching {}", self.reference()), Some(bytes), Unit::Bytes);
        self.repository.get_blobs_to(store, &missing, &|bytes| task.advance(bytes))?;
        Ok(())
    }

    fn document(&self, source: ParseDocumentError) -> FetchError {
        FetchError::Document { reference: self.reference(), source }
    }

    fn unread(&self, blob: &Descriptor) -> FetchError {
        let (digest, media_type) = (blob.digest, blob.media_type.clone());
        FetchError::MediaType { reference: self.reference(), digest, media_type }
    }

    fn not_for(&self, platform: Platform) -> FetchError {
        let known = self.index.iter().flat_map(|index| &index.manifests);
        let known = known.filter_map(|image| image.platform.as_ref()?.known()).collect();
        FetchError::Platform { reference: self.reference(), platform, known }
    }
}
