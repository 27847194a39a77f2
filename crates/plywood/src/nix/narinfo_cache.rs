//! `.narinfo` files that were had before: `<cache>/nix/narinfo/<hash of the cache's URL>/<hash>.narinfo`.
//!
//! Only what a trusted key signed is kept, and it is checked again whenever it is used: trust may have ended meanwhile.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Sha256Hash;
use plywood_core::nix::{NarInfo, StorePath};

use super::{BinaryCacheUrl, NixError};

/// A longer one is none.
pub(super) const MAX_BYTES: u64 = NarInfo::MAX_LEN as u64;

/// The folder of all of them.
#[derive(Debug, Clone)]
pub(super) struct NarInfoCache {
    root: Utf8PathBuf,
}

impl NarInfoCache {
    pub(super) fn new(cache: &Utf8Path) -> Self {
        Self { root: cache.join("nix/narinfo") }
    }

    /// The URL may hold a password, hence its hash.
    fn path(&self, url: &BinaryCacheUrl, path: &StorePath) -> Utf8PathBuf {
        let place = Sha256Hash::of(url.as_url().as_str().as_bytes()).to_hex();
        self.root.join(place).join(format!("{}.narinfo", path.hash_part()))
    }

    /// What is kept, if anything readable is.
    pub(super) fn load(&self, url: &BinaryCacheUrl, path: &StorePath) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path(url, path)).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Keeps one that was verified.
    pub(super) fn store(&self, url: &BinaryCacheUrl, path: &StorePath, bytes: &[u8]) -> Result<(), NixError> {
        let target = self.path(url, path);
        let folder = target.parent().unwrap_or(&self.root);
        let write = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(bytes)?;
            file.persist(&target)?;
            Ok(())
        };
        write().map_err(|source| NixError::Cache { path: target.clone(), source })
    }

    /// Forgets one that is of no use any more; nothing is lost when it stays.
    pub(super) fn forget(&self, url: &BinaryCacheUrl, path: &StorePath) {
        let _ = fs::remove_file(self.path(url, path));
    }
}
