//! Writing and reading JSON documents.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest manifest, index or configuration that is read, in bytes: what registries accept.
pub const MAX_DOCUMENT: usize = 4 << 20;

/// Why a document is refused.
#[derive(Debug, thiserror::Error)]
pub enum ParseDocumentError {
    /// It is larger than [`MAX_DOCUMENT`].
    #[error("the document has {size} bytes; at most {MAX_DOCUMENT} are read")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// It is no JSON of the expected shape.
    #[error("the document is not a valid {what}")]
    Json {
        /// What was expected.
        what: &'static str,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// It is JSON of the expected shape that breaks a rule.
    #[error("the document is not a valid {what}: {rule}")]
    Rule {
        /// What was expected.
        what: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
}

/// The document's bytes: no white space, fields in the order of their type, maps sorted.
///
/// # Panics
/// Never for the types of this module: their keys are texts and nothing in them fails to serialize.
pub fn to_json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("values of this module serialize")
}

/// Parses a document of bounded size.
pub(super) fn parse<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, ParseDocumentError> {
    if bytes.len() > MAX_DOCUMENT {
        return Err(ParseDocumentError::TooLarge { size: bytes.len() });
    }
    serde_json::from_slice(bytes).map_err(|source| ParseDocumentError::Json { what, source })
}

/// Refuses the document when a rule does not hold.
pub(super) fn rule(what: &'static str, holds: bool, rule: &'static str) -> Result<(), ParseDocumentError> {
    if holds { Ok(()) } else { Err(ParseDocumentError::Rule { what, rule }) }
}
