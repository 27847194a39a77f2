//! Store paths: `/nix/store/<hash>-<name>` (Nix manual, "Store Path").

mod compute;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::base32;
use super::shown::Shown;
use crate::tree::TreePath;

/// The only store directory there is here: caches and images are made for it.
pub const STORE_DIR: &str = "/nix/store";

/// The longest name, in bytes (Nix's `libstore/path.hh`, "MaxPathLen").
const MAX_NAME: usize = 211;

/// Why a text is not a store path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseStorePathError {
    /// It is not right below the store directory.
    #[error("`{}` is not a path in {STORE_DIR}", Shown(.0))]
    NotInStore(String),
    /// The hash is not 32 digits of Nix's base 32.
    #[error("`{}` does not start with the 32 digits of a hash and a dash", Shown(.0))]
    Hash(String),
    /// The name is empty, too long, looks like `.` or `..`, or has a character that Nix does not allow.
    #[error("`{}` has a name that Nix does not allow", Shown(.0))]
    Name(String),
}

/// The hash part of a store path: 20 bytes, of what it is made from or of what is in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreHash([u8; 20]);

impl StoreHash {
    /// How many characters it has.
    pub const LEN: usize = base32::encoded_len(20);

    /// Takes the raw bytes of a hash computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Parses 32 digits; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        base32::decode(text).map(Self)
    }
}

impl fmt::Display for StoreHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.0))
    }
}

impl fmt::Debug for StoreHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreHash({self})")
    }
}

/// A store path. Its text is the base name, `<hash>-<name>`: what narinfos, databases and the lock are keyed by.
///
/// The order is that of the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorePath {
    base: Box<str>,
}

impl StorePath {
    /// The path of this hash and name.
    ///
    /// # Errors
    /// [`ParseStorePathError::Name`]
    pub fn new(hash: StoreHash, name: &str) -> Result<Self, ParseStorePathError> {
        match is_name(name) {
            true => Ok(Self { base: format!("{hash}-{name}").into() }),
            false => Err(ParseStorePathError::Name(name.to_owned())),
        }
    }

    /// Parses an absolute path, such as `/nix/store/…-hello-2.12`; nothing below it may be named.
    ///
    /// # Errors
    /// When it is not right below the store directory, or not named as store paths are.
    pub fn from_absolute(path: &str) -> Result<Self, ParseStorePathError> {
        match path.strip_prefix(STORE_DIR).and_then(|rest| rest.strip_prefix('/')) {
            Some(base) => base.parse(),
            None => Err(ParseStorePathError::NotInStore(path.to_owned())),
        }
    }

    /// The hash part.
    pub fn hash(&self) -> StoreHash {
        // Every constructor has checked it.
        StoreHash::parse(self.hash_part().as_bytes()).unwrap_or(StoreHash([0; 20]))
    }

    /// The 32 characters of the hash part, as they stand in whatever refers to the path.
    pub fn hash_part(&self) -> &str {
        &self.base[..StoreHash::LEN]
    }

    /// The name, such as `hello-2.12`.
    pub fn name(&self) -> &str {
        &self.base[StoreHash::LEN + 1..]
    }

    /// The base name: `<hash>-<name>`.
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// The absolute path.
    pub fn absolute(&self) -> String {
        format!("{STORE_DIR}/{}", self.base)
    }

    /// Where it is in an image.
    pub fn tree_path(&self) -> TreePath {
        // A base name has neither slashes nor NUL bytes and is no `..`.
        TreePath::parse(self.absolute()).unwrap_or(TreePath::ROOT)
    }

    /// Whether it is a derivation.
    pub fn is_derivation(&self) -> bool {
        self.base.ends_with(".drv")
    }
}

/// Whether Nix allows a name (`libstore/path.cc`, "checkName"). As newer ones have it: names may start with a dot, but not be
/// taken for `.` or `..`, also not by what cuts them at a dash.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'?' | b'=');
    let first = name.split('-').next().unwrap_or_default();
    (1..=MAX_NAME).contains(&name.len()) && !matches!(first, "." | "..") && name.bytes().all(allowed)
}

impl FromStr for StorePath {
    type Err = ParseStorePathError;

    fn from_str(base: &str) -> Result<Self, Self::Err> {
        let bytes = base.as_bytes();
        let hash = bytes.get(..StoreHash::LEN).and_then(StoreHash::parse);
        match (hash, bytes.get(StoreHash::LEN)) {
            (Some(_), Some(b'-')) if is_name(&base[StoreHash::LEN + 1..]) => Ok(Self { base: base.into() }),
            (Some(_), Some(b'-')) => Err(ParseStorePathError::Name(base.to_owned())),
            _ => Err(ParseStorePathError::Hash(base.to_owned())),
        }
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Debug for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorePath({})", self.base)
    }
}

impl Serialize for StorePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.base)
    }
}

impl<'de> Deserialize<'de> for StorePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr";

    #[test]
    fn a_path_has_a_hash_and_a_name() {
        let path: StorePath = format!("{HASH}-hello-2.12").parse().unwrap();
        assert_eq!((path.hash_part(), path.name()), (HASH, "hello-2.12"));
        assert_eq!(path.hash().to_string(), HASH);
        assert_eq!(StorePath::from_absolute(&path.absolute()), Ok(path.clone()));
        assert_eq!(StorePath::new(path.hash(), path.name()), Ok(path.clone()));
        assert_eq!(path.tree_path().as_bytes(), &path.absolute().as_bytes()[1..]);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let name = |name: &str| format!("{HASH}-{name}");
        for (text, error) in [
            (String::new(), ParseStorePathError::Hash(String::new())),
            (HASH.to_owned(), ParseStorePathError::Hash(HASH.to_owned())),
            (name(""), ParseStorePathError::Name(name(""))),
            (name("."), ParseStorePathError::Name(name("."))),
            (name("..-a"), ParseStorePathError::Name(name("..-a"))),
            (name("a/b"), ParseStorePathError::Name(name("a/b"))),
            (name("a b"), ParseStorePathError::Name(name("a b"))),
            (name("ü"), ParseStorePathError::Name(name("ü"))),
            (name(&"a".repeat(212)), ParseStorePathError::Name(name(&"a".repeat(212)))),
            (format!("e{}-x", &HASH[1..]), ParseStorePathError::Hash(format!("e{}-x", &HASH[1..]))),
        ] {
            assert_eq!(text.parse::<StorePath>(), Err(error), "{text}");
        }
        assert!(StorePath::from_absolute(&format!("/gnu/store/{HASH}-x")).is_err());
        assert!(StorePath::from_absolute(&format!("/nix/store/{HASH}-x/bin")).is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<StorePath>();
            let _ = format!("{HASH}-{text}").parse::<StorePath>();
        }
    }
}
