//! In-process archive and builders of test data.

pub mod archive;
pub mod deb;
pub mod files;
pub mod http;
pub mod require;
pub mod signing;

pub use archive::TestArchive;
pub use deb::{Deb, DebBuilder, DebCompression};
pub use files::{Fault, FileServer};
pub use require::{require, require_mirror, require_root, require_unprivileged};
pub use signing::{KeyFlaw, TestKey};
