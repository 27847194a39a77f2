//! `plywood bundle create`

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::bundle::{BundleDescriptor, BundleEntry};
use plywood_core::digest::{Digest, Sha256Hash};
use plywood_core::manifest::{Manifest, ResolvedImage};
use plywood_core::oci::{ImageIndex, MAX_DOCUMENT, Reference, annotations, to_json};
use plywood_oci::layout::sealed::write_sealed;
use plywood_oci::layout::{ImageLayout, write_file};
use plywood_oci::registry::RegistryClient;
use plywood_oci::store::Store;
use serde::Serialize;
use sha2::Digest as _;

use super::closure::Packer;
use super::collect::{Collection, FromRegistry};
use super::{BundleError, DOCUMENTS, OCI_LAYOUT};
use crate::Error;
use crate::build::{BuildOptions, Output, build};
use crate::events::{Events, Task, Unit};
use crate::nix::push::{Hashing, secret_key};
use crate::workspace::Workspace;

/// What to put into a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleCreateOptions {
    /// The file that it becomes.
    pub file: Utf8PathBuf,
    /// Images of the workspace by their names, which are built, and images of registries by theirs, which are fetched;
    /// all of the workspace's when empty.
    pub images: Vec<String>,
    /// Whether to leave out what is attached to images of registries.
    pub without_referrers: bool,
    /// Images of the workspace whose store paths come along, besides the workspace's images with a shell that are named.
    pub store: Vec<String>,
    /// Whether to leave out the store paths of images with a shell.
    pub without_store: bool,
    /// The file with a Nix secret key that signs the store paths; the one that the environment names when `None`.
    pub store_key: Option<Utf8PathBuf>,
    /// Whether to fail where the lock is missing or stale.
    pub locked: bool,
    /// How many threads to work with; one per processor when `None`.
    pub jobs: Option<NonZeroUsize>,
}

/// What was put into a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleCreateReport {
    /// The bundle.
    pub file: Utf8PathBuf,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of the whole file: what to compare it by where it arrives.
    pub sha256: String,
    /// The images by their full names, with their digests.
    pub images: BTreeMap<String, Digest>,
    /// How many manifests are attached to them.
    pub attached: usize,
    /// How many store paths there are.
    pub store_paths: usize,
}

/// Makes a bundle. Equal content gives equal bytes; the file appears whole or not at all.
///
/// # Errors
/// When an image cannot be built or fetched, store paths cannot be had, or the file cannot be written.
pub fn create(
    options: &BundleCreateOptions,
    workspace: &Workspace,
    client: &RegistryClient,
    events: &dyn Events,
) -> Result<BundleCreateReport, Error> {
    let manifest = match workspace.manifest() {
        Err(Error::NoManifest { .. }) if !options.images.is_empty() && options.store.is_empty() => None,
        other => Some(other?),
    };
    let (own, foreign) = sort(&options.images, manifest.as_ref())?;
    let with_store = with_store(options, &own, manifest.as_ref())?;
    let key = secret_key(options.store_key.as_deref())?;
    let store = Store::open(workspace.cache())?;
    let unusable = || BundleError::io("write in", workspace.cache());
    let temporary = tempfile::tempdir_in(workspace.cache()).map_err(unusable())?;
    let folder = Utf8Path::from_path(temporary.path());
    let folder = folder.ok_or_else(|| unusable()(io::ErrorKind::InvalidFilename.into()))?;
    let jobs = options.jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let mut collection = Collection::default();
    let layout = folder.join("oci");
    take_built(&own, options, workspace, &layout, events, &mut collection)?;
    let registry = FromRegistry { client, store: &store, attached: !options.without_referrers, events };
    foreign.iter().try_for_each(|reference| registry.take(reference, &mut collection))?;
    if let (Some(manifest), Some(first)) = (&manifest, with_store.first()) {
        // What was built has brought the lock up to date; store paths of other images are those that it has.
        let (image, what) = (first.name.to_string(), "store paths".to_owned());
        let (lock, _) = workspace.lock()?.ok_or(BundleError::NotLocked { image, what })?;
        let (lock, store, key) = (&lock, &store, key.as_ref());
        Packer { workspace, manifest, lock, store, key, jobs, folder, events }.pack(&with_store, &mut collection)?;
    }
    write(&options.file, &collection, events)
}

