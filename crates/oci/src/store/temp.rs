//! Files under construction.

use std::fs::File;
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

use super::StoreError;

/// A file that becomes visible all at once, or never.
///
/// It is locked for as long as it is written: a temporary file that nobody holds locked was left by a process that
/// died, and may be removed without asking a clock.
#[derive(Debug)]
pub(crate) struct TempFile {
    file: NamedTempFile,
    directory: Utf8PathBuf,
}

impl TempFile {
    /// Makes an empty file in `directory`.
    pub(crate) fn create(directory: &Utf8Path) -> Result<Self, StoreError> {
        loop {
            let file = NamedTempFile::new_in(directory).map_err(StoreError::io("create a file in", directory))?;
            let locked = file.as_file().lock();
            locked.map_err(StoreError::io("lock a file in", directory))?;
            // Between its making and its locking a cleaner may have taken it for a dead process's.
            if file.path().exists() {
                return Ok(Self { file, directory: directory.to_owned() });
            }
        }
    }

    /// Gives the file its final name; one that is there already has the same content and is replaced.
    pub(crate) fn persist(self, path: &Utf8Path) -> Result<(), StoreError> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(StoreError::io("create the directory", parent))?;
        }
        let failed = |source| StoreError::Io { operation: "write", path: path.to_owned(), source };
        self.file.persist(path).map(drop).map_err(|error| failed(error.error))
    }

    /// Sets who may read it: [`NamedTempFile`] lets only its owner.
    pub(crate) fn readable_by_all(&self) -> Result<(), StoreError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let permissions = std::fs::Permissions::from_mode(0o644);
            let set = self.file.as_file().set_permissions(permissions);
            set.map_err(StoreError::io("set the mode of a file in", &self.directory))?;
        }
        Ok(())
    }

    /// How much was written, in bytes.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.as_file().metadata()?.len())
    }

    /// Where it is being made, for errors.
    pub(crate) fn directory(&self) -> &Utf8Path {
        &self.directory
    }
}

impl Write for TempFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Removes what dead processes left in `directory`.
pub(crate) fn clean(directory: &Utf8Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let Ok(file) = File::open(&path) else { continue };
        if file.try_lock().is_ok() {
            // A failure means that another cleaner was faster.
            let _ = std::fs::remove_file(&path);
        }
    }
    Ok(())
}
