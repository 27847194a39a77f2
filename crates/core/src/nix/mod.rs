//! Nix's formats as values: store paths, NARs, narinfos, signatures, reference graphs.
//!
//! Nothing here knows where they come from: stores, caches and Nix itself are the effects side's. What is read from
//! outside has a limit and never panics.

pub mod base32;
mod drv_name;
mod graph;
pub mod nar;
mod narinfo;
mod segment;
mod signature;
mod store_path;

pub use drv_name::DrvName;
pub use graph::ReferenceGraph;
pub use narinfo::{Compression, NarInfo, NarInfoError, NarUrl, VerifyError};
pub use segment::{NarToSegment, StoreEntry, StoreEntryKind, StoreIndex, store_item_id};
pub use signature::{ParseKeyError, ParseSignatureError, SecretKey, Signature, TrustedPublicKey, TrustedPublicKeys};
pub use store_path::{ParseStorePathError, STORE_DIR, StoreHash, StorePath};
