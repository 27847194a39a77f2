//! How archives compress their indexes.

use std::io;

use crate::decompress::{Compression, read_bounded};

/// What an index may be compressed with, in the order we prefer: smallest first, `zst` before `gz` for its speed.
pub(super) const FORMS: [(Compression, &str); 4] =
    [(Compression::Xz, ".xz"), (Compression::Zstd, ".zst"), (Compression::Gzip, ".gz"), (Compression::None, "")];

/// Decompresses everything.
///
/// # Errors
/// When the data is malformed, or gives more than `limit` bytes.
pub(super) fn decompress(compression: Compression, data: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    read_bounded(compression.reader(data)?, limit)
}
