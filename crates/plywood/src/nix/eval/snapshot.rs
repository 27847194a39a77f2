//! The copy of a workspace that Nix sees: what version control would have, and what was not added to it yet.

use std::fs::{self, File};
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{Walk, WalkBuilder};
use plywood_core::manifest::Manifest;

use super::EvalError;
use super::error::NixComplaint;
use crate::Error;
use crate::events::{Event, Events};
use crate::interrupt::{Registration, undo_on_interrupt};
use crate::workspace::{MANIFEST_NAME, OUTPUT_NAME, Workspace};

/// Above this many bytes a person should know that Nix copies all of them into its store.
const LARGE: u64 = 64 << 20;

/// What leads Git to another tree than that of its folder (git(1), "The Git Repository").
pub(super) const GIT_PLACES: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// What the folders of copies begin with.
const PREFIX: &str = "flake-";

/// A copy of a workspace; it is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Snapshot {
    temporary: tempfile::TempDir,
    folder: Utf8PathBuf,
    flake: String,
    _lock: File,
    _undo: Registration,
}

impl Snapshot {
    /// Copies a workspace but for what `.gitignore` names, `.git`, and what builds leave.
    ///
    /// A flake of a Git tree would miss files that nobody has added yet, and a folder as it is would bring gigabytes of
    /// built images. Times are those of store paths, so that the same files are the same flake.
    pub(super) fn take(manifest: &Manifest, workspace: &Workspace, events: &dyn Events) -> Result<Self, Error> {
        let failed = |path: &Utf8Path, source| EvalError::Copy { path: path.to_owned(), source };
        fs::create_dir_all(workspace.cache()).map_err(|source| failed(workspace.cache(), source))?;
        // Links on the way to a flake are errors to some versions of Nix.
        let cache = workspace.cache().canonicalize_utf8().map_err(|source| failed(workspace.cache(), source))?;
        let (temporary, lock) = folder_in(&cache).map_err(|source| failed(&cache, source))?;
        let folder = Utf8PathBuf::try_from(temporary.path().to_owned())
            .map_err(|error| failed(&cache, io::Error::other(error)))?;
        let doomed = folder.clone();
        let undo = undo_on_interrupt(move || drop(fs::remove_dir_all(doomed)));
        let size = copy(workspace.directory(), &folder).map_err(|(path, source)| failed(&path, source))?;
        if size > LARGE {
            let megabytes = size / 1_000_000;
            events.emit(Event::Warning(format!(
                "the workspace has {megabytes} MB, all of which Nix copies; name in .gitignore what no flake needs"
            )));
        }
        let flake = manifest.nix().and_then(|nix| nix.flake.as_ref()).map_or(".", |flake| flake.as_str()).to_owned();
        if flake != "." {
            add_to_git(&folder)?;
        }
        Ok(Self { temporary, folder, flake, _lock: lock, _undo: undo })
    }

    /// Where the copy is.
    pub(super) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// The flake's folder in it, relative; `.` for the copy itself.
    pub(super) fn flake_path(&self) -> &str {
        &self.flake
    }

    /// The flake's folder in it.
    pub(super) fn flake_folder(&self) -> Utf8PathBuf {
        if self.flake == "." { self.folder.clone() } else { self.folder.join(&self.flake) }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // Folders of the workspace may have been made read-only; that is no reason to leave the copy behind.
        let _ = fs::remove_dir_all(self.temporary.path());
    }
}

/// A new folder in the cache that is locked while it is used; those that nobody has locked were left by processes that died.
fn folder_in(cache: &Utf8Path) -> io::Result<(tempfile::TempDir, File)> {
    for entry in fs::read_dir(cache)?.filter_map(Result::ok) {
        let left_over = || File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok());
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && left_over() {
            // A failure means that another was faster.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    loop {
        let temporary = tempfile::Builder::new().prefix(PREFIX).tempdir_in(cache)?;
        let Ok(lock) = File::open(temporary.path()) else { continue };
        lock.lock()?;
        // Between its making and its locking another may have taken it for a dead process's.
        if temporary.path().exists() {
            return Ok((temporary, lock));
        }
    }
}

/// Makes the copy a Git tree: of those alone Nix takes a flake out of a folder below and leaves it the rest, from 2.8 on.
fn add_to_git(folder: &Utf8Path) -> Result<(), EvalError> {
    for arguments in [&["init", "--quiet", "--template="][..], &["add", "--all", "--force", "."][..]] {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(["-c", "core.autocrlf=false", "-c", "advice.addEmbeddedRepo=false"]);
        // Set where a hook of Git runs plywood.
        for variable in GIT_PLACES {
            command.env_remove(variable);
        }
        let failed = |source| EvalError::Start { program: "git".to_owned(), source };
        let output = command.args(arguments).stdin(Stdio::null()).output().map_err(failed)?;
        if !output.status.success() {
            let operation = format!("git {}", arguments.join(" "));
            let source = NixComplaint::of(&String::from_utf8_lossy(&output.stderr));
            return Err(EvalError::Failed { operation, status: output.status, source });
        }
    }
    Ok(())
}

