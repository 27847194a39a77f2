//! Sigstore bundles (sigstore protobuf-specs, `Bundle` v0.3 in JSON): an envelope with what it takes to verify it. cosign 3 attaches
//! signatures and attestations in this form.
//!
//! Of the verification material only a public key's hint is written: plywood signs with keys and uses no transparency log.
//! Certificates and log entries of others are passed over when reading; the envelope is verified with the keys at hand.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::error::{AttestationError, parse, rule};
use super::{DsseEnvelope, PublicKey};
use crate::oci::MediaType;

const WHAT: &str = "Sigstore bundle";

/// An envelope with a hint at the key that signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigstoreBundle {
    media_type: MediaType,
    verification_material: VerificationMaterial,
    dsse_envelope: DsseEnvelope,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VerificationMaterial {
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<PublicKeyIdentifier>,
    /// Written empty, since other readers want it, and not read.
    #[serde(skip_deserializing)]
    tlog_entries: [(); 0],
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct PublicKeyIdentifier {
    hint: String,
}

impl SigstoreBundle {
    /// Puts an envelope into a bundle.
    pub fn new(dsse_envelope: DsseEnvelope, key: &PublicKey) -> Self {
        // cosign's own hint.
        let hint = BASE64.encode(key.id().hash().as_bytes());
        let verification_material =
            VerificationMaterial { public_key: Some(PublicKeyIdentifier { hint }), tlog_entries: [] };
        Self { media_type: MediaType::SIGSTORE_BUNDLE, verification_material, dsse_envelope }
    }

    /// Parses a bundle with an envelope. What is in it is not to be believed yet.
    ///
    /// # Errors
    /// When it is too large or no such bundle.
    pub fn parse(bytes: &[u8]) -> Result<Self, AttestationError> {
        let bundle: Self = parse(WHAT, bytes)?;
        rule(WHAT, bundle.media_type.is_sigstore_bundle(), "`mediaType` is that of a bundle")?;
        bundle.dsse_envelope.check()?;
        Ok(bundle)
    }

    /// The envelope.
    pub fn envelope(&self) -> &DsseEnvelope {
        &self.dsse_envelope
    }
}
