//! Public keys.

use std::fmt;

use p256::ecdsa::signature::Verifier as _;
use pkcs8::{DecodePublicKey as _, EncodePublicKey as _};

use super::{KeyAlgorithm, KeyError, KeyId};
use crate::attest::pem;
use crate::digest::Sha256Hash;

/// The signature is not one of this message by this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not by this key over these bytes")]
pub struct BadSignature;

/// A key that signatures are verified with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: Key,
    der: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    Ed25519(ed25519_dalek::VerifyingKey),
    EcdsaP256(p256::ecdsa::VerifyingKey),
}

const LABEL: &str = "PUBLIC KEY";

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in PEM (RFC 7468 section 13).
    ///
    /// # Errors
    /// When the text is no such key, or one of another algorithm.
    pub fn parse_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::parse(text)?;
        match block.label {
            LABEL => Self::parse_der(&block.contents),
            label if label.ends_with("PRIVATE KEY") => Err(KeyError::PrivateForPublic),
            _ => Err(KeyError::NotPublic),
        }
    }

    /// Reads a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    /// When the bytes are no such key, or one of another algorithm.
    pub fn parse_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = pkcs8::SubjectPublicKeyInfoRef::try_from(der).map_err(|_| KeyError::Contents)?;
        if info.algorithm.oid == super::private::ED25519 {
            let key = ed25519_dalek::VerifyingKey::from_public_key_der(der).map_err(|_| KeyError::Contents)?;
            // A key of small order would verify the same signature over many messages.
            return if key.is_weak() { Err(KeyError::Contents) } else { Self::ed25519(key) };
        }
        if info.algorithm.oid == super::private::EC && info.algorithm.parameters_oid() == Ok(super::private::P256) {
            let key = p256::ecdsa::VerifyingKey::from_public_key_der(der).map_err(|_| KeyError::Contents)?;
            return Self::ecdsa(key);
        }
        Err(KeyError::Algorithm)
    }

    pub(super) fn ed25519(key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        let der = key.to_public_key_der().map_err(|_| KeyError::Contents)?.into_vec();
        Ok(Self { key: Key::Ed25519(key), der })
    }

    pub(super) fn ecdsa(key: p256::ecdsa::VerifyingKey) -> Result<Self, KeyError> {
        let der = key.to_public_key_der().map_err(|_| KeyError::Contents)?.into_vec();
        Ok(Self { key: Key::EcdsaP256(key), der })
    }

    /// The key in PEM.
    pub fn to_pem(&self) -> String {
        pem::write(LABEL, &self.der).to_string()
    }

    /// The key's identity.
    pub fn id(&self) -> KeyId {
        KeyId(Sha256Hash::of(&self.der))
    }

    /// The key's algorithm.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self.key {
            Key::Ed25519(_) => KeyAlgorithm::Ed25519,
            Key::EcdsaP256(_) => KeyAlgorithm::EcdsaP256,
        }
    }

    /// Verifies a signature: 64 bytes for Ed25519 (RFC 8032 section 5.1.7), an `ECDSA-Sig-Value` in DER for ECDSA (RFC 3279
    /// section 2.2.3).
    ///
    /// # Errors
    /// [`BadSignature`] when it is none of this key over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match &self.key {
            Key::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| BadSignature)?;
                key.verify_strict(message, &signature).map_err(|_| BadSignature)
            }
            Key::EcdsaP256(key) => {
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| BadSignature)?;
                key.verify(message, &signature).map_err(|_| BadSignature)
            }
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm(), self.id())
    }
}
