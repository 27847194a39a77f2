//! Answers as they come: bounded in time and size.

use std::time::{Duration, SystemTime};

use plywood_core::oci::distribution::{ErrorCode, Secret, parse_errors, retry_after};
use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use tokio::time::{Instant, timeout_at};

use super::failure::{Failure, Said};
use super::patience::Patience;
use super::request::network;

/// The largest body that is read for what it says of a failure, in bytes.
pub(super) const MAX_ERROR: u64 = 64 << 10;
/// Fewer bytes than this in a stall's time count as none, so that nobody can hold us with a trickle.
const TRICKLE: u64 = 1024;

/// A body as it comes.
pub(super) struct Incoming {
    response: Response,
    stall: Duration,
    deadline: Instant,
    since_deadline: u64,
}

impl Incoming {
    pub(super) fn new(response: Response, stall: Duration) -> Self {
        Self { response, stall, deadline: Instant::now() + stall, since_deadline: 0 }
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Failure> {
        let chunk = match timeout_at(self.deadline, self.response.chunk()).await {
            Err(_) => return Err(Failure::Stalled(self.stall.as_secs())),
            Ok(Err(error)) => return Err(network(&self.response.url().clone(), error)),
            Ok(Ok(chunk)) => chunk,
        };
        self.since_deadline += chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if self.since_deadline >= TRICKLE {
            self.deadline = Instant::now() + self.stall;
            self.since_deadline = 0;
        }
        Ok(chunk)
    }
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(response: Response, limit: u64, stall: Duration) -> Result<Vec<u8>, Failure> {
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(Failure::TooLarge(limit));
    }
    let mut incoming = Incoming::new(response, stall);
    let mut bytes = Vec::new();
    while let Some(chunk) = incoming.chunk().await? {
        bytes.extend_from_slice(chunk.as_ref());
        if bytes.len() as u64 > limit {
            return Err(Failure::TooLarge(limit));
        }
    }
    Ok(bytes)
}

/// What an answer that was not hoped for means, by its status and its words; who was asking is the caller's to add.
pub(super) async fn failure(response: Response, patience: &Patience, secrets: &[Secret]) -> Failure {
    let status = response.status().as_u16();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = wait.and_then(|text| retry_after(text, now()));
    let mut incoming = Incoming::new(response, patience.stall);
    let mut bytes = Vec::new();
    // What is missing of a message is no failure of its own.
    while let Ok(Some(chunk)) = incoming.chunk().await {
        bytes.extend_from_slice(chunk.as_ref());
        if bytes.len() as u64 > MAX_ERROR {
            break;
        }
    }
    let clean = |quoted: plywood_core::oci::distribution::Quoted| quoted.without(secrets.iter().map(Secret::expose));
    let said = Said(parse_errors(&bytes).into_iter().map(clean).collect());
    let invalid = [ErrorCode::ManifestInvalid, ErrorCode::ManifestBlobUnknown];
    match status {
        429 => Failure::TooManyRequests { wait, said },
        405 | 501 => Failure::Unsupported { status, said },
        500.. => Failure::Server { status, wait, said },
        401 | 403 => Failure::Status { status, said },
        _ if invalid.iter().any(|code| said.has(code)) => Failure::ManifestInvalid { said },
        _ if said.has(&ErrorCode::Denied) => Failure::Denied { said },
        _ if said.has(&ErrorCode::Unsupported) => Failure::Unsupported { status, said },
        404 | 410 => Failure::NotFound { said },
        _ => Failure::Status { status, said },
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
