//! Reading layouts and archives, with nothing taken on trust.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::{Digest, Sha256Hash};
use plywood_core::oci::{Descriptor, ImageConfig, ImageIndex, ImageManifest, MAX_DOCUMENT, annotations};
use plywood_core::platform::Platform;

use super::LayoutError;
use crate::hash::Hashing;
use crate::registry::BlobSource;
use crate::store::Store;

/// As many files are looked for in an archive; far more than any layout has.
const MAX_FILES: usize = 1 << 20;

/// An image layout, a directory or an `oci-archive`.
#[derive(Debug)]
pub struct ImageLayout {
    path: Utf8PathBuf,
    /// Where files are in the archive, as offset and size in bytes; `None` for a directory.
    archived: Option<BTreeMap<Vec<u8>, (u64, u64)>>,
    index: ImageIndex,
}

/// One image of one platform in a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutImage {
    /// Names the manifest.
    pub descriptor: Descriptor,
    /// Its parts.
    pub manifest: ImageManifest,
    /// What it is and how it runs.
    pub config: ImageConfig,
}

impl ImageLayout {
    /// Opens the layout at `path`.
    ///
    /// # Errors
    /// When it cannot be read or has no valid index.
    pub fn open(path: impl Into<Utf8PathBuf>) -> Result<Self, LayoutError> {
        let path = path.into();
        let is_file = std::fs::metadata(&path).map_err(LayoutError::io("open", &path))?.is_file();
        let archived = if is_file { Some(list_archive(&path)?) } else { None };
        let mut layout = Self { path, archived, index: ImageIndex::new(Vec::new(), BTreeMap::new()) };
        let bytes = layout.read_small("index.json")?;
        let named = |source| LayoutError::Document { name: "index.json".to_owned(), source };
        layout.index = ImageIndex::parse(&bytes).map_err(named)?;
        Ok(layout)
    }

    /// What the layout leads to.
    pub fn index(&self) -> &ImageIndex {
        &self.index
    }

    /// The names of its images.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.index.manifests.iter().filter_map(|image| image.annotations.get(annotations::REF_NAME)).map(String::as_str)
    }

    /// The image of a name, or the only one, for the platform.
    ///
    /// # Errors
    /// When there is no such image, or its documents are damaged.
    pub fn image(&self, name: Option<&str>, platform: Platform) -> Result<LayoutImage, LayoutError> {
        let root = self.root(name)?;
        if !root.media_type.is_index() {
            let image = self.single(root.clone())?;
            // What has no index says itself what it is for.
            let found = (image.config.os.as_str(), image.config.architecture.as_str());
            let fits = found == ("linux", platform.architecture());
            return if fits { Ok(image) } else { Err(LayoutError::NoSuchPlatform { platform }) };
        }
        let index = ImageIndex::parse(&self.document(root)?).map_err(|source| document_error(root, source))?;
        let found = index.for_platform(platform).cloned();
        self.single(found.ok_or(LayoutError::NoSuchPlatform { platform })?)
    }

    /// The bytes of a manifest, index or configuration, verified.
    ///
    /// # Errors
    /// When it is missing, too large or damaged.
    pub fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LayoutError> {
        let bytes = self.read_small(&blob_name(descriptor.digest))?;
        if bytes.len() as u64 != descriptor.size || Digest::of(&bytes) != descriptor.digest {
            return Err(LayoutError::Damaged { digest: descriptor.digest });
        }
        Ok(bytes)
    }

    /// A blob to be read; at its end a damaged one is an error of kind [`io::ErrorKind::InvalidData`].
    ///
    /// # Errors
    /// When it is missing.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<impl Read + use<>, LayoutError> {
        let file = self.raw_blob(descriptor)?;
        Ok(Verifying { inner: Some(Hashing::new(file)), digest: descriptor.digest, size: descriptor.size })
    }

    /// Copies a blob into the store, verified.
    ///
    /// # Errors
    /// When it is missing or damaged, or the store cannot be written.
    pub fn copy_blob_to(&self, store: &Store, blob: &Descriptor) -> Result<(), LayoutError> {
        let path = store.blob_path(blob.digest);
        let mut file = store.create_temp()?;
        io::copy(&mut self.blob(blob)?, &mut file).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => LayoutError::Damaged { digest: blob.digest },
            _ => LayoutError::Layer { digest: blob.digest, source },
        })?;
        file.readable_by_all()?;
        Ok(file.persist(&path)?)
    }

    /// A blob as it is there, for readers that verify it themselves.
    pub(super) fn raw_blob(&self, descriptor: &Descriptor) -> Result<io::Take<File>, LayoutError> {
        Ok(self.file(blob_name(descriptor.digest).as_bytes())?.0)
    }

    /// Reads every blob of an image and compares it with its name.
    ///
    /// # Errors
    /// [`LayoutError::Damaged`] for the first that differs.
    pub fn verify(&self, image: &LayoutImage) -> Result<(), LayoutError> {
        for layer in &image.manifest.layers {
            let copied = io::copy(&mut self.blob(layer)?, &mut io::sink());
            copied.map_err(|source| match source.kind() {
                io::ErrorKind::InvalidData => LayoutError::Damaged { digest: layer.digest },
                _ => LayoutError::Layer { digest: layer.digest, source },
            })?;
        }
        Ok(())
    }

    fn root(&self, name: Option<&str>) -> Result<&Descriptor, LayoutError> {
        let wanted = |image: &&Descriptor| {
            name.is_none() || image.annotations.get(annotations::REF_NAME).map(String::as_str) == name
        };
        let mut found = self.index.manifests.iter().filter(wanted);
        match (found.next(), found.next()) {
            (Some(image), None) => Ok(image),
            _ => Err(LayoutError::NoSuchImage {
                asked: name.map_or_else(|| "without a name".to_owned(), |name| format!("`{name}`")),
                names: self.names().map(str::to_owned).collect(),
            }),
        }
    }

    fn single(&self, descriptor: Descriptor) -> Result<LayoutImage, LayoutError> {
        let unread = |descriptor: &Descriptor| LayoutError::MediaType {
            digest: descriptor.digest,
            media_type: descriptor.media_type.clone(),
        };
        if !descriptor.media_type.is_manifest() {
            return Err(unread(&descriptor));
        }
        let bytes = self.document(&descriptor)?;
        let manifest = ImageManifest::parse(&bytes).map_err(|source| document_error(&descriptor, source))?;
        if !manifest.config.media_type.is_config() {
            return Err(unread(&manifest.config));
        }
        let bytes = self.document(&manifest.config)?;
        let config = ImageConfig::parse(&bytes).map_err(|source| document_error(&manifest.config, source))?;
        let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if layers != diff_ids {
            return Err(LayoutError::LayerCount { layers, diff_ids });
        }
        Ok(LayoutImage { descriptor, manifest, config })
    }

    /// Where a blob is, as it is there, for who copies or uploads it and verifies it on its way.
    ///
    /// # Errors
    /// When an archive lacks it.
    pub fn blob_source(&self, descriptor: &Descriptor) -> Result<BlobSource, LayoutError> {
        let (path, (offset, _)) = self.place(blob_name(descriptor.digest).as_bytes())?;
        Ok(BlobSource { digest: descriptor.digest, size: descriptor.size, path, offset })
    }

    /// Where a file is, with offset and size in bytes; the size of one that stands alone is not known yet.
    fn place(&self, name: &[u8]) -> Result<(Utf8PathBuf, (u64, u64)), LayoutError> {
        let text = String::from_utf8_lossy(name).into_owned();
        Ok(match &self.archived {
            Some(files) => {
                let place = files.get(name).copied().ok_or(LayoutError::Missing { name: text })?;
                (self.path.clone(), place)
            }
            None => (self.path.join(text), (0, u64::MAX)),
        })
    }

    /// A file of the layout with its size in bytes.
    fn file(&self, name: &[u8]) -> Result<(io::Take<File>, u64), LayoutError> {
        let (path, (offset, size)) = self.place(name)?;
        let mut file = File::open(&path).map_err(LayoutError::io("open", &path))?;
        file.seek(SeekFrom::Start(offset)).map_err(LayoutError::io("read", &path))?;
        let size = if self.archived.is_some() { size } else { file_size(&file, &path)? };
        Ok((file.take(size), size))
    }

    fn read_small(&self, name: &str) -> Result<Vec<u8>, LayoutError> {
        let (mut file, size) = self.file(name.as_bytes())?;
        if size > MAX_DOCUMENT as u64 {
            let source = plywood_core::oci::ParseDocumentError::TooLarge { size: size as usize };
            return Err(LayoutError::Document { name: name.to_owned(), source });
        }
        let mut bytes = Vec::with_capacity(size as usize);
        file.read_to_end(&mut bytes).map_err(LayoutError::io("read", &self.path))?;
        Ok(bytes)
    }
}