/// Everything below a folder but for what `.gitignore` names, `.git`, and what builds leave.
pub(super) fn walk(folder: &Utf8Path) -> Walk {
    let mut walk = WalkBuilder::new(folder);
    walk.hidden(false).ignore(false).git_global(false).git_exclude(false).require_git(false).follow_links(false);
    walk.filter_entry(|entry| {
        entry.depth() == 0 || ![".git", OUTPUT_NAME].iter().any(|name| entry.file_name() == *name)
    });
    walk.build()
}

/// Copies what counts; gives how many bytes that is.
fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<u64, (Utf8PathBuf, io::Error)> {
    let failed = |error: ignore::Error| (from.to_owned(), io::Error::other(error));
    let mut size = 0;
    let mut folders = Vec::new();
    for entry in walk(from) {
        let entry = entry.map_err(failed)?;
        let path = Utf8Path::from_path(entry.path());
        let path = path.ok_or_else(|| (from.to_owned(), io::Error::other("a name is no UTF-8")))?;
        let relative = path.strip_prefix(from).unwrap_or(path);
        let target = if relative == "" { to.to_owned() } else { to.join(relative) };
        let copied = match entry.file_type() {
            Some(kind) if kind.is_dir() => {
                folders.push(target.clone());
                fs::create_dir_all(&target)
            }
            Some(kind) if kind.is_symlink() => {
                fs::read_link(path).and_then(|link| std::os::unix::fs::symlink(link, &target))
            }
            Some(kind) if kind.is_file() => copy_file(path, &target).map(|bytes| size += bytes),
            // Sockets and the like are nothing to a flake.
            _ => Ok(()),
        };
        copied.map_err(|error| (path.to_owned(), error))?;
    }
    // Whatever .gitignore says, these are the flake's.
    let manifest = to.join(MANIFEST_NAME);
    if !manifest.exists() {
        copy_file(&from.join(MANIFEST_NAME), &manifest).map_err(|error| (from.join(MANIFEST_NAME), error))?;
    }
    for folder in folders.iter().rev() {
        File::open(folder).and_then(|folder| age(&folder)).map_err(|error| (folder.clone(), error))?;
    }
    Ok(size)
}

fn copy_file(from: &Utf8Path, to: &Utf8Path) -> io::Result<u64> {
    let size = fs::copy(from, to)?;
    File::options().append(true).open(to).or_else(|_| File::open(to)).and_then(|file| age(&file))?;
    Ok(size)
}

fn age(file: &File) -> io::Result<()> {
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1))
}

/// The flake in the copy at `folder`, as Nix names it. A `path:` cannot lead to a flake below it (Nix 2.8, `path.cc`).
pub(super) fn reference(folder: &Utf8Path, flake: &str) -> String {
    let folder = encoded(folder.as_str());
    match flake {
        "." => format!("path:{folder}"),
        below => format!("git+file://{folder}?dir={}", encoded(below)),
    }
}

/// Percent-encoded but for what a path may have as it is (RFC 3986, "unreserved" and the slash).
fn encoded(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._~-".contains(byte);
    path.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flakes_are_named_as_urls() {
        for (folder, flake, expect) in [
            ("/tmp/a", ".", "path:/tmp/a"),
            ("/tmp/a b", "nix", "git+file:///tmp/a%20b?dir=nix"),
            ("/tmp/é#?", "x y", "git+file:///tmp/%C3%A9%23%3F?dir=x%20y"),
        ] {
            assert_eq!(reference(Utf8Path::new(folder), flake), expect);
        }
    }

    #[test]
    fn what_dead_processes_left_is_removed_and_nothing_else() {
        let cache = tempfile::tempdir().expect("a folder");
        let cache = Utf8Path::from_path(cache.path()).expect("UTF-8");
        for name in ["flake-dead/nix", "flakes", "nix"] {
            fs::create_dir_all(cache.join(name)).expect("made");
        }
        let used = folder_in(cache).expect("a folder");
        let other = folder_in(cache).expect("a folder");
        assert!(!cache.join("flake-dead").exists());
        for path in [used.0.path(), other.0.path(), cache.join("flakes").as_ref(), cache.join("nix").as_ref()] {
            assert!(path.is_dir(), "{}", path.display());
        }
    }

    #[test]
    fn what_no_flake_needs_stays_away() {
        let (from, to) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let path = |folder: &tempfile::TempDir| Utf8PathBuf::try_from(folder.path().to_owned()).expect("UTF-8");
        let (from, to) = (path(&from), path(&to));
        for (name, text) in [
            (".gitignore", "*.log\nplywood.toml\n"),
            ("plywood.toml", ""),
            ("flake.nix", "{ }"),
            ("a.log", ""),
            ("nix/plywood.nix", "{ }"),
            (".envrc", ""),
            (".git/HEAD", ""),
            (".plywood/oci/index.json", ""),
        ] {
            let path = from.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        copy(&from, &to).expect("copied");
        let walk = WalkBuilder::new(&to).standard_filters(false).sort_by_file_name(Ord::cmp).build();
        let files = walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
        let names: Vec<String> =
            files.map(|file| file.path().strip_prefix(&to).expect("below").display().to_string()).collect();
        assert_eq!(names, [".envrc", ".gitignore", "flake.nix", "nix/plywood.nix", "plywood.toml"]);
        let modified = fs::metadata(to.join("nix")).and_then(|data| data.modified()).expect("a time");
        assert_eq!(modified, SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    }
}
