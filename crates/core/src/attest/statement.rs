//! What is said of an artifact (in-toto attestation framework, Statement v1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::{AttestationError, parse, rule};
use crate::digest::Digest;

/// The payload type of envelopes with statements (in-toto attestation framework, Envelope v1).
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// The type of predicate of a signature that says nothing but "this digest" (cosign 3).
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

const TYPE: &str = "https://in-toto.io/Statement/v1";
const WHAT: &str = "in-toto statement";
/// As many subjects are read.
const MAX_SUBJECTS: usize = 4096;

/// A predicate about subjects. Read, the predicate is its JSON text; written, anything that serializes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement<P = Box<RawValue>> {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    predicate: Option<P>,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    digest: BTreeMap<String, String>,
}

impl<P> Statement<P> {
    /// Says `predicate` of a digest, which has this name for people.
    pub fn about(name: impl Into<String>, digest: Digest, predicate_type: impl Into<String>, predicate: P) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), digest.to_hex())]);
        Self {
            kind: TYPE.to_owned(),
            subject: vec![Subject { name: name.into(), digest }],
            predicate_type: predicate_type.into(),
            predicate: Some(predicate),
        }
    }

    /// Whether it is about this digest.
    pub fn is_about(&self, digest: Digest) -> bool {
        self.subject.iter().any(|subject| subject.digest.get("sha256").is_some_and(|hex| *hex == digest.to_hex()))
    }

    /// What kind of thing it says, a URI.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// What it says; `None` when the type alone says it.
    pub fn predicate(&self) -> Option<&P> {
        self.predicate.as_ref()
    }
}

impl Statement {
    /// Parses a statement about a digest.
    ///
    /// # Errors
    /// When it is too large, no statement, or one about something else.
    pub fn parse(bytes: &[u8], about: Digest) -> Result<Self, AttestationError> {
        let statement: Self = parse(WHAT, bytes)?;
        rule(WHAT, statement.kind == TYPE, "`_type` is that of version 1")?;
        rule(WHAT, statement.subject.len() <= MAX_SUBJECTS, "it has at most 4096 subjects")?;
        if statement.is_about(about) { Ok(statement) } else { Err(AttestationError::OtherSubject) }
    }
}
