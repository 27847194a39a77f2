//! Image layouts as directories.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, MAX_DOCUMENT};

use super::{Export, LayoutError, OCI_LAYOUT, all_blobs, index_json};
use crate::store::{Store, TempFile};

/// Writes images into the layout at `directory`, making it when it is not there.
///
/// Images of other names that are there already stay, those of the same names are replaced, and blobs that no image
/// has any more are removed. Blobs are hard links to those of the store where the file system allows it. The index is
/// written last, in one step: whoever reads meanwhile sees the old images or the new.
///
/// # Errors
/// When the directory holds something else, or something cannot be written.
pub fn write_directory(store: &Store, directory: &Utf8Path, exports: &[Export]) -> Result<(), LayoutError> {
    let old = existing_index(directory)?;
    let blobs = directory.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).map_err(LayoutError::io("create the directory", &blobs))?;
    for (digest, size) in all_blobs(exports) {
        link_or_copy(&store.blob_path(digest), &blobs.join(digest.to_hex()), size)?;
    }
    let (bytes, index) = index_json(exports, old);
    replace(&directory.join("oci-layout"), OCI_LAYOUT)?;
    replace(&directory.join("index.json"), &bytes)?;
    remove_unused(&blobs, &index)
}

/// What the layout leads to now; nothing when there is none yet.
fn existing_index(directory: &Utf8Path) -> Result<Vec<Descriptor>, LayoutError> {
    let path = directory.join("index.json");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let empty = !directory.exists()
                || directory.read_dir_utf8().map_err(LayoutError::io("read the directory", directory))?.next().is_none()
                || directory.join("oci-layout").exists()
                // A run that was killed before it wrote the index left only blobs.
                || directory.join("blobs/sha256").is_dir();
            return if empty { Ok(Vec::new()) } else { Err(LayoutError::NotALayout { path: directory.to_owned() }) };
        }
        Err(error) => return Err(LayoutError::io("read", &path)(error)),
    };
    let named = |source| LayoutError::Document { name: "index.json".to_owned(), source };
    Ok(ImageIndex::parse(&bytes).map_err(named)?.manifests)
}

fn link_or_copy(from: &Utf8Path, to: &Utf8Path, size: u64) -> Result<(), LayoutError> {
    if std::fs::metadata(to).is_ok_and(|there| there.len() == size) {
        return Ok(());
    }
    match std::fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LayoutError::io("read", from)(error)),
        // Another file system, too many links, a damaged file in the way: a copy of its own, in one step.
        Err(_) => {
            let directory = to.parent().unwrap_or(Utf8Path::new("."));
            let mut file = TempFile::create(directory)?;
            let mut source = std::fs::File::open(from).map_err(LayoutError::io("read", from))?;
            io::copy(&mut source, &mut file).map_err(LayoutError::io("write", to))?;
            file.readable_by_all()?;
            Ok(file.persist(to)?)
        }
    }
}

/// Writes a small file in one step.
fn replace(path: &Utf8Path, bytes: &[u8]) -> Result<(), LayoutError> {
    let directory = path.parent().unwrap_or(Utf8Path::new("."));
    let mut file = TempFile::create(directory)?;
    file.write_all(bytes).map_err(LayoutError::io("write", path))?;
    file.readable_by_all()?;
    Ok(file.persist(path)?)
}

/// Removes blobs that the index leads to no more.
fn remove_unused(blobs: &Utf8Path, index: &ImageIndex) -> Result<(), LayoutError> {
    let Some(used) = reachable(blobs, index) else { return Ok(()) };
    for entry in blobs.read_dir_utf8().map_err(LayoutError::io("read the directory", blobs))? {
        let entry = entry.map_err(LayoutError::io("read the directory", blobs))?;
        let unused =
            format!("sha256:{}", entry.file_name()).parse::<Digest>().is_ok_and(|digest| !used.contains(&digest));
        if unused {
            std::fs::remove_file(entry.path()).map_err(LayoutError::io("remove", entry.path()))?;
        }
    }
    Ok(())
}

/// The blobs that an index leads to; `None` when one of its documents cannot be followed, so that nothing of an image
/// that others put there is taken for unused.
fn reachable(blobs: &Utf8Path, index: &ImageIndex) -> Option<BTreeSet<Digest>> {
    let mut used = BTreeSet::new();
    let mut pending: Vec<Descriptor> = index.manifests.clone();
    while let Some(descriptor) = pending.pop() {
        if !used.insert(descriptor.digest) {
            continue;
        }
        let path: Utf8PathBuf = blobs.join(descriptor.digest.to_hex());
        if descriptor.media_type.is_index() {
            pending.extend(ImageIndex::parse(&read_small(&path)?).ok()?.manifests);
        } else if descriptor.media_type.is_manifest() {
            let manifest = ImageManifest::parse(&read_small(&path)?).ok()?;
            used.insert(manifest.config.digest);
            used.extend(manifest.layers.iter().map(|layer| layer.digest));
        }
    }
    Some(used)
}

fn read_small(path: &Utf8Path) -> Option<Vec<u8>> {
    let small = std::fs::metadata(path).ok()?.len() <= MAX_DOCUMENT as u64;
    small.then(|| std::fs::read(path).ok()).flatten()
}
