//! Keys that sign and verify: Ed25519 (RFC 8032) and ECDSA on P-256 with SHA-256 (FIPS 186-5), the two that cosign, OpenSSL
//! and the Python libraries of the field have in common.
//!
//! Signatures are deterministic in both (for ECDSA by RFC 6979): signing the same again changes no byte and moves no blob.

mod error;
mod private;
mod public;
mod sealed;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

pub use error::KeyError;
pub use private::PrivateKey;
pub use public::{BadSignature, PublicKey};

use crate::digest::Sha256Hash;

/// The algorithm of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// Ed25519, over the message itself and not over a hash of it.
    Ed25519,
    /// ECDSA on the curve P-256 over SHA-256: what cosign makes by default.
    EcdsaP256,
}

/// The text names no algorithm that plywood signs with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no algorithm of keys; there are `ed25519` and `ecdsa-p256`")]
pub struct ParseAlgorithmError(String);

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyAlgorithm::Ed25519 => "ed25519",
            KeyAlgorithm::EcdsaP256 => "ecdsa-p256",
        })
    }
}

impl FromStr for KeyAlgorithm {
    type Err = ParseAlgorithmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ed25519" => Ok(KeyAlgorithm::Ed25519),
            "ecdsa-p256" => Ok(KeyAlgorithm::EcdsaP256),
            _ => Err(ParseAlgorithmError(text.to_owned())),
        }
    }
}

/// Identity of a public key: the SHA-256 of its SubjectPublicKeyInfo in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Sha256Hash);

impl KeyId {
    /// The hash itself.
    pub fn hash(&self) -> Sha256Hash {
        self.0
    }
}

impl fmt::Display for KeyId {
    /// All 64 digits; `openssl pkey -pubin -outform DER | sha256sum` says the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
