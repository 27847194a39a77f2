//! Hashes of any algorithm that Nix knows, and how a path's content names it (Nix's `libutil/hash.cc`,
//! `libstore/content-address.cc`).

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use sha2::Digest as _;

use super::base32;
use super::shown::Shown;
use crate::digest::{NarHash, Sha256Hash};

/// A hash algorithm of fixed outputs; only SHA-256 and SHA-512 still withstand forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name, such as `sha256`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many bytes its hashes have.
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The algorithm of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// Why a text is no hash or content address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseContentAddressError {
    /// The algorithm is none that Nix has had for long.
    #[error("`{}` is not md5, sha1, sha256 or sha512", Shown(.0))]
    Algorithm(String),
    /// The digits are not those of a hash.
    #[error("`{}` is no {} hash in base 16, 32 or 64", Shown(.1), .0.as_str())]
    Digits(HashAlgorithm, String),
    /// It starts neither with `text:` nor with `fixed:`, or says `text:` of another hash than SHA-256.
    #[error("`{}` says no way to address content", Shown(.0))]
    Method(String),
}

/// A hash with its algorithm, of a file or a NAR as the context says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash {
    algorithm: HashAlgorithm,
    bytes: Box<[u8]>,
}

impl ContentHash {
    /// Hashes `bytes`.
    pub fn of(algorithm: HashAlgorithm, bytes: &[u8]) -> Self {
        let bytes: Box<[u8]> = match algorithm {
            HashAlgorithm::Md5 => md5::Md5::digest(bytes).as_slice().into(),
            HashAlgorithm::Sha1 => sha1::Sha1::digest(bytes).as_slice().into(),
            HashAlgorithm::Sha256 => sha2::Sha256::digest(bytes).as_slice().into(),
            HashAlgorithm::Sha512 => sha2::Sha512::digest(bytes).as_slice().into(),
        };
        Self { algorithm, bytes }
    }

    /// A SHA-256 hash computed elsewhere.
    pub fn sha256(hash: Sha256Hash) -> Self {
        Self { algorithm: HashAlgorithm::Sha256, bytes: hash.as_bytes().as_slice().into() }
    }

    /// Parses digits in base 16, base 32 or base 64: their number tells which.
    ///
    /// # Errors
    /// [`ParseContentAddressError::Digits`]
    pub fn parse_digits(algorithm: HashAlgorithm, text: &str) -> Result<Self, ParseContentAddressError> {
        let (size, digits) = (algorithm.size(), text.as_bytes());
        let bytes = match digits.len() {
            length if length == size * 2 => HEXLOWER.decode(digits).ok(),
            length if length == base32::encoded_len(size) => base32::decode_vec(digits, size),
            length if length == BASE64.encode_len(size) => BASE64.decode(digits).ok(),
            _ => None,
        };
        match bytes.filter(|bytes| bytes.len() == size) {
            Some(bytes) => Ok(Self { algorithm, bytes: bytes.into() }),
            None => Err(ParseContentAddressError::Digits(algorithm, text.to_owned())),
        }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The hash's bytes, [`HashAlgorithm::size`] of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash, when it is SHA-256.
    pub fn to_sha256(&self) -> Option<Sha256Hash> {
        (&*self.bytes).try_into().ok().map(Sha256Hash::from_bytes)
    }

    /// The lower-case hexadecimal digits, without the algorithm.
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.bytes)
    }

    /// The algorithm, a colon, and base 16: what store paths are computed from.
    pub fn to_base16(&self) -> String {
        format!("{}:{}", self.algorithm.as_str(), self.to_hex())
    }

    /// The algorithm, a dash, and base 64 (W3C, "Subresource Integrity").
    pub fn to_sri(&self) -> String {
        format!("{}-{}", self.algorithm.as_str(), BASE64.encode(&self.bytes))
    }
}

impl From<NarHash> for ContentHash {
    fn from(hash: NarHash) -> Self {
        Self::sha256(hash.hash())
    }
}

