//! `plywood.toml`: what a person writes.
//!
//! [`Manifest::parse`] reads the text into typed tables ([`model`]), notes every fault with its place ([`ManifestErrors`]), and works
//! out what each image is once its `from` chain is merged ([`ResolvedImage`]). A manifest that exists is valid.
//!
//! Only the TOML that Nix 2.8's `builtins.fromTOML` reads is accepted ([`NotForNix`]), because a team's flake reads the same file.

mod document;
pub mod model;
mod nix_toml;
mod problem;
mod read;
pub mod resolve;
mod schema;
mod spanned;
#[cfg(test)]
mod tests;
mod validate;
mod values;

pub use crate::platform::Platform;
pub use document::{Manifest, UnknownImageError, check_for_nix};
pub use problem::{ManifestError, ManifestErrors, NotForNix, Problem};
pub use resolve::{
    BaseFacts, Bases, DebianSource, Distribution, Placement, RequestedPackage, ResolvedBase, ResolvedImage,
    ResolvedNix, ResolvedRepository, ResolvedUser,
};
pub use schema::schema;
pub use spanned::Spanned;
pub(crate) use values::text_type;
pub use values::*;
