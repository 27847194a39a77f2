//! What is gone from Debian's mirrors is resolved again, in a copy.

use std::fs;

use camino::Utf8PathBuf;
use plywood::debian::{DebRef, FetchError};
use plywood::events::Silent;
use plywood::lock::{LockOptions, Upgrade, deb_ref, lock};
use plywood::workspace::{LOCK_NAME, Workspace};
use plywood_core::platform::Platform;

use super::about::ABOUT_NAME;
use super::sources::REGISTRY_NAME;
use super::{Result, about, fetch, folder};

/// Fetches the packages of `images` for every platform. Where some are gone, locks others; returns the copy with that lock.
pub(super) fn renew_gone(workspace: &Workspace, images: &[&str]) -> Result<Option<Utf8PathBuf>> {
    let Some(gone) = gone(workspace, images)? else { return Ok(None) };
    say(&format!("gone from Debian's mirrors, resolved again in a copy: {}", gone.join(", ")));
    let home = workspace.cache().join("nixpkgs");
    let temporary = tempfile::tempdir_in(&home)?;
    let directory = Utf8PathBuf::try_from(temporary.path().to_owned())?;
    folder::copy_to(workspace.directory(), &directory)?;
    let copy = Workspace::new(directory.clone(), workspace.cache());
    relock(&copy, Upgrade::Packages(gone))?;
    Ok(Some(folder::copy(&directory, &home)?))
}

/// Locks the Debian packages of the set in `workspace` and writes down what they depend on.
pub(super) fn relock(workspace: &Workspace, upgrade: Upgrade) -> Result<()> {
    lock(&LockOptions { upgrade, ..LockOptions::default() }, workspace, &Silent)?;
    fs::write(workspace.directory().join(ABOUT_NAME), about::about(workspace)?)?;
    pin_busybox(workspace)
}

/// Writes the hash of the locked busybox to where the set's first derivation reads it.
fn pin_busybox(workspace: &Workspace) -> Result<()> {
    let hash = fetch::busybox_hash(workspace)?;
    let path = workspace.directory().join(REGISTRY_NAME);
    let text = fs::read_to_string(&path)?;
    let pinned =
        |line: &str| if line.starts_with("busybox = ") { format!("busybox = \"{hash}\"") } else { line.to_owned() };
    let lines: Vec<String> = text.lines().map(pinned).collect();
    fs::write(&path, lines.join("\n") + "\n")?;
    Ok(())
}

/// The names of packages that no mirror has.
fn gone(workspace: &Workspace, images: &[&str]) -> Result<Option<Vec<String>>> {
    let (lock, _) = workspace.lock()?.ok_or_else(|| format!("tests/nixpkgs has no {LOCK_NAME}"))?;
    let mut wanted: Vec<(String, DebRef)> = Vec::new();
    for platform in Platform::ALL {
        let packages = images.iter().filter_map(|image| lock.packages_of(image, platform)).flatten();
        for package in packages.filter_map(|(_, package)| package) {
            wanted.push((package.name.to_string(), deb_ref(package, platform, lock.date, None)));
        }
    }
    wanted.sort_by(|(_, a), (_, b)| a.path.cmp(&b.path));
    wanted.dedup_by(|(_, a), (_, b)| a.path == b.path);
    let debs: Vec<DebRef> = wanted.iter().map(|(_, deb)| deb.clone()).collect();
    let error = match fetch::download(workspace, &debs) {
        Ok(_) => return Ok(None),
        Err(error) => error,
    };
    match error.downcast_ref::<FetchError>() {
        Some(FetchError::Gone(gone)) => {
            Ok(Some(gone.iter().filter_map(|deb| wanted.get(deb.index)).map(|(name, _)| name.clone()).collect()))
        }
        _ => Err(error),
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs tests must know that they do not run with what is committed")]
fn say(text: &str) {
    eprintln!("nixpkgs: {text}");
}
