//! A real bootstrap: what mmdebstrap makes of the same suites and packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::archive::Debian;

/// Bootstraps into a tar in `folder`; the error is mmdebstrap's own.
pub(crate) fn bootstrap(debian: &Debian, suite: &str, packages: &[&str], folder: &Path) -> Result<PathBuf, String> {
    let tar = folder.join("system.tar");
    // The variant `apt` would be the same, but that nothing apt needs is marked as automatic there.
    let include = format!("--include=apt,{}", packages.join(","));
    let output = Command::new("mmdebstrap")
        .args(["--variant=essential", "--skip=output/dev", &include])
        .args([suite.as_ref(), tar.as_os_str()])
        .args(&debian.sources)
        .env("SOURCE_DATE_EPOCH", debian.date.to_string())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() { Ok(tar) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
