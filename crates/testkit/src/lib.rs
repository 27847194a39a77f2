//! In-process archive and builders of test data.

pub mod require;

pub use require::{require, require_mirror, require_root, require_unprivileged};
