//! Private keys. They are wiped when dropped and never shown.

use std::fmt;

use p256::ecdsa::signature::Signer as _;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, ObjectIdentifier, PrivateKeyInfo};
use zeroize::Zeroizing;

use super::{KeyAlgorithm, KeyError, PublicKey, sealed};
use crate::attest::pem;

/// Ed25519 (RFC 8410 section 3).
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// Keys on elliptic curves (RFC 5480 section 2.1.1).
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// The curve P-256 (RFC 5480 section 2.1.1.1).
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

const LABEL: &str = "PRIVATE KEY";

/// A key that signs.
pub struct PrivateKey {
    key: Key,
    public: PublicKey,
}

/// Both are wiped by their own libraries when dropped.
enum Key {
    Ed25519(ed25519_dalek::SigningKey),
    EcdsaP256(p256::ecdsa::SigningKey),
}

impl PrivateKey {
    /// Makes a key from random bytes; `None` for the few that are no key of the algorithm.
    pub fn from_random(algorithm: KeyAlgorithm, bytes: &Zeroizing<[u8; 32]>) -> Option<Self> {
        match algorithm {
            KeyAlgorithm::Ed25519 => Self::ed25519(ed25519_dalek::SigningKey::from_bytes(bytes)).ok(),
            KeyAlgorithm::EcdsaP256 => {
                let key = p256::ecdsa::SigningKey::from_slice(bytes.as_slice()).ok()?;
                Self::ecdsa(key).ok()
            }
        }
    }

    /// Reads a key in PKCS #8 (RFC 5958) and PEM, or one that cosign has encrypted, with its password.
    ///
    /// # Errors
    /// When the text is no such key, one of another algorithm, or the password is missing or wrong.
    pub fn parse_pem(text: &str, password: Option<&[u8]>) -> Result<Self, KeyError> {
        let block = pem::parse(text)?;
        match block.label {
            LABEL => Self::parse_der(&block.contents),
            "ENCRYPTED COSIGN PRIVATE KEY" | "ENCRYPTED SIGSTORE PRIVATE KEY" => {
                let der = sealed::open(&block.contents, password.ok_or(KeyError::NoPassword)?)?;
                Self::parse_der(&der)
            }
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            "EC PRIVATE KEY" | "EC PARAMETERS" | "RSA PRIVATE KEY" | "OPENSSH PRIVATE KEY" => Err(KeyError::OldForm),
            "PUBLIC KEY" => Err(KeyError::PublicForPrivate),
            _ => Err(KeyError::NotPrivate),
        }
    }

    fn parse_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfo::try_from(der).map_err(|_| KeyError::Contents)?;
        if info.algorithm.oid == ED25519 {
            return Self::ed25519(ed25519_dalek::SigningKey::from_pkcs8_der(der).map_err(|_| KeyError::Contents)?);
        }
        if info.algorithm.oid == EC && info.algorithm.parameters_oid() == Ok(P256) {
            let key = p256::SecretKey::from_pkcs8_der(der).map_err(|_| KeyError::Contents)?;
            return Self::ecdsa(key.into());
        }
        Err(KeyError::Algorithm)
    }

    fn ed25519(key: ed25519_dalek::SigningKey) -> Result<Self, KeyError> {
        Ok(Self { public: PublicKey::ed25519(key.verifying_key())?, key: Key::Ed25519(key) })
    }

    fn ecdsa(key: p256::ecdsa::SigningKey) -> Result<Self, KeyError> {
        Ok(Self { public: PublicKey::ecdsa(*key.verifying_key())?, key: Key::EcdsaP256(key) })
    }

    /// The key in PKCS #8 and PEM.
    ///
    /// # Errors
    /// [`KeyError::Contents`] when the key does not serialize, which none does.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let der = match &self.key {
            // With the public key, which RFC 8410 allows, OpenSSL 1.1 and Go do not read it.
            Key::Ed25519(key) => {
                let pair = ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None };
                pair.to_pkcs8_der()
            }
            Key::EcdsaP256(key) => p256::SecretKey::from(key).to_pkcs8_der(),
        };
        Ok(pem::write(LABEL, der.map_err(|_| KeyError::Contents)?.as_bytes()))
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs, in the form that [`PublicKey::verify`] takes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Key::EcdsaP256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(***)")
    }
}
