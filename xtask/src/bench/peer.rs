//! The peer: mmdebstrap over the same `.deb` files, from a local repository of just these.

use std::error::Error;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::measure::{Measured, run};

/// `None` where mmdebstrap or dpkg-scanpackages is not installed.
pub(super) fn measure(packages: &[PathBuf], scratch: &Path) -> Result<Option<Measured>, Box<dyn Error>> {
    let there = |tool: &str| Command::new(tool).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !there("mmdebstrap") || !there("dpkg-scanpackages") {
        return Ok(None);
    }
    let repository = scratch.join("repository");
    fs::create_dir(&repository)?;
    for package in packages {
        symlink(package, repository.join(package.file_name().ok_or("a package without a name")?))?;
    }
    let index = File::create(repository.join("Packages"))?;
    let status = Command::new("dpkg-scanpackages")
        .args(["--multiversion", "."])
        .current_dir(&repository)
        .stdout(index)
        .stderr(Stdio::null())
        .status()?;
    if !status.success() {
        return Err("dpkg-scanpackages failed".into());
    }
    let names = names(&repository)?;
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap
        .args(["--quiet", "--variant=minbase", "--mode=root"])
        .arg(format!("--include={}", names.join(",")))
        .arg("trixie")
        .arg(scratch.join("peer.tar"))
        .arg(format!("deb [trusted=yes] copy:{} ./", repository.display()))
        .stderr(Stdio::null());
    run(mmdebstrap).map(Some)
}

fn names(repository: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let index = fs::read_to_string(repository.join("Packages"))?;
    Ok(index.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned).collect())
}
