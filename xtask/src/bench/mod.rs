//! `cargo xtask bench`: plywood against the floor, against mmdebstrap and against skopeo, as ratios of one run.
//!
//! Times differ from machine to machine; what is compared is measured on the same machine, one after the other, over
//! the same files. The limits are those the project promises; a figure over its limit makes the run fail.

mod base_image;
mod debian;
mod floor;
mod measure;
mod nix;
mod peer;
mod push;
mod tar_floor;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bench {
    /// Images of Debian packages.
    Debian,
    /// Images of store paths.
    Nix,
    /// Pushing.
    Push,
}

impl Bench {
    /// Everything, in order.
    pub const ALL: [Self; 3] = [Self::Debian, Self::Nix, Self::Push];

    /// By the name on the command line.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "debian" => Some(Self::Debian),
            "nix" => Some(Self::Nix),
            "push" => Some(Self::Push),
            _ => None,
        }
    }
}

/// Runs the measurements that are asked for and prints a table; an error when a limit is missed.
pub fn bench(wanted: &[Bench]) -> Result<(), Box<dyn Error>> {
    let plywood = build_release()?;
    let mut table = Table::default();
    for bench in wanted {
        match bench {
            Bench::Debian => debian::bench(&plywood, &mut table)?,
            Bench::Nix => nix::bench(&plywood, &mut table)?,
            Bench::Push => push::bench(&plywood, &mut table)?,
        }
    }
    if table.missed.is_empty() { Ok(()) } else { Err(format!("over the limit: {}", table.missed.join(", ")).into()) }
}

/// What was measured, against its limits.
#[derive(Default)]
struct Table {
    missed: Vec<String>,
}

impl Table {
    fn at_most(&mut self, what: &str, value: f64, unit: &str, limit: f64) {
        self.line(what, value, unit, &format!("at most {limit}"), value <= limit);
    }

    fn at_least(&mut self, what: &str, value: f64, unit: &str, limit: f64) {
        self.line(what, value, unit, &format!("at least {limit}"), value >= limit);
    }

    fn line(&mut self, what: &str, value: f64, unit: &str, bound: &str, good: bool) {
        println!("{what:<44} {value:>8.2} {unit:<4} ({bound}) {}", if good { "ok" } else { "MISSED" });
        if !good {
            self.missed.push(what.to_owned());
        }
    }
}

fn build_release() -> Result<PathBuf, Box<dyn Error>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--package", "plywood-cli"]);
    expect_success(cargo)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(fs::canonicalize(target.join("release/plywood"))?)
}

/// A program of the test kit. It may have plywood in it, so it is built only where it is needed.
fn testkit(program: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--package", "plywood-testkit", "--bin", program]);
    if program == "nixpkgs" {
        cargo.args(["--features", "plywood"]);
    }
    cargo
}

fn expect_success(mut command: Command) -> Result<(), Box<dyn Error>> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed: {status}").into()) }
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != ".plywood" {
                copy_folder(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
