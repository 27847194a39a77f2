//! The version of the workspace, as git tells it.

use std::process::{Command, Stdio};

use camino::Utf8Path;
use plywood_core::attest::Source;

use super::AttestError;

/// The commit of the folder, and whether files in it differ from that; outside of a repository, nothing.
///
/// # Errors
/// When the folder is in a repository and git cannot be run or fails, so that a commit is never left out by mistake.
pub fn source(directory: &Utf8Path, repository: Option<&str>) -> Result<Source, AttestError> {
    let directory = if directory.as_str().is_empty() { Utf8Path::new(".") } else { directory };
    let outside = Source { repository: repository.map(str::to_owned), ..Source::default() };
    let full = directory.canonicalize_utf8().unwrap_or_else(|_| directory.to_owned());
    if !full.ancestors().any(|folder| folder.join(".git").exists()) {
        return Ok(outside);
    }
    let commit = match git(directory, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]) {
        Ok(commit) => commit,
        // A repository without a commit.
        Err(AttestError::Git { message, .. }) if message.is_empty() => return Ok(outside),
        Err(error) => return Err(error),
    };
    let prefix = git(directory, &["rev-parse", "--show-prefix"])?;
    // What is ignored is not looked at; what is not tracked yet may well be in an image.
    let status = git(directory, &["status", "--porcelain", "--untracked-files=normal", "--", "."])?;
    Ok(Source {
        commit: Some(commit),
        directory: prefix.trim_end_matches('/').to_owned(),
        dirty: !status.is_empty(),
        ..outside
    })
}

/// What git prints, without the line feed at its end.
fn git(directory: &Utf8Path, arguments: &[&str]) -> Result<String, AttestError> {
    let failed = |message: String| AttestError::Git { command: arguments.join(" "), message };
    let mut command = Command::new("git");
    // Status must not refresh the index: the workspace may be read-only, or belong to somebody else.
    command.args(["--no-optional-locks", "-C", directory.as_str()]).args(arguments).stdin(Stdio::null());
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
