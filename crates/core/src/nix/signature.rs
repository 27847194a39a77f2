//! Signatures of store paths: Ed25519 over a narinfo's fingerprint (Nix's `libutil/signature/local-keys.cc`).

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

/// The longest key or signature that is read, in bytes; real ones have about a hundred.
const MAX_LEN: usize = 1024;

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// It has no name before a colon.
    #[error("a key has the form `name:base64`")]
    Form,
    /// What follows the colon is not the base 64 of an Ed25519 key.
    #[error("what follows the colon is not the base 64 of an Ed25519 key")]
    Key,
}

/// Why a text is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature has the form `name:base64`, with 64 bytes")]
pub struct ParseSignatureError;

/// Splits `name:base64` and decodes what follows the colon.
fn parts(text: &str) -> Option<(&str, Vec<u8>)> {
    let (name, encoded) = text.split_once(':').filter(|_| text.len() <= MAX_LEN)?;
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    BASE64.decode(encoded.as_bytes()).ok().filter(|_| named).map(|bytes| (name, bytes))
}

/// A key whose signatures are believed, as in `trusted-public-keys`.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustedPublicKey {
    name: String,
    key: VerifyingKey,
}

impl TrustedPublicKey {
    /// Its name, such as `cache.example.org-1`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for TrustedPublicKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, bytes) = match text.contains(':') {
            true => parts(text).ok_or(ParseKeyError::Key)?,
            false => return Err(ParseKeyError::Form),
        };
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| ParseKeyError::Key)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| ParseKeyError::Key)?;
        Ok(Self { name: name.to_owned(), key })
    }
}

impl fmt::Display for TrustedPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, BASE64.encode(self.key.as_bytes()))
    }
}

impl fmt::Debug for TrustedPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedPublicKey({self})")
    }
}

/// All keys whose signatures are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedPublicKeys(pub Vec<TrustedPublicKey>);

impl TrustedPublicKeys {
    /// The name of a key that made one of these signatures over `message`.
    ///
    /// Several keys may have one name, as when a cache replaces its key: each is tried.
    pub fn signer<'k>(&'k self, message: &[u8], signatures: &[Signature]) -> Option<&'k str> {
        let by = |key: &&TrustedPublicKey| {
            let own = signatures.iter().filter(|signature| signature.name == key.name);
            own.into_iter().any(|signature| key.key.verify_strict(message, &signature.signature()).is_ok())
        };
        self.0.iter().find(by).map(TrustedPublicKey::name)
    }
}

impl FromIterator<TrustedPublicKey> for TrustedPublicKeys {
    fn from_iter<I: IntoIterator<Item = TrustedPublicKey>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

/// A signature, as in a narinfo's `Sig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    name: String,
    bytes: [u8; 64],
}

impl Signature {
    /// The name of the key that is said to have made it.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> ed25519_dalek::Signature {
        ed25519_dalek::Signature::from_bytes(&self.bytes)
    }
}

impl FromStr for Signature {
    type Err = ParseSignatureError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, bytes) = parts(text).ok_or(ParseSignatureError)?;
        Ok(Self { name: name.to_owned(), bytes: bytes.try_into().map_err(|_| ParseSignatureError)? })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, BASE64.encode(&self.bytes))
    }
}

/// A key that signs, as `nix-store --generate-binary-cache-key` writes it. It is wiped from memory when dropped and
/// shows itself to nobody.
#[derive(Clone)]
pub struct SecretKey {
    name: String,
    key: SigningKey,
}

impl SecretKey {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that checks its signatures.
    pub fn public(&self) -> TrustedPublicKey {
        TrustedPublicKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature { name: self.name.clone(), bytes: self.key.sign(message).to_bytes() }
    }

    /// The key of this name with these 32 bytes of seed, which must be random.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Self {
        Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) }
    }
}

impl FromStr for SecretKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_ascii_end();
        let (name, bytes) = match text.contains(':') {
            true => parts(text).ok_or(ParseKeyError::Key)?,
            false => return Err(ParseKeyError::Form),
        };
        let bytes = zeroize::Zeroizing::new(bytes);
        let pair: &[u8; 64] = bytes.as_slice().try_into().map_err(|_| ParseKeyError::Key)?;
        let key = SigningKey::from_keypair_bytes(pair).map_err(|_| ParseKeyError::Key)?;
        Ok(Self { name: name.to_owned(), key })
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({}:…)", self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn signatures_are_checked() {
        let (key, other) = (SecretKey::from_seed("a-1", &[1; 32]), SecretKey::from_seed("a-1", &[2; 32]));
        let signature = key.sign(b"message");
        let trusted: TrustedPublicKeys = [other.public(), key.public()].into_iter().collect();
        assert_eq!(trusted.signer(b"message", std::slice::from_ref(&signature)), Some("a-1"));
        assert_eq!(trusted.signer(b"another", std::slice::from_ref(&signature)), None);
        let renamed = Signature { name: "b-1".to_owned(), ..signature.clone() };
        assert_eq!(trusted.signer(b"message", &[renamed]), None);
        assert_eq!(TrustedPublicKeys(vec![other.public()]).signer(b"message", &[signature]), None);
    }

    #[test]
    fn keys_survive_text_and_hide() {
        let key = SecretKey::from_seed("a-1", &[1; 32]);
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
        let text = format!("a-1:{}", BASE64.encode(&key.key.to_keypair_bytes()));
        let parsed: SecretKey = text.parse().unwrap();
        assert_eq!(parsed.public(), key.public());
        assert_eq!(format!("{parsed:?}"), "SecretKey(a-1:…)");
        assert_eq!("nonsense".parse::<SecretKey>().unwrap_err(), ParseKeyError::Form);
        assert_eq!("a:AAAA".parse::<TrustedPublicKey>().unwrap_err(), ParseKeyError::Key);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,120}") {
            let _ = text.parse::<Signature>();
            let _ = text.parse::<TrustedPublicKey>();
            let _ = text.parse::<SecretKey>();
        }
    }
}
