//! Images outside of the workspace that an image is built on.

use std::fmt;
use std::str::FromStr;

use super::{ParseValueError, WorkspacePath, serialize_as_text};
use crate::oci::Reference;

/// An image outside of the workspace: of a registry, or in an image layout of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaseReference {
    /// `ghcr.io/example/base:24.04`, with a digest if need be. Without tag and digest the tag is `latest`.
    Registry(Reference),
    /// `oci:images/base` or `oci-archive:base.tar`, with the image's name after a further colon where there are several.
    Layout(LayoutReference),
}

serialize_as_text!(BaseReference);

/// An image in a layout of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayoutReference {
    /// Whether it is one file rather than a folder.
    pub archive: bool,
    /// Where it is.
    pub path: WorkspacePath,
    /// The image's name in it; `None` for the only one.
    pub name: Option<String>,
}

/// The tag of a reference that names none.
const DEFAULT_TAG: &str = "latest";
const RULE: &str = "it is an image of this workspace, `registry/name` with a tag or digest, or a layout: `oci:path` or `oci-archive:path`";

impl BaseReference {
    /// Whether a `from` is meant as one: names of the workspace's images have none of these characters.
    pub fn is_meant(text: &str) -> bool {
        text.contains(['/', ':', '@'])
    }
}

impl FromStr for BaseReference {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseValueError::new(text, "an image to build on", RULE);
        let layout = [("oci:", false), ("oci-archive:", true)]
            .into_iter()
            .find_map(|(prefix, archive)| Some((text.strip_prefix(prefix)?, archive)));
        if let Some((rest, archive)) = layout {
            let (path, name) = rest.split_once(':').map_or((rest, None), |(path, name)| (path, Some(name)));
            let plain = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
            if name.is_some_and(|name| !plain(name)) {
                return Err(wrong());
            }
            let path = path.parse().map_err(|_| wrong())?;
            return Ok(Self::Layout(LayoutReference { archive, path, name: name.map(str::to_owned) }));
        }
        let reference: Reference = text.parse().map_err(|_| wrong())?;
        if reference.tag().is_none() && reference.digest().is_none() {
            return Ok(Self::Registry(format!("{reference}:{DEFAULT_TAG}").parse().map_err(|_| wrong())?));
        }
        Ok(Self::Registry(reference))
    }
}

impl fmt::Display for BaseReference {
    /// Names of registries in full: `debian:13` is `docker.io/library/debian:13`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => write!(f, "{reference}"),
            Self::Layout(LayoutReference { archive, path, name }) => {
                write!(f, "{}:{path}", if *archive { "oci-archive" } else { "oci" })?;
                name.iter().try_for_each(|name| write!(f, ":{name}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bases_are_written_in_full() {
        let check = |text: &str, expect: Option<&str>| {
            assert!(BaseReference::is_meant(text), "{text}");
            let found = text.parse::<BaseReference>().ok().map(|base| base.to_string());
            assert_eq!(found.as_deref(), expect, "{text}");
        };
        check("debian:13", Some("docker.io/library/debian:13"));
        check("ghcr.io/x/ubuntu-fips", Some("ghcr.io/x/ubuntu-fips:latest"));
        check("localhost:5000/a@sha256:00", None);
        check("oci:images/base", Some("oci:images/base"));
        check("oci-archive:base.tar:ghcr.io/x/base:1", Some("oci-archive:base.tar:ghcr.io/x/base:1"));
        check("oci:../base", None);
        check("oci:base:", None);
        check("Upper/case", None);
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_survives(text in "\\PC{0,40}|(oci:|oci-archive:)?[a-z0-9:@/._-]{0,40}") {
            if let Ok(base) = text.parse::<BaseReference>() {
                prop_assert_eq!(base.to_string().parse::<BaseReference>(), Ok(base));
            }
        }
    }
}
