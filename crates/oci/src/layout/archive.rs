//! Image layouts as one file: a tar of the directory.

use std::fs::File;
use std::io::{BufWriter, Read, Write};

use camino::Utf8Path;
use plywood_core::item::EntryKind;
use plywood_core::tree::{Meta, TreePath};

use super::{Export, LayoutError, OCI_LAYOUT, all_blobs, index_json};
use crate::store::{Store, TempFile};
use crate::tar::TarWriter;

/// How much is written at once, in bytes.
const BUFFER: usize = 1 << 20;

/// Writes images as an `oci-archive`. Equal images give equal bytes.
///
/// # Errors
/// When a blob cannot be read or `out` not be written.
pub fn write_oci_archive(store: &Store, exports: &[Export], out: impl Write) -> Result<(), LayoutError> {
    let mut archive = Archive::new(out);
    for directory in ["blobs", "blobs/sha256"] {
        archive.directory(directory)?;
    }
    for (digest, size) in all_blobs(exports) {
        let path = store.blob_path(digest);
        let mut blob = File::open(&path).map_err(LayoutError::io("read", &path))?;
        archive.file(&format!("blobs/sha256/{}", digest.to_hex()), size, &mut blob)?;
    }
    archive.bytes("index.json", &index_json(exports, Vec::new()).0)?;
    archive.bytes("oci-layout", OCI_LAYOUT)?;
    archive.finish()
}

/// Hands a writer to `write` whose bytes become the file at `path` in one step, when all went well.
///
/// # Errors
/// Those of `write`; when the file cannot be written.
pub fn write_file(
    path: &Utf8Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), LayoutError>,
) -> Result<(), LayoutError> {
    let directory = path.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let mut out = BufWriter::with_capacity(BUFFER, TempFile::create(directory)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(|error| LayoutError::io("write", path)(error.into_error()))?;
    file.readable_by_all()?;
    Ok(file.persist(path)?)
}

/// A tar under construction: all entries root's, at time 0.
pub(super) struct Archive<W: Write>(TarWriter<W>);

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Self(TarWriter::new(out))
    }

    pub(super) fn directory(&mut self, name: &str) -> Result<(), LayoutError> {
        self.append(name, Meta::root(0o755, 0), EntryKind::Directory, &mut std::io::empty())
    }

    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), LayoutError> {
        self.file(name, bytes.len() as u64, &mut &*bytes)
    }

    pub(super) fn file(&mut self, name: &str, size: u64, data: &mut dyn Read) -> Result<(), LayoutError> {
        self.append(name, Meta::root(0o644, 0), EntryKind::File { size }, data)
    }

    pub(super) fn finish(self) -> Result<(), LayoutError> {
        self.0.finish().map(drop).map_err(LayoutError::Write)
    }

    fn append(&mut self, name: &str, meta: Meta, kind: EntryKind, data: &mut dyn Read) -> Result<(), LayoutError> {
        let path = TreePath::parse(name).map_err(|error| LayoutError::Write(std::io::Error::other(error)))?;
        self.0.append(&path, &meta, &kind, data).map(drop).map_err(LayoutError::Write)
    }
}
