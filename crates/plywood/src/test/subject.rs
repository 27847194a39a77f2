//! What is to be tested: an image of the workspace by its name, or one that is in a registry.

use camino::Utf8Path;
use plywood_core::digest::Digest;
use plywood_core::manifest::{Manifest, RegistryPrefix};
use plywood_core::oci::Reference;

use crate::Error;
use crate::publish::{PushReport, PushedImage, reference_in};

/// What is to be tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// An image that is built first.
    Built(String),
    /// An image as it is in a registry.
    Pushed {
        /// The image of the manifest whose tests are run.
        image: String,
        /// Its name in the registry.
        reference: Reference,
    },
}

/// Why it is unclear what is to be tested.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// No image of the manifest is pushed to the repository.
    #[error("the manifest has no image `{image}`, which {reference} would be")]
    NoImage {
        /// The last part of the repository's name.
        image: String,
        /// What was given.
        reference: String,
    },
    /// `--image` says whose tests to run on what is in a registry.
    #[error("`{image}` is an image of the workspace, which has its own tests")]
    OwnTests {
        /// What was given.
        image: String,
    },
}

impl SubjectError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoImage { .. } => Some("say with `--image NAME` whose tests are to be run".to_owned()),
            Self::OwnTests { .. } => {
                Some("leave `--image` out, or name an image in a registry as `IMAGE@sha256:…`".to_owned())
            }
        }
    }

    /// Whether what was asked for is wrong: always.
    pub fn is_usage(&self) -> bool {
        true
    }
}

impl Subject {
    /// What `text` names: an image of the manifest where it has neither folder, tag nor digest. `image` says whose tests
    /// are run on what is in a registry; else it is the image that is pushed to that repository.
    ///
    /// # Errors
    /// When it is neither, no image of the manifest belongs to it, or the workspace names no registry.
    pub(super) fn parse(
        text: &str,
        image: Option<&str>,
        registry: Option<&RegistryPrefix>,
        manifest: &Manifest,
    ) -> Result<Self, Error> {
        if !text.contains(['/', ':', '@']) {
            manifest.resolve(text)?;
            return match image {
                None => Ok(Self::Built(text.to_owned())),
                Some(_) => Err(SubjectError::OwnTests { image: text.to_owned() }.into()),
            };
        }
        let reference = reference_in(text, registry, Some(manifest))?;
        let name = image.unwrap_or_else(|| reference.repository().rsplit('/').next().unwrap_or_default());
        match manifest.resolve(name) {
            Ok(found) => Ok(Self::Pushed { image: found.name.to_string(), reference }),
            Err(error) if image.is_some() => Err(error.into()),
            Err(_) => {
                Err(SubjectError::NoImage { image: name.to_owned(), reference: reference.name().to_string() }.into())
            }
        }
    }
}

impl Subject {
    /// The images that a push has brought into a registry.
    ///
    /// # Errors
    /// When the file is no report of one, or has an image that the manifest does not have.
    pub(super) fn of_report(path: &Utf8Path, asked: &[String], manifest: &Manifest) -> Result<Vec<Self>, Error> {
        for name in asked {
            manifest.resolve(name)?;
        }
        let subject = |(pushed, digest): (PushedImage, Digest)| {
            let image = manifest.resolve(&pushed.name)?.name.to_string();
            let reference = reference_in(&format!("{}@{digest}", pushed.repository), None, Some(manifest))?;
            Ok(Self::Pushed { image, reference })
        };
        PushReport::read(path)?.whole(asked).map(subject).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::in_full;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn manifest(registry: &str) -> Manifest {
        let text = format!(
            "[workspace]\nname = \"x\"\n{registry}\n[images.base]\ndebian = false\n[images.tool]\nfrom = \"base\"\n"
        );
        Manifest::parse(&text).expect("a valid manifest")
    }

    #[track_caller]
    fn check(text: &str, image: Option<&str>, expect: Result<(&str, &str), &str>) {
        let found = Subject::parse(text, image, None, &manifest("registry = \"ghcr.io/team\""));
        let found = found.map(|subject| match subject {
            Subject::Built(image) => (image, String::new()),
            Subject::Pushed { image, reference } => (image, reference.to_string()),
        });
        let expect = expect.map(|(image, reference)| (image.to_owned(), reference.replace("DIGEST", DIGEST)));
        match (found, expect) {
            (Ok(found), expect) => assert_eq!(Ok(found), expect, "{text}"),
            (Err(error), Err(expect)) => assert!(in_full(&error).contains(expect), "{text}: {}", in_full(&error)),
            (Err(error), expect) => panic!("{text}: {} instead of {expect:?}", in_full(&error)),
        }
    }

    #[test]
    fn what_has_no_tag_and_no_digest_is_built() {
        check("base", None, Ok(("base", "")));
        check("nope", None, Err("no image `nope`"));
        check("base", Some("tool"), Err("has its own tests"));
    }

    #[test]
    fn the_rest_is_in_a_registry() {
        let at = |name: &str| format!("{name}@{DIGEST}");
        check(&at("base"), None, Ok(("base", "ghcr.io/team/base@DIGEST")));
        check("base:1.2", None, Ok(("base", "ghcr.io/team/base:1.2")));
        check(&at("base:1.2"), None, Ok(("base", "ghcr.io/team/base:1.2@DIGEST")));
        check(&at("localhost:5000/a/tool"), None, Ok(("tool", "localhost:5000/a/tool@DIGEST")));
        check(&at("ghcr.io/team/other"), Some("tool"), Ok(("tool", "ghcr.io/team/other@DIGEST")));
        check(&at("ghcr.io/team/other"), None, Err("no image `other`, which ghcr.io/team/other would be"));
        check(&at("ghcr.io/team/other"), Some("nope"), Err("no image `nope`"));
        check("base@sha256:12", None, Err("names no image in a registry"));
        check("BASE:1", None, Err("names no image in a registry"));
    }

    #[test]
    fn a_workspace_without_a_registry_is_told() {
        let error = Subject::parse("base:1", None, None, &manifest("")).expect_err("no registry");
        assert_eq!(in_full(&error), "the workspace names no registry");
        let prefix = "localhost:5000/x".parse().expect("a prefix");
        let subject = Subject::parse("base:1", None, Some(&prefix), &manifest("")).expect("a subject");
        assert_eq!(
            subject,
            Subject::Pushed {
                image: "base".to_owned(),
                reference: "localhost:5000/x/base:1".parse().expect("a reference")
            }
        );
    }
}
