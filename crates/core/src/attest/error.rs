//! Why something signed is not believed.

/// The largest attestation that is read, in bytes: a few times what a provenance of thousands of packages takes.
pub const MAX_ATTESTATION: usize = 16 << 20;

/// Why something that is attached to an image is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationError {
    /// It is larger than [`MAX_ATTESTATION`].
    #[error("it has {size} bytes; at most {MAX_ATTESTATION} are read")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// It is no JSON of the expected shape.
    #[error("it is not a valid {what}")]
    Json {
        /// What was expected.
        what: &'static str,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// It is JSON of the expected shape that breaks a rule.
    #[error("it is not a valid {what}: {rule}")]
    Rule {
        /// What was expected.
        what: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// What is signed is of another kind, so that the signature says nothing of it.
    #[error("what is signed is `{found}`, not `{expected}`")]
    PayloadType {
        /// What was expected.
        expected: &'static str,
        /// What it says that it is.
        found: String,
    },
    /// No signature is by a key that is believed.
    #[error("no signature on it is by a key that is believed")]
    Untrusted,
    /// It speaks of another digest.
    #[error("it is not about this digest")]
    OtherSubject,
}

/// Parses a document of bounded size.
pub(super) fn parse<'d, T: serde::Deserialize<'d>>(what: &'static str, bytes: &'d [u8]) -> Result<T, AttestationError> {
    if bytes.len() > MAX_ATTESTATION {
        return Err(AttestationError::TooLarge { size: bytes.len() });
    }
    serde_json::from_slice(bytes).map_err(|source| AttestationError::Json { what, source })
}

/// Refuses the document when a rule does not hold.
pub(super) fn rule(what: &'static str, holds: bool, rule: &'static str) -> Result<(), AttestationError> {
    if holds { Ok(()) } else { Err(AttestationError::Rule { what, rule }) }
}
