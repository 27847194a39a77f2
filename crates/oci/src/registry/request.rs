//! One request over the network, with its time limits, and what the network's failures mean.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Method, Response, Url};

use super::client::{Inner, authority};
use super::failure::Failure;
use super::payload::{Meter, Payload, Sent};
use super::tls::{TlsFailure, causes};

/// How rustls words an alert of the other side.
const ALERT: &str = "received fatal alert: ";

/// How hyper words that a connection ended, which its errors do not say otherwise.
const CLOSED: [&str; 3] = ["connection closed", "channel closed", "operation was canceled"];

/// Whether this is how the end of a connection looks.
fn is_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

impl Inner {
    /// Sends a request once; follows nothing and judges no status.
    pub(super) async fn transfer(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        payload: &Payload<'_>,
        meter: Option<&Meter<'_>>,
    ) -> Result<Response, Failure> {
        let sent = Arc::new(Sent::default());
        let request = self.http(url)?.request(method.clone(), url.clone()).headers(headers.clone());
        // Blobs are named by the digest of the very bytes.
        let request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut answer = pin!(payload.attach(request, &sent)?.send());
        let patience = &self.config.patience;
        loop {
            let all = sent.count() >= payload.length();
            let limit = if all { patience.answer } else { patience.connect + patience.stall };
            tokio::select! {
                result = &mut answer => {
                    payload.report(meter, &sent);
                    return result.map_err(|error| sent.fault(payload).unwrap_or_else(|| network(url, error)));
                }
                () = sent.moved.notified() => payload.report(meter, &sent),
                () = tokio::time::sleep(limit) => return Err(Failure::Stalled(limit.as_secs())),
            }
        }
    }
}

/// What an error of the network means.
pub(super) fn network(url: &Url, error: reqwest::Error) -> Failure {
    let host = authority(url);
    if let Some(failure) = TlsFailure::find(&error) {
        return Failure::Tls { host, failure };
    }
    let lookup = causes(&error).find_map(|cause| cause.downcast_ref::<LookupFailed>());
    if let Some(LookupFailed { host, kind, message }) = lookup {
        return Failure::UnknownHost { host: host.clone(), source: io::Error::new(*kind, message.clone()) };
    }
    let kinds = || causes(&error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    if error.is_connect() && kinds().any(|kind| kind == io::ErrorKind::ConnectionRefused) {
        return Failure::ConnectionRefused { host };
    }
    let connects = error.is_connect();
    let closed = kinds().any(is_end);
    let error = error.without_url();
    // The innermost message: the outer ones say no more than that something failed.
    let reason = causes(&error).last().map(ToString::to_string).unwrap_or_default();
    // An alert that comes after the handshake may have lost its type on the way here.
    if let Some(alert) = reason.strip_prefix(ALERT) {
        return Failure::Tls { host, failure: TlsFailure::Refused(alert.to_owned()) };
    }
    if url.scheme() == "https" && (CLOSED.iter().any(|text| reason.starts_with(text)) || closed) {
        return Failure::Closed { host };
    }
    if connects { Failure::Unreachable { host, reason } } else { Failure::Transport(reason) }
}

/// Finds addresses as the system does; its failures can be told from others.
pub(super) struct Lookup;

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct LookupFailed {
    host: String,
    kind: io::ErrorKind,
    message: String,
}

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await.map(Iterator::collect::<Vec<SocketAddr>>);
            match found {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(error) => {
                    let failed = LookupFailed { host, kind: error.kind(), message: error.to_string() };
                    Err(Box::new(failed) as Box<dyn std::error::Error + Send + Sync>)
                }
            }
        })
    }
}
