//! Items: the immutable things that layers are made of.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use bstr::BString;
use serde::{Deserialize, Serialize};

use crate::digest::{ParseDigestError, Sha256Hash};
use crate::tree::{Meta, TreePath};

/// Identity of an item by its content and everything that decides how it is written: equal ids give equal tar bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(Sha256Hash);

impl ItemId {
    /// The id of what `parts` describe; each part is length-prefixed, so no two lists collide.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        use sha2::{Digest as _, Sha256};
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(Sha256Hash::from_bytes(hasher.finalize().into()))
    }

    /// The 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.to_hex()
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemId({})", self.to_hex())
    }
}

impl FromStr for ItemId {
    type Err = ParseDigestError;

    fn from_str(hex: &str) -> Result<Self, Self::Err> {
        Sha256Hash::from_hex(hex).map(Self)
    }
}

impl Serialize for ItemId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ItemId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Sha256Hash::from_hex(&hex).map(Self).map_err(serde::de::Error::custom)
    }
}

/// What one entry of an item's segment is, as a tar header says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file of this many bytes.
    File {
        /// Length in bytes.
        size: u64,
    },
    /// A further name of a file that came earlier in the same item.
    HardLink {
        /// The earlier name.
        target: TreePath,
    },
    /// A symbolic link with its target as written.
    Symlink {
        /// The target, as written.
        target: BString,
    },
    /// A character device.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

/// Takes the entries of one item in the order of its segment.
///
/// Implemented by the segment writer; whoever reads an item from outside streams into it.
pub trait EntrySink {
    /// Adds an entry; `data` is read to its end and must give exactly the `size` bytes of [`EntryKind::File`], and
    /// nothing for other kinds. Returns the offset of the data in the uncompressed segment, in bytes.
    ///
    /// # Errors
    /// When `data` cannot be read or has another length, or the sink cannot write.
    fn append(&mut self, path: &TreePath, meta: &Meta, kind: &EntryKind, data: &mut dyn Read) -> io::Result<u64>;
}

/// The stable name of an item over its versions, such as `deb:libc6`: what the layout in the lock speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemKey(pub String);

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
