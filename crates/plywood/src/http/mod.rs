//! Transfers over HTTP and from files, for every world of packages alike: time limits, pauses, credentials, redirects.

pub mod credentials;
mod download;
mod failure;
pub mod netrc;
mod origins;
mod patience;
mod transport;
pub mod url;

pub use failure::TransferFailure;
pub use patience::Patience;

pub(crate) use download::Download;
pub(crate) use origins::Origins;
pub(crate) use transport::{Ask, Body, Reply, Transport, Validators};
