//! An HTTP proxy on localhost that leads everything to one server, whatever host was asked for.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use data_encoding::BASE64;

/// A longer head is no test's, in lines.
const MAX_LINES: usize = 200;

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct TestProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
}

impl TestProxy {
    /// Starts a proxy that leads to a port of this machine. `login` is who may use it, as user and password; everybody when
    /// `None`.
    ///
    /// # Panics
    /// When no port can be opened.
    pub fn start(to: u16, login: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on localhost");
        let address = listener.local_addr().expect("the port's number");
        let (asked, stopped) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let proxy = Self { address, asked: asked.clone(), stopped: stopped.clone() };
        let pass =
            login.map(|(user, password)| format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes())));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (asked, pass) = (asked.clone(), pass.clone());
                thread::spawn(move || lead(stream, to, pass.as_deref(), &asked));
            }
        });
        proxy
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// What it was asked so far: `GET http://host/path` or `CONNECT host:port`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is to end.
        let _ = TcpStream::connect(self.address);
    }
}

fn lead(client: TcpStream, to: u16, pass: Option<&str>, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut client = client;
    let mut lines = Vec::new();
    while lines.len() < MAX_LINES {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let Some((first, headers)) = lines.split_first() else { return Ok(()) };
    let words: Vec<&str> = first.split(' ').collect();
    let [method, target, _] = words[..] else { return Ok(()) };
    let shown = headers.iter().filter_map(|line| line.split_once(": "));
    let shown =
        shown.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization")).map(|(_, value)| value).next();
    if pass.is_some() && shown != pass {
        let refusal = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes());
    }
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {target}"));
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 Go\r\n\r\n")?;
    } else {
        let path = target.strip_prefix("http://").and_then(|rest| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        let left_out = ["proxy-authorization", "connection", "proxy-connection"];
        for line in headers {
            let name = line.split(':').next().unwrap_or_default();
            if !left_out.iter().any(|one| name.eq_ignore_ascii_case(one)) {
                head += &format!("{line}\r\n");
            }
        }
        // One request each, so that the next one is seen as well.
        server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    }
    let (mut back, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || {
        let _ = io::copy(&mut back, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let _ = io::copy(&mut reader, &mut server);
    let _ = server.shutdown(Shutdown::Write);
    let _ = answers.join();
    Ok(())
}