/// Images of the workspace, and references.
fn sort<'m>(
    images: &[String],
    manifest: Option<&'m Manifest>,
) -> Result<(Vec<&'m ResolvedImage>, Vec<Reference>), Error> {
    let (mut own, mut foreign) = (Vec::new(), Vec::new());
    if let (true, Some(manifest)) = (images.is_empty(), manifest) {
        own.extend(manifest.resolved().values());
    }
    for image in images {
        match manifest {
            _ if image.contains('/') => {
                foreign.push(image.parse().map_err(|source| BundleError::Name { image: image.clone(), source })?);
            }
            Some(manifest) => own.push(manifest.resolve(image)?),
            None => {
                let source = plywood_core::oci::ParseReferenceError::Repository(image.clone());
                return Err(BundleError::Name { image: image.clone(), source }.into());
            }
        }
    }
    Ok((own, foreign))
}

fn with_store<'m>(
    options: &BundleCreateOptions,
    own: &[&'m ResolvedImage],
    manifest: Option<&'m Manifest>,
) -> Result<Vec<&'m ResolvedImage>, Error> {
    let mut images: Vec<&ResolvedImage> =
        own.iter().filter(|image| image.nix.shell.is_some() && !options.without_store).copied().collect();
    for name in &options.store {
        images.extend(manifest.map(|manifest| manifest.resolve(name)).transpose()?);
    }
    images.sort_by_key(|image| &image.name);
    images.dedup_by_key(|image| &image.name);
    Ok(images)
}

/// Builds images for all their platforms, into a layout of their own.
fn take_built(
    images: &[&ResolvedImage],
    options: &BundleCreateOptions,
    workspace: &Workspace,
    layout: &Utf8Path,
    events: &dyn Events,
    collection: &mut Collection,
) -> Result<(), Error> {
    if images.is_empty() {
        return Ok(());
    }
    let options = BuildOptions {
        images: images.iter().map(|image| image.name.to_string()).collect(),
        every_platform: true,
        locked: options.locked,
        output: Some(Output::OciLayout(layout.to_owned())),
        jobs: options.jobs,
        ..BuildOptions::default()
    };
    build(&options, workspace, events)?;
    let layout = ImageLayout::open(layout)?;
    for root in &layout.index().manifests {
        let name = root.annotations.get(annotations::REF_NAME).cloned().unwrap_or_default();
        let reference = name.parse().map_err(|source| BundleError::Name { image: name, source })?;
        collection.take_from_layout(&layout, &reference, root)?;
    }
    Ok(())
}

fn write(file: &Utf8Path, collection: &Collection, events: &dyn Events) -> Result<BundleCreateReport, Error> {
    let entries: Vec<BundleEntry> = collection.entries.values().cloned().collect();
    let index = to_json(&BundleEntry::index(&entries));
    let descriptor = BundleDescriptor::new(collection.nar_infos.clone()).to_bytes();
    let fits = ImageIndex::parse(&index).is_ok() && index.len() <= MAX_DOCUMENT;
    if !fits || descriptor.len() as u64 > BundleDescriptor::MAX_LEN {
        return Err(BundleError::TooMany { place: file.to_string() }.into());
    }
    let [layout_name, index_name, descriptor_name] = DOCUMENTS.map(|(name, _)| name);
    let documents: [(&str, &[u8]); 3] =
        [(layout_name, OCI_LAYOUT), (index_name, &index), (descriptor_name, &descriptor)];
    let total = collection.blobs.values().map(|blob| blob.size).sum();
    let task = Task::start(events, format!("Writing {file}"), Some(total), Unit::Bytes);
    let (mut sha256, mut size) = (Sha256Hash::of(b""), 0);
    write_file(file, |out| {
        let mut out = Hashing::new(out);
        write_sealed(&documents, &collection.blobs, &mut out as &mut dyn Write, &|bytes| task.advance(bytes))?;
        (sha256, size) = (Sha256Hash::from_bytes(out.hasher.finalize().into()), out.size);
        Ok(())
    })?;
    let (images, attached): (Vec<&BundleEntry>, Vec<_>) = entries.iter().partition(|entry| entry.is_tagged_image());
    Ok(BundleCreateReport {
        file: file.to_owned(),
        size,
        sha256: sha256.to_hex(),
        images: images.iter().map(|entry| (entry.reference().to_string(), entry.descriptor.digest)).collect(),
        attached: attached.len(),
        store_paths: collection.nar_infos.len(),
    })
}
