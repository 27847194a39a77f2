//! The package set of `tests/nixpkgs`, which stands in for nixpkgs where no Nix cache can be reached: made ready, built,
//! and copied to a signed binary cache.
//!
//! What the set is made of is fetched on demand, by the hashes in its lock, and added to the Nix store of this machine as
//! what its derivations expect; Nix itself needs no network. Only root can do this, as there is no build group here.

mod about;
mod fetch;
mod folder;
mod nix;
mod renew;
mod sources;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use plywood::workspace::Workspace;

pub use nix::nix;

/// Any failure, with the sentence that a person needs.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The system that derivations are built on, whatever they are for.
pub const BUILD_SYSTEM: &str = "x86_64-linux";
/// The systems that the set has packages for.
pub const SYSTEMS: [&str; 2] = ["aarch64-linux", "x86_64-linux"];
/// The tools that a test of the set requires, for [`crate::require()`]; it also needs root.
pub const TOOLS: [&str; 5] = ["nix", "nix-store", "dpkg-deb", "npm", "pip3"];

/// The package set, ready to be evaluated.
#[derive(Debug)]
pub struct Nixpkgs {
    workspace: Workspace,
    sources: sources::Sources,
}

/// Something that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]

struct Evaluated {
    drv: String,
    out: PathBuf,
}

/// Makes the set ready: a copy of `tests/nixpkgs` outside of any Git repository, whose Debian packages are all at hand,
/// with what its first tools are made of in the store.
///
/// A package that is gone from Debian's mirrors is replaced by what the archive has now, in another copy, and said so.
///
/// # Errors
/// When the folder cannot be copied, or the sources can neither be fetched nor replaced.
pub fn prepare() -> Result<Nixpkgs> {
    prepare_images(&folder::source(), &["packages"])
}

/// As [`prepare`], of another folder: an altered copy of `tests/nixpkgs`.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_from(folder: &Path) -> Result<Nixpkgs> {
    prepare_images(&Utf8PathBuf::try_from(folder.to_owned())?, &["packages"])
}

/// As [`prepare`], with the hundreds of packages that only `benchClosure` is made of.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with_bench() -> Result<Nixpkgs> {
    prepare_images(&folder::source(), &["packages", "bench"])
}

/// Locks Debian's packages of `tests/nixpkgs` anew, in place: every package at its newest version.
///
/// # Errors
/// When they cannot be resolved.
pub fn update_lock() -> Result<()> {
    renew::relock(&Workspace::new(folder::source(), folder::cache()?), plywood::lock::Upgrade::Everything)
}

fn prepare_images(source: &Utf8Path, images: &[&str]) -> Result<Nixpkgs> {
    let cache = folder::cache()?;
    let mut set = Nixpkgs::open(folder::copy(source, &cache.join("nixpkgs"))?, cache)?;
    if let Some(renewed) = renew::renew_gone(&set.workspace, images)? {
        set = Nixpkgs::open(renewed, set.workspace.cache().to_owned())?;
    }
    set.fetch_for(BUILD_SYSTEM, &["stdenv"])?;
    Ok(set)
}

impl Nixpkgs {
    fn open(folder: Utf8PathBuf, cache: Utf8PathBuf) -> Result<Self> {
        let workspace = Workspace::new(folder, cache);
        Ok(Self { sources: sources::Sources::read(&workspace)?, workspace })
    }

    /// The folder with `flake.nix`; in no Git repository.
    pub fn folder(&self) -> &Path {
        self.workspace.directory().as_std_path()
    }

    /// The flake, as inputs name it.
    pub fn url(&self) -> String {
        format!("path:{}", self.workspace.directory())
    }

    /// Builds attributes for a system; returns their outputs in the same order.
    ///
    /// # Errors
    /// When something cannot be evaluated, fetched or built.
    pub fn build(&self, system: &str, attributes: &[&str]) -> Result<Vec<PathBuf>> {
        self.realise(self.evaluate(system, attributes)?)
    }

    /// Builds what an expression gives for the set `pkgs` of a system: a list of packages, such as
    /// `[ (pkgs.python312.withPackages (p: [ p.requests ])) ]`.
    ///
    /// # Errors
    /// As [`Nixpkgs::build`].
    pub fn build_expression(&self, system: &str, expression: &str) -> Result<Vec<PathBuf>> {
        self.realise(self.apply(&format!("{}#legacyPackages.{system}", self.url()), &format!("pkgs: {expression}"))?)
    }

    /// Builds an output of another flake that has the set as an input, such as `path:/some/folder#devShells.x86_64-linux.python`.
    ///
    /// # Errors
    /// As [`Nixpkgs::build`].
    pub fn build_installable(&self, installable: &str) -> Result<PathBuf> {
        let built = self.realise(self.apply(installable, "package: [ package ]")?)?;
        Ok(built.into_iter().next().ok_or("nothing was built")?)
    }

    /// Adds to the store whatever building these attributes needs, and builds nothing.
    ///
    /// # Errors
    /// When something cannot be evaluated or fetched.
    pub fn fetch_for(&self, system: &str, attributes: &[&str]) -> Result<()> {
        let evaluated = self.evaluate(system, attributes)?;
        self.add_missing(&nix::missing(&evaluated.iter().map(|one| one.drv.as_str()).collect::<Vec<_>>())?)
    }

    /// Copies store paths with their closures to a binary cache in `folder`, signed by a fresh key of this name; returns
    /// the public key, as `trusted-public-keys` has it.
    ///
    /// # Errors
    /// When Nix cannot make the key or write the cache.
    pub fn cache(&self, paths: &[PathBuf], folder: &Path, key_name: &str) -> Result<String> {
        let keys = tempfile::tempdir()?;
        let (secret, public) = (keys.path().join("secret"), keys.path().join("public"));
        let mut generate = Command::new("nix-store");
        nix::lines(generate.args(["--generate-binary-cache-key", key_name]).args([&secret, &public]))?;
        let target = format!("file://{}?compression=zstd&secret-key={}", folder.display(), secret.display());
        nix::lines(nix().args(["copy", "--to", &target]).args(paths))?;
        Ok(std::fs::read_to_string(&public)?.trim().to_owned())
    }

    fn evaluate(&self, system: &str, attributes: &[&str]) -> Result<Vec<Evaluated>> {
        let names: Vec<String> = attributes.iter().map(|name| format!("{name:?}")).collect();
        let function = format!(
            "pkgs: map (name: pkgs.lib.getAttrFromPath (pkgs.lib.splitString \".\" name) pkgs) [ {} ]",
            names.join(" ")
        );
        self.apply(&format!("{}#legacyPackages.{system}", self.url()), &function)
    }

    /// What `function` makes of an installable: a list of packages.
    fn apply(&self, installable: &str, function: &str) -> Result<Vec<Evaluated>> {
        let function =
            format!("value: map (package: {{ drv = package.drvPath; out = package.outPath; }}) (({function}) value)");
        let lines = nix::lines(nix().args(["eval", "--json", installable, "--apply", &function]))?;
        Ok(serde_json::from_str(&lines.concat())?)
    }

    fn realise(&self, packages: Vec<Evaluated>) -> Result<Vec<PathBuf>> {
        let derivations: Vec<&str> = packages.iter().map(|package| package.drv.as_str()).collect();
        self.add_missing(&nix::missing(&derivations)?)?;
        nix::lines(Command::new("nix-store").args(nix::OPTIONS).arg("--realise").args(derivations))?;
        Ok(packages.into_iter().map(|package| package.out).collect())
    }
}
