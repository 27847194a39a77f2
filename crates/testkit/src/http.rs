//! A small HTTP/1.1 server on localhost for tests, whose answers can be wrong in every way a network can.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// What follows the `?`, or nothing.
    pub query: String,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body, taken out of its chunks.
    pub body: Vec<u8>,
    /// Whether the connection is closed before the rest of the body.
    pub cut: bool,
}

/// What the server answers.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers besides `Content-Length` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How the transfer ends.
    pub ending: Ending,
}

/// How a transfer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Well.
    Complete,
    /// The connection closes after so many bytes of the body.
    CutAfter(usize),
    /// Nothing more comes after so many bytes of the body, until the client gives up.
    StallAfter(usize),
    /// Well, in pieces of so many bytes with a pause before each.
    Slow(usize, Duration),
}

impl Response {
    /// An answer with nothing but its status.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), ending: Ending::Complete }
    }

    /// `200 OK` with a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A server that answers until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stopped: Arc<AtomicBool>,
}

/// A larger request is no test's.
const MAX_BODY: u64 = 1 << 30;

impl Server {
    /// Starts a server on a free port of localhost; every request is answered by `handler`, on a thread of its own.
    ///
    /// # Panics
    /// When no port can be opened.
    pub fn start(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::start_cutting(handler, |_| None)
    }

    /// As [`Self::start`]; where `limit`, which sees a request without its body, says so, only that many bytes of the
    /// body are read. The handler sees these, and the connection closes without an answer.
    ///
    /// # Panics
    /// When no port can be opened.
    pub fn start_cutting(
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
        limit: impl Fn(&Request) -> Option<u64> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on localhost");
        let address = listener.local_addr().expect("the port's number");
        let (requests, stopped) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let server = Self { address, requests: requests.clone(), stopped: stopped.clone() };
        let handler: Arc<Handler> = Arc::new(handler);
        let limit: Arc<Limit> = Arc::new(limit);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (handler, limit, requests) = (handler.clone(), limit.clone(), requests.clone());
                thread::spawn(move || serve(stream, &*handler, &*limit, &requests));
            }
        });
        server
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it has been stopped.
        drop(TcpStream::connect(self.address));
    }
}

type Handler = dyn Fn(&Request) -> Response + Send + Sync;
type Limit = dyn Fn(&Request) -> Option<u64> + Send + Sync;

/// Answers requests until the client closes; errors are the client's going away.
fn serve(stream: TcpStream, handler: &Handler, limit: &Limit, requests: &Mutex<Vec<Request>>) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut reader = BufReader::new(copy);
    let mut writer = stream;
    while let Ok(Some(request)) = read_request(&mut reader, &mut writer, limit) {
        requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let mut response = handler(&request);
        let last = request.headers.get("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if last {
            response.headers.push(("Connection".to_owned(), "close".to_owned()));
        }
        if request.cut {
            let _ = writer.shutdown(Shutdown::Both);
            return;
        }
        let written = write_response(&mut writer, &response, request.method == "HEAD");
        if last || written.is_err() || !matches!(response.ending, Ending::Complete | Ending::Slow(..)) {
            if matches!(response.ending, Ending::StallAfter(_)) {
                // Held open until the client has had enough.
                let _ = io::copy(&mut reader, &mut io::sink());
            }
            let _ = writer.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead, writer: &mut impl Write, limit: &Limit) -> io::Result<Option<Request>> {
    let first = read_line(reader)?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next().filter(|word| !word.is_empty()), words.next()) else {
        return Ok(None);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = BTreeMap::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
    }
    if headers.get("expect").is_some_and(|value| value == "100-continue") {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    let mut request = Request { method, path, query, headers, body: Vec::new(), cut: false };
    match limit(&request) {
        Some(limit) => {
            reader.take(limit).read_to_end(&mut request.body)?;
            request.cut = true;
        }
        None => request.body = read_body(reader, &request.headers)?,
    }
    Ok(Some(request))
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.take(64 << 10).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The body by `Content-Length` or in chunks (RFC 9112 sections 6 and 7.1).
fn read_body(reader: &mut impl BufRead, headers: &BTreeMap<String, String>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let line = read_line(reader)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            reader.take(size.min(MAX_BODY)).read_to_end(&mut body)?;
            read_line(reader)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_u64);
    reader.take(length.min(MAX_BODY)).read_to_end(&mut body)?;
    Ok(body)
}

fn write_response(writer: &mut impl Write, response: &Response, head: bool) -> io::Result<()> {
    let Response { status, headers, body, ending } = response;
    let mut text = format!("HTTP/1.1 {status} Test\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    // These have no body, and no length of one (RFC 9110 section 8.6).
    let framed =
        |name: &str| ["content-length", "transfer-encoding"].iter().any(|known| name.eq_ignore_ascii_case(known));
    if !matches!(status, 204 | 304) && !headers.iter().any(|(name, _)| framed(name)) {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    writer.write_all(text.as_bytes())?;
    let length = match ending {
        _ if head => 0,
        Ending::Complete => body.len(),
        Ending::Slow(piece, pause) => {
            for piece in body.chunks((*piece).max(1)) {
                thread::sleep(*pause);
                writer.write_all(piece)?;
            }
            return writer.flush();
        }
        Ending::CutAfter(length) | Ending::StallAfter(length) => *length,
    };
    writer.write_all(body.get(..length).unwrap_or(body))?;
    writer.flush()
}
