//! URLs of binary caches, as Nix writes them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use plywood_core::nix::NarUrl;
use reqwest::Url;

use crate::http::url::{BadPath, below, redacted};

/// A binary cache: `https`, `http` or `file`, with the parameters of Nix's that make sense here.
///
/// Plain `http` is taken as it is by Nix: what comes over it is believed for its signature, not for its way. Only
/// passwords are at risk, and those are sent there because somebody wrote `http`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BinaryCacheUrl {
    base: Url,
    priority: Option<u32>,
    compression: Option<CacheCompression>,
}

/// How NARs are compressed that plywood writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheCompression {
    /// RFC 8878, understood by Nix 2.4 and later.
    #[default]
    Zstd,
    /// What Nix writes itself.
    Xz,
    /// None.
    None,
}

/// Why a text is no binary cache.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseCacheUrlError {
    /// It is no absolute URL; the text is not repeated, since it may hold a password.
    #[error("not an absolute URL")]
    Syntax,
    /// Caches are read over `https`, `http` and `file` only.
    #[error("`{0}` is not one of https, http and file")]
    Scheme(String),
    /// `file://host/…` names no folder here.
    #[error("the URL names no folder of this machine")]
    Host,
    /// Nothing may follow the path and its parameters.
    #[error("a binary cache's URL has no fragment")]
    Fragment,
    /// A parameter that has no meaning here.
    #[error("`{0}` is no parameter that plywood knows")]
    Parameter(String),
    /// A parameter has a value that it cannot have.
    #[error("`{parameter}` cannot be `{value}`")]
    Value {
        /// Its name.
        parameter: &'static str,
        /// What stands there.
        value: String,
    },
}

impl ParseCacheUrlError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Scheme(_) => Some("write https://HOST/PATH or file:///FOLDER".to_owned()),
            Self::Host => Some("write file:///FOLDER with three slashes".to_owned()),
            Self::Parameter(name) if name == "trusted" => {
                Some("unsigned paths are never taken: name the cache's key in `nix.trusted-public-keys`".to_owned())
            }
            Self::Parameter(_) => Some("`priority`, and `compression` for pushing, are".to_owned()),
            _ => None,
        }
    }
}

impl BinaryCacheUrl {
    /// The URL of the file at `path`, such as `nix-cache-info` or `nar/….nar.xz`.
    ///
    /// # Errors
    /// When the path would leave the cache.
    pub fn join(&self, path: &str) -> Result<Url, BadPath> {
        below(&self.base, path)
    }

    /// The URL of a NAR, which Nix appends as it stands.
    ///
    /// # Errors
    /// As [`BinaryCacheUrl::join`].
    pub(super) fn nar(&self, nar: &NarUrl) -> Result<Url, BadPath> {
        if self.base.scheme() == "file" {
            return self.join(nar.as_str());
        }
        let (path, query) = nar.as_str().split_once('?').unwrap_or((nar.as_str(), ""));
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        Ok(url)
    }

    /// The folder of a `file:` URL.
    pub fn folder(&self) -> Option<PathBuf> {
        (self.base.scheme() == "file").then(|| self.base.to_file_path().ok()).flatten()
    }

    /// The URL itself without parameters, with whatever secret it holds.
    pub fn as_url(&self) -> &Url {
        &self.base
    }

    /// Its place in the order of caches, where the URL says it: lower ones are asked first.
    pub fn priority(&self) -> Option<u32> {
        self.priority
    }

    /// How NARs are compressed that are pushed to it.
    pub fn compression(&self) -> CacheCompression {
        self.compression.unwrap_or_default()
    }
}

impl FromStr for BinaryCacheUrl {
    type Err = ParseCacheUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut base = Url::parse(text.trim()).map_err(|_| ParseCacheUrlError::Syntax)?;
        match base.scheme() {
            "http" | "https" => {}
            "file" if base.to_file_path().is_ok() => {}
            "file" => return Err(ParseCacheUrlError::Host),
            other => return Err(ParseCacheUrlError::Scheme(other.to_owned())),
        }
        if base.fragment().is_some() {
            return Err(ParseCacheUrlError::Fragment);
        }
        let (mut priority, mut compression) = (None, None);
        for (name, value) in base.query_pairs() {
            let wrong = |parameter| ParseCacheUrlError::Value { parameter, value: value.clone().into_owned() };
            match &*name {
                "priority" => priority = Some(value.parse().map_err(|_| wrong("priority"))?),
                "compression" => compression = Some(value.parse().map_err(|()| wrong("compression"))?),
                other => return Err(ParseCacheUrlError::Parameter(other.to_owned())),
            }
        }
        base.set_query(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(Self { base, priority, compression })
    }
}

impl FromStr for CacheCompression {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "zstd" => Ok(Self::Zstd),
            "xz" => Ok(Self::Xz),
            "none" => Ok(Self::None),
            _ => Err(()),
        }
    }
}

impl fmt::Display for BinaryCacheUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(redacted(&self.base).trim_end_matches('/'))
    }
}

impl fmt::Debug for BinaryCacheUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BinaryCacheUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_caches_are_read() {
        for (text, shown, priority) in [
            ("https://cache.test", "https://cache.test", None),
            ("https://cache.test/team/?priority=10", "https://cache.test/team", Some(10)),
            ("http://anna:sesame@cache.test:8080/a", "http://***@cache.test:8080/a", None),
            ("file:///srv/cache?compression=xz", "file:///srv/cache", None),
        ] {
            let url: BinaryCacheUrl = text.parse().expect("a cache");
            assert_eq!((url.to_string().as_str(), url.priority()), (shown, priority), "{text}");
            assert!(!format!("{url:?}").contains("sesame"));
        }
    }

    #[test]
    fn what_is_no_cache_is_refused() {
        use ParseCacheUrlError::{Fragment, Host, Parameter, Scheme, Syntax, Value};
        for (text, error) in [
            ("", Syntax),
            ("/srv/cache", Syntax),
            ("s3://bucket", Scheme("s3".to_owned())),
            ("file://srv/cache", Host),
            ("https://cache.test/#a", Fragment),
            ("https://cache.test?trusted=1", Parameter("trusted".to_owned())),
            ("https://cache.test?priority=first", Value { parameter: "priority", value: "first".to_owned() }),
            ("file:///srv?compression=lzip", Value { parameter: "compression", value: "lzip".to_owned() }),
        ] {
            assert_eq!(text.parse::<BinaryCacheUrl>(), Err(error), "{text}");
        }
    }
}
