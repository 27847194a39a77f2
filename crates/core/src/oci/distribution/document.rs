//! What kind of manifest a registry answered with. A document that could be read as two kinds is none.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::MediaType;

/// What a manifest is, by its media type and its fields together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestKind {
    /// An index, OCI's or Docker's.
    Index,
    /// The manifest of an image or artifact, OCI's or Docker's.
    Manifest,
}

/// Why it is not clear what a document is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnclearManifestError {
    /// It is no JSON object.
    #[error("it is no JSON object")]
    Json,
    /// Neither the registry nor the document says what it is.
    #[error("neither the registry nor the document names its media type")]
    Untyped,
    /// The registry says one thing and the document another.
    #[error("the registry calls it `{told}` and the document itself `{found}`")]
    Mixed {
        /// As the registry says.
        told: MediaType,
        /// As the document says.
        found: MediaType,
    },
    /// A kind that is not read here.
    #[error("manifests of type `{0}` are not read")]
    Unknown(MediaType),
    /// It has fields of an index and of a manifest (CVE-2021-41190).
    #[error("it has fields of an index and of a manifest")]
    Ambiguous,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    #[serde(default)]
    media_type: Option<MediaType>,
    #[serde(default)]
    manifests: Option<IgnoredAny>,
    #[serde(default)]
    config: Option<IgnoredAny>,
    #[serde(default)]
    layers: Option<IgnoredAny>,
}

impl ManifestKind {
    /// Judges a document that came with `told`, the `Content-Type` without parameters.
    ///
    /// # Errors
    /// When it has no type, two, or one that is not read.
    pub fn of(told: Option<&MediaType>, bytes: &[u8]) -> Result<(Self, MediaType), UnclearManifestError> {
        let probe: Probe = serde_json::from_slice(bytes).map_err(|_| UnclearManifestError::Json)?;
        // Storage that knows nothing of manifests says this of everything.
        let generic = ["application/octet-stream", "application/json", "text/plain"];
        let told = told.filter(|told| !generic.contains(&told.as_str()));
        let media_type = match (told, probe.media_type) {
            (Some(told), Some(found)) if *told != found => {
                return Err(UnclearManifestError::Mixed { told: told.clone(), found });
            }
            (Some(told), _) => told.clone(),
            (None, Some(found)) => found,
            (None, None) => return Err(UnclearManifestError::Untyped),
        };
        let (index, image) = (probe.manifests.is_some(), probe.config.is_some() || probe.layers.is_some());
        match (media_type.is_index(), media_type.is_manifest()) {
            (true, _) if !image => Ok((Self::Index, media_type)),
            (_, true) if !index => Ok((Self::Manifest, media_type)),
            (false, false) => Err(UnclearManifestError::Unknown(media_type)),
            _ => Err(UnclearManifestError::Ambiguous),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_is_of_one_kind_only() {
        let check = |told: Option<MediaType>, body: &str, expect: Result<ManifestKind, &str>| {
            let found = ManifestKind::of(told.as_ref(), body.as_bytes());
            let found = found.map(|(kind, _)| kind).map_err(|error| error.to_string());
            match expect {
                Ok(kind) => assert_eq!(found, Ok(kind), "{body}"),
                Err(part) => assert!(found.as_ref().is_err_and(|error| error.contains(part)), "{body}: {found:?}"),
            }
        };
        let (oci, docker) = (MediaType::IMAGE_MANIFEST, MediaType::DOCKER_MANIFEST);
        let typed = |of: &MediaType, rest: &str| format!(r#"{{"mediaType":"{of}"{rest}}}"#);
        check(Some(oci.clone()), &typed(&oci, r#","config":{},"layers":[]"#), Ok(ManifestKind::Manifest));
        check(Some(docker.clone()), &typed(&docker, ""), Ok(ManifestKind::Manifest));
        check(None, &typed(&MediaType::DOCKER_MANIFEST_LIST, r#","manifests":[]"#), Ok(ManifestKind::Index));
        check(Some(MediaType::IMAGE_INDEX), r#"{"manifests":[]}"#, Ok(ManifestKind::Index));
        check(Some(oci.clone()), &typed(&docker, ""), Err("the registry calls it"));
        check(Some(MediaType::IMAGE_INDEX), r#"{"manifests":[],"layers":[]}"#, Err("fields of an index"));
        check(Some(oci), r#"{"manifests":[]}"#, Err("fields of an index"));
        check(Some(MediaType::LAYER_TAR), "{}", Err("are not read"));
        check(None, "{}", Err("names its media type"));
        check(None, "1", Err("no JSON object"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = ManifestKind::of(None, &bytes);
        }
    }
}
