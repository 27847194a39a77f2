//! Debian's archive as a source of packages: which mirrors there are, whom to believe, and fetching.

pub mod config;
pub mod defaults;
pub mod fetch;
mod from_manifest;
pub mod inrelease;
pub mod keyring;
pub mod mirror_url;
pub mod mirrors;

pub use config::{ArchiveConfig, ArchiveName, Repository, Snapshot};
pub use fetch::{Archive, DebRef, FetchError, PackagesFile, SuiteIndexes};
pub use from_manifest::ConfigError;
