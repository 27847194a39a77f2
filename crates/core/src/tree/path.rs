//! Paths inside a tree.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use bstr::{BStr, ByteSlice};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A normalized path below the root: no leading or trailing slash, no empty, `.` or `..` component, no NUL byte.
///
/// Bytes, not text: file names on Linux need not be UTF-8. The order is that of the bytes, so a directory comes before what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Repr);

#[derive(Clone)]
enum Repr {
    Static(&'static [u8]),
    Shared(Arc<[u8]>),
}

impl Repr {
    fn bytes(&self) -> &[u8] {
        match self {
            Repr::Static(bytes) => bytes,
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl PartialEq for Repr {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}
impl Eq for Repr {}
impl PartialOrd for Repr {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Repr {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes().cmp(other.bytes())
    }
}
impl std::hash::Hash for Repr {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

/// Why bytes are not a path inside a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTreePathError {
    /// A `..` component would leave the tree or hide where it leads.
    #[error("the path `{0}` has a `..` component")]
    Parent(bstr::BString),
    /// File names cannot hold NUL bytes.
    #[error("the path `{0}` has a NUL byte")]
    Nul(bstr::BString),
    /// Longer than [`TreePath::MAX_LEN`].
    #[error("a path is longer than {} bytes", TreePath::MAX_LEN)]
    TooLong,
}

impl TreePath {
    /// The root directory.
    pub const ROOT: TreePath = TreePath(Repr::Static(b""));

    /// The longest path, in bytes (Linux `PATH_MAX` less the leading slash and the final NUL).
    pub const MAX_LEN: usize = 4094;

    /// Parses a path as archives and scripts write them: `./usr/bin`, `/usr/bin/`, `usr//bin`.
    ///
    /// # Errors
    /// For `..`, a NUL byte, or a path that is too long. Resolve `..` first where it is legitimate.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Self, ParseTreePathError> {
        let bytes = bytes.as_ref();
        if bytes.contains(&0) {
            return Err(ParseTreePathError::Nul(bytes.into()));
        }
        let mut clean = Vec::with_capacity(bytes.len());
        for component in bytes.split(|byte| *byte == b'/') {
            match component {
                b"" | b"." => continue,
                b".." => return Err(ParseTreePathError::Parent(bytes.into())),
                _ => {
                    if !clean.is_empty() {
                        clean.push(b'/');
                    }
                    clean.extend_from_slice(component);
                }
            }
        }
        if clean.len() > Self::MAX_LEN {
            return Err(ParseTreePathError::TooLong);
        }
        Ok(Self(Repr::Shared(clean.into())))
    }

    /// A path known at compile time.
    ///
    /// # Panics
    /// When it is not normalized; a mistake in the program, not in its input.
    pub const fn literal(path: &'static str) -> Self {
        let bytes = path.as_bytes();
        assert!(bytes.is_empty() || (bytes[0] != b'/' && bytes[bytes.len() - 1] != b'/'));
        let mut start = 0;
        let mut index = 0;
        while index <= bytes.len() && !bytes.is_empty() {
            if index == bytes.len() || bytes[index] == b'/' {
                let length = index - start;
                assert!(length > 0, "empty component");
                assert!(!(length == 1 && bytes[start] == b'.'), "`.` component");
                assert!(!(length == 2 && bytes[start] == b'.' && bytes[start + 1] == b'.'), "`..` component");
                start = index + 1;
            } else {
                assert!(bytes[index] != 0, "NUL byte");
            }
            index += 1;
        }
        Self(Repr::Static(bytes))
    }

    /// The bytes, without a leading slash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The bytes as a displayable string, without a leading slash.
    pub fn as_bstr(&self) -> &BStr {
        self.0.bytes().as_bstr()
    }

    /// Whether this is the root directory.
    pub fn is_root(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The last component; `None` for the root.
    pub fn file_name(&self) -> Option<&BStr> {
        let bytes = self.as_bytes();
        match bytes.iter().rposition(|byte| *byte == b'/') {
            _ if bytes.is_empty() => None,
            Some(slash) => Some(bytes[slash + 1..].as_bstr()),
            None => Some(bytes.as_bstr()),
        }
    }

    /// The directory it is in; `None` for the root.
    pub fn parent(&self) -> Option<TreePath> {
        let bytes = self.as_bytes();
        match bytes.iter().rposition(|byte| *byte == b'/') {
            _ if bytes.is_empty() => None,
            Some(slash) => Some(Self(Repr::Shared(bytes[..slash].into()))),
            None => Some(Self::ROOT),
        }
    }

    /// Its directories from the root down, without itself.
    pub fn ancestors(&self) -> impl Iterator<Item = TreePath> + '_ {
        let bytes = self.as_bytes();
        let root = (!bytes.is_empty()).then_some(Self::ROOT);
        let inner = bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .map(move |(slash, _)| Self(Repr::Shared(bytes[..slash].into())));
        root.into_iter().chain(inner)
    }

    /// The components in order; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &BStr> {
        self.as_bytes().split(|byte| *byte == b'/').filter(|component| !component.is_empty()).map(ByteSlice::as_bstr)
    }

    /// This path with `relative` below it.
    ///
    /// # Errors
    /// As [`TreePath::parse`].
    pub fn join(&self, relative: impl AsRef<[u8]>) -> Result<TreePath, ParseTreePathError> {
        let mut bytes = self.as_bytes().to_vec();
        bytes.push(b'/');
        bytes.extend_from_slice(relative.as_ref());
        Self::parse(bytes)
    }

    /// Whether `self` is `directory` or below it.
    pub fn starts_with(&self, directory: &TreePath) -> bool {
        directory.is_root()
            || self.as_bytes().strip_prefix(directory.as_bytes()).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// What follows `directory` in this path, without a leading slash; `None` when it is not below it.
    pub fn strip_prefix(&self, directory: &TreePath) -> Option<&BStr> {
        if !self.starts_with(directory) {
            return None;
        }
        let rest = &self.as_bytes()[directory.as_bytes().len()..];
        Some(rest.strip_prefix(b"/").unwrap_or(rest).as_bstr())
    }
}

impl Borrow<[u8]> for TreePath {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Display for TreePath {
    /// With the leading slash that people expect; the root is `/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.as_bstr())
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreePath(/{})", self.as_bstr())
    }
}

impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_bstr().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TreePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = bstr::BString::deserialize(deserializer)?;
        Self::parse(bytes.as_slice()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalized() {
        for (text, expect) in [
            ("", "/"),
            ("/", "/"),
            (".", "/"),
            ("./usr/bin/", "/usr/bin"),
            ("usr//./bin", "/usr/bin"),
            ("/a b", "/a b"),
        ] {
            assert_eq!(TreePath::parse(text).map(|path| path.to_string()), Ok(expect.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_leaves_the_tree_is_refused() {
        for text in ["..", "a/../b", "/.."] {
            assert!(matches!(TreePath::parse(text), Err(ParseTreePathError::Parent(_))), "{text}");
        }
        assert!(matches!(TreePath::parse(b"a\0b"), Err(ParseTreePathError::Nul(_))));
        assert_eq!(TreePath::parse([b'a'; 5000]), Err(ParseTreePathError::TooLong));
    }

    #[test]
    fn relations_between_paths() {
        let path = TreePath::literal("usr/lib/x");
        assert_eq!(path.parent(), Some(TreePath::literal("usr/lib")));
        assert_eq!(path.file_name(), Some(BStr::new("x")));
        assert_eq!(
            path.ancestors().collect::<Vec<_>>(),
            [TreePath::ROOT, TreePath::literal("usr"), TreePath::literal("usr/lib")]
        );
        assert!(path.starts_with(&TreePath::literal("usr")));
        assert!(!path.starts_with(&TreePath::literal("us")));
        assert_eq!(path.strip_prefix(&TreePath::literal("usr")), Some(BStr::new("lib/x")));
        assert_eq!(TreePath::ROOT.parent(), None);
    }
}
