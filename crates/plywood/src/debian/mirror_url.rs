//! URLs of archives: they may carry a password, so they never show it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use reqwest::Url;

use crate::http::url::{BadPath, below, redacted};

/// The base of an archive, below which come `dists/` and `pool/`: `http`, `https` or `file`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MirrorUrl(Url);

/// Why a text is not the base of an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseMirrorUrlError {
    /// It is no absolute URL; the text is not repeated, since it may hold a password.
    #[error("not an absolute URL")]
    Syntax,
    /// Archives are read over `http`, `https` and `file` only.
    #[error("`{0}` is not one of http, https and file")]
    Scheme(String),
    /// Files are added to the path, so nothing may follow it.
    #[error("a mirror's URL has no query and no fragment")]
    Suffix,
}

impl MirrorUrl {
    /// The URL of the file at `path`, such as `pool/main/h/hello/hello_2.10-5_amd64.deb`.
    ///
    /// # Errors
    /// When the path is absolute, empty, has `.`, `..` or empty parts, or control characters.
    pub fn join(&self, path: &str) -> Result<Url, BadPath> {
        below(&self.0, path)
    }

    /// The folder of a `file:` URL.
    pub fn folder(&self) -> Option<PathBuf> {
        (self.0.scheme() == "file").then(|| self.0.to_file_path().ok()).flatten()
    }

    /// The URL itself, with whatever secret it holds.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The archive of security updates that lies beside a Debian archive by custom: `…/debian-security` to `…/debian`.
    pub fn security_sibling(&self) -> Option<Self> {
        let parent = self.0.path().strip_suffix("debian")?;
        let mut url = self.0.clone();
        url.set_path(&format!("{parent}debian-security"));
        parent.ends_with('/').then_some(Self(url))
    }
}

impl FromStr for MirrorUrl {
    type Err = ParseMirrorUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url = Url::parse(text.trim()).map_err(|_| ParseMirrorUrlError::Syntax)?;
        match url.scheme() {
            "http" | "https" | "file" => {}
            other => return Err(ParseMirrorUrlError::Scheme(other.to_owned())),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ParseMirrorUrlError::Suffix);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

impl fmt::Display for MirrorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(redacted(&self.0).trim_end_matches('/'))
    }
}

impl fmt::Debug for MirrorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MirrorUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> MirrorUrl {
        text.parse().expect("a good URL")
    }

    #[test]
    fn files_are_found_below_the_base() {
        for (base, path, expect) in [
            ("http://host/debian", "dists/sid/InRelease", "http://host/debian/dists/sid/InRelease"),
            ("http://host/debian///", "pool/a_1+b~1_all.deb", "http://host/debian/pool/a_1+b~1_all.deb"),
            ("http://host", "pool/a b?#%.deb", "http://host/pool/a%20b%3F%23%25.deb"),
            ("file:///srv/debian", "x", "file:///srv/debian/x"),
        ] {
            assert_eq!(url(base).join(path).map(String::from), Ok(expect.to_owned()), "{base} {path}");
        }
    }

    #[test]
    fn nothing_leaves_the_archive() {
        for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a\nb", "a\\..\\b"] {
            assert_eq!(url("file:///srv").join(path), Err(BadPath(path.to_owned())), "{path:?}");
        }
    }

    #[test]
    fn what_is_no_mirror_is_refused() {
        use ParseMirrorUrlError::{Scheme, Suffix, Syntax};
        for (text, error) in [
            ("", Syntax),
            ("host/debian", Syntax),
            ("ftp://host/debian", Scheme("ftp".to_owned())),
            ("cdrom:[Debian]/", Scheme("cdrom".to_owned())),
            ("http://host/?a", Suffix),
        ] {
            assert_eq!(text.parse::<MirrorUrl>(), Err(error), "{text}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        let mirror = url("https://anna:sesame@host/debian");
        assert_eq!(mirror.to_string(), "https://***@host/debian");
        assert!(!format!("{mirror:?}").contains("sesame"));
        assert_eq!(mirror.as_url().password(), Some("sesame"));
    }

    #[test]
    fn the_security_archive_lies_beside() {
        for (base, expect) in [
            ("http://host/debian", Some("http://host/debian-security")),
            ("http://host/x/debian/", Some("http://host/x/debian-security")),
            ("http://host/mydebian", None),
            ("http://host/", None),
        ] {
            assert_eq!(url(base).security_sibling(), expect.map(url), "{base}");
        }
    }

    proptest! {
        #[test]
        fn a_joined_url_stays_below_the_base(path in "\\PC{0,40}") {
            let base = url("http://host/debian");
            if let Ok(joined) = base.join(&path) {
                prop_assert!(joined.path().starts_with("/debian/"));
                prop_assert_eq!(joined.host_str(), Some("host"));
            }
        }
    }
}
