//! `cargo xtask bench`: plywood against the floor and against mmdebstrap, as ratios of one run.
//!
//! Times differ from machine to machine; what is compared is measured on the same machine, one after the other, over
//! the same `.deb` files. The limits are those the project promises; a figure over its limit makes the run fail.

mod floor;
mod measure;
mod peer;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use measure::{Measured, run};

const IMAGE: &str = "devcontainer-base";

/// The most that a build from downloaded packages may take, as a multiple of the floor.
const MAX_OVER_FLOOR: f64 = 1.4;
/// How many times faster than mmdebstrap it must be.
const MIN_UNDER_PEER: f64 = 4.5;
/// The longest that a build may take when nothing changed, in seconds.
const MAX_UNCHANGED: f64 = 0.3;
/// The most memory that a build may hold, in MiB.
const MAX_MEMORY: f64 = 400.0;

/// Runs every measurement and prints a table; an error when a limit is missed.
pub fn bench() -> Result<(), Box<dyn Error>> {
    let plywood = build_release()?;
    let scratch = tempfile::tempdir()?;
    let workspace = scratch.path().join("infra");
    copy_folder(Path::new("infra"), &workspace)?;

    eprintln!("downloading the packages of {IMAGE} …");
    let first = scratch.path().join("cache-first");
    expect_success(plywood_build(&plywood, &workspace, &first))?;
    let packages = packages_of(&workspace, &plywood, &first)?;

    eprintln!("measuring …");
    let floor = floor::measure(&packages, scratch.path())?;
    let second = scratch.path().join("cache-second");
    copy_folder(&first.join("debian"), &second.join("debian"))?;
    let cold = run(plywood_build(&plywood, &workspace, &second))?;
    let unchanged = run(plywood_build(&plywood, &workspace, &second))?;
    let peer = peer::measure(&packages, scratch.path())?;

    report(&floor, &cold, &unchanged, peer.as_ref())
}

fn report(
    floor: &floor::Floor,
    cold: &Measured,
    unchanged: &Measured,
    peer: Option<&Measured>,
) -> Result<(), Box<dyn Error>> {
    println!("floor: xz decoding {:.2} s, zstd -3 -T2 {:.2} s", floor.decode, floor.compress);
    let mut missed = Vec::new();
    let mut line = |what: &str, value: f64, unit: &str, limit: f64, at_most: bool| {
        let good = if at_most { value <= limit } else { value >= limit };
        let bound = if at_most { "at most" } else { "at least" };
        println!("{what:<44} {value:>8.2} {unit:<4} ({bound} {limit}) {}", if good { "ok" } else { "MISSED" });
        if !good {
            missed.push(what.to_owned());
        }
    };
    line("empty cache, against the floor", cold.seconds / floor.seconds(), "x", MAX_OVER_FLOOR, true);
    match peer {
        Some(peer) => {
            line("empty cache, faster than mmdebstrap", peer.seconds / cold.seconds, "x", MIN_UNDER_PEER, false)
        }
        None => println!("mmdebstrap is not installed: not compared"),
    }
    line("nothing changed", unchanged.seconds, "s", MAX_UNCHANGED, true);
    line("peak memory, empty cache", cold.peak_mib, "MiB", MAX_MEMORY, true);
    if missed.is_empty() { Ok(()) } else { Err(format!("over the limit: {}", missed.join(", ")).into()) }
}

fn build_release() -> Result<PathBuf, Box<dyn Error>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--package", "plywood-cli"]);
    expect_success(cargo)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(fs::canonicalize(target.join("release/plywood"))?)
}

fn plywood_build(plywood: &Path, workspace: &Path, cache: &Path) -> Command {
    let mut command = Command::new(plywood);
    command.arg("--cache-dir").arg(cache).arg("-C").arg(workspace).args(["-q", "build", IMAGE]);
    command
}

/// The `.deb` files in the cache: the lock of the copied workspace has no others.
fn packages_of(_: &Path, _: &Path, cache: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut packages = Vec::new();
    for entry in fs::read_dir(cache.join("debian/debs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            packages.push(path);
        }
    }
    packages.sort();
    Ok(packages)
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
