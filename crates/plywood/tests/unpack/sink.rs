//! A segment in memory.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use plywood_core::item::{EntryKind, EntrySink, ItemId};
use plywood_core::tree::{Meta, PackedContent, ReadContent, ReadContentError, TreePath};

/// Keeps what a package streams; offsets count file contents alone.
#[derive(Debug, Default)]
pub(crate) struct MemorySink {
    pub(crate) entries: Vec<(TreePath, Meta, EntryKind)>,
    pub(crate) bytes: Vec<u8>,
}

impl EntrySink for MemorySink {
    fn append(&mut self, path: &TreePath, meta: &Meta, kind: &EntryKind, data: &mut dyn Read) -> io::Result<u64> {
        let offset = self.bytes.len() as u64;
        let count = data.read_to_end(&mut self.bytes)? as u64;
        let expected = if let EntryKind::File { size } = kind { *size } else { 0 };
        if count != expected {
            return Err(io::Error::other(format!("{path} has {count} bytes instead of {expected}")));
        }
        self.entries.push((path.clone(), meta.clone(), kind.clone()));
        Ok(offset)
    }
}

/// The segments of all packages of a test.
#[derive(Debug, Default)]
pub(crate) struct Segments(Mutex<BTreeMap<ItemId, Vec<u8>>>);

impl Segments {
    pub(crate) fn add(&self, item: ItemId, sink: MemorySink) {
        self.0.lock().expect("no test panicked here").insert(item, sink.bytes);
    }
}

impl ReadContent for Segments {
    fn read(&self, content: &PackedContent) -> Result<Arc<[u8]>, ReadContentError> {
        let segments = self.0.lock().expect("no test panicked here");
        let range = content.offset as usize..(content.offset + content.size) as usize;
        let bytes = segments.get(&content.item).and_then(|bytes| bytes.get(range));
        bytes.map(Arc::from).ok_or_else(|| ReadContentError { item: content.item, source: "no such bytes".into() })
    }
}
