//! Files served over HTTP, with faults on demand.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

use crate::http::{Ending, Request, Response, Server};

/// What goes wrong with one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The server answers with this status, such as 404 or 500.
    Status(u16),
    /// 429 with `Retry-After` in seconds.
    RetryAfter(u64),
    /// Nothing more comes after so many bytes.
    Stall(usize),
    /// The bytes come one by one, with a pause of this length before each.
    Trickle(Duration),
    /// The connection closes after so many bytes.
    Truncate(usize),
    /// As many bytes as there should be, but others.
    WrongBytes,
    /// A file of another length.
    WrongSize,
    /// More bytes than there should be, in a transfer without `Content-Length`.
    Endless(usize),
    /// The client is sent elsewhere: to this URL, followed by the path.
    Redirect(String),
    /// `Range` is ignored: the whole file comes.
    IgnoreRange,
    /// `Range` is answered with another part of the file.
    WrongRange,
}

/// Serves files by their path, without the leading slash. `ETag`s, conditions and `Range` work.
#[derive(Debug)]
pub struct FileServer {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Arc<[u8]>>,
    /// Faults in order by the end of the path.
    once: BTreeMap<String, VecDeque<Fault>>,
    always: BTreeMap<String, Fault>,
    /// What `Authorization` must be.
    authorization: Option<String>,
}

impl FileServer {
    /// Serves `files`.
    pub fn start(files: BTreeMap<String, Vec<u8>>) -> Self {
        let files = files.into_iter().map(|(path, bytes)| (path, bytes.into())).collect();
        let state = Arc::new(Mutex::new(State { files, ..State::default() }));
        let shared = state.clone();
        Self { server: Server::start(move |request| lock(&shared).answer(request)), state }
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// The paths asked for so far that end like this.
    pub fn count(&self, path_end: &str) -> usize {
        self.requests().iter().filter(|request| request.path.ends_with(path_end)).count()
    }

    /// The next answer for a path that ends like this goes wrong; called again, also the one after it.
    pub fn fail_once(&self, path_end: &str, fault: Fault) {
        lock(&self.state).once.entry(path_end.to_owned()).or_default().push_back(fault);
    }

    /// Every answer for a path that ends like this goes wrong.
    pub fn fail_always(&self, path_end: &str, fault: Fault) {
        lock(&self.state).always.insert(path_end.to_owned(), fault);
    }

    /// From now on only requests with this `Authorization` are answered, others with 401.
    pub fn demand(&self, authorization: &str) {
        lock(&self.state).authorization = Some(authorization.to_owned());
    }

    /// Puts other bytes in a file's place.
    pub fn replace(&self, path: &str, bytes: Vec<u8>) {
        lock(&self.state).files.insert(path.to_owned(), bytes.into());
    }

    /// Takes away every file whose path ends like this.
    pub fn remove(&self, path_end: &str) {
        lock(&self.state).files.retain(|path, _| !path.ends_with(path_end));
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Response {
        if self.authorization.as_ref().is_some_and(|expect| request.headers.get("authorization") != Some(expect)) {
            return Response::status(401);
        }
        let fault = self.next_fault(&request.path);
        let path = request.path.trim_start_matches('/');
        let found = self.files.get(&decoded(path)).cloned();
        match (fault, found) {
            (Some(Fault::Status(status)), _) => Response::status(status),
            (Some(Fault::RetryAfter(seconds)), _) => Response::status(429).header("Retry-After", seconds.to_string()),
            (Some(Fault::Redirect(base)), _) => Response::status(302).header("Location", format!("{base}/{path}")),
            (_, None) => Response::status(404),
            (fault, Some(bytes)) => file(request, &bytes, fault),
        }
    }

    fn next_fault(&mut self, path: &str) -> Option<Fault> {
        let once = self.once.iter_mut().find(|(end, faults)| path.ends_with(*end) && !faults.is_empty());
        if let Some((_, faults)) = once {
            return faults.pop_front();
        }
        self.always.iter().find(|(end, _)| path.ends_with(*end)).map(|(_, fault)| fault.clone())
    }
}

fn file(request: &Request, bytes: &[u8], fault: Option<Fault>) -> Response {
    let etag = format!("\"{}\"", plywood_core::digest::FileHash::of(bytes).to_hex());
    if request.headers.get("if-none-match") == Some(&etag) {
        return Response::status(304);
    }
    let mut from = requested_start(request).filter(|_| fault != Some(Fault::IgnoreRange));
    if from.is_some_and(|from| from >= bytes.len()) {
        return Response::status(416);
    }
    if fault == Some(Fault::WrongRange) {
        from = from.map(|from| from / 2);
    }
    let rest = bytes.get(from.unwrap_or(0)..).unwrap_or_default();
    let mut response = Response::ok(rest).header("ETag", etag);
    if let Some(from) = from {
        response.status = 206;
        response = response.header("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()));
    }
    match fault {
        Some(Fault::Stall(after)) => response.ending = Ending::StallAfter(after),
        Some(Fault::Trickle(pause)) => response.ending = Ending::Slow(1, pause),
        Some(Fault::Truncate(after)) => response.ending = Ending::CutAfter(after),
        Some(Fault::WrongBytes) => response.body.iter_mut().for_each(|byte| *byte = !*byte),
        Some(Fault::WrongSize) => response.body.truncate(rest.len() / 2),
        Some(Fault::Endless(more)) => {
            response.body.extend(std::iter::repeat_n(0, more));
            response.body = chunked(&response.body);
            response = response.header("Transfer-Encoding", "chunked");
        }
        _ => {}
    }
    response
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut chunks = Vec::new();
    for chunk in body.chunks(64 << 10) {
        chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunks.extend_from_slice(chunk);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    chunks
}

/// The start of `Range: bytes=START-`.
fn requested_start(request: &Request) -> Option<usize> {
    request.headers.get("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

/// Takes `%XX` out of a path.
pub(crate) fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let value = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(value.unwrap_or(first));
        rest = if value.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every file below a folder by its path in it, but no link.
///
/// # Panics
/// When something cannot be read.
pub fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder_now) = pending.pop() {
        for entry in std::fs::read_dir(folder_now).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_symlink() {
                continue;
            } else if path.is_dir() {
                pending.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).expect("readable"));
            }
        }
    }
    files
}

/// Writes files by their paths below a folder.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write_below(folder: &Path, files: BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}
