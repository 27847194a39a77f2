//! Nix's formats as values: store paths, NARs, narinfos, signatures, derivations, flake.lock, reference graphs.
//!
//! Nothing here knows where they come from: stores, caches and Nix itself are the effects side's. What is read from
//! outside has a limit and never panics.

pub mod base32;
mod content_address;
pub mod derivation;
mod drv_name;
pub mod flake_lock;
mod flake_paths;
mod graph;
pub mod nar;
mod narinfo;
mod segment;
mod shown;
mod signature;
mod store_path;

pub use content_address::{ContentAddress, ContentHash, ContentMethod, HashAlgorithm, ParseContentAddressError};
pub use derivation::{Derivation, DerivationError};
pub use drv_name::DrvName;
pub use flake_lock::{FlakeAttribute, FlakeLock, FlakeLockError};
pub use flake_paths::relative_paths;
pub use graph::ReferenceGraph;
pub use narinfo::{Compression, NarInfo, NarInfoError, NarUrl, VerifyError};
pub use segment::{NarToSegment, StoreEntry, StoreEntryKind, StoreIndex, store_item_id};
pub use signature::{ParseKeyError, ParseSignatureError, SecretKey, Signature, TrustedPublicKey, TrustedPublicKeys};
pub use store_path::{ParseStorePathError, STORE_DIR, StoreHash, StorePath};
