//! Trying again: when, how often, and how long to wait before.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::time::Instant;

use super::failure::Failure;

/// How long to wait, how often to try, how much at once.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// Without a byte, before a transfer counts as stalled.
    pub stall: Duration,
    /// For an answer once a request has been sent.
    pub answer: Duration,
    /// Attempts at a request whose failure may pass.
    pub attempts: usize,
    /// Before the second attempt; doubled before each further one.
    pub backoff: Duration,
    /// The longest that is waited between attempts; a registry that asks for more is not asked again.
    pub longest_pause: Duration,
    /// After which nothing is tried again.
    pub total: Duration,
    /// Requests at once.
    pub parallel: usize,
    /// For a credential helper.
    pub helper: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            answer: Duration::from_secs(120),
            attempts: 5,
            backoff: Duration::from_millis(500),
            longest_pause: Duration::from_secs(120),
            total: Duration::from_secs(15 * 60),
            parallel: 8,
            helper: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// Tries until it goes well, or fails in a way that trying again does not help. An attempt says whether it came
    /// far enough for the count of attempts to start anew.
    pub(super) async fn keep_trying<T>(
        &self,
        mut attempt: impl AsyncFnMut() -> Result<T, (Failure, bool)>,
    ) -> Result<T, Failure> {
        let end = Instant::now() + self.total;
        let mut pauses = self.pauses();
        loop {
            let failure = match attempt().await {
                Ok(value) => return Ok(value),
                Err((failure, _)) if !failure.may_pass() => return Err(failure),
                Err((failure, headway)) => {
                    if headway {
                        pauses = self.pauses();
                    }
                    failure
                }
            };
            let Some(pause) = pauses.next().and_then(|pause| self.pause(pause, failure.asks_to_wait())) else {
                return Err(failure);
            };
            if Instant::now() + pause > end {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// As [`Self::keep_trying`], for attempts that are worth nothing when they fail.
    pub(super) async fn retry<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        self.keep_trying(async || attempt().await.map_err(|failure| (failure, false))).await
    }

    /// How long to wait, or `None` where the registry asks for too much.
    fn pause(&self, ours: Duration, asked: Option<Duration>) -> Option<Duration> {
        match asked {
            Some(asked) if asked > self.longest_pause => None,
            Some(asked) => Some(asked.max(ours).min(self.longest_pause)),
            None => Some(ours),
        }
    }

    /// With some chance in them, so that many who were turned away together do not come back together.
    fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::default()
            .with_min_delay(self.backoff)
            .with_max_delay(self.longest_pause)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_asks_for_time_gets_it_within_reason() {
        let patience = Patience { longest_pause: Duration::from_secs(60), ..Patience::default() };
        let seconds = Duration::from_secs;
        for (ours, asked, expect) in [
            (1, None, Some(1)),
            (1, Some(0), Some(1)),
            (1, Some(30), Some(30)),
            (40, Some(30), Some(40)),
            (1, Some(60), Some(60)),
            (1, Some(61), None),
        ] {
            assert_eq!(patience.pause(seconds(ours), asked.map(seconds)), expect.map(seconds), "{ours} {asked:?}");
        }
    }
}
