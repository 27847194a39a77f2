//! SHA-256 digests, one type per identity so that they never mix.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDigestError {
    /// The algorithm prefix is not `sha256:`.
    #[error("a digest starts with `sha256:`")]
    Algorithm,
    /// The hexadecimal part is not 64 lower-case digits.
    #[error("a SHA-256 digest has 64 lower-case hexadecimal digits")]
    Hex,
}

/// A SHA-256 value without a meaning yet; the public identities wrap it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Hash([u8; 32]);

impl Sha256Hash {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes the 32 raw bytes of a hash computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 lower-case hexadecimal digits, without a prefix.
    pub fn to_hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Parses 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`ParseDigestError::Hex`] for anything else.
    pub fn from_hex(hex: &str) -> Result<Self, ParseDigestError> {
        let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|_| ParseDigestError::Hex)?;
        Ok(Self(bytes.try_into().map_err(|_| ParseDigestError::Hex)?))
    }
}

impl fmt::Debug for Sha256Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Sha256Hash);

        impl $name {
            /// Hashes `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Sha256Hash::of(bytes))
            }

            /// Gives a hash this meaning.
            pub const fn new(hash: Sha256Hash) -> Self {
                Self(hash)
            }

            /// The hash itself.
            pub const fn hash(&self) -> Sha256Hash {
                self.0
            }

            /// The 64 lower-case hexadecimal digits, without a prefix.
            pub fn to_hex(self) -> String {
                self.0.to_hex()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "sha256:{}", self.0.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.to_hex())
            }
        }

        impl FromStr for $name {
            type Err = ParseDigestError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let hex = text.strip_prefix("sha256:").ok_or(ParseDigestError::Algorithm)?;
                Sha256Hash::from_hex(hex).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<'de, str>::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

identity! {
    /// Digest of a blob's bytes as stored and transferred (OCI image-spec, "Digests").
    Digest
}
identity! {
    /// Digest of a layer's uncompressed tar (OCI image-spec, config, "Layer DiffID").
    DiffId
}
identity! {
    /// SHA-256 of a file fetched from outside, such as a `.deb`, as an index or the lock names it.
    FileHash
}

/// SHA-256 of a NAR, uncompressed (Nix manual, "Nix Archive"). In hexadecimal like the others, and in Nix's own forms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NarHash(Sha256Hash);

/// Why a text is not the hash of a NAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no SHA-256 hash of the form `sha256:` with base 32 or 16, or `sha256-` with base 64")]
pub struct ParseNarHashError;

impl NarHash {
    /// Hashes `bytes`, which should be a NAR.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256Hash::of(bytes))
    }

    /// Gives a hash this meaning.
    pub const fn new(hash: Sha256Hash) -> Self {
        Self(hash)
    }

    /// The hash itself.
    pub const fn hash(&self) -> Sha256Hash {
        self.0
    }

    /// As narinfos write it: `sha256:` and Nix's base 32.
    pub fn to_nix(self) -> String {
        format!("sha256:{}", crate::nix::base32::encode(self.0.as_bytes()))
    }

    /// As lock files of flakes write it: `sha256-` and base 64 (W3C, "Subresource Integrity").
    pub fn to_sri(self) -> String {
        format!("sha256-{}", BASE64.encode(self.0.as_bytes()))
    }

    /// As Nix's database writes it: `sha256:` and base 16.
    pub fn to_base16(self) -> String {
        format!("sha256:{}", self.0.to_hex())
    }
}

impl fmt::Display for NarHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_nix())
    }
}

impl fmt::Debug for NarHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NarHash({self})")
    }
}

impl FromStr for NarHash {
    type Err = ParseNarHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hash = match (text.strip_prefix("sha256:"), text.strip_prefix("sha256-")) {
            (Some(hex), _) if hex.len() == 64 => Sha256Hash::from_hex(hex).ok(),
            (Some(base32), _) => crate::nix::base32::decode(base32.as_bytes()).map(Sha256Hash::from_bytes),
            (None, Some(sri)) => {
                let bytes = BASE64.decode(sri.as_bytes()).ok();
                bytes.and_then(|bytes| bytes.try_into().ok()).map(Sha256Hash::from_bytes)
            }
            (None, None) => None,
        };
        hash.map(Self).ok_or(ParseNarHashError)
    }
}

impl Serialize for NarHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NarHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nar_hash_survives_every_form() {
        let hash = NarHash::of(b"plywood");
        for text in [hash.to_nix(), hash.to_sri(), hash.to_base16()] {
            assert_eq!(text.parse(), Ok(hash), "{text}");
        }
        for text in ["", "sha256:", "sha1:00", "sha256-AAAA", "md5-AAAA"] {
            assert_eq!(text.parse::<NarHash>(), Err(ParseNarHashError), "{text}");
        }
    }

    #[test]
    fn a_digest_survives_text() {
        let digest = Digest::of(b"plywood");
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for (text, error) in [
            ("", ParseDigestError::Algorithm),
            ("sha512:00", ParseDigestError::Algorithm),
            ("sha256:", ParseDigestError::Hex),
            ("sha256:00", ParseDigestError::Hex),
            (&format!("sha256:{}", "AB".repeat(32)), ParseDigestError::Hex),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }
}
