//! Canonical tar: one way to write each entry, so that equal items give equal bytes.

mod header;
mod read;
mod write;

pub use read::TarEntry;
pub(crate) use read::for_each_entry;
pub(crate) use write::TarWriter;
