//! A real bootstrap: mmdebstrap's tar, and the packages it was made of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names a folder in which bootstraps are kept between runs; without it each run makes its own.
const KEEP: &str = "PLYWOOD_TEST_ORACLE";

/// What mmdebstrap leaves in a folder.
pub(crate) struct Bootstrap {
    /// The system's tar.
    pub tar: PathBuf,
    /// The packages, below this folder.
    pub debs: PathBuf,
    /// Removes the folder at the end, unless it is kept.
    _folder: Option<tempfile::TempDir>,
}

/// Bootstraps `suite` with `packages`; `None` when that fails, which the caller reports.
pub(crate) fn bootstrap(suite: &str, packages: &str) -> Option<Bootstrap> {
    let kept = std::env::var_os(KEEP).map(PathBuf::from);
    let own = kept.is_none().then(|| tempfile::tempdir().expect("a temporary folder"));
    let folder = kept.unwrap_or_else(|| own.as_ref().expect("one of both").path().to_owned()).join(suite);
    let (tar, debs) = (folder.join("system.tar"), folder.join("debs"));
    if !tar.exists() {
        fs::create_dir_all(&debs).expect("a folder for the packages");
        run(suite, packages, &tar, &debs)?;
    }
    Some(Bootstrap { tar, debs, _folder: own })
}

fn run(suite: &str, packages: &str, tar: &Path, debs: &Path) -> Option<()> {
    // mmdebstrap drops the essential packages once they are extracted, so there are two moments to copy.
    let copy = |hook: &str, to: &str| format!("--{hook}-hook=copy-out /var/cache/apt/archives {}/{to}", debs.display());
    for folder in ["essential", "rest"] {
        fs::create_dir_all(debs.join(folder)).ok()?;
    }
    let hooks = [copy("extract", "essential"), copy("customize", "rest")];
    let status = Command::new("mmdebstrap")
        .args(["--variant=minbase", "--skip=cleanup/apt", &format!("--include={packages}")])
        .args(hooks)
        .arg(suite)
        .arg(tar)
        .env("SOURCE_DATE_EPOCH", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    status.success().then_some(())
}

/// Every `.deb` below a folder, in order of names.
pub(crate) fn packages_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "deb") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
