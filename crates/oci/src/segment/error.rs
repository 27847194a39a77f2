//! What can go wrong with segments.

use std::io;

use plywood_core::item::ItemId;
use plywood_core::tree::{ReadContentError, TreePath};

use crate::store::StoreError;

/// An operation on a segment failed.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no segment for an item.
    #[error("there is no segment of item {item}")]
    Missing {
        /// The item.
        item: ItemId,
    },
    /// The segment could not be read back.
    #[error("cannot read the segment of item {item}")]
    Read {
        /// The item.
        item: ItemId,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An entry could not be written.
    #[error("cannot add {path} to the segment of item {item}")]
    Append {
        /// The entry.
        path: TreePath,
        /// The item.
        item: ItemId,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The segment could not be ended.
    #[error("cannot finish the segment of item {item}")]
    Finish {
        /// The item.
        item: ItemId,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file's content is not at hand.
    #[error(transparent)]
    Content(#[from] ReadContentError),
}

impl SegmentError {
    /// What might help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Append { source, .. } | Self::Finish { source, .. }
                if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                Some("free some space, or run `plywood cache prune`".to_owned())
            }
            _ => None,
        }
    }
}
