//! What goes wrong on demand.

use std::time::Duration;

use crate::http::{Ending, Request, Response};

/// What goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryFault {
    /// This status, and this body.
    Status(u16, String),
    /// This status with `Retry-After`.
    RetryAfter(u16, String),
    /// The answer's body ends after so many bytes.
    Truncate(usize),
    /// Nothing more comes after so many bytes of the answer.
    Stall(usize),
    /// The answer comes in pieces of so many bytes with a pause before each.
    Slow(usize, Duration),
    /// As many bytes as there should be, but others.
    WrongBytes,
    /// `Range` is ignored: the whole comes.
    IgnoreRange,
    /// The answer names another digest.
    WrongDigest,
    /// The answer has no headers beyond those of HTTP.
    NoHeaders,
    /// The client is sent to this address.
    Redirect(String),
    /// The answer's `Location` leads to this address instead.
    Location(String),
    /// Every token that was given out before is good no more.
    ExpireTokens,
    /// The connection closes after so many bytes of the request's body, which are kept.
    CutUpload(u64),
}

#[derive(Debug)]
struct Planned {
    method: String,
    part: String,
    fault: RegistryFault,
    always: bool,
}

/// What is to go wrong.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Planned>);

impl Faults {
    pub(super) fn add(&mut self, method: &str, part: &str, fault: RegistryFault, always: bool) {
        self.0.push(Planned { method: method.to_owned(), part: part.to_owned(), fault, always });
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// What goes wrong with a request, if it is not the request itself that is cut.
    pub(super) fn next(&mut self, request: &Request) -> Option<RegistryFault> {
        self.take(request, |fault| !matches!(fault, RegistryFault::CutUpload(_)))
    }

    pub(super) fn cut_upload(&mut self, request: &Request) -> Option<u64> {
        match self.take(request, |fault| matches!(fault, RegistryFault::CutUpload(_)))? {
            RegistryFault::CutUpload(after) => Some(after),
            _ => None,
        }
    }

    fn take(&mut self, request: &Request, which: impl Fn(&RegistryFault) -> bool) -> Option<RegistryFault> {
        let fits = |planned: &Planned| {
            planned.method == request.method && request.path.contains(&planned.part) && which(&planned.fault)
        };
        let at = self.0.iter().position(fits)?;
        if self.0.get(at).is_some_and(|planned| planned.always) {
            return self.0.get(at).map(|planned| planned.fault.clone());
        }
        Some(self.0.remove(at).fault)
    }
}

impl RegistryFault {
    /// The answer in place of any other.
    pub(super) fn instead(&self) -> Option<Response> {
        match self {
            Self::Status(status, body) => {
                Some(Response { body: body.clone().into_bytes(), ..Response::status(*status) })
            }
            Self::RetryAfter(status, wait) => Some(Response::status(*status).header("Retry-After", wait.clone())),
            Self::Redirect(to) => Some(Response::status(307).header("Location", to.clone())),
            _ => None,
        }
    }

    /// Spoils an answer.
    pub(super) fn spoil(&self, response: &mut Response) {
        match self {
            Self::Truncate(after) => response.ending = Ending::CutAfter(*after),
            Self::Stall(after) => response.ending = Ending::StallAfter(*after),
            Self::Slow(piece, pause) => response.ending = Ending::Slow(*piece, *pause),
            Self::WrongBytes => response.body.iter_mut().for_each(|byte| *byte = !*byte),
            Self::WrongDigest => {
                response.headers.retain(|(name, _)| name != "Docker-Content-Digest");
                let wrong = plywood_core::digest::Digest::of(b"wrong");
                response.headers.push(("Docker-Content-Digest".to_owned(), wrong.to_string()));
            }
            Self::NoHeaders => response.headers.clear(),
            Self::Location(to) => {
                response.headers.retain(|(name, _)| name != "Location");
                response.headers.push(("Location".to_owned(), to.clone()));
            }
            _ => {}
        }
    }
}
