//! How a package is unpacked, and the id of the item that results.

use crate::digest::FileHash;
use crate::item::ItemId;

use super::{Limits, PathFilters};

/// Raised whenever the segment or the index of the same package and options would come out differently.
const FORMAT_VERSION: u32 = 2;

/// How a package is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackOptions {
    /// The item that the segment is of, as [`deb_item_id`] gives it; contents left in the segment name it.
    pub item: ItemId,
    /// What is left out.
    pub filters: PathFilters,
    /// How much the package may hold.
    pub limits: Limits,
}

impl UnpackOptions {
    /// The options for the package with this hash, with the usual limits.
    pub fn new(deb: FileHash, filters: PathFilters) -> Self {
        Self { item: deb_item_id(deb, &filters), filters, limits: Limits::default() }
    }
}

/// The id of a package's segment: the `.deb`, what is left out of it, and the version of this code's output.
pub fn deb_item_id(deb: FileHash, filters: &PathFilters) -> ItemId {
    let version = FORMAT_VERSION.to_be_bytes();
    let filters = filters.to_dpkg_config();
    ItemId::of_parts([b"deb".as_slice(), &version, deb.hash().as_bytes(), filters.as_bytes()])
}
