//! Images of Debian packages.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measure::{highest, median, run};
use super::{Table, copy_folder, floor, peer};

const IMAGE: &str = "devcontainer-base";

/// How often the floor, plywood and mmdebstrap take turns.
const REPETITIONS: usize = 3;

/// The most that a build from downloaded packages may take, as a multiple of the floor.
const MAX_OVER_FLOOR: f64 = 1.4;
/// How many times faster than mmdebstrap it must be.
const MIN_UNDER_PEER: f64 = 4.5;
/// The longest that a build may take when nothing changed, in seconds.
const MAX_UNCHANGED: f64 = 0.3;
/// The most memory that a build may hold, in MiB.
const MAX_MEMORY: f64 = 400.0;

pub(super) fn bench(plywood: &Path, table: &mut Table) -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let workspace = scratch.path().join("infra");
    copy_folder(Path::new("infra"), &workspace)?;

    eprintln!("downloading the packages of {IMAGE} …");
    let first = scratch.path().join("cache-first");
    run(plywood_build(plywood, &workspace, &first))?;
    let packages = packages_of(&first)?;

    let (mut over_floor, mut under_peer) = (Vec::new(), Vec::new());
    let (mut unchanged, mut peaks) = (Vec::new(), Vec::new());
    for turn in 0..REPETITIONS {
        let folder = scratch.path().join(turn.to_string());
        fs::create_dir(&folder)?;
        let floor = floor::measure(&packages, &folder)?;
        let cache = folder.join("cache");
        copy_folder(&first.join("debian"), &cache.join("debian"))?;
        let cold = run(plywood_build(plywood, &workspace, &cache))?;
        let again = run(plywood_build(plywood, &workspace, &cache))?;
        let (seconds, decode, compress) = (floor.seconds(), floor.decode, floor.compress);
        print!("floor {seconds:.2} s: xz decoding {decode:.2} s, zstd -3 -T2 {compress:.2} s; ");
        print!("plywood {:.2} s, then {:.3} s", cold.seconds, again.seconds);
        match peer::measure(&packages, &folder)? {
            Some(peer) => {
                println!("; mmdebstrap {:.2} s", peer.seconds);
                under_peer.push(peer.seconds / cold.seconds);
            }
            None => println!("; mmdebstrap is not installed"),
        }
        over_floor.push(cold.seconds / seconds);
        unchanged.push(again.seconds);
        peaks.push(cold.peak_mib);
        fs::remove_dir_all(folder)?;
    }
    table.at_most("packages, empty cache, against the floor", median(over_floor), "x", MAX_OVER_FLOOR);
    if !under_peer.is_empty() {
        table.at_least("packages, faster than mmdebstrap", median(under_peer), "x", MIN_UNDER_PEER);
    }
    table.at_most("packages, nothing changed", median(unchanged), "s", MAX_UNCHANGED);
    table.at_most("packages, peak memory, empty cache", highest(peaks), "MiB", MAX_MEMORY);
    Ok(())
}

fn plywood_build(plywood: &Path, workspace: &Path, cache: &Path) -> Command {
    let mut command = Command::new(plywood);
    command.arg("--cache-dir").arg(cache).arg("-C").arg(workspace).args(["-q", "build", IMAGE]);
    command
}

/// The `.deb` files in the cache: the lock of the copied workspace has no others.
fn packages_of(cache: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
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
