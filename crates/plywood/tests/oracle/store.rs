//! Unpacks packages into files of a folder: contents are read back from there, and known by their hash.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use plywood_core::debian::deb::{PathFilters, UnpackOptions, UnpackedDeb, unpack};
use plywood_core::digest::{FileHash, Sha256Hash};
use plywood_core::item::{EntryKind, EntrySink, ItemId};
use plywood_core::tree::{Content, Meta, PackedContent, ReadContent, ReadContentError, TreePath};
use sha2::{Digest as _, Sha256};

/// Segments without headers: nothing but the contents, one file for each package.
#[derive(Default)]
pub(crate) struct Store {
    files: HashMap<ItemId, File>,
    hashes: RefCell<HashMap<(ItemId, u64), [u8; 32]>>,
}

struct FileSink<'s> {
    file: File,
    offset: u64,
    item: ItemId,
    hashes: &'s RefCell<HashMap<(ItemId, u64), [u8; 32]>>,
}

impl EntrySink for FileSink<'_> {
    fn append(&mut self, _: &TreePath, _: &Meta, _: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        let start = self.offset;
        let mut hasher = Sha256::new();
        let mut buffer = [0; 1 << 16];
        loop {
            let length = data.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            hasher.update(&buffer[..length]);
            self.file.write_all(&buffer[..length])?;
            self.offset += length as u64;
        }
        if self.offset > start {
            self.hashes.borrow_mut().insert((self.item, start), hasher.finalize().into());
        }
        Ok(start)
    }
}

impl Store {
    /// Unpacks one package into a file in `folder`.
    pub(crate) fn unpack(&mut self, deb: &Path, folder: &Path) -> UnpackedDeb {
        let name = deb.file_name().expect("a file").to_string_lossy().into_owned();
        let options = UnpackOptions::new(FileHash::new(Sha256Hash::of(name.as_bytes())), PathFilters::default());
        let path = folder.join(name);
        let file = File::create(&path).expect("a file of the test's folder");
        let mut sink = FileSink { file, offset: 0, item: options.item, hashes: &self.hashes };
        let reader = File::open(deb).expect("a package that was downloaded");
        let unpacked = unpack(reader, &options, &mut sink).expect("a package of the archive");
        self.files.insert(options.item, File::open(&path).expect("the file just written"));
        unpacked
    }

    /// The hash of a content, wherever it is.
    pub(crate) fn hash(&self, content: &Content) -> [u8; 32] {
        match content {
            Content::Inline(bytes) => Sha256::digest(bytes).into(),
            Content::Packed(packed) => match self.hashes.borrow().get(&(packed.item, packed.offset)) {
                Some(hash) => *hash,
                None => Sha256::digest(b"").into(),
            },
        }
    }
}

impl ReadContent for Store {
    fn read(&self, content: &PackedContent) -> Result<Arc<[u8]>, ReadContentError> {
        let failed = |source| ReadContentError { item: content.item, source };
        let file = self.files.get(&content.item).ok_or_else(|| failed("no such segment".into()))?;
        let mut bytes = vec![0; content.size as usize];
        file.read_exact_at(&mut bytes, content.offset).map_err(|error| failed(error.into()))?;
        Ok(bytes.into())
    }
}
