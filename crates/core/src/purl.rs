//! Package URLs (purl-spec): one name for a package in provenance, bills of materials and advisories.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// A package URL, such as `pkg:deb/debian/curl@8.14.1-2?arch=amd64&distro=trixie`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purl {
    kind: &'static str,
    namespace: Option<String>,
    name: String,
    version: String,
    qualifiers: BTreeMap<&'static str, String>,
}

impl Purl {
    /// A package of a type of the specification ("Known purl types"); an empty version is left out.
    pub fn new(kind: &'static str, name: impl Into<String>, version: impl Into<String>) -> Self {
        let (name, version) = (name.into(), version.into());
        Self { kind, namespace: None, name, version, qualifiers: BTreeMap::new() }
    }

    /// A binary package of Debian's kind: of which vendor, for which architecture (`all` for any), from which release.
    pub fn deb(vendor: &str, name: &str, version: &str, architecture: &str, release: &str) -> Self {
        Self::new("deb", name, version).namespace(vendor).qualifier("arch", architecture).qualifier("distro", release)
    }

    /// The same below a namespace.
    #[must_use]
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// The same with one qualifier more.
    #[must_use]
    pub fn qualifier(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.qualifiers.insert(key, value.into());
        self
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            for part in namespace.split('/') {
                write!(f, "{}/", Encoded(part))?;
            }
        }
        write!(f, "{}", Encoded(&self.name))?;
        if !self.version.is_empty() {
            write!(f, "@{}", Encoded(&self.version))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(f, "{}{key}={}", if index == 0 { '?' } else { '&' }, Encoded(value))?;
        }
        Ok(())
    }
}

/// Percent-encoded as the specification wants it ("Character encoding"): a colon stays.
struct Encoded<'t>(&'t str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                    f.write_char(byte.into())?
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own examples ("deb") and what Debian's versions can have.
    #[test]
    fn packages_are_named_as_the_specification_does() {
        for (purl, expect) in [
            (
                Purl::deb("debian", "curl", "7.50.3-1", "i386", "jessie"),
                "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
            ),
            (
                Purl::new("deb", "attr", "1:2.4.47-2+b1").namespace("debian").qualifier("arch", "amd64"),
                "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64",
            ),
            (
                Purl::deb("debian", "libstdc++6", "14.2.0-19~deb", "all", "trixie"),
                "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19~deb?arch=all&distro=trixie",
            ),
            (Purl::new("nix", "a b", "1/2"), "pkg:nix/a%20b@1%2F2"),
            (Purl::new("nix", "source", ""), "pkg:nix/source"),
        ] {
            assert_eq!(purl.to_string(), expect);
        }
    }
}
