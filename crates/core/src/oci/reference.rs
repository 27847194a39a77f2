//! References: how people name images in registries.

use std::fmt;
use std::str::FromStr;

use crate::digest::{Digest, ParseDigestError};

/// The registry of names without one, and the folder of its single-word names.
const DEFAULT_REGISTRY: &str = "docker.io";
const DEFAULT_FOLDER: &str = "library";
/// The longest name (distribution-spec: registry and repository together).
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// Why a text is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseReferenceError {
    /// The repository has a character or form that registries refuse.
    #[error("`{0}` is no repository name: lower-case letters and digits, joined by `.`, `_`, `__`, `-` and `/`")]
    Repository(String),
    /// The registry is no host name with an optional port.
    #[error("`{0}` is no registry: a host name and an optional port")]
    Registry(String),
    /// The tag has a character that registries refuse.
    #[error("`{0}` is no tag: letters, digits, `_`, `.` and `-`, not `.` or `-` first, at most {MAX_TAG}")]
    Tag(String),
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] ParseDigestError),
    /// Registry and repository are too long together.
    #[error("the name has more than {MAX_NAME} characters")]
    TooLong,
}

/// A tag (OCI distribution-spec, "Pulling manifests": `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let rest = |byte: u8| word(byte) || byte == b'.' || byte == b'-';
        let fits = text.len() <= MAX_TAG && text.bytes().all(rest) && text.bytes().next().is_some_and(word);
        if fits { Ok(Self(text.to_owned())) } else { Err(ParseReferenceError::Tag(text.to_owned())) }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image in a registry: `ghcr.io/team/base:1.2@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Reference {
    /// The registry's host, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository inside the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, when it has one.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, when it has one.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The same repository under another tag and no digest.
    #[must_use]
    pub fn with_tag(&self, tag: Tag) -> Self {
        Self { tag: Some(tag), digest: None, ..self.clone() }
    }
}

impl FromStr for Reference {
    type Err = ParseReferenceError;

    /// Parses as Docker does: the first component is a registry when it has a dot or a colon or is `localhost`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (text, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse()?)),
            None => (text, None),
        };
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.parse()?)),
            _ => (text, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest.to_owned()),
            Some(_) => (DEFAULT_REGISTRY, name.to_owned()),
            None => (DEFAULT_REGISTRY, format!("{DEFAULT_FOLDER}/{name}")),
        };
        if !is_registry(registry) {
            return Err(ParseReferenceError::Registry(registry.to_owned()));
        }
        if !repository.split('/').all(is_component) {
            return Err(ParseReferenceError::Repository(repository));
        }
        if registry.len() + 1 + repository.len() > MAX_NAME {
            return Err(ParseReferenceError::TooLong);
        }
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

/// A host name or address with an optional port.
fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !label.is_empty() && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or dashes (OCI distribution-spec, "Pulling manifests").
fn is_component(text: &str) -> bool {
    let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends_in_words = bytes.first().is_some_and(word) && bytes.last().is_some_and(word);
    let mut separators = bytes.split(word).filter(|run| !run.is_empty());
    ends_in_words && separators.all(|run| matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-'))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn references_are_read_as_docker_does() {
        let zeros = "0".repeat(64);
        for (text, expect) in [
            ("debian", Some("docker.io/library/debian".to_owned())),
            ("debian:13", Some("docker.io/library/debian:13".to_owned())),
            ("team/app", Some("docker.io/team/app".to_owned())),
            ("localhost/app:x", Some("localhost/app:x".to_owned())),
            ("localhost:5000/a/b__c-d", Some("localhost:5000/a/b__c-d".to_owned())),
            (&format!("ghcr.io/a/b:1@sha256:{zeros}"), Some(format!("ghcr.io/a/b:1@sha256:{zeros}"))),
            ("Team/app", None),
            ("ghcr.io/a/", None),
            ("ghcr.io/a//b", None),
            ("ghcr.io/a/.b", None),
            ("ghcr.io:port/a", None),
            ("ghcr.io/a:-x", None),
            ("ghcr.io/a@sha256:0", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Reference>().ok().map(|reference| reference.to_string()), expect, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}|[a-z0-9:@/._-]{0,60}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
            }
        }
    }
}
