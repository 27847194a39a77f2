//! Where the package set lies: in plywood's ordinary cache, so that what is large is fetched once for all work trees.

use std::fs;
use std::io;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;

use super::Result;

/// plywood's cache, as the command line finds it.
///
/// # Errors
/// Without a home.
pub(super) fn cache() -> Result<Utf8PathBuf> {
    let folder = |name: &str| std::env::var(name).ok().map(Utf8PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("PLYWOOD_CACHE_DIR")
        .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("plywood")))
        .or_else(|| Some(folder("HOME")?.join(".cache/plywood")));
    Ok(cache.ok_or("no cache folder: HOME is not set")?)
}

/// The set as it is committed.
pub(super) fn source() -> Utf8PathBuf {
    Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/nixpkgs"))
}

/// Copies the files below `source` to a folder in `into` that is named by what they hold; returns it.
///
/// Times are those of store paths, so that flake locks do not depend on the copy.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn copy(source: &Utf8Path, into: &Utf8Path) -> Result<Utf8PathBuf> {
    let files = read(source)?;
    let text: Vec<u8> = files
        .iter()
        .flat_map(|(path, bytes)| [path.as_str().as_bytes(), Digest::of(bytes).to_hex().as_bytes()].concat())
        .collect();
    let name: String = Digest::of(&text).to_hex().chars().take(16).collect();
    let target = into.join("set").join(name);
    if !target.join("flake.nix").exists() {
        write(&files, &target).map_err(|error| format!("cannot write {target}: {error}"))?;
    }
    Ok(target)
}

/// Copies the files below `source` into the folder `target`.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn copy_to(source: &Utf8Path, target: &Utf8Path) -> Result<()> {
    Ok(write_files(&read(source)?, target.as_std_path()).map_err(|error| format!("cannot write {target}: {error}"))?)
}

fn read(source: &Utf8Path) -> Result<Vec<(Utf8PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    collect(source, Utf8Path::new(""), &mut files).map_err(|error| format!("cannot read {source}: {error}"))?;
    files.sort();
    Ok(files)
}

fn collect(root: &Utf8Path, at: &Utf8Path, files: &mut Vec<(Utf8PathBuf, Vec<u8>)>) -> io::Result<()> {
    for entry in root.join(at).read_dir_utf8()? {
        let entry = entry?;
        let path = at.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push((path, fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// Whole or not at all: written beside and renamed.
fn write(files: &[(Utf8PathBuf, Vec<u8>)], target: &Utf8Path) -> io::Result<()> {
    let parent = target.parent().unwrap_or(target);
    fs::create_dir_all(parent)?;
    let temporary = tempfile::tempdir_in(parent)?;
    write_files(files, temporary.path())?;
    settle_times(temporary.path())?;
    match fs::rename(temporary.path(), target) {
        // Another process was faster.
        Err(_) if target.exists() => Ok(()),
        other => other,
    }
}

/// The time of every file and folder: one second after the epoch.
fn settle_times(path: &std::path::Path) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            settle_times(&entry?.path())?;
        }
    }
    fs::File::open(path)?.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1))
}

fn write_files(files: &[(Utf8PathBuf, Vec<u8>)], folder: &std::path::Path) -> io::Result<()> {
    for (path, bytes) in files {
        let path = folder.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}
