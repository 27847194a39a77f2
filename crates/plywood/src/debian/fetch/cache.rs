//! The cache's folders and names.

use std::fs::{self, File};
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::{FileHash, Sha256Hash};
use sha2::{Digest as _, Sha256};

use super::error::FetchError;

/// `<cache>/debian`, with `debs/<sha256>.deb`, `indexes/<sha256>` and `releases/<sha256 of the URL>`.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: Utf8PathBuf,
}

impl Cache {
    pub(super) fn new(cache: &Utf8Path) -> Self {
        Self { root: cache.join("debian") }
    }

    pub(super) fn deb(&self, hash: FileHash) -> Utf8PathBuf {
        self.root.join("debs").join(format!("{}.deb", hash.to_hex()))
    }

    pub(super) fn index(&self, hash: FileHash) -> Utf8PathBuf {
        self.root.join("indexes").join(hash.to_hex())
    }

    /// The last `InRelease` from a place; the place itself may hold a password, hence its hash.
    pub(super) fn release(&self, url: &str) -> Utf8PathBuf {
        self.root.join("releases").join(Sha256Hash::of(url.as_bytes()).to_hex())
    }

    /// Makes the folder of a file.
    pub(super) fn make_folder_of(path: &Utf8Path) -> Result<(), FetchError> {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder).map_err(|source| FetchError::cache(folder, source))
    }

    /// Whether the file is there with this size and hash; one that is not as it should be is taken away.
    pub(super) fn holds(path: &Utf8Path, size: u64, hash: FileHash) -> Result<bool, FetchError> {
        match check(path, size, hash) {
            Ok(true) => Ok(true),
            Ok(false) => {
                fs::remove_file(path).map_err(|source| FetchError::cache(path, source))?;
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(FetchError::cache(path, source)),
        }
    }
}

fn check(path: &Utf8Path, size: u64, hash: FileHash) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() != size {
        return Ok(false);
    }
    let mut hasher = Sha256::new();
    feed(&mut file, &mut hasher)?;
    Ok(FileHash::new(Sha256Hash::from_bytes(hasher.finalize().into())) == hash)
}

/// Hashes the rest of a file; returns its length.
pub(super) fn feed(file: &mut File, hasher: &mut Sha256) -> io::Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        let count = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return Ok(length) };
        hasher.update(bytes);
        length += count as u64;
    }
}
