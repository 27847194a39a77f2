//! Podman and Docker: finding one, filling its store, running containers. Knows nothing of how images are made.

mod capture;
mod container;
mod error;
mod load;
mod over;
mod run;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use capture::Captured;
pub use container::Container;
pub use error::{Complaint, EngineError};
pub use over::{OverFiles, PROGRAM};
pub use run::{ContainerOptions, Mount, ParseMountError};

/// How long an engine may take for anything but running a command; loading a large image on a slow disk takes minutes.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A program that runs containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Podman: no daemon, no root.
    Podman,
    /// Docker.
    Docker,
}

/// The text names no engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no engine plywood knows; there are `podman` and `docker`")]
pub struct ParseEngineError(String);

impl EngineKind {
    /// In the order of preference.
    pub const ALL: [EngineKind; 2] = [EngineKind::Podman, EngineKind::Docker];

    /// The program's name.
    pub const fn program(self) -> &'static str {
        match self {
            EngineKind::Podman => "podman",
            EngineKind::Docker => "docker",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

impl FromStr for EngineKind {
    type Err = ParseEngineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = EngineKind::ALL.into_iter().find(|kind| kind.program() == text);
        known.ok_or_else(|| ParseEngineError(text.to_owned()))
    }
}

/// An engine that is installed here.
#[derive(Debug, Clone)]
pub struct Engine {
    kind: EngineKind,
    program: PathBuf,
}

impl Engine {
    /// The wanted engine, or the first of [`EngineKind::ALL`] that is on `PATH`.
    ///
    /// # Errors
    /// [`EngineError::Missing`].
    pub fn find(wanted: Option<EngineKind>) -> Result<Self, EngineError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let candidates = EngineKind::ALL.into_iter().filter(|kind| wanted.is_none_or(|wanted| wanted == *kind));
        let mut found = candidates.filter_map(|kind| Some(Self { kind, program: find_on(&path, kind.program())? }));
        found.next().ok_or(EngineError::Missing { wanted })
    }

    /// The engine at a known place.
    pub fn at(kind: EngineKind, program: impl Into<PathBuf>) -> Self {
        Self { kind, program: program.into() }
    }

    /// Which one it is.
    pub fn kind(&self) -> EngineKind {
        self.kind
    }

    /// The program's path.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What the engine says its version is; asks its daemon too, so that an answer means that it works.
    ///
    /// # Errors
    /// When it cannot be started or does not work.
    pub fn version(&self) -> Result<String, EngineError> {
        let format = match self.kind {
            EngineKind::Podman => "{{.Version.Version}}",
            EngineKind::Docker => "{{.ServerVersion}}",
        };
        Ok(self.ask("say what it is", ["info", "--format", format])?.trim().to_owned())
    }

    /// Runs the engine with `arguments` and gives what it prints; `operation` completes "podman cannot …".
    fn ask<A: AsRef<OsStr>>(
        &self,
        operation: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String, EngineError> {
        let mut command = self.command();
        command.args(arguments);
        self.ask_with(operation, &mut command)
    }

    /// [`Engine::ask`] with a command that is more than arguments.
    fn ask_with(&self, operation: &str, command: &mut Command) -> Result<String, EngineError> {
        let captured = capture::capture(command, PATIENCE).map_err(|error| self.lost(operation, error))?;
        if captured.code != Some(0) {
            return Err(self.failed(operation, &captured.stderr));
        }
        Ok(String::from_utf8_lossy(&captured.stdout).into_owned())
    }

    /// The engine's program, with nothing on its standard input.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.stdin(Stdio::null());
        command
    }

    fn failed(&self, operation: &str, stderr: &[u8]) -> EngineError {
        EngineError::Failed { engine: self.kind, operation: operation.to_owned(), source: Complaint::of(stderr) }
    }

    fn lost(&self, operation: &str, error: capture::CaptureError) -> EngineError {
        let (engine, operation) = (self.kind, operation.to_owned());
        match error {
            capture::CaptureError::Io(source) => EngineError::Start { engine, operation, source },
            capture::CaptureError::TimedOut(limit) => EngineError::TimedOut { engine, operation, limit },
        }
    }
}

/// The first executable file of this name in the folders of `path`.
fn find_on(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_read_as_they_are_written() {
        for kind in EngineKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("nerdctl".parse::<EngineKind>(), Err(ParseEngineError("nerdctl".to_owned())));
    }

    #[test]
    fn nothing_is_found_on_an_empty_path() {
        assert_eq!(find_on(OsStr::new(""), "no-such-engine"), None);
    }
}
