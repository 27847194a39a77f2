//! One transfer: HTTP or a file, with its time limits, as a stream of chunks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode, Url, redirect};
use tokio::time::{Instant, timeout};

use super::{Patience, TransferFailure};

/// Fewer bytes than this in [`Patience::stall`] count as none, so that nobody can hold us with a trickle.
const TRICKLE: u64 = 1024;

const CHUNK: usize = 64 << 10;

const MAX_REDIRECTS: usize = 10;

/// Bytes per second below which a line is of no use for uploads.
const SLOWEST_UPLOAD: u64 = 16 << 10;

/// Opens transfers.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    patience: Patience,
}

/// What to ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) url: &'a Url,
    /// Sent to the URL's own host only.
    pub(crate) authorization: Option<&'a HeaderValue>,
    /// Bytes that are there already.
    pub(crate) from: u64,
    /// What is known of an earlier copy.
    pub(crate) validators: Option<&'a Validators>,
}

/// What tells whether a copy is still current (RFC 9110 section 8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

/// What comes back.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The earlier copy is still current.
    NotModified,
    /// The file.
    Body(Body),
}

/// A file as it comes.
#[derive(Debug)]
pub(crate) struct Body {
    /// Where it starts: what was asked for, or 0 where the server gives the whole file nevertheless.
    pub(crate) start: u64,
    /// Length of the whole file, where it is known beforehand.
    pub(crate) total: Option<u64>,
    pub(crate) validators: Validators,
    /// `Content-Encoding`, which a server may insist on although we ask for none.
    pub(crate) content_coding: Option<String>,
    source: Source,
    stall: Duration,
    /// How long was waited for the bytes since there were enough of them, and how many came.
    waited: Duration,
    since: u64,
}

#[derive(Debug)]
enum Source {
    Http(Box<reqwest::Response>),
    File(File),
}

impl Transport {
    /// # Errors
    /// When this machine gives no HTTP client.
    pub(crate) fn new(patience: Patience) -> Result<Self, reqwest::Error> {
        let builder = || {
            Client::builder()
                .user_agent(concat!("plywood/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(patience.connect)
                // reqwest takes the Authorization header off when a redirect leads to another host or port.
                .redirect(redirect::Policy::custom(follow))
                .referer(false)
        };
        // A machine without CA certificates can still read http and file mirrors, as signatures protect what they have.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        Ok(Self { client: client?, patience })
    }

    pub(crate) async fn open(&self, ask: Ask<'_>) -> Result<Reply, TransferFailure> {
        if ask.url.scheme() == "file" {
            let path = ask.url.to_file_path().map_err(|()| TransferFailure::NotFound)?;
            let (file, length) = open_file(&path, ask.from)?;
            return Ok(Reply::Body(self.body(Source::File(file), ask.from, Some(length), Validators::default())));
        }
        let request = self.client.get(ask.url.clone()).headers(headers(ask));
        let response = self.answer(self.patience.connect + self.patience.stall, request).await?;
        self.judge(ask, response)
    }

    fn judge(&self, ask: Ask<'_>, response: reqwest::Response) -> Result<Reply, TransferFailure> {
        let validators = Validators::of(response.headers());
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if range_start(response.headers()) == Some(ask.from) => ask.from,
            StatusCode::NOT_MODIFIED if ask.validators.is_some() => return Ok(Reply::NotModified),
            _ => return Err(refusal(&response)),
        };
        let total = response.content_length().and_then(|length| length.checked_add(start));
        let coding = response.headers().get(header::CONTENT_ENCODING);
        let content_coding = coding.map(|coding| coding.to_str().unwrap_or("?").to_owned());
        let body = self.body(Source::Http(Box::new(response)), start, total, validators);
        Ok(Reply::Body(Body { content_coding, ..body }))
    }

    /// Puts a file or some bytes at a URL.
    pub(crate) async fn put(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
        (body, length): (reqwest::Body, u64),
    ) -> Result<(), TransferFailure> {
        let mut request = self.client.put(url.clone()).header(header::CONTENT_LENGTH, length).body(body);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization.clone());
        }
        // How far it is cannot be seen, so a very slow line is granted as much time as it needs.
        let time = self.patience.connect + self.patience.stall + Duration::from_secs(length / SLOWEST_UPLOAD);
        let response = self.answer(time, request).await?;
        if response.status().is_success() { Ok(()) } else { Err(refusal(&response)) }
    }

    /// The beginning of the answer.
    async fn answer(
        &self,
        time: Duration,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, TransferFailure> {
        match timeout(time, request.send()).await {
            Err(_) => Err(TransferFailure::Stalled(self.patience.stall.as_secs())),
            Ok(Err(error)) if error.is_redirect() => Err(TransferFailure::Redirect(root_cause(error))),
            Ok(Err(error)) if error.is_connect() => Err(TransferFailure::Unreachable(root_cause(error))),
            Ok(Err(error)) => Err(TransferFailure::Transport(root_cause(error))),
            Ok(Ok(response)) => Ok(response),
        }
    }

    fn body(&self, source: Source, start: u64, total: Option<u64>, validators: Validators) -> Body {
        let stall = self.patience.stall;
        Body { start, total, validators, content_coding: None, source, stall, waited: Duration::ZERO, since: 0 }
    }
}

