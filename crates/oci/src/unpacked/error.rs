//! Why a layer of others is refused.

use std::io;

use plywood_core::digest::{DiffId, Digest};
use plywood_core::tree::TreePath;

use crate::store::StoreError;

/// Why a layer of others is refused.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its bytes are not those that its descriptor names.
    #[error("layer {0} is damaged")]
    Digest(Digest),
    /// Its uncompressed bytes are not those that the image's configuration names.
    #[error("layer {digest} has not the diff ID {expected}")]
    DiffId {
        /// The layer.
        digest: Digest,
        /// What the configuration says.
        expected: DiffId,
    },
    /// It cannot be decompressed, or is no tar of a form that is read.
    #[error("cannot unpack layer {digest}")]
    Read {
        /// The layer.
        digest: Digest,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A hard link leads to a file that neither the layer nor one below it has.
    #[error("{path} is a hard link to {target}, which is no file of the image")]
    LinkTarget {
        /// The link.
        path: TreePath,
        /// Where it leads.
        target: TreePath,
    },
}
