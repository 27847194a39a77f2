//! Credential helpers (docker-credential-helpers' protocol): programs that keep what files should not.

use std::process::Stdio;
use std::time::Duration;

use plywood_core::oci::distribution::{Credential, Secret, quote};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::{CredentialsError, HelperProblem};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 256 << 10;
/// The user that stands for an identity token.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: Secret,
}

/// Asks a helper for a registry's credentials; `None` when it has none.
pub(super) async fn ask_helper(
    program: &str,
    registry: &str,
    patience: Duration,
) -> Result<Option<Credential>, CredentialsError> {
    // Docker keeps those of its own registry under the URL of an API that is long gone.
    let server = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
    let failed = |problem| CredentialsError::Helper { program: program.to_owned(), problem };
    let work = tokio::time::timeout(patience, run(program, server));
    let (succeeded, stdout) = match work.await {
        Err(_) => return Err(failed(HelperProblem::Slow(patience.as_secs()))),
        Ok(Err(source)) => return Err(CredentialsError::HelperStart { program: program.to_owned(), source }),
        Ok(Ok(output)) => output,
    };
    if !succeeded {
        let message = quote(&String::from_utf8_lossy(&stdout), 200);
        // The protocol's way of saying so, by this very text.
        let absent = message.contains("credentials not found");
        return if absent { Ok(None) } else { Err(failed(HelperProblem::Failed(message))) };
    }
    let answer: Answer = serde_json::from_slice(&stdout).map_err(|_| failed(HelperProblem::Answer))?;
    let Answer { username, secret } = answer;
    let fits = |text: &str| !text.chars().any(char::is_control);
    if secret.is_empty() {
        return Ok(None);
    }
    if !fits(&username) || !fits(secret.expose()) {
        return Err(failed(HelperProblem::Answer));
    }
    let basic = |user| Credential::Basic { user, password: secret.clone() };
    Ok(Some(if username == TOKEN_USER { Credential::Identity(secret) } else { basic(username) }))
}

/// Whether it succeeded, and what it printed. When this is given up, the program ends too.
async fn run(program: &str, server: &str) -> std::io::Result<(bool, Vec<u8>)> {
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that wants to hear nothing has closed it.
        let _ = stdin.write_all(server.as_bytes()).await;
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    }
    Ok((child.wait().await?.success(), answer))
}
