//! The peer: mmdebstrap over the same `.deb` files, from a local repository of just these.

use std::error::Error;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
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
    // apt reads it as its own user.
    fs::set_permissions(scratch, fs::Permissions::from_mode(0o755))?;
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
    let packages = fs::read(repository.join("Packages"))?;
    fs::write(repository.join("Release"), release(&packages))?;
    let names = names(&packages);
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

/// mmdebstrap finds the essential packages by the suite, which only a `Release` names.
fn release(packages: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let hash: String = Sha256::digest(packages).iter().map(|byte| format!("{byte:02x}")).collect();
    let size = packages.len();
    format!("Suite: trixie\nCodename: trixie\nArchitectures: amd64 arm64\nSHA256:\n {hash} {size} Packages\n")
}

fn names(packages: &[u8]) -> Vec<String> {
    let index = String::from_utf8_lossy(packages);
    index.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned).collect()
}
