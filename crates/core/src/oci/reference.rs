//! References: how people name images in registries.

use std::fmt;
use std::str::FromStr;

use super::RepositoryName;
use crate::digest::{Digest, ParseDigestError};

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
    #[error("the name has more than {} characters", RepositoryName::MAX_LENGTH)]
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

/// How a manifest of a repository is asked for (distribution-spec, `<reference>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManifestName {
    /// By a tag, which may come to name another one.
    Tag(Tag),
    /// By its digest.
    Digest(Digest),
}

impl From<Tag> for ManifestName {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for ManifestName {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

impl fmt::Display for ManifestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// An image in a registry: `ghcr.io/team/base:1.2@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    name: RepositoryName,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl From<RepositoryName> for Reference {
    fn from(name: RepositoryName) -> Self {
        Self { name, tag: None, digest: None }
    }
}

impl Reference {
    /// Registry and repository.
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    /// The registry's host, with its port if it has one.
    pub fn registry(&self) -> &str {
        self.name.registry()
    }

    /// The repository inside the registry.
    pub fn repository(&self) -> &str {
        self.name.path()
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

    /// The same repository at a digest and under no tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// What a registry is asked for: the digest when there is one, else the tag, else `latest` as Docker does.
    pub fn target(&self) -> ManifestName {
        match (self.digest, &self.tag) {
            (Some(digest), _) => ManifestName::Digest(digest),
            (None, Some(tag)) => ManifestName::Tag(tag.clone()),
            (None, None) => ManifestName::Tag(Tag("latest".to_owned())),
        }
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
        Ok(Self { name: name.parse()?, tag, digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
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
            ("index.docker.io/team/app", Some("docker.io/team/app".to_owned())),
            ("docker.io/debian", Some("docker.io/library/debian".to_owned())),
            ("127.0.0.1:5000/a:1", Some("127.0.0.1:5000/a:1".to_owned())),
            ("[::1]:5000/a:1", Some("[::1]:5000/a:1".to_owned())),
            ("[::1]/a", Some("[::1]/a".to_owned())),
            ("[::1/a", None),
            ("[::1]5000/a", None),
            ("[evil]:1/a", None),
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
