//! The folder a command works in and the cache it may use.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use plywood_core::lockfile::Lockfile;
use plywood_core::manifest::Manifest;

use crate::Error;
use crate::debian::keyring::Keyring;
use crate::debian::mirrors::Mirrors;
use crate::lock::LockError;
use crate::nix::StandInSources;

/// The name of the manifest in a workspace.
pub const MANIFEST_NAME: &str = "plywood.toml";
/// The name of the lock beside the manifest.
pub const LOCK_NAME: &str = "plywood.lock";
/// The folder beside the manifest that holds what builds leave; it is not for version control.
pub const OUTPUT_NAME: &str = ".plywood";
/// The largest manifest or lock read, in bytes: both are text that a person reviews.
const MAX_TEXT: u64 = 64 << 20;

/// The folder a command works in and the cache it may use.
#[derive(Debug, Clone)]
pub struct Workspace {
    directory: Utf8PathBuf,
    cache: Utf8PathBuf,
    debian: Option<StandIn>,
    sources: Option<StandInSources>,
}

/// An archive in Debian's place.
#[derive(Debug, Clone)]
pub(crate) struct StandIn {
    pub(crate) mirrors: Mirrors,
    pub(crate) keyring: Keyring,
}

impl Workspace {
    /// The workspace in `directory`, with its downloads and segments cached in `cache`. Nothing is read yet.
    pub fn new(directory: impl Into<Utf8PathBuf>, cache: impl Into<Utf8PathBuf>) -> Self {
        Self { directory: directory.into(), cache: cache.into(), debian: None, sources: None }
    }

    /// The same workspace with another archive in Debian's place, signed by other keys: those of tests. Mirrors that the
    /// manifest or the environment names are not asked.
    #[must_use]
    pub fn with_debian(self, mirrors: Mirrors, keyring: Keyring) -> Self {
        Self { debian: Some(StandIn { mirrors, keyring }), ..self }
    }

    /// The same workspace with other sources of store paths than the manifest or the environment name: those of tests.
    #[must_use]
    pub fn with_sources(self, sources: StandInSources) -> Self {
        Self { sources: Some(sources), ..self }
    }

    /// What is in the place of all sources of store paths, if anything is.
    pub(crate) fn sources(&self) -> Option<&StandInSources> {
        self.sources.as_ref()
    }

    /// The same workspace with another cache.
    #[must_use]
    pub fn with_cache(&self, cache: impl Into<Utf8PathBuf>) -> Self {
        Self { cache: cache.into(), ..self.clone() }
    }

    /// The files of the public keys whose signatures the manifest says are believed; none where there is no manifest.
    ///
    /// # Errors
    /// As [`Workspace::manifest`], when there is one.
    pub fn believed_keys(&self) -> Result<Vec<Utf8PathBuf>, Error> {
        if !self.manifest_path().exists() {
            return Ok(Vec::new());
        }
        let manifest = self.manifest()?;
        let keys = manifest.publish().into_iter().flat_map(|publish| &publish.keys);
        Ok(keys.map(|key| self.directory.join(key.value.as_str())).collect())
    }

    /// What is in Debian's place, if anything is.
    pub(crate) fn debian(&self) -> Option<&StandIn> {
        self.debian.as_ref()
    }

    /// The folder with the manifest; relative paths in the manifest start here.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// The folder for downloads, segments and blobs; shared by all workspaces of a user.
    pub fn cache(&self) -> &Utf8Path {
        &self.cache
    }

    /// Where the manifest is.
    pub fn manifest_path(&self) -> Utf8PathBuf {
        self.beside(MANIFEST_NAME)
    }

    /// Where the lock is, or will be.
    pub fn lock_path(&self) -> Utf8PathBuf {
        self.beside(LOCK_NAME)
    }

    /// Where images go when no output is named: an OCI image layout with every image built, by name.
    pub fn default_layout(&self) -> Utf8PathBuf {
        self.beside(OUTPUT_NAME).join("oci")
    }

    /// A file of the workspace, without the dot of the current folder: that is how people speak of it.
    fn beside(&self, name: &str) -> Utf8PathBuf {
        if self.directory == "." { Utf8PathBuf::from(name) } else { self.directory.join(name) }
    }

    /// The manifest.
    ///
    /// # Errors
    /// [`Error::NoManifest`] when there is none, [`Error::Read`] when it cannot be read, [`Error::Manifest`] when it is not valid.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        let text = self.manifest_text()?;
        Manifest::parse(&text).map_err(|faults| Error::Manifest { path: self.manifest_path(), text, faults })
    }

    /// The manifest's text.
    ///
    /// # Errors
    /// [`Error::NoManifest`] when there is none, [`Error::Read`] when it cannot be read.
    pub fn manifest_text(&self) -> Result<String, Error> {
        let path = self.manifest_path();
        match read_text(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::NoManifest { directory: self.directory.clone() })
            }
            other => other.map_err(|source| Error::Read { path, source }),
        }
    }

    /// The lock, parsed, with its text; `None` when there is no lock yet.
    ///
    /// # Errors
    /// As [`Workspace::read_lock`]; [`LockError::Parse`] when it is no lock.
    pub fn lock(&self) -> Result<Option<(Lockfile, String)>, Error> {
        let Some(text) = self.read_lock()? else { return Ok(None) };
        let lock = Lockfile::parse(&text).map_err(|source| LockError::Parse { path: self.lock_path(), source })?;
        Ok(Some((lock, text)))
    }

    /// The lock's text; `None` when there is no lock yet.
    ///
    /// # Errors
    /// [`Error::Read`] when it is there and cannot be read.
    pub fn read_lock(&self) -> Result<Option<String>, Error> {
        let path = self.lock_path();
        match read_text(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read { path, source }),
        }
    }
}

/// Reads a text file of at most [`MAX_TEXT`] bytes.
fn read_text(path: &Utf8Path) -> io::Result<String> {
    use io::Read as _;

    let file = std::fs::File::open(path)?;
    let mut text = String::new();
    let read = file.take(MAX_TEXT + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_TEXT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {MAX_TEXT} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
        (folder, Workspace::new(path.clone(), path.join("cache")))
    }

    #[test]
    fn a_folder_without_a_manifest_is_named() {
        let (_folder, workspace) = temporary();
        let error = workspace.manifest().expect_err("there is no manifest");
        assert!(matches!(&error, Error::NoManifest { directory } if directory == workspace.directory()));
        assert!(error.hint().is_some());
    }

    #[test]
    fn a_lock_may_be_missing_but_not_unreadable() {
        let (_folder, workspace) = temporary();
        assert!(workspace.read_lock().expect("a missing lock is fine").is_none());
        std::fs::create_dir(workspace.lock_path()).expect("a folder in the lock's place");
        assert!(matches!(workspace.read_lock(), Err(Error::Read { .. })));
    }
}
