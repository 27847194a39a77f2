//! An operation on a registry failed.

use super::failure::Failure;

/// What was tried, and as its source why it failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation}")]
pub struct RegistryError {
    /// As an infinitive with its subject, such as "read the manifest of ghcr.io/team/app:1".
    pub operation: String,
    /// Why.
    #[source]
    pub failure: Failure,
}

impl RegistryError {
    /// For `map_err`.
    pub(super) fn of(operation: impl FnOnce() -> String) -> impl FnOnce(Failure) -> Self {
        move |failure| Self { operation: operation(), failure }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.failure.hint()
    }

    /// Whether the registry answered that it does not have what was asked for.
    pub fn is_not_found(&self) -> bool {
        matches!(self.failure, Failure::NotFound { .. })
    }
}
