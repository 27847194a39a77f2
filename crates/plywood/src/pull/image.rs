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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write as _;

    use camino::Utf8Path;
    use plywood_core::digest::DiffId;
    use plywood_core::oci::{MediaType, PlatformSpec, RuntimeConfig, to_json};
    use plywood_oci::registry::{ClientConfig, RegistryClient};
    use plywood_testkit::TestRegistry;
    use plywood_testkit::registry::RegistryFault;

    use super::*;
    use crate::error::in_full;
    use crate::events::Silent;

    const AMD64: Platform = Platform::LinuxAmd64;

    /// An image of one layer in a registry, before something is wrong with it.
    struct Planted {
        layer: Vec<u8>,
        layer_type: MediaType,
        config_type: MediaType,
        diff_ids: Vec<DiffId>,
        /// What its configuration says that it is made for, and what the index says.
        platforms: (Platform, Platform),
    }

    impl Planted {
        fn new() -> Self {
            let mut tar = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_ustar();
            header.set_size(2);
            header.set_mode(0o644);
            tar.append_data(&mut header, "hello", &b"hi"[..]).expect("appended");
            let tar = tar.into_inner().expect("a tar");
            let diff_ids = vec![DiffId::new(Digest::of(&tar).hash())];
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&tar).expect("compressed");
            let layer = gzip.finish().expect("compressed");
            let (layer_type, config_type) = (MediaType::DOCKER_LAYER_GZIP, MediaType::IMAGE_CONFIG);
            Self { layer, layer_type, config_type, diff_ids, platforms: (AMD64, AMD64) }
        }

        /// Puts it into the registry; gives the digest of the index.
        fn plant(&self, registry: &TestRegistry) -> Digest {
            let config = to_json(&ImageConfig::new(self.platforms.0, RuntimeConfig::default(), self.diff_ids.clone()));
            registry.add_blob("app", &config);
            registry.add_blob("app", &self.layer);
            let layer = Descriptor::of(self.layer_type.clone(), &self.layer);
            let manifest =
                ImageManifest::new(Descriptor::of(self.config_type.clone(), &config), vec![layer], BTreeMap::new());
            let manifest = to_json(&manifest);
            registry.add_manifest("app", None, MediaType::IMAGE_MANIFEST.as_str(), &manifest);
            let mut named = Descriptor::of(MediaType::IMAGE_MANIFEST, &manifest);
            named.platform = Some(PlatformSpec::from(self.platforms.1));
            let index = to_json(&ImageIndex::new(vec![named], BTreeMap::new()));
            registry.add_manifest("app", Some("1"), MediaType::IMAGE_INDEX.as_str(), &index)
        }
    }

    fn fetch(registry: &TestRegistry, folder: &Utf8Path) -> Result<Image, FetchError> {
        let mut config = ClientConfig::default();
        config.patience.attempts = 1;
        let client = RegistryClient::new(config).expect("a client");
        let repository = client.repository(&format!("{}/app", registry.host()).parse().expect("a name"));
        let tag: plywood_core::oci::Tag = "1".parse().expect("a tag");
        let store = Store::open(folder).expect("a store");
        RegistryImage::find(repository, &tag.into())?.fetch(AMD64, &store, &Silent)
    }

    #[test]
    fn a_whole_image_is_fetched_once() {
        let (registry, folder) = (TestRegistry::start(), tempfile::tempdir().expect("a folder"));
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let planted = Planted::new();
        planted.plant(&registry);
        let image = fetch(&registry, folder).expect("fetched");
        assert_eq!(image.layers.iter().map(|layer| layer.diff_id).collect::<Vec<_>>(), planted.diff_ids);
        let read = std::fs::read(folder.join("blobs/sha256").join(image.layers[0].digest.to_hex()));
        assert!(read.is_ok_and(|bytes| bytes == planted.layer));
        let before = registry.count("GET", "/blobs/");
        assert_eq!(fetch(&registry, folder).expect("fetched"), image);
        assert_eq!(registry.count("GET", "/blobs/"), before + 1, "the configuration alone");
    }

    #[test]
    fn what_is_not_what_it_is_called_is_refused() {
        let check = |change: &dyn Fn(&mut Planted, &TestRegistry), expect: &str| {
            let (registry, folder) = (TestRegistry::start(), tempfile::tempdir().expect("a folder"));
            let mut planted = Planted::new();
            change(&mut planted, &registry);
            planted.plant(&registry);
            let error = fetch(&registry, Utf8Path::from_path(folder.path()).expect("UTF-8")).expect_err(expect);
            let text = format!("{}; {}", in_full(&error), error.hint().unwrap_or_default());
            assert!(text.contains(expect), "{text}");
        };
        let other = || DiffId::new(Digest::of(b"other").hash());
        check(&|planted, _| planted.diff_ids = vec![other()], "has not the diff ID");
        check(&|planted, _| planted.diff_ids.clear(), "has 1 layers by its manifest and 0 by its configuration");
        check(&|planted, _| planted.layer_type = MediaType::EMPTY_JSON, "which is not read here");
        check(&|planted, _| planted.config_type = MediaType::EMPTY_JSON, "which is not read here");
        check(&|planted, _| planted.layer = b"no archive".to_vec(), "cannot unpack layer");
        check(&|planted, _| planted.platforms.0 = Platform::LinuxArm64, "is not there for linux/amd64");
        let elsewhere = "is not there for linux/amd64; it is there with `--platform linux/arm64`";
        check(&|planted, _| planted.platforms = (Platform::LinuxArm64, Platform::LinuxArm64), elsewhere);
        let always = |registry: &TestRegistry, part: &str, fault| registry.fail_always("GET", part, fault);
        check(&|_, registry| always(registry, "/blobs/", RegistryFault::WrongBytes), "instead of");
        check(&|_, registry| always(registry, "/manifests/sha256:", RegistryFault::WrongBytes), "instead of");
        check(
            &|_, registry| always(registry, "/blobs/", RegistryFault::Status(404, String::new())),
            "it is not there; check the name",
        );
    }
}
