//! Images of store paths: a closure of hundreds of paths from the local store.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::measure::{highest, median, run};
use super::tar_floor::Floor;
use super::{Table, testkit};

/// What is built: a path of the package set for tests that needs hundreds of others.
const CLOSURE: &str = "benchClosure";
/// The least that it must have to be worth measuring: paths, and bytes in a tar.
const MIN_PATHS: usize = 400;
const MIN_BYTES: usize = 500_000_000;

/// How often floor and plywood take turns.
const REPETITIONS: usize = 5;
/// The most that a build from the local store may take, as a multiple of the floor.
const MAX_OVER_FLOOR: f64 = 1.5;
/// The longest that a build may take when nothing changed, in seconds.
const MAX_UNCHANGED: f64 = 0.3;
/// The most memory that a build may hold, in MiB.
const MAX_MEMORY: f64 = 300.0;

pub(super) fn bench(plywood: &Path, table: &mut Table) -> Result<(), Box<dyn Error>> {
    if Command::new("nix-store").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("Nix is not installed: images of store paths are not measured");
        return Ok(());
    }
    eprintln!("building {CLOSURE} …");
    let root = build()?;
    let paths = closure(&root)?;
    let scratch = tempfile::tempdir()?;

    // Once before, so that neither side has to wait for the disk.
    let mut floor = Floor::new(paths);
    floor.measure()?;
    if floor.paths() < MIN_PATHS || floor.bytes() < MIN_BYTES {
        return Err(format!("{CLOSURE} has {} paths and {} bytes: too little", floor.paths(), floor.bytes()).into());
    }
    println!("{} store paths, {:.0} MB as a tar", floor.paths(), floor.bytes() as f64 / 1e6);
    let (mut ratios, mut unchanged, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..REPETITIONS {
        let workspace = scratch.path().join(turn.to_string());
        fs::create_dir(&workspace)?;
        let steps = floor.measure()?;
        let cold = run(plywood_build(plywood, &workspace, &root))?;
        let again = run(plywood_build(plywood, &workspace, &root))?;
        println!("floor {steps}; plywood {:.2} s, then {:.3} s", cold.seconds, again.seconds);
        ratios.push(cold.seconds / steps.seconds());
        peaks.push(cold.peak_mib);
        unchanged.push(again.seconds);
        fs::remove_dir_all(workspace)?;
    }
    table.at_most("closure, empty cache, against the floor", median(ratios), "x", MAX_OVER_FLOOR);
    table.at_most("closure, nothing changed", median(unchanged), "s", MAX_UNCHANGED);
    table.at_most("closure, peak memory, empty cache", highest(peaks), "MiB", MAX_MEMORY);
    Ok(())
}

/// An image of the closure, in a folder that also has the cache; no temporary folder is to be had, and no binary cache.
fn plywood_build(plywood: &Path, workspace: &Path, root: &Path) -> Command {
    let mut command = Command::new(plywood);
    command.arg("--cache-dir").arg(workspace.join("cache")).arg("-C").arg(workspace);
    command.args(["-q", "build", "--name", "bench", "--store-path"]).arg(root);
    command.env("PLYWOOD_NIX_SUBSTITUTERS", "").env("TMPDIR", workspace.join("none"));
    command
}

/// Builds the closure with Nix, as `cargo xtask nixpkgs` does.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let lines = lines(testkit("nixpkgs").args(["--", CLOSURE]))?;
    Ok(lines.last().ok_or("nothing was built")?.into())
}

fn closure(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    lines(Command::new("nix-store").arg("-qR").arg(root))
}

fn lines(command: &mut Command) -> Result<Vec<String>, Box<dyn Error>> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}
