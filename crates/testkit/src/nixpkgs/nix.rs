//! Calling Nix.

use std::ffi::OsStr;
use std::process::Command;

use super::Result;

/// Nix as root in a container: no build group, no sandbox, and nobody to ask for what is built already.
pub(super) const OPTIONS: [&str; 9] =
    ["--option", "sandbox", "false", "--option", "build-users-group", "", "--option", "substitute", "false"];

/// `nix` with flakes, as the package set needs it.
pub fn nix() -> Command {
    let mut command = Command::new("nix");
    command.args(["--extra-experimental-features", "nix-command flakes"]).args(OPTIONS);
    command
}

/// The lines that a command prints.
///
/// # Errors
/// When it cannot be run or fails, with what it said.
pub(super) fn lines(command: &mut Command) -> Result<Vec<String>> {
    let (stdout, _) = run(command)?;
    Ok(stdout.lines().map(str::to_owned).collect())
}

/// The derivations that must be built before these are; fixed-output ones, of which the store has no output, included.
///
/// # Errors
/// As [`lines`].
pub(super) fn missing(derivations: &[&str]) -> Result<Vec<String>> {
    let (_, stderr) = run(Command::new("nix-store").args(OPTIONS).args(["--realise", "--dry-run"]).args(derivations))?;
    let listed = stderr.lines().map(str::trim).filter(|line| line.starts_with("/nix/store/") && line.ends_with(".drv"));
    Ok(listed.map(str::to_owned).collect())
}

fn run(command: &mut Command) -> Result<(String, String)> {
    let name = command.get_program().to_owned();
    let words: Vec<_> = command.get_args().filter_map(OsStr::to_str).take(24).collect();
    let call = format!("{} {}", name.display(), words.join(" "));
    let output = command.output().map_err(|error| format!("cannot run {call}: {error}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("{call} failed ({}):\n{stderr}", output.status).into());
    }
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), stderr))
}