fn file_size(file: &File, path: &Utf8Path) -> Result<u64, LayoutError> {
    Ok(file.metadata().map_err(LayoutError::io("read", path))?.len())
}

fn blob_name(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.to_hex())
}

fn document_error(descriptor: &Descriptor, source: plywood_core::oci::ParseDocumentError) -> LayoutError {
    LayoutError::Document { name: blob_name(descriptor.digest), source }
}

/// Where each file is in an archive.
fn list_archive(path: &Utf8Path) -> Result<BTreeMap<Vec<u8>, (u64, u64)>, LayoutError> {
    let failed = || LayoutError::io("read the archive", path);
    let mut archive = tar::Archive::new(File::open(path).map_err(failed())?);
    let mut files = BTreeMap::new();
    for entry in archive.entries_with_seek().map_err(failed())?.take(MAX_FILES) {
        let entry = entry.map_err(failed())?;
        if entry.header().entry_type().is_file() {
            let name = entry.path_bytes();
            let name = name.strip_prefix(b"./").unwrap_or(&name).to_vec();
            files.insert(name, (entry.raw_file_position(), entry.size()));
        }
    }
    Ok(files)
}

/// Reads a blob and, at its end, compares it with its name.
pub(super) struct Verifying<R> {
    /// Taken at the end.
    pub(super) inner: Option<Hashing<R>>,
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl<R: Read> Read for Verifying<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.inner else { return Ok(0) };
        let read = inner.read(buffer)?;
        let length = inner.hasher.length();
        let ended = read == 0 && !buffer.is_empty();
        if length > self.size || (ended && self.inner.take().is_none_or(|inner| self.differs(inner))) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("the blob is not {}", self.digest)));
        }
        Ok(read)
    }
}

impl<R> Verifying<R> {
    fn differs(&self, inner: Hashing<R>) -> bool {
        let length = inner.hasher.length();
        let hash: Sha256Hash = inner.hasher.finish();
        length != self.size || Digest::new(hash) != self.digest
    }
}
