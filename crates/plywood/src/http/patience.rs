//! How long to wait and how often to try.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use super::TransferFailure;

/// How long to wait and how often to try.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// Without a byte, before a transfer counts as stalled.
    pub stall: Duration,
    /// Attempts at one place when its failure may pass.
    pub attempts: usize,
    /// Before the second attempt; doubled before each further one.
    pub backoff: Duration,
    /// At most, whatever `Retry-After` asks for.
    pub longest_pause: Duration,
    /// Files in transfer at once.
    pub parallel: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(20),
            attempts: 4,
            backoff: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            parallel: 8,
        }
    }
}

impl Patience {
    /// The pauses between attempts at one place; after the last, it is given up.
    pub(crate) fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::default()
            .with_min_delay(self.backoff)
            .with_max_delay(self.longest_pause)
            .with_max_times(self.attempts.saturating_sub(1))
            .build()
    }

    /// Waits between two attempts, longer when the server asks for it.
    pub(crate) async fn pause(&self, pause: Duration, failure: &TransferFailure) {
        let asked = failure.asks_to_wait().map_or(pause, |asked| asked.max(pause).min(self.longest_pause));
        tokio::time::sleep(asked).await;
    }
}
