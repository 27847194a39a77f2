//! The registry that Docker made, as Debian packages it: a real one to test against, on a free port.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Who may enter [`DockerRegistry::start_with_password`].
pub const USER: &str = "anna";
/// The password of [`USER`].
pub const PASSWORD: &str = "sesame";
/// User and password as `htpasswd -B` writes them: bcrypt, of the lowest cost.
const HTPASSWD: &str = "anna:$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW\n";
/// Asked for to see that everything before has been logged.
const MARK: &str = "/v2/plywood-mark";

/// One line of the access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Such as `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The status code.
    pub status: u16,
}

/// A registry that runs until it is dropped.
#[derive(Debug)]
pub struct DockerRegistry {
    child: Child,
    port: u16,
    log: Arc<Log>,
    folder: tempfile::TempDir,
}

#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Lines>,
    grew: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    access: Vec<String>,
    messages: Vec<String>,
    ended: bool,
}

impl DockerRegistry {
    /// Starts a registry that lets everybody in. Ask for `docker-registry` with [`crate::require()`] before.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts a registry that lets only [`USER`] in.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_with_password() -> Self {
        Self::start_with("auth: {htpasswd: {realm: plywood, path: FOLDER/htpasswd}}\n")
    }

    /// Starts a registry with TLS; `certificate` and `key` are in PEM form.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        Self::launch("", Some((certificate, key)), None)
    }

    /// The same for those alone who show a certificate that `authority` signed.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_for_certified(certificate: &str, key: &str, authority: &str) -> Self {
        Self::launch("", Some((certificate, key)), Some(authority))
    }

    fn start_with(extra: &str) -> Self {
        Self::launch(extra, None, None)
    }

    fn launch(extra: &str, tls: Option<(&str, &str)>, authority: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("UTF-8").to_owned();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("htpasswd", HTPASSWD);
        let secure = tls.map(|(certificate, key)| {
            write("cert.pem", certificate);
            write("key.pem", key);
            if let Some(authority) = authority {
                write("clients.pem", authority);
                return ", tls: {certificate: FOLDER/cert.pem, key: FOLDER/key.pem, clientcas: [FOLDER/clients.pem]}";
            }
            ", tls: {certificate: FOLDER/cert.pem, key: FOLDER/key.pem}"
        });
        let config = format!(
            "version: 0.1\n\
             log: {{level: info, accesslog: {{disabled: false}}}}\n\
             storage: {{filesystem: {{rootdirectory: FOLDER/data}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '127.0.0.1:0', secret: plywood{}}}\n{extra}",
            secure.unwrap_or_default()
        );
        write("config.yml", &config.replace("FOLDER", &path));
        let program = crate::require::find_tool("docker-registry").expect("docker-registry on PATH");
        let mut child = Command::new(program)
            .arg("serve")
            .arg(folder.path().join("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry starts");
        let log = Arc::new(Log::default());
        follow(child.stdout.take().expect("piped"), log.clone(), |lines| &mut lines.access);
        follow(child.stderr.take().expect("piped"), log.clone(), |lines| &mut lines.messages);
        let port = log.wait(|lines| lines.messages.iter().find_map(|line| port_of(line)));
        let Some(port) = port else {
            let _ = (child.kill(), child.wait());
            panic!("docker-registry ended: {:?}", log.lock().messages);
        };
        Self { child, port, log, folder }
    }

    /// Host and port, as references name it.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with what it stores, below `docker/registry/v2`.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Every request so far, in the order in which they were answered; of a registry without TLS.
    ///
    /// # Panics
    /// When the registry has ended, or its log is not what it was.
    pub fn requests(&self) -> Vec<Access> {
        // What is asked last is logged last.
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the registry runs");
        let before = self.marks();
        let request = format!("GET {MARK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let _ = stream.read_to_end(&mut Vec::new());
        let all = self.log.wait(|lines| {
            let marks = lines.access.iter().filter(|line| line.contains(MARK)).count();
            (marks > before).then(|| lines.access.clone())
        });
        let all = all.expect("the registry runs");
        all.iter().filter(|line| !line.contains(MARK)).map(|line| parse(line).expect("a line of the log")).collect()
    }

    fn marks(&self) -> usize {
        self.log.lock().access.iter().filter(|line| line.contains(MARK)).count()
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is in the log; `None` when the registry has ended.
    fn wait<T>(&self, find: impl Fn(&Lines) -> Option<T>) -> Option<T> {
        let mut lines = self.lock();
        loop {
            let found = find(&lines);
            if found.is_some() || lines.ended {
                return found;
            }
            lines = self.grew.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn follow(stream: impl Read + Send + 'static, log: Arc<Log>, which: fn(&mut Lines) -> &mut Vec<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            which(&mut log.lock()).push(line);
            log.grew.notify_all();
        }
        log.lock().ended = true;
        log.grew.notify_all();
    });
}

fn port_of(message: &str) -> Option<u16> {
    let (_, after) = message.split_once("listening on 127.0.0.1:")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// A line of Apache's combined format.
fn parse(line: &str) -> Option<Access> {
    let mut parts = line.split('"');
    let request = parts.nth(1)?;
    let status = parts.next()?.split_ascii_whitespace().next()?.parse().ok()?;
    let mut words = request.split(' ');
    Some(Access { method: words.next()?.to_owned(), path: words.next()?.to_owned(), status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_read() {
        let line =
            r#"127.0.0.1 - - [25/Nov/2026:16:00:00 +0000] "HEAD /v2/a/blobs/x?y HTTP/1.1" 404 157 "" "plywood/0.1""#;
        let expect = Access { method: "HEAD".to_owned(), path: "/v2/a/blobs/x?y".to_owned(), status: 404 };
        assert_eq!(parse(line), Some(expect));
        assert_eq!(port_of(r#"time="x" level=info msg="listening on 127.0.0.1:41234""#), Some(41234));
    }
}
