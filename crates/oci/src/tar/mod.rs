//! Canonical tar: one way to write each entry, so that equal items give equal bytes.

mod header;
mod pax;
mod read;
mod write;

pub(crate) use header::{encode, padding};
pub use read::TarEntry;
pub(crate) use read::for_each_entry;
pub(crate) use write::TarWriter;
