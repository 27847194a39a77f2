//! Attestations: who vouches for a digest, and what it was made from.
//!
//! Nothing is believed before its signature is verified: [`DsseEnvelope::verify`] and [`SimpleSigning::verify`] are the only ways
//! to what is signed. Everything that is read is bounded.

mod attached;
mod base64;
mod bundle;
mod dsse;
mod error;
mod key;
mod pem;
mod provenance;
mod running;
mod simple_signing;
mod statement;
#[cfg(test)]
mod tests;

pub use attached::{Attachment, SignatureForm, Trust, TrustedSignature, TrustedStatement};
pub use bundle::SigstoreBundle;
pub use dsse::{DsseEnvelope, Verified, pre_authentication_encoding};
pub use error::{AttestationError, MAX_ATTESTATION};
pub use key::{BadSignature, KeyAlgorithm, KeyError, KeyId, ParseAlgorithmError, PrivateKey, PublicKey};
pub use pem::MAX_PEM;
pub use provenance::{
    BUILD_TYPE, BuildDefinition, Builder, ExternalParameters, InternalParameters, MaterialChange, Materials,
    Provenance, ResourceDescriptor, RunDetails, RunMetadata, SLSA_PROVENANCE, Source, materials,
};
pub use running::{MAX_RUNNING, Running, RunningError};
pub use simple_signing::SimpleSigning;
pub use statement::{COSIGN_SIGN, IN_TOTO, Statement};
