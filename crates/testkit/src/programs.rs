//! Programs of this machine, to be put into images that need no archive.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::require::find_tool;

/// Copies a program of this machine into `root/usr/bin`, with the libraries that it needs where Debian has them. Ask for
/// the program and `ldd` with [`crate::require()`] before.
///
/// # Panics
/// When the program is not there or cannot be copied.
pub fn copy_program(name: &str, root: &Path) {
    let program = find_tool(name).expect("a program");
    let listed = Command::new("ldd").arg(&program).output().expect("ldd runs").stdout;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
    let mut files: Vec<(PathBuf, String)> = libraries.map(|library| (library.into(), library.to_owned())).collect();
    files.push((program, format!("/usr/bin/{name}")));
    for (from, to) in files {
        let below = to.trim_start_matches("/usr").trim_start_matches('/');
        let target = root.join("usr").join(below);
        fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        fs::copy(&from, target).expect("copied");
    }
}
