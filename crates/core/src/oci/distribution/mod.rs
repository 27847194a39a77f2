//! What registries and their clients say to each other, as values (OCI distribution-spec 1.1): challenges, tokens,
//! errors, links, ranges, and the files in which Docker and podman keep credentials.
//!
//! Everything is bounded, and nothing here asks a registry.

mod auth_file;
mod challenge;
mod document;
mod errors;
mod headers;
mod retry_after;
mod secret;
mod token;

pub use auth_file::{AuthFile, ParseAuthFileError, parse_auth_list};
pub use challenge::{BearerChallenge, Challenge, ParseChallengeError, parse_challenges};
pub use document::{ManifestKind, UnclearManifestError};
pub use errors::{ErrorCode, Quoted, parse_errors, quote};
pub use headers::{UploadRange, next_link};
pub use retry_after::retry_after;
pub use secret::{Credential, Secret};
pub use token::{ParseTokenError, TokenResponse};
