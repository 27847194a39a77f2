//! Names of repositories: a registry and a path in it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::{ManifestName, ParseReferenceError, Reference};

/// The registry of names without one, and the folder of its single-word names.
const DEFAULT_REGISTRY: &str = "docker.io";
const DEFAULT_FOLDER: &str = "library";

/// A repository in a registry: `ghcr.io/team/base`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    registry: String,
    path: String,
}

impl RepositoryName {
    /// The longest name, registry and repository together (distribution-spec, "Pulling manifests").
    pub const MAX_LENGTH: usize = 255;

    /// The registry's host, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository inside the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The full name of one of the repository's manifests.
    pub fn reference(&self, manifest: &ManifestName) -> Reference {
        let reference = Reference::from(self.clone());
        match manifest {
            ManifestName::Tag(tag) => reference.with_tag(tag.clone()),
            ManifestName::Digest(digest) => reference.with_digest(*digest),
        }
    }
}

impl FromStr for RepositoryName {
    type Err = ParseReferenceError;

    /// Parses as Docker does: the first component is a registry when it has a dot or a colon or is `localhost`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (registry, rest) = match text.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
            _ => (DEFAULT_REGISTRY, text),
        };
        let registry = if registry == "index.docker.io" { DEFAULT_REGISTRY } else { registry };
        let single = registry == DEFAULT_REGISTRY && !rest.contains('/');
        let path = if single { format!("{DEFAULT_FOLDER}/{rest}") } else { rest.to_owned() };
        if !is_registry(registry) {
            return Err(ParseReferenceError::Registry(registry.to_owned()));
        }
        if !path.split('/').all(is_component) {
            return Err(ParseReferenceError::Repository(path));
        }
        if registry.len() + 1 + path.len() > Self::MAX_LENGTH {
            return Err(ParseReferenceError::TooLong);
        }
        Ok(Self { registry: registry.to_owned(), path })
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

/// A host name or address with an optional port.
fn is_registry(text: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().is_ok() && port_fits;
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !label.is_empty() && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(is_port)
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or dashes (OCI distribution-spec, "Pulling manifests").
fn is_component(text: &str) -> bool {
    let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends_in_words = bytes.first().is_some_and(word) && bytes.last().is_some_and(word);
    let mut separators = bytes.split(word).filter(|run| !run.is_empty());
    ends_in_words && separators.all(|run| matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_no_tag() {
        for (text, expect) in [
            ("ghcr.io/team/app", Some("ghcr.io/team/app")),
            ("team/app", Some("docker.io/team/app")),
            ("ghcr.io/team/app:1", None),
            ("ghcr.io/team/app@sha256:00", None),
            ("ghcr.io", Some("docker.io/library/ghcr.io")),
            ("host:+5/a", None),
        ] {
            assert_eq!(text.parse::<RepositoryName>().ok().map(|name| name.to_string()).as_deref(), expect, "{text}");
        }
    }
}
