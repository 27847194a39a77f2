//! In-process archive, registry and builders of test data.

pub mod archive;
pub mod commands;
pub mod deb;
pub mod docker_registry;
pub mod editor;
#[cfg(feature = "plywood")]
pub mod events;
pub mod files;
pub mod http;
#[cfg(feature = "plywood")]
pub mod nixpkgs;
pub mod programs;
pub mod proxy;
pub mod python;
pub mod registry;
pub mod require;
pub mod signing;
pub mod store_path;
pub mod substituter;
pub mod values;

/// A root certificate of nobody, valid for a century from 2026, in PEM form. Its OpenSSL subject hash is in
/// [`AUTHORITY_HASH`].
pub const AUTHORITY_PEM: &str = include_str!("../data/authority.pem");
/// `openssl x509 -subject_hash` of [`AUTHORITY_PEM`].
pub const AUTHORITY_HASH: &str = "958b8c4d";

pub use archive::TestArchive;
pub use commands::{copy_folder, fail, succeed, text};
pub use deb::{Deb, DebBuilder, DebCompression};
pub use docker_registry::DockerRegistry;
pub use editor::Editor;
#[cfg(feature = "plywood")]
pub use events::Recorded;
pub use files::{Fault, FileServer, files_below};
pub use proxy::TestProxy;
pub use python::require_python;
pub use registry::TestRegistry;
pub use require::{require, require_mirror, require_root, require_unprivileged};
pub use signing::{KeyFlaw, TestKey};
pub use store_path::{StoreNode, TestPath};
pub use substituter::{Lie, TestSubstituter, WritableCache};
pub use values::{chain, noise};
