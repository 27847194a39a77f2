//! Sealed archives: a tar of a few documents and of blobs that are named by digest, in one order and nothing besides.
//!
//! Such a tar is an image layout when its documents are those of one. There is one way to write equal content, and what
//! was not written so is refused: a member of another name, twice, out of order or of another type, a blob that is not
//! what it is called, an archive that was cut off or goes on after its end.

mod error;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use error::SealedError;
pub use read::SealedArchive;
pub use write::write_sealed;

/// Where blobs are.
const BLOBS: &str = "blobs/sha256";
/// As many blobs are read; more than any archive has.
const MAX_BLOBS: usize = 1 << 20;
