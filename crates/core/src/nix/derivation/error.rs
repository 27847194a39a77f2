//! Why bytes are no derivation.

use crate::nix::shown::Shown;
use crate::nix::{ParseContentAddressError, ParseStorePathError};

/// Why bytes are no derivation. Places are bytes from the start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DerivationError {
    /// It is longer than [`Derivation::MAX_LEN`](super::Derivation::MAX_LEN).
    #[error("the derivation is longer than {} bytes", super::Derivation::MAX_LEN)]
    TooLong,
    /// A list has more members than [`Derivation::MAX_MEMBERS`](super::Derivation::MAX_MEMBERS).
    #[error("the derivation has more than {} {what}", super::Derivation::MAX_MEMBERS)]
    TooMany {
        /// Of what.
        what: &'static str,
    },
    /// It is of a newer form, as dynamic derivations are.
    #[error("the derivation is of the version `{}`, which plywood does not know", Shown(.0))]
    Version(String),
    /// Something else was due.
    #[error("the derivation has something else than {expected} at byte {at}")]
    Unexpected {
        /// What was due.
        expected: &'static str,
        /// Where.
        at: usize,
    },
    /// It ends too early.
    #[error("the derivation ends early, where {expected} is due")]
    Truncated {
        /// What was due.
        expected: &'static str,
    },
    /// A string has a character that Nix writes otherwise.
    #[error("the derivation has a string that Nix would write otherwise at byte {at}")]
    Escape {
        /// Where.
        at: usize,
    },
    /// Names or paths are not UTF-8.
    #[error("the derivation has {what} that is not UTF-8 before byte {at}")]
    NotText {
        /// What.
        what: &'static str,
        /// Where it ends.
        at: usize,
    },
    /// A list that Nix sorts is not, or has something twice.
    #[error("the derivation has {what} twice or out of order before byte {at}")]
    Order {
        /// What.
        what: &'static str,
        /// Where it ends.
        at: usize,
    },
    /// A path is not one of the store.
    #[error("the derivation has a bad store path before byte {at}")]
    Path {
        /// Where it ends.
        at: usize,
        /// Why.
        #[source]
        source: ParseStorePathError,
    },
    /// An output's name is not allowed.
    #[error("the derivation has an output `{}`, a name that Nix does not allow", Shown(.0))]
    OutputName(String),
    /// An output's hash is none.
    #[error("the derivation has a bad hash for its output `{output}`")]
    OutputHash {
        /// The output.
        output: String,
        /// Why.
        #[source]
        source: ParseContentAddressError,
    },
    /// An output has a path, algorithm and hash that do not go together.
    #[error("the derivation's output `{0}` is of no kind that Nix knows")]
    OutputKind(String),
    /// It makes nothing.
    #[error("the derivation has no outputs")]
    NoOutputs,
}
