//! Unpacks packages without keeping them: contents are known by their hash, and read again where a script asks.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use camino::Utf8Path;
use plywood::debian::DebRef;
use plywood_core::debian::deb::{PathFilters, UnpackOptions, UnpackedDeb, unpack};
use plywood_core::digest::FileHash;
use plywood_core::item::{EntryKind, EntrySink, ItemId};
use plywood_core::tree::{Content, Meta, PackedContent, ReadContent, ReadContentError, TreePath};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

/// Packages that were unpacked, by their hash.
#[derive(Default)]
pub(crate) struct Store {
    debs: HashMap<FileHash, Unpacked>,
    hashes: HashMap<ItemId, FileHash>,
}

struct Unpacked {
    deb: UnpackedDeb,
    file: camino::Utf8PathBuf,
    /// Of each content, by its offset.
    contents: HashMap<u64, [u8; 32]>,
}

impl Store {
    /// Unpacks all of `debs`, which are in `files`, on all processors.
    pub(crate) fn unpack(debs: &[DebRef], files: &[camino::Utf8PathBuf]) -> Self {
        let unpacked: Vec<Unpacked> =
            debs.par_iter().zip(files).map(|(deb, file)| unpack_file(deb.hash, file)).collect();
        let hashes = debs.iter().zip(&unpacked).map(|(deb, unpacked)| (unpacked.deb.item, deb.hash)).collect();
        Self { debs: debs.iter().map(|deb| deb.hash).zip(unpacked).collect(), hashes }
    }

    /// The unpacked packages of a list.
    pub(crate) fn all(&self, debs: &[DebRef]) -> Vec<&UnpackedDeb> {
        debs.iter().map(|deb| &self.debs[&deb.hash].deb).collect()
    }

    /// The hash of a content, wherever it is.
    pub(crate) fn hash(&self, content: &Content) -> [u8; 32] {
        match content {
            Content::Inline(bytes) => Sha256::digest(bytes).into(),
            Content::Packed(packed) => {
                let of_item = self.hashes.get(&packed.item).map(|hash| &self.debs[hash].contents);
                let known = of_item.and_then(|contents| contents.get(&packed.offset).copied());
                known.unwrap_or_else(|| Sha256::digest(b"").into())
            }
        }
    }
}

impl ReadContent for Store {
    fn read(&self, content: &PackedContent) -> Result<Arc<[u8]>, ReadContentError> {
        let failed = |source: &'static str| ReadContentError { item: content.item, source: source.into() };
        let hash = self.hashes.get(&content.item).ok_or_else(|| failed("no such package"))?;
        let mut sink = OneContent { next: 0, wanted: content.offset, found: None };
        unpack_into(*hash, &self.debs[hash].file, &mut sink);
        sink.found.map(Arc::from).ok_or_else(|| failed("no such content"))
    }
}

fn unpack_file(hash: FileHash, file: &Utf8Path) -> Unpacked {
    let mut sink = Hashes::default();
    let deb = unpack_into(hash, file, &mut sink);
    Unpacked { deb, file: file.to_owned(), contents: sink.contents }
}

fn unpack_into(hash: FileHash, file: &Utf8Path, sink: &mut dyn EntrySink) -> UnpackedDeb {
    let options = UnpackOptions::new(hash, PathFilters::default());
    let reader = io::BufReader::new(File::open(file).expect("a package that was downloaded"));
    unpack(reader, &options, sink).expect("a package of the archive")
}

/// Keeps nothing but hashes.
#[derive(Default)]
struct Hashes {
    next: u64,
    contents: HashMap<u64, [u8; 32]>,
}

impl EntrySink for Hashes {
    fn append(&mut self, _: &TreePath, _: &Meta, _: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        let start = self.next;
        let mut hasher = Sha256::new();
        let mut buffer = [0; 1 << 16];
        loop {
            let length = data.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            hasher.update(&buffer[..length]);
            self.next += length as u64;
        }
        if self.next > start {
            self.contents.insert(start, hasher.finalize().into());
        }
        Ok(start)
    }
}

/// Keeps the content at one offset, counted as [`Hashes`] does.
struct OneContent {
    next: u64,
    wanted: u64,
    found: Option<Vec<u8>>,
}

impl EntrySink for OneContent {
    fn append(&mut self, _: &TreePath, _: &Meta, _: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        let start = self.next;
        if start == self.wanted && self.found.is_none() {
            let mut bytes = Vec::new();
            data.read_to_end(&mut bytes)?;
            self.next += bytes.len() as u64;
            self.found = Some(bytes).filter(|bytes| !bytes.is_empty());
        } else {
            self.next += io::copy(data, &mut io::sink())?;
        }
        Ok(start)
    }
}
