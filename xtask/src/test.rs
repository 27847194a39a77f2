//! `cargo xtask test`

use std::error::Error;
use std::process::{Command, ExitCode};

use crate::{install, tools};

/// Set for the tests where none may be skipped; `plywood_testkit::require` reads it.
const REQUIRE_ALL: &str = "PLYWOOD_TEST_REQUIRE_ALL";

/// Runs every test of the workspace; with `install` on a machine that has been given all they need.
pub fn test(install: bool, arguments: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    let mut cargo = cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]).args(arguments);
    if install {
        install::install()?;
        cargo.env(REQUIRE_ALL, "1");
    } else {
        let missing: Vec<&str> = tools::missing().iter().map(|tool| tool.program).collect();
        if !missing.is_empty() {
            eprintln!("missing, so that some tests will be skipped: {}", missing.join(", "));
            eprintln!(
                "`cargo xtask tools` says what brings them, `cargo xtask test --install` installs them on Debian"
            );
        }
    }
    finish(&mut cargo)
}

/// Runs the test kit's own program for the package set of `tests/nixpkgs`.
///
/// It has plywood in it, which chores that only start tests should not wait for.
pub fn nixpkgs(arguments: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    let mut cargo = cargo();
    cargo.args(["run", "--quiet", "--package", "plywood-testkit", "--features", "plywood", "--bin", "nixpkgs", "--"]);
    finish(cargo.args(arguments))
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn finish(command: &mut Command) -> Result<ExitCode, Box<dyn Error>> {
    Ok(if command.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
