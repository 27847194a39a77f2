//! The predicate as it is written and read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::BUILD_TYPE;
use super::base::is_base;
use crate::attest::AttestationError;
use crate::attest::error::{parse, rule};
use crate::digest::{Digest, Sha256Hash};
use crate::oci::Timestamp;
use crate::platform::Platform;

/// How an image was made, and where that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What decided the image.
    pub build_definition: BuildDefinition,
    /// What did not.
    pub run_details: RunDetails,
}

/// What decided the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// How to read the rest.
    pub build_type: String,
    /// What was asked for.
    pub external_parameters: ExternalParameters,
    /// What the program added.
    #[serde(default)]
    pub internal_parameters: InternalParameters,
    /// Everything that went in, by hash.
    #[serde(default)]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExternalParameters {
    /// The image's name in the manifest.
    pub image: String,
    /// The platforms that the subject is for.
    pub platforms: Vec<Platform>,
    /// The folder of the manifest in its repository; empty for the root.
    pub directory: String,
    /// `SOURCE_DATE_EPOCH`, where it stood in for the lock's date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

/// What the program added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InternalParameters {
    /// The version of plywood.
    pub plywood: String,
    /// What tells apart programs of one version that may make other bytes.
    pub program: String,
}

/// An artifact, by hash (in-toto attestation framework, ResourceDescriptor v1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceDescriptor {
    /// A name for people, or a path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is, such as a package URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// Its hashes, by algorithm, in hexadecimal digits but for Nix's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// Anything else.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Value>,
}

/// What did not decide the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Who vouches for the run.
    pub builder: Builder,
    /// Which run it was.
    #[serde(default)]
    pub metadata: RunMetadata,
}

/// Who vouches for a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Builder {
    /// A URI, such as that of a CI's workflow.
    pub id: String,
}

/// Which run it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunMetadata {
    /// A URI of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
}

/// The version of the workspace that was built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Where the repository is; `None` when the manifest does not say.
    pub repository: Option<String>,
    /// The commit, in hexadecimal digits; `None` outside of version control.
    pub commit: Option<String>,
    /// The folder of the manifest in the repository; empty for the root.
    pub directory: String,
    /// Whether files differed from the commit.
    pub dirty: bool,
}

impl Provenance {
    /// Parses the predicate of a statement.
    ///
    /// # Errors
    /// When it is no provenance, or one of another kind of build than plywood's.
    pub fn parse(json: &str) -> Result<Self, AttestationError> {
        const WHAT: &str = "provenance of plywood";
        let provenance: Self = parse(WHAT, json.as_bytes())?;
        rule(WHAT, provenance.build_definition.build_type == BUILD_TYPE, "`buildType` is plywood's")?;
        Ok(provenance)
    }

    /// The commit that was built.
    pub fn commit(&self) -> Option<&str> {
        let commits = self.build_definition.resolved_dependencies.iter();
        commits.filter_map(|it| it.digest.get("gitCommit")).map(String::as_str).next()
    }

    /// Whether files differed from the commit.
    pub fn is_dirty(&self) -> bool {
        let dirty = |it: &ResourceDescriptor| it.annotations.get("dirty") == Some(&Value::Bool(true));
        self.build_definition.resolved_dependencies.iter().any(dirty)
    }

    /// The digest of the lock's text.
    pub fn lock(&self) -> Option<Digest> {
        self.file("plywood.lock")
    }

    /// The digest of the manifest's text.
    pub fn manifest(&self) -> Option<Digest> {
        self.file("plywood.toml")
    }

    /// The image's name in the manifest.
    pub fn image(&self) -> &str {
        &self.build_definition.external_parameters.image
    }

    /// The images outside of the workspace that it is built on: how the manifest names each, and its digest.
    pub fn bases(&self) -> impl Iterator<Item = (&str, Digest)> {
        let bases = self.build_definition.resolved_dependencies.iter().filter(|it| is_base(it));
        bases.filter_map(|it| {
            let hash = Sha256Hash::from_hex(it.digest.get("sha256")?).ok()?;
            Some((it.name.as_str(), Digest::new(hash)))
        })
    }

    fn file(&self, name: &str) -> Option<Digest> {
        let files = self.build_definition.resolved_dependencies.iter();
        let hex = files.filter(|it| it.uri.is_empty() && it.name == name).find_map(|it| it.digest.get("sha256"))?;
        Sha256Hash::from_hex(hex).ok().map(Digest::new)
    }
}
