//! Signed envelopes (DSSE, Dead Simple Signing Envelope, v1.0.2).

use serde::{Deserialize, Serialize};

use super::error::{AttestationError, parse, rule};
use super::{KeyId, PrivateKey, PublicKey, base64};

/// As many signatures are read from an envelope; each is tried with each key.
const MAX_SIGNATURES: usize = 64;
/// The longest payload type, in bytes.
const MAX_PAYLOAD_TYPE: usize = 256;

/// Bytes of a kind, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DsseEnvelope {
    payload_type: String,
    #[serde(with = "base64")]
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Signature {
    /// Not authenticated and only a hint. Empty as in cosign's: other libraries pass over a signature whose hint they do not know.
    #[serde(default)]
    keyid: String,
    #[serde(with = "base64")]
    sig: Vec<u8>,
}

/// A payload whose signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'e> {
    /// What is signed.
    pub payload: &'e [u8],
    /// The key that signed it.
    pub key: KeyId,
}

/// What is signed in place of the payload (DSSE protocol, "PAE"): the kind is under the signature as well.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl DsseEnvelope {
    /// Signs a payload.
    pub fn sign(payload_type: &'static str, payload: Vec<u8>, key: &PrivateKey) -> Self {
        let sig = key.sign(&pre_authentication_encoding(payload_type, &payload));
        let signatures = vec![Signature { keyid: String::new(), sig }];
        Self { payload_type: payload_type.to_owned(), payload, signatures }
    }

    /// Parses an envelope. What is in it is not to be believed yet.
    ///
    /// # Errors
    /// When it is too large, no envelope, or has no or too many signatures.
    pub fn parse(bytes: &[u8]) -> Result<Self, AttestationError> {
        let envelope: Self = parse(WHAT, bytes)?;
        envelope.check()?;
        Ok(envelope)
    }

    pub(super) fn check(&self) -> Result<(), AttestationError> {
        let signed = (1..=MAX_SIGNATURES).contains(&self.signatures.len());
        rule(WHAT, signed, "it has 1 to 64 signatures")?;
        rule(WHAT, self.payload_type.len() <= MAX_PAYLOAD_TYPE, "`payloadType` has at most 256 bytes")
    }

    /// The payload, if it is of that kind and one of the keys signed it.
    ///
    /// # Errors
    /// [`AttestationError::PayloadType`], [`AttestationError::Untrusted`].
    pub fn verify<'k>(
        &self,
        payload_type: &'static str,
        keys: impl IntoIterator<Item = &'k PublicKey>,
    ) -> Result<Verified<'_>, AttestationError> {
        if self.payload_type != payload_type {
            let found = self.payload_type.clone();
            return Err(AttestationError::PayloadType { expected: payload_type, found });
        }
        let signed = pre_authentication_encoding(&self.payload_type, &self.payload);
        let verifies = |key: &&PublicKey| self.signatures.iter().any(|it| key.verify(&signed, &it.sig).is_ok());
        let key = keys.into_iter().find(verifies).ok_or(AttestationError::Untrusted)?;
        Ok(Verified { payload: &self.payload, key: key.id() })
    }
}

const WHAT: &str = "DSSE envelope";
