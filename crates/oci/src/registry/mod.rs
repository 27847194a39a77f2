//! A client of registries (OCI distribution-spec 1.1), which takes Docker's media types when it reads.
//!
//! Asynchronous inside, synchronous outside: [`RegistryClient`] is the door, [`Repository`] what is done in one
//! repository. Both may be shared between threads. Nothing is kept before its digest is right, and nothing that is
//! shown holds a secret.

mod auth;
mod blob;
mod body;
mod client;
mod config;
mod credentials;
mod error;
mod failure;
mod host;
mod manifest;
mod patience;
mod payload;
mod referrers;
mod repository;
mod request;
mod tags;
mod tls;
mod upload;

pub use blob::{BlobOutcome, BlobSource, Progress, no_progress};
pub use client::RegistryClient;
pub use config::{ClientConfig, UploadLimits};
pub use credentials::{CredentialSources, CredentialsError};
pub use error::RegistryError;
pub use failure::{Failure, Said, Unauthorized};
pub use manifest::FetchedManifest;
pub use patience::Patience;
pub use repository::Repository;
pub use tls::{CertificatesError, TlsFailure};
