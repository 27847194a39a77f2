//! Which system a tree has (os-release(5)).

use std::collections::BTreeMap;

use crate::tree::{ReadContent, Tree};

/// The longest file that is read, in bytes.
const MAX_LEN: usize = 64 << 10;

/// What os-release says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsRelease {
    /// Its variables by name.
    variables: BTreeMap<String, String>,
}

impl OsRelease {
    /// Reads `/etc/os-release`, else `/usr/lib/os-release`; `None` when there is neither.
    pub fn of(tree: &Tree, contents: &dyn ReadContent) -> Option<Self> {
        let read = |text: &str| {
            let (path, _) = tree.lookup(text)?;
            tree.read(&path, contents).ok()
        };
        let bytes = read("/etc/os-release").or_else(|| read("/usr/lib/os-release"))?;
        Some(Self::parse(&bytes))
    }

    /// Reads the file's text; lines that are no variable say nothing.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes.get(..MAX_LEN).unwrap_or(bytes)).into_owned();
        let variable = |line: &str| {
            let (name, value) = line.trim().split_once('=').filter(|(name, _)| !name.starts_with('#'))?;
            Some((name.to_owned(), unquoted(value)))
        };
        Self { variables: text.lines().filter_map(variable).collect() }
    }

    /// A variable's value; `None` where it is empty, too.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `ID`, or what a missing one stands for.
    pub fn id(&self) -> &str {
        self.get("ID").unwrap_or("linux")
    }

    /// The name by which the system's archive knows its release.
    pub fn codename(&self) -> Option<&str> {
        self.get("VERSION_CODENAME").or_else(|| self.get("UBUNTU_CODENAME"))
    }
}

/// A value as a shell would read it: quotes gone, and backslashes where they count.
fn unquoted(value: &str) -> String {
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let inner = quote.and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value);
    if quote == Some('\'') {
        return inner.to_owned();
    }
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_as_a_shell_reads_them() {
        let release = OsRelease::parse(
            b"# a comment\nID=ubuntu\nNAME=\"Ubuntu \\\"FIPS\\\"\"\nVERSION_CODENAME='noble'\nEMPTY=\nodd\n",
        );
        assert_eq!((release.id(), release.codename()), ("ubuntu", Some("noble")));
        assert_eq!(release.get("NAME"), Some("Ubuntu \"FIPS\""));
        assert_eq!((release.get("EMPTY"), release.get("odd")), (None, None));
        assert_eq!((OsRelease::parse(b"").id(), OsRelease::parse(b"").codename()), ("linux", None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "([A-Z]{1,3}=[\"'\\\\a]{0,4}\n){0,5}") {
            let _ = OsRelease::parse(&bytes);
            let _ = OsRelease::parse(text.as_bytes());
        }
    }
}
