//! What a request carries, and how far it has come.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use futures_util::stream;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, RequestBuilder};
use tokio::sync::Notify;

use super::failure::Failure;

const CHUNK: u64 = 128 << 10;

/// What a request carries.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    /// Nothing, and no length of nothing either.
    Empty,
    /// Nothing, as the whole of a body.
    NoBytes,
    /// Few bytes.
    Bytes(Vec<u8>),
    /// Part of a blob that starts at `offset` in a file.
    Part { path: &'a Utf8Path, offset: u64, from: u64, length: u64 },
}

/// How much of a payload has been taken by the connection.
#[derive(Debug, Default)]
pub(super) struct Sent {
    count: AtomicU64,
    pub(super) moved: Notify,
    fault: Mutex<Option<io::Error>>,
}

/// Reports how far a blob is; bytes that go a second time count once.
pub(super) struct Meter<'p> {
    report: &'p (dyn Fn(u64) + Sync),
    reported: Cell<u64>,
}

impl<'p> Meter<'p> {
    pub(super) fn new(report: &'p (dyn Fn(u64) + Sync)) -> Self {
        Self { report, reported: Cell::new(0) }
    }

    pub(super) fn reached(&self, position: u64) {
        let before = self.reported.get();
        if position > before {
            (self.report)(position - before);
            self.reported.set(position);
        }
    }
}

impl Sent {
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Why the file could not be read, if that is what ended the request.
    pub(super) fn fault(&self, payload: &Payload<'_>) -> Option<Failure> {
        let source = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let Payload::Part { path, .. } = payload else { return None };
        Some(Failure::Read { path: (*path).to_owned(), source })
    }
}

impl Payload<'_> {
    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        match self {
            // These are not followed on their way.
            Self::Empty | Self::NoBytes | Self::Bytes(_) => 0,
            Self::Part { length, .. } => *length,
        }
    }

    /// Reports how far the blob is of which this is a part.
    pub(super) fn report(&self, meter: Option<&Meter<'_>>, sent: &Sent) {
        if let (Some(meter), Self::Part { from, .. }) = (meter, self) {
            meter.reached(from + sent.count());
        }
    }

    /// Gives a request this body.
    pub(super) fn attach(&self, request: RequestBuilder, sent: &Arc<Sent>) -> Result<RequestBuilder, Failure> {
        Ok(match self {
            Self::Empty => request,
            Self::NoBytes => request.header(CONTENT_LENGTH, 0),
            Self::Bytes(bytes) => request.body(bytes.clone()),
            Self::Part { path, offset, from, length } => {
                let failed = |source| Failure::Read { path: (*path).to_owned(), source };
                let mut file = File::open(path).map_err(failed)?;
                file.seek(SeekFrom::Start(offset + from)).map_err(failed)?;
                request.header(CONTENT_LENGTH, *length).body(stream_of(file, *length, sent.clone()))
            }
        })
    }
}

/// The next `length` bytes of a file. What is in a file that has just been written is in memory, so that reading it
/// does not hold up the connections for long.
fn stream_of(file: File, length: u64, sent: Arc<Sent>) -> Body {
    Body::wrap_stream(stream::unfold((file, length, sent), |(mut file, left, sent)| async move {
        if left == 0 {
            return None;
        }
        let mut chunk = Vec::with_capacity(left.min(CHUNK) as usize);
        let read = (&mut file).take(left.min(CHUNK)).read_to_end(&mut chunk);
        let result = match read {
            Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            Ok(_) => Ok(chunk),
            Err(error) => Err(error),
        };
        let left = left - result.as_ref().map_or(left, |chunk| chunk.len() as u64);
        match &result {
            Ok(chunk) => _ = sent.count.fetch_add(chunk.len() as u64, Ordering::Relaxed),
            Err(error) => {
                let kept = io::Error::new(error.kind(), error.to_string());
                *sent.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
            }
        }
        sent.moved.notify_one();
        Some((result, (file, left, sent)))
    }))
}
