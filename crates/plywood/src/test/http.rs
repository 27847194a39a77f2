//! Whether a container answers a request as a test expects.

use std::time::{Duration, Instant};

use plywood_core::manifest::model::HttpRequest;

use super::expectation::missing;

/// Between two attempts: a service needs a while to start.
const PAUSE: Duration = Duration::from_millis(200);
/// More of an answer is not read, in bytes.
const MAX_BODY: usize = 1 << 20;

/// What does not hold after `limit` at the latest; a service that is not ready yet is asked again.
pub(super) fn failures(request: &HttpRequest, host_port: u16, limit: Duration) -> Vec<String> {
    let start = Instant::now();
    let attempts = async {
        let client = match reqwest::Client::builder().no_proxy().timeout(limit).build() {
            Ok(client) => client,
            Err(error) => return vec![format!("no request could be made: {error}")],
        };
        loop {
            let failures = ask(&client, request, host_port).await;
            if failures.is_empty() || start.elapsed() + PAUSE >= limit {
                return failures;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(attempts),
        Err(error) => vec![format!("no request could be made: {error}")],
    }
}

/// One attempt.
async fn ask(client: &reqwest::Client, request: &HttpRequest, host_port: u16) -> Vec<String> {
    let url = format!("http://127.0.0.1:{host_port}{}", request.path());
    let mut answer = match client.get(&url).send().await {
        Ok(answer) => answer,
        Err(error) => return vec![format!("GET {} of port {}: {}", request.path(), request.port, root_cause(&error))],
    };
    let mut failures = Vec::new();
    if answer.status().as_u16() != request.status() {
        failures.push(format!("the answer has status {} instead of {}", answer.status().as_u16(), request.status()));
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_BODY {
            break;
        }
    }
    missing("the answer", request.body_contains.as_ref(), &String::from_utf8_lossy(&body), &mut failures);
    failures
}

/// The innermost cause: the outer ones only repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use plywood_core::manifest::Manifest;

    use super::*;

    fn request(text: &str) -> HttpRequest {
        let text = format!(
            "[workspace]\nname = \"x\"\n[debian]\nsuite = \"trixie\"\n[images.a]\n[[images.a.tests]]\nhttp = {{ {text} }}\n"
        );
        let manifest = Manifest::parse(&text).expect("a valid manifest");
        manifest.resolve("a").expect("the image").tests[0].http.clone().expect("a request").value
    }

    /// Answers each of so many connections with one of these, in turn.
    fn serve(answers: &'static [&'static str]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let mut question = [0; 1024];
                let _ = stream.read(&mut question);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        port
    }

    const READY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nready";
    const STARTING: &str = "HTTP/1.1 503 Wait\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    #[test]
    fn a_service_may_take_its_time() {
        let request = request("port = 80, path = \"/health\", body-contains = \"ready\"");
        let port = serve(&[STARTING, "", READY]);
        assert_eq!(failures(&request, port, Duration::from_secs(20)), [""; 0]);
    }

    #[test]
    fn a_wrong_answer_is_told() {
        let port = serve(&[READY, READY, READY]);
        let found = failures(&request("port = 80, status = 204"), port, Duration::from_millis(300));
        assert_eq!(found, ["the answer has status 200 instead of 204"]);
    }
}
