//! Fetching from Debian's archive and third-party repositories: indexes by their signatures, packages by their hashes.
//!
//! Asynchronous inside, synchronous outside: [`Archive`] is what the rest of plywood sees.

mod archive;
mod cache;
mod decompress;
mod download;
mod error;
mod indexes;
mod partial;
mod release_cache;
mod sources;
mod suite;

use camino::Utf8PathBuf;
use plywood_core::debian::release::{Release, UnixTime};
use plywood_core::digest::FileHash;

pub use archive::Archive;
pub use error::{Attempts, Failure, FetchError, GoneDeb};

use super::config::ArchiveName;

/// A package to download, as the lock names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebRef {
    /// For people, such as `hello 2.10-5 (amd64)`.
    pub name: String,
    /// The archive it is in.
    pub archive: ArchiveName,
    /// Where it is below the archive's base: the `Filename` of its index.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub hash: FileHash,
    /// `Date` of the `InRelease` it was locked from: when the snapshot archive surely had it.
    pub seen: UnixTime,
}

/// The verified indexes of one suite of one archive.
#[derive(Debug, Clone)]
pub struct SuiteIndexes {
    /// Which archive.
    pub archive: ArchiveName,
    /// The suite as it was asked for, such as `trixie-updates`.
    pub suite: String,
    /// SHA-256 of the whole `InRelease`, signature included.
    pub in_release_hash: FileHash,
    /// What the `InRelease` says.
    pub release: Release,
    /// One for each component and architecture that the suite has.
    pub packages: Vec<PackagesFile>,
}

/// One `Packages` file.
#[derive(Clone, PartialEq, Eq)]
pub struct PackagesFile {
    /// Such as `main`; empty in a flat repository.
    pub component: String,
    /// Debian's name of the architecture it was asked for, or `all`.
    pub architecture: String,
    /// SHA-256 of the file as it was fetched, that is compressed.
    pub hash: FileHash,
    /// Its uncompressed bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for PackagesFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { component, architecture, hash, bytes } = self;
        write!(f, "PackagesFile({component}/{architecture}, {hash}, {} bytes)", bytes.len())
    }
}

/// A file to fetch: what it must be, and everywhere it may be.
#[derive(Debug, Clone)]
struct Wanted {
    /// For people.
    what: String,
    size: u64,
    hash: FileHash,
    /// Its final name in the cache.
    target: Utf8PathBuf,
    /// In order.
    sources: Vec<sources::Source>,
}
