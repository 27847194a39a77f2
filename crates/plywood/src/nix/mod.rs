//! Nix outside of Nix: where store paths come from, where they are pushed to, and the database of an image.
//!
//! [`Sources`] is what gives store paths: the local store of this machine and binary caches. Everything it gives was
//! verified: a path's references and hash by the signature of a trusted key, its contents by the hash.

pub(crate) mod cache_info;
mod closure;
pub mod config;
pub mod database;
pub mod defaults;
mod error;
pub mod eval;
mod fetch;
pub(crate) mod index;
pub mod local;
mod narinfo_cache;
mod path_info;
pub mod push;
mod sources;
mod substituter;
mod unpack;
pub mod url;

pub use cache_info::CacheInfoError;
pub use config::{NamedSources, SourcesConfig, StandInSources};
pub use error::{Attempt, Attempts, NixError, SourceFailure};
pub use local::{LocalStore, LocalStoreError};
pub use path_info::{Origin, PathInfo, WantedPath};
pub use sources::Sources;
pub use url::BinaryCacheUrl;
