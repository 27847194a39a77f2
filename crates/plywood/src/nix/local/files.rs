//! The files of a store path as a NAR, in one pass: hashed as the NAR they make, handed on as what they are.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;
use plywood_core::digest::{NarHash, Sha256Hash};
use plywood_core::nix::nar::{NarSink, NarSummary, NarWriter};
use plywood_core::tree::TreePath;
use sha2::{Digest as _, Sha256};

/// The most directories in each other, as the NAR reader has it.
const MAX_DEPTH: usize = 512;

/// The files of a store path cannot be read, or are none of a store path.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is neither a file nor a directory nor a symlink.
    #[error("{} is nothing that a NAR can hold", path.display())]
    Special {
        /// The file.
        path: PathBuf,
    },
    /// Directories go too deep, or names are too long.
    #[error("{} is too deep in its store path", path.display())]
    Depth {
        /// The file.
        path: PathBuf,
    },
    /// It was written to while it was read.
    #[error("{} changed while it was read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// What it was read into did not take it.
    #[error("cannot take {}: {source}", path.display())]
    Sink {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Hands what is at `root` to `sink`; `progress` gets how many bytes of the NAR are done, from time to time.
pub(in super::super) fn read_path(
    root: &Path,
    sink: &mut dyn NarSink,
    progress: &mut dyn FnMut(u64),
) -> Result<NarSummary, FilesError> {
    let mut walk = Walk { sink, nar: NarWriter::new(Counted::default()), progress };
    walk.node(root, &TreePath::ROOT, 0)?;
    let failed = |source| FilesError::Sink { path: root.to_owned(), source };
    let Counted { hasher, size } = walk.nar.finish().map_err(failed)?;
    progress(size);
    Ok(NarSummary { size, hash: NarHash::new(Sha256Hash::from_bytes(hasher.finalize().into())) })
}

/// Where the NAR goes: it is hashed and forgotten.
#[derive(Default)]
pub(super) struct Counted {
    hasher: Sha256,
    size: u64,
}

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Walk<'w> {
    sink: &'w mut dyn NarSink,
    nar: NarWriter<Counted>,
    progress: &'w mut dyn FnMut(u64),
}

impl Walk<'_> {
    fn node(&mut self, at: &Path, path: &TreePath, depth: usize) -> Result<(), FilesError> {
        let metadata = fs::symlink_metadata(at).map_err(read(at))?;
        if metadata.is_dir() {
            self.directory(at, path, depth)
        } else if metadata.is_symlink() {
            let target = fs::read_link(at).map_err(read(at))?;
            let target = target.as_os_str().as_bytes().as_bstr();
            self.nar.symlink(path, target).and_then(|()| self.sink.symlink(path, target)).map_err(sink(at))
        } else if metadata.is_file() {
            self.file(at, path)
        } else {
            Err(FilesError::Special { path: at.to_owned() })
        }
    }

    fn directory(&mut self, at: &Path, path: &TreePath, depth: usize) -> Result<(), FilesError> {
        if depth > MAX_DEPTH {
            return Err(FilesError::Depth { path: at.to_owned() });
        }
        self.nar.directory(path).and_then(|()| self.sink.directory(path)).map_err(sink(at))?;
        let entries = fs::read_dir(at).map_err(read(at))?;
        let names: io::Result<Vec<OsString>> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
        let mut names: Vec<Vec<u8>> = names.map_err(read(at))?.into_iter().map(OsString::into_vec).collect();
        names.sort_unstable();
        for name in names {
            let inner = path.join(&name).map_err(|_| FilesError::Depth { path: at.to_owned() })?;
            self.node(&at.join(OsString::from_vec(name)), &inner, depth + 1)?;
        }
        Ok(())
    }

    fn file(&mut self, at: &Path, path: &TreePath) -> Result<(), FilesError> {
        // A file that became a symlink or a pipe meanwhile is neither followed nor waited for.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(at).map_err(read(at))?;
        let before = file.metadata().map_err(read(at))?;
        let (executable, size) = (before.mode() & 0o100 != 0, before.len());
        let member = self.nar.start_file(path, executable, size).map_err(sink(at))?;
        let mut contents = Contents { file: &file, nar: &mut self.nar, left: size, failed: None };
        let taken = self.sink.file(path, executable, size, &mut contents);
        match contents.failed {
            Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(changed(at)),
            Some(error) => return Err(read(at)(error)),
            None => taken.map_err(sink(at))?,
        }
        if !file.metadata().is_ok_and(|after| is_same(&before, &after)) {
            return Err(changed(at));
        }
        self.nar.end_file(size, member).map_err(sink(at))?;
        (self.progress)(self.nar.get_ref().size);
        Ok(())
    }
}

fn read(path: &Path) -> impl FnOnce(io::Error) -> FilesError {
    move |source| FilesError::Read { path: path.to_owned(), source }
}

fn sink(path: &Path) -> impl FnOnce(io::Error) -> FilesError {
    move |source| FilesError::Sink { path: path.to_owned(), source }
}

fn changed(path: &Path) -> FilesError {
    FilesError::Changed { path: path.to_owned() }
}

fn is_same(before: &Metadata, after: &Metadata) -> bool {
    let times = |meta: &Metadata| (meta.len(), meta.mtime(), meta.mtime_nsec());
    times(before) == times(after)
}

/// A file's bytes, hashed on their way.
struct Contents<'c> {
    file: &'c File,
    nar: &'c mut NarWriter<Counted>,
    left: u64,
    failed: Option<io::Error>,
}

impl Read for Contents<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(room) = buffer.get_mut(..room).filter(|room| !room.is_empty()) else { return Ok(0) };
        let result = match self.file.read(room) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.nar.put(room.get(..count).unwrap_or_default()).map(|()| count),
            Err(error) => Err(error),
        };
        match result {
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let shown = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                Err(shown)
            }
        }
    }
}
