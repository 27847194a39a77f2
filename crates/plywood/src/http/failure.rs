//! Why one place did not give what it was asked for.

use std::io;
use std::time::Duration;

use super::url::BadPath;

/// Why one place did not give what it was asked for, whatever that was.
#[derive(Debug, thiserror::Error)]
pub enum TransferFailure {
    /// The server does not have it (HTTP 404 or 410).
    #[error("it is not there")]
    NotFound,
    /// The server wants to know who asks, or refuses (HTTP 401 or 403).
    #[error("access is refused (HTTP {0})")]
    Refused(u16),
    /// Any other answer than the file.
    #[error("the server answers HTTP {status}")]
    Status {
        /// HTTP's status code.
        status: u16,
        /// How long the server asks to wait, in seconds.
        retry_after: Option<u64>,
    },
    /// The server sends on and on to other places, or from `https` to `http`.
    #[error("{0}")]
    Redirect(String),
    /// No connection can be made.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It failed a moment ago, so it was not asked again.
    #[error("it was found unreachable before")]
    Skipped,
    /// The connection broke, or does not speak HTTP.
    #[error("{0}")]
    Transport(String),
    /// No byte came for this many seconds.
    #[error("no data came for {0} seconds")]
    Stalled(u64),
    /// The transfer ended before the file did.
    #[error("it ends after {got} of {expect} bytes")]
    Truncated {
        /// Bytes that came.
        got: u64,
        /// Bytes there should be.
        expect: u64,
    },
    /// It has more bytes than it should, or than is sensible.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    /// It is coded for the transfer in a way that nobody asked for.
    #[error("its content coding `{}` is unknown", .0.escape_debug())]
    Coding(String),
    /// It is to be looked for outside of the place.
    #[error("{0}")]
    Path(#[from] BadPath),
    /// A file of a `file:` place cannot be read.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
}

impl TransferFailure {
    /// Whether another attempt at the same place may go better.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Unreachable(_) | Self::Transport(_) | Self::Stalled(_) | Self::Truncated { .. } => true,
            _ => false,
        }
    }

    /// How long the server asks to wait.
    pub(crate) fn asks_to_wait(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => retry_after.map(Duration::from_secs),
            _ => None,
        }
    }
}