impl FromStr for ContentHash {
    type Err = ParseContentAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, digits) = text.split_once([':', '-']).unwrap_or((text, ""));
        let algorithm = HashAlgorithm::parse(name);
        Self::parse_digits(algorithm.ok_or_else(|| ParseContentAddressError::Algorithm(name.to_owned()))?, digits)
    }
}

impl fmt::Display for ContentHash {
    /// The algorithm, a colon, and Nix's base 32.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), base32::encode(&self.bytes))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// What a content address is the hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentMethod {
    /// The bytes of a file that may refer to other paths, as derivations do.
    Text,
    /// The bytes of a file.
    Flat,
    /// The NAR.
    Recursive,
    /// The tree as git hashes it.
    Git,
}

impl ContentMethod {
    /// What stands before the algorithm in a derivation's output.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Text => "text:",
            Self::Flat => "",
            Self::Recursive => "r:",
            Self::Git => "git:",
        }
    }

    /// Splits the prefix off.
    pub(super) fn split(text: &str) -> (Self, &str) {
        let prefixed = [Self::Text, Self::Recursive, Self::Git];
        let found = prefixed.into_iter().find_map(|method| Some((method, text.strip_prefix(method.prefix())?)));
        found.unwrap_or((Self::Flat, text))
    }
}

/// How the content of a path names it, as a narinfo's `CA` says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentAddress {
    /// What was hashed.
    pub method: ContentMethod,
    /// The hash.
    pub hash: ContentHash,
}

impl FromStr for ContentAddress {
    type Err = ParseContentAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseContentAddressError::Method(text.to_owned());
        let (method, hash) = match (text.strip_prefix("text:"), text.strip_prefix("fixed:")) {
            (Some(hash), _) => (ContentMethod::Text, hash),
            (None, Some(rest)) => ContentMethod::split(rest),
            (None, None) => return Err(wrong()),
        };
        let hash: ContentHash = hash.parse()?;
        match method == ContentMethod::Text && (hash.algorithm != HashAlgorithm::Sha256 || !text.starts_with("text:")) {
            true => Err(wrong()),
            false => Ok(Self { method, hash }),
        }
    }
}

impl fmt::Display for ContentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.method {
            ContentMethod::Text => write!(f, "text:{}", self.hash),
            method => write!(f, "fixed:{}{}", method.prefix(), self.hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hashes_survive_every_form() {
        for algorithm in HashAlgorithm::ALL {
            let hash = ContentHash::of(algorithm, b"plywood");
            assert_eq!(hash.as_bytes().len(), algorithm.size());
            for text in [hash.to_string(), hash.to_base16(), hash.to_sri()] {
                assert_eq!(text.parse(), Ok(hash.clone()), "{text}");
            }
        }
    }

    #[test]
    fn addresses_survive_text() {
        for text in [
            "text:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
            "fixed:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
            "fixed:r:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
            "fixed:git:sha1:0mdqa9w1p6cmli6976v4wi0sw9r4p5pr",
        ] {
            assert_eq!(text.parse::<ContentAddress>().map(|address| address.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<ContentAddress>().unwrap_err().to_string(), expect, "{text}");
        };
        check("", "`` says no way to address content");
        check("sha256:00", "`sha256:00` says no way to address content");
        check("fixed:blake3:00", "`blake3` is not md5, sha1, sha256 or sha512");
        check("fixed:r:sha256:00", "`00` is no sha256 hash in base 16, 32 or 64");
        let sha1 = "sha1:0mdqa9w1p6cmli6976v4wi0sw9r4p5pr";
        check(&format!("text:{sha1}"), &format!("`text:{sha1}` says no way to address content"));
        check(&format!("fixed:text:{sha1}"), &format!("`fixed:text:{sha1}` says no way to address content"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "(text:|fixed:)?(r:|git:)?(sha256|md5|sha1|sha512)?[:-]?\\PC{0,130}") {
            if let Ok(address) = text.parse::<ContentAddress>() {
                prop_assert_eq!(address.to_string().parse(), Ok(address));
            }
            let _ = text.parse::<ContentHash>();
        }
    }
}
