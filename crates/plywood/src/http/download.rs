//! A download as a blocking reader, which goes on where a connection broke.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use reqwest::header::HeaderValue;
use tokio::runtime::Handle;

use super::{Ask, Body, Patience, Reply, TransferFailure, Transport};

/// An attempt that brought this many bytes further was worth it: the count of attempts starts anew.
const HEADWAY: u64 = 256 << 10;

/// Reads a file from a place; for threads that are not asynchronous.
///
/// What fails is also left in [`Download::failure`], since decoders turn the errors of what they read into their own.
pub(crate) struct Download<'t> {
    transport: &'t Transport,
    patience: Patience,
    runtime: Handle,
    url: Url,
    authorization: Option<HeaderValue>,
    limit: u64,
    body: Option<Body>,
    chunk: Vec<u8>,
    /// How much of the chunk was handed out.
    taken: usize,
    /// How many bytes came in all.
    position: u64,
    /// How often it failed since there was headway, and where that was.
    failures: usize,
    headway: u64,
    failure: Arc<Mutex<Option<TransferFailure>>>,
}

impl<'t> Download<'t> {
    /// Asks for a file of at most `limit` bytes; the first answer has come when this returns.
    ///
    /// # Errors
    /// When the place does not give it.
    pub(crate) fn open(
        (transport, patience, runtime): (&'t Transport, Patience, Handle),
        url: Url,
        authorization: Option<HeaderValue>,
        limit: u64,
    ) -> Result<Self, TransferFailure> {
        let (chunk, failure) = (Vec::new(), Arc::default());
        let (body, taken, position, failures, headway) = (None, 0, 0, 0, 0);
        let mut download = Self {
            transport,
            patience,
            runtime,
            url,
            authorization,
            limit,
            body,
            chunk,
            taken,
            position,
            failures,
            headway,
            failure,
        };
        download.fill()?;
        Ok(download)
    }

    /// Where a failure is found once a reader above has given up.
    pub(crate) fn failure(&self) -> Arc<Mutex<Option<TransferFailure>>> {
        self.failure.clone()
    }

    /// How HTTP says that the bytes are coded for the transfer; empty when they are not.
    pub(crate) fn content_coding(&self) -> &str {
        self.body.as_ref().and_then(|body| body.content_coding.as_deref()).unwrap_or_default()
    }

    /// Makes sure that the chunk is not empty, unless the end is reached.
    fn fill(&mut self) -> Result<(), TransferFailure> {
        loop {
            let failure = match self.runtime.clone().block_on(self.next_chunk()) {
                Ok(()) => return Ok(()),
                Err(failure) if failure.may_pass() => failure,
                Err(failure) => return Err(failure),
            };
            self.body = None;
            if self.position >= self.headway + HEADWAY {
                (self.failures, self.headway) = (0, self.position);
            }
            match self.patience.pauses().nth(self.failures) {
                Some(pause) => self.runtime.block_on(self.patience.pause(pause, &failure)),
                None => return Err(failure),
            }
            self.failures += 1;
        }
    }

    async fn next_chunk(&mut self) -> Result<(), TransferFailure> {
        let (mut body, first) = match self.body.take() {
            Some(body) => (body, None),
            None => self.ask().await?,
        };
        let chunk = if first.is_some() { first } else { body.chunk().await? };
        (self.chunk, self.taken) = (chunk.unwrap_or_default(), 0);
        self.position += self.chunk.len() as u64;
        if self.position > self.limit {
            return Err(TransferFailure::TooLarge(self.limit));
        }
        if let Some(total) = body.total.filter(|&total| self.chunk.is_empty() && self.position < total) {
            return Err(TransferFailure::Truncated { got: self.position, expect: total });
        }
        self.body = Some(body);
        Ok(())
    }

    /// Asks for what has not come yet; the first bytes of that may come along.
    async fn ask(&self) -> Result<(Body, Option<Vec<u8>>), TransferFailure> {
        let authorization = self.authorization.as_ref();
        let ask = Ask { url: &self.url, authorization, from: self.position, validators: None };
        let mut body = match self.transport.open(ask).await? {
            Reply::Body(body) => body,
            Reply::NotModified => return Err(TransferFailure::Status { status: 304, retry_after: None }),
        };
        if body.total.is_some_and(|total| total > self.limit) {
            return Err(TransferFailure::TooLarge(self.limit));
        }
        // A server that does not know ranges begins anew.
        let mut skip = usize::try_from(self.position.saturating_sub(body.start)).unwrap_or(usize::MAX);
        while skip > 0 {
            let Some(mut chunk) = body.chunk().await? else {
                return Err(TransferFailure::Truncated { got: 0, expect: self.position });
            };
            if chunk.len() > skip {
                chunk.drain(..skip);
                return Ok((body, Some(chunk)));
            }
            skip -= chunk.len();
        }
        Ok((body, None))
    }
}

impl Read for Download<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len()
            && let Err(failure) = self.fill()
        {
            let error = io::Error::other(failure.to_string());
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            return Err(error);
        }
        let rest = self.chunk.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        let (Some(from), Some(to)) = (rest.get(..count), buffer.get_mut(..count)) else { return Ok(0) };
        to.copy_from_slice(from);
        self.taken += count;
        Ok(count)
    }
}
