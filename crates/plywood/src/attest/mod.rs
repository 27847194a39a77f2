//! Who vouches for an image: keys, signatures and provenance in registries.
//!
//! Signatures and statements are attached in two forms, because tools look in two places: under cosign's tags, and as referrers
//! (OCI 1.1) with Sigstore bundles. What is read is believed only with a key that is named.

mod attach;
mod audit;
mod builder;
mod checks;
mod error;
mod fetch;
mod keys;
mod rebuild;
mod resolve;
mod sign;
mod source;
mod verify;

pub use attach::{Attached, sign as sign_digest, sign_and_attach};
pub use audit::{AuditOptions, AuditReport, AuditState, AuditedImage, audit};
pub use builder::{BUILDER_VARIABLE, provenance};
pub use checks::{Check, CheckState};
pub use error::AttestError;
pub use fetch::{is_signed, trusted};
pub use keys::{
    GeneratedKey, KEY_FILE_VARIABLE, KEY_VARIABLE, KeyOrigin, PASSWORD_VARIABLE, generate_key, public_key, signing_key,
};
pub use rebuild::{RebuildDifference, RebuildReport, RebuiltPlatform};
pub use resolve::SubjectKind;
pub use sign::{Referrer, ReferrersReport, SignReport, SignedDigest, attest, referrers, sign};
pub use source::source;
pub use verify::{ProvenanceSummary, VerifiedDigest, VerifyOptions, VerifyReport, verify};
