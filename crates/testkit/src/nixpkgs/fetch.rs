//! From a registry to the Nix store: what a hash names is fetched by the registry's ordinary client and added as the
//! output that a fixed-output derivation expects.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use plywood::debian::DebRef;
use plywood::events::Silent;
use plywood::lock::open_archive;
use plywood::workspace::Workspace;

use super::sources::{Source, Sources, Wheel};
use super::{Nixpkgs, Result, nix};

impl Nixpkgs {
    /// Adds to the store those of `derivations` that are files of the set.
    pub(super) fn add_missing(&self, derivations: &[String]) -> Result<()> {
        let wanted: Vec<(&str, &Source)> =
            derivations.iter().filter_map(|path| self.sources.of_derivation(path)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let folder = self.workspace.cache().join("nixpkgs/files");
        fs::create_dir_all(&folder)?;
        let staging = tempfile::tempdir_in(&folder)?;
        self.stage_debs(&wanted, staging.path())?;
        let npm: Vec<(&str, &str)> = wanted
            .iter()
            .filter_map(|(name, source)| match source {
                Source::Npm { spec } => Some((*name, spec.as_str())),
                _ => None,
            })
            .collect();
        fetch_npm(&npm, &folder)?;
        for (_, source) in &wanted {
            if let Source::Wheel(wheel) = source {
                fetch_wheel(wheel, &folder)?;
            }
        }
        let (mut sha256, mut sha512, mut recursive) = (Vec::new(), Vec::new(), Vec::new());
        for (name, source) in wanted {
            match source {
                Source::Deb(_) => sha256.push(staging.path().join(name)),
                Source::Busybox(_) => recursive.push(staging.path().join(name)),
                Source::Wheel(_) => sha256.push(folder.join(name).into_std_path_buf()),
                Source::Npm { .. } => sha512.push(folder.join(name).into_std_path_buf()),
            }
        }
        add(&["sha256"], &sha256)?;
        add(&["sha512"], &sha512)?;
        add(&["--recursive", "sha256"], &recursive)?;
        self.demand_valid(derivations)
    }

    /// A file that is not what its hash says was added under another path: nothing would find it.
    fn demand_valid(&self, derivations: &[String]) -> Result<()> {
        let files = derivations.iter().filter(|path| self.sources.of_derivation(path).is_some());
        let outputs = nix::lines(Command::new("nix-store").args(["--query", "--outputs"]).args(files))?;
        let invalid =
            nix::lines(Command::new("nix-store").args(["--check-validity", "--print-invalid"]).args(outputs))?;
        if invalid.is_empty() { Ok(()) } else { Err(format!("not as their hashes say: {}", invalid.join(" ")).into()) }
    }

    /// Brings Debian packages under the names they have in the store.
    fn stage_debs(&self, wanted: &[(&str, &Source)], staging: &Path) -> Result<()> {
        let debs: Vec<(&str, &DebRef, bool)> = wanted
            .iter()
            .filter_map(|(name, source)| match source {
                Source::Deb(deb) => Some((*name, &**deb, false)),
                Source::Busybox(deb) => Some((*name, &**deb, true)),
                _ => None,
            })
            .collect();
        let paths = download(&self.workspace, &debs.iter().map(|(_, deb, _)| (*deb).clone()).collect::<Vec<_>>())?;
        for ((name, _, only_busybox), path) in debs.into_iter().zip(paths) {
            let target = staging.join(name);
            if only_busybox { unpack_busybox(&path, &target)? } else { fs::hard_link(&path, &target)? }
        }
        Ok(())
    }
}

/// Fetches Debian packages into plywood's cache.
pub(super) fn download(workspace: &Workspace, debs: &[DebRef]) -> Result<Vec<Utf8PathBuf>> {
    let manifest = workspace.manifest()?;
    let debian = manifest.resolved().values().find_map(|image| image.debian.as_ref());
    let archive = open_archive(debian.ok_or("no image of tests/nixpkgs has Debian packages")?, workspace, &Silent)?;
    Ok(archive.download(debs, |_, _| ControlFlow::Continue(()))?)
}

/// The hash, in SRI form, of the folder with the locked busybox.
pub(super) fn busybox_hash(workspace: &Workspace) -> Result<String> {
    let sources = Sources::read(workspace)?;
    let deb = sources.busybox().ok_or("busybox-static is not locked")?;
    let temporary = tempfile::tempdir()?;
    let target = temporary.path().join("busybox");
    for path in download(workspace, std::slice::from_ref(deb))? {
        unpack_busybox(&path, &target)?;
    }
    Ok(nix::lines(nix::nix().args(["hash", "path", "--type", "sha256", "--sri"]).arg(&target))?.concat())
}

fn unpack_busybox(deb: &Utf8Path, target: &Path) -> Result<()> {
    let output = Command::new("dpkg-deb").args(["--fsys-tarfile", deb.as_str()]).output()?;
    let mut archive = tar::Archive::new(&output.stdout[..]);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.ends_with("bin/busybox") && entry.header().entry_type().is_file() {
            // busybox is called by its name, which in the store would begin with a hash.
            fs::create_dir_all(target.join("bin"))?;
            entry.unpack(target.join("bin/busybox"))?;
            return Ok(());
        }
    }
    Err(format!("{deb} holds no busybox").into())
}

/// Fetches tarballs that are not there yet; npm itself verifies what the registry says of them, Nix what the lock says.
fn fetch_npm(wanted: &[(&str, &str)], folder: &Utf8Path) -> Result<()> {
    let missing: Vec<&str> =
        wanted.iter().filter(|(name, _)| !folder.join(name).exists()).map(|(_, spec)| *spec).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let temporary = tempfile::tempdir_in(folder)?;
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(temporary.path()).args(missing);
    nix::lines(pack.current_dir(temporary.path()))?;
    keep(temporary.path(), folder)
}

/// Fetches a wheel that is not there yet, by its hash.
fn fetch_wheel(wheel: &Wheel, folder: &Utf8Path) -> Result<()> {
    if folder.join(&wheel.file).exists() {
        return Ok(());
    }
    let temporary = tempfile::tempdir_in(folder)?;
    let requirements = temporary.path().join("requirements.txt");
    fs::write(&requirements, format!("{}=={} --hash=sha256:{}\n", wheel.name, wheel.version, wheel.sha256))?;
    let downloads = temporary.path().join("downloads");
    let mut pip = Command::new("pip3");
    pip.args([
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--python-version",
        "3.13",
    ]);
    // The last part of a wheel's name lists the platforms it is for.
    let platforms = wheel.file.trim_end_matches(".whl").rsplit('-').next().unwrap_or("any");
    for platform in platforms.split('.') {
        pip.args(["--platform", platform]);
    }
    nix::lines(pip.arg("--dest").arg(&downloads).arg("--requirement").arg(&requirements))?;
    keep(&downloads, folder)
}

/// Moves downloaded files to where they stay, each whole.
fn keep(from: &Path, folder: &Utf8Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::rename(entry.path(), folder.as_std_path().join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Adds files to the store under their names, as outputs with a hash of this kind.
fn add(kind: &[&str], paths: &[PathBuf]) -> Result<()> {
    if paths.is_empty() {
        return Ok(());
    }
    nix::lines(Command::new("nix-store").args(nix::OPTIONS).arg("--add-fixed").args(kind).args(paths))?;
    Ok(())
}
