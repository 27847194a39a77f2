//! A file on its way into the cache: resumable, locked against other processes, and never under its final name before
//! its hash is right.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::{FileHash, Sha256Hash};
use sha2::{Digest as _, Sha256};

use super::cache;

/// A file that is being fetched, as `<final name>.part`.
///
/// The lock lives as long as the value, and ends with the process even when that is killed; the next one then goes on
/// where this one stopped.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: Utf8PathBuf,
    hasher: Sha256,
    written: u64,
}

impl Partial {
    /// Opens what there is of `target`, or begins; `None` while another process has it.
    pub(super) fn open(target: &Utf8Path) -> io::Result<Option<Self>> {
        let path = Utf8PathBuf::from(format!("{target}.part"));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Between opening and locking, whoever had the lock may have finished and given the file its final name.
        if !is_still_at(&file, &path)? {
            return Ok(None);
        }
        let mut partial = Self { file, path, hasher: Sha256::new(), written: 0 };
        partial.written = cache::feed(&mut partial.file, &mut partial.hasher)?;
        Ok(Some(partial))
    }

    /// Bytes that are there.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Begins anew.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.hasher = Sha256::new();
        self.written = 0;
        Ok(())
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// SHA-256 of what is there.
    pub(super) fn hash(&self) -> FileHash {
        FileHash::new(Sha256Hash::from_bytes(self.hasher.clone().finalize().into()))
    }

    /// Takes it away: another process has brought the file.
    pub(super) fn discard(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    /// Gives the file its final name, which the caller may do only when size and hash are right.
    pub(super) fn finish(self, target: &Utf8Path) -> io::Result<()> {
        fs::rename(&self.path, target)
    }
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Utf8Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (here, there) = (file.metadata()?, fs::metadata(path));
    match there {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_still_at(_: &File, path: &Utf8Path) -> io::Result<bool> {
    fs::exists(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let target = Utf8PathBuf::try_from(folder.path().join("file")).expect("UTF-8");
        (folder, target)
    }

    #[test]
    fn a_left_over_part_is_gone_on_with() {
        let (_folder, target) = folder();
        let mut partial = Partial::open(&target).expect("open").expect("unlocked");
        partial.write(b"ply").expect("write");
        drop(partial);
        let mut partial = Partial::open(&target).expect("open").expect("unlocked");
        assert_eq!(partial.written(), 3);
        partial.write(b"wood").expect("write");
        assert_eq!(partial.hash(), FileHash::of(b"plywood"));
        partial.finish(&target).expect("rename");
        assert_eq!(fs::read(&target).expect("read"), b"plywood");
    }

    #[test]
    fn only_one_has_it() {
        let (_folder, target) = folder();
        let partial = Partial::open(&target).expect("open").expect("unlocked");
        assert!(Partial::open(&target).expect("open").is_none());
        drop(partial);
        assert!(Partial::open(&target).expect("open").is_some());
    }

    #[test]
    fn a_restart_forgets() {
        let (_folder, target) = folder();
        let mut partial = Partial::open(&target).expect("open").expect("unlocked");
        partial.write(b"wrong").expect("write");
        partial.restart().expect("restart");
        partial.write(b"ok").expect("write");
        assert_eq!((partial.written(), partial.hash()), (2, FileHash::of(b"ok")));
        assert_eq!(fs::read(partial.path()).expect("read"), b"ok");
    }
}
