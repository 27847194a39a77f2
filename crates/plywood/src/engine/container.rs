//! Containers: run to the end, run at a terminal, or started and left running for a while.

use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::capture::{self, CaptureError};
use super::{Captured, ContainerOptions, Engine, EngineError, EngineKind, PATIENCE};
use crate::interrupt::{Registration, undo_on_interrupt};

/// The exit code that says that the engine failed, not the command (podman-run(1), docker-run(1), "Exit status").
pub(super) const ENGINE_FAILED: i32 = 125;

/// A running container; it is removed when this is dropped or the program is interrupted.
#[derive(Debug)]
pub struct Container<'e> {
    engine: &'e Engine,
    name: ContainerName,
}

/// The name of a container of ours; whatever has it is removed in the end.
#[derive(Debug)]
pub(super) struct ContainerName {
    engine: Engine,
    pub(super) name: String,
    _undo: Registration,
}

impl Engine {
    /// Runs a container to its end, at most for `limit`.
    ///
    /// # Errors
    /// When the engine fails or the time is over; that the command fails is no error.
    pub fn run(&self, options: &ContainerOptions, limit: Duration) -> Result<Captured, EngineError> {
        let operation = format!("run a container of {}", options.image);
        let name = ContainerName::new(self);
        let mut command = self.command();
        command.arg("run").arg(format!("--name={}", name.name)).args(options.arguments());
        let captured = match capture::capture(&mut command, limit) {
            Err(CaptureError::TimedOut(_)) => {
                // The engine's client is gone; the container is not.
                name.remove();
                return Err(self.lost(&operation, CaptureError::TimedOut(limit)));
            }
            other => other.map_err(|error| self.lost(&operation, error))?,
        };
        if captured.code == Some(ENGINE_FAILED) {
            return Err(self.failed(&operation, &captured.stderr));
        }
        Ok(captured)
    }

    /// Runs a container with this program's own standard streams, with a terminal when `tty`; gives its exit code.
    ///
    /// # Errors
    /// When the engine cannot be run; what it has to say it says to the person itself.
    pub fn attach(&self, options: &ContainerOptions, tty: bool) -> Result<i32, EngineError> {
        let mut command = self.command();
        command.stdin(Stdio::inherit()).args(["run", "--interactive"]);
        if tty {
            command.arg("--tty");
        }
        let status = command.args(options.arguments()).status();
        let operation = format!("run a container of {}", options.image);
        let status = status.map_err(|error| self.lost(&operation, CaptureError::Io(error)))?;
        Ok(status.code().unwrap_or(ENGINE_FAILED))
    }

    /// Starts a container and leaves it running.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn start(&self, options: &ContainerOptions) -> Result<Container<'_>, EngineError> {
        let name = ContainerName::new(self);
        let arguments = ["run".into(), "--detach".into(), format!("--name={}", name.name).into()];
        let operation = format!("start a container of {}", options.image);
        self.ask(&operation, arguments.into_iter().chain(options.arguments()))?;
        Ok(Container { engine: self, name })
    }
}

impl Container<'_> {
    /// The port of 127.0.0.1 that leads to one of the container's; `None` when it was not asked for at the start.
    ///
    /// # Errors
    /// When the engine fails, as it does when the container has ended.
    pub fn host_port(&self, port: u16) -> Result<Option<u16>, EngineError> {
        let operation = format!("tell where port {port} leads");
        let answer = self.engine.ask(&operation, ["port", &self.name.name, &format!("{port}/tcp")])?;
        Ok(answer.lines().find_map(|line| line.rsplit_once(':')?.1.trim().parse().ok()))
    }
}

impl ContainerName {
    pub(super) fn new(engine: &Engine) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("plywood-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (for_undo, name_for_undo) = (engine.clone(), name.clone());
        let undo = undo_on_interrupt(move || remove(&for_undo, &name_for_undo));
        Self { engine: engine.clone(), name, _undo: undo }
    }

    pub(super) fn remove(&self) {
        remove(&self.engine, &self.name);
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.name.remove();
    }
}

/// Removes a container, running or not; that it is gone already is as well.
fn remove(engine: &Engine, name: &str) {
    let mut command = engine.command();
    command.args(["rm", "--force", "--volumes"]);
    // Docker kills at once; podman would first wait ten seconds for a program that ignores SIGTERM, as most do as pid 1.
    if engine.kind() == EngineKind::Podman {
        command.args(["--time", "0"]);
    }
    command.arg(name);
    let _ = capture::capture(&mut command, PATIENCE);
}
