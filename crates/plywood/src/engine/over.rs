//! A program run over files that are no image yet, and the files as it left them.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::capture;
use super::container::{ContainerName, ENGINE_FAILED};
use super::{Captured, Engine, EngineError};

/// A program to run over files.
#[derive(Debug, Clone, Copy)]
pub struct OverFiles<'p> {
    /// The program on this machine; the container sees it at [`PROGRAM`].
    pub program: &'p Path,
    /// What `/bin/sh` does in the container, with `args` as its arguments.
    pub command: &'p str,
    /// The arguments.
    pub args: &'p [&'p str],
    /// The environment.
    pub env: &'p [(String, String)],
    /// How long it may take.
    pub limit: Duration,
}

/// Where a container sees the program of [`OverFiles`].
pub const PROGRAM: &str = "/plywood-program";

impl Engine {
    /// Runs a program over the files of a tar stream, as root and without a network. What it left goes to `after`, as a
    /// tar stream, together with the few files that engines make in every container.
    ///
    /// # Errors
    /// When the engine fails or the time is over; that the program fails is no error.
    pub fn run_over(&self, files: File, program: &OverFiles<'_>, after: &Path) -> Result<Captured, EngineError> {
        let image = self.import(files)?;
        let ran = self.run_kept(&image, program, after);
        // The image was only a way in. That it cannot be removed costs space, not the result.
        let _ = self.ask("remove an image", ["rmi", "--force", &image]);
        ran
    }

    fn import(&self, files: File) -> Result<String, EngineError> {
        let mut command = self.command();
        command.args(["import", "-"]).stdin(Stdio::from(files));
        let answer = self.ask_with("take files over as an image", &mut command)?;
        Ok(answer.lines().last().unwrap_or_default().trim().to_owned())
    }

    fn run_kept(&self, image: &str, program: &OverFiles<'_>, after: &Path) -> Result<Captured, EngineError> {
        let operation = "run a script in a container";
        let name = ContainerName::new(self);
        let mut command = self.command();
        command.args(["run", "--pull=never", "--network=none", "--user=0:0", "--workdir=/", "--entrypoint=/bin/sh"]);
        command.arg(format!("--name={}", name.name));
        command.args(program.env.iter().map(|(name, value)| format!("--env={name}={value}")));
        let source = program.program.display();
        command.arg(format!("--mount=type=bind,source={source},target={PROGRAM},readonly"));
        command.args([image, "-c", program.command, "sh"]).args(program.args);
        let ran = capture::capture(&mut command, program.limit).map_err(|error| self.lost(operation, error));
        let kept = ran.and_then(|captured| match captured.code {
            Some(ENGINE_FAILED) => Err(self.failed(operation, &captured.stderr)),
            _ => {
                let after = after.to_string_lossy();
                self.ask("give back the files of a container", ["export", "--output", &after, &name.name])?;
                Ok(captured)
            }
        });
        name.remove();
        kept
    }
}