impl Body {
    /// The next bytes; `None` at the end. Only the time counts that is spent here: a reader may be as slow as it likes.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, TransferFailure> {
        let asked = Instant::now();
        let chunk = match &mut self.source {
            Source::File(file) => read_chunk(file).map_err(TransferFailure::Read)?,
            Source::Http(response) => match timeout(self.stall.saturating_sub(self.waited), response.chunk()).await {
                Err(_) => return Err(TransferFailure::Stalled(self.stall.as_secs())),
                Ok(Err(error)) => return Err(TransferFailure::Transport(root_cause(error))),
                Ok(Ok(chunk)) => chunk.map(Vec::from),
            },
        };
        self.waited += asked.elapsed();
        self.since += chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if self.since >= TRICKLE {
            (self.waited, self.since) = (Duration::ZERO, 0);
        }
        Ok(chunk)
    }
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) }
    }
}

/// Why there is nothing in an answer.
fn refusal(response: &reqwest::Response) -> TransferFailure {
    match response.status() {
        StatusCode::NOT_FOUND | StatusCode::GONE => TransferFailure::NotFound,
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => TransferFailure::Refused(status.as_u16()),
        status => {
            let retry_after = retry_after(response.headers());
            TransferFailure::Status { status: status.as_u16(), retry_after }
        }
    }
}

/// As apt and browsers: not for ever, and what was asked for over TLS does not come without.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let was_safe = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error(format!("it redirects more than {MAX_REDIRECTS} times"))
    } else if was_safe && attempt.url().scheme() != "https" {
        attempt.error("it redirects from https to http")
    } else {
        attempt.follow()
    }
}

fn headers(ask: Ask<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(authorization) = ask.authorization {
        headers.insert(header::AUTHORIZATION, authorization.clone());
    }
    let mut add = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    if ask.from > 0 {
        add(header::RANGE, format!("bytes={}-", ask.from));
    }
    if let Some(Validators { etag, last_modified }) = ask.validators {
        etag.iter().for_each(|etag| add(header::IF_NONE_MATCH, etag.clone()));
        last_modified.iter().for_each(|date| add(header::IF_MODIFIED_SINCE, date.clone()));
    }
    headers
}

/// The start in `Content-Range: bytes START-END/TOTAL` (RFC 9110 section 14.4).
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    text.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

/// Seconds of `Retry-After` (RFC 9110 section 10.2.3); its other form, a date, is left to our own pauses.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// The innermost message: the outer ones repeat the URL, which may hold a password.
fn root_cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The file, to be read from `from` on, and its length.
fn open_file(path: &Path, from: u64) -> Result<(File, u64), TransferFailure> {
    let absent = |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let open = || -> io::Result<(File, u64)> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        file.seek(SeekFrom::Start(from))?;
        Ok((file, meta.len()))
    };
    open().map_err(|error| if absent(&error) { TransferFailure::NotFound } else { TransferFailure::Read(error) })
}

fn read_chunk(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    file.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok((!chunk.is_empty()).then_some(chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_partial_answer_starts() {
        for (text, expect) in [
            ("bytes 7-9/10", Some(7)),
            ("bytes 0-0/*", Some(0)),
            ("bytes */10", None),
            ("items 1-2/3", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_RANGE, HeaderValue::from_static(text))]);
            assert_eq!(range_start(&headers), expect, "{text}");
        }
    }
}
