//! Asking Nix: what the sets and shells of a manifest are, as the workspace's flake evaluates them.
//!
//! Nix runs on this machine or in a container of our own base image ([`NixChoice`]). It sees a copy of the workspace, in pure mode: no registry, no
//! channel, no `NIX_PATH`, and no cache that only a flake names. Plywood reads stores itself; Nix evaluates, and realises
//! what is asked for on its own platform.

mod command;
mod container;
mod environment;
mod error;
mod fault;
mod files;
mod nearest;
mod snapshot;
mod values;
mod version;

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::FileHash;
use plywood_core::lockfile::LockedFlake;
use plywood_core::manifest::Manifest;
use plywood_core::nix::{Derivation, StorePath};
use plywood_core::platform::Platform;

pub(in crate::nix) use container::store_root;
pub(crate) use environment::parse as parse_environment;
pub use error::EvalError;
pub(crate) use fault::Subject;
pub(crate) use files::files_hash;
pub(crate) use values::{Root, Values};

use crate::Error;
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;
use command::Nix;
use snapshot::Snapshot;

/// Where Nix runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NixChoice {
    /// On this machine if it has a Nix that is new enough, else in a container.
    #[default]
    Auto,
    /// On this machine.
    Host,
    /// In a container of plywood's own base image.
    Container,
}

/// How Nix is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvalOptions {
    /// Where Nix runs.
    pub nix: NixChoice,
    /// Inputs of the flake that others stand in for, by name: a path or URL, as Nix's `--override-input` takes it.
    pub override_inputs: BTreeMap<String, String>,
}

/// A Nix that evaluates the flake of a workspace.
#[derive(Debug)]
pub(crate) struct Evaluator<'e> {
    nix: Nix<'e>,
    snapshot: Snapshot,
    overrides: Vec<String>,
    flake: LockedFlake,
}

/// Nix's name of a platform.
pub(crate) fn system(platform: Platform) -> &'static str {
    match platform {
        Platform::LinuxAmd64 => "x86_64-linux",
        Platform::LinuxArm64 => "aarch64-linux",
    }
}

impl<'e> Evaluator<'e> {
    /// Finds a Nix and locks the flake's inputs, where `flake.lock` lacks any: it is written then, beside `flake.nix`.
    ///
    /// # Errors
    /// When there is no Nix that can be used, no flake, or an input that cannot be had.
    pub(crate) fn open(
        options: &EvalOptions,
        manifest: &Manifest,
        workspace: &Workspace,
        events: &'e dyn Events,
    ) -> Result<Self, Error> {
        let folder = flake_folder(manifest, workspace);
        if !folder.join("flake.nix").is_file() {
            return Err(EvalError::NoFlake { folder }.into());
        }
        let snapshot = Snapshot::take(manifest, workspace, events)?;
        let nix = Nix::find(options.nix, manifest, workspace, &snapshot, events)?;
        let overrides = options.override_inputs.iter();
        let overrides = overrides.flat_map(|(input, by)| ["--override-input".to_owned(), input.clone(), absolute(by)]);
        let flake = LockedFlake {
            files: files_hash(snapshot.folder(), &snapshot.flake_folder()),
            override_inputs: options.override_inputs.clone(),
            ..LockedFlake::default()
        };
        let mut evaluator = Self { nix, snapshot, overrides: overrides.collect(), flake };
        let locked = evaluator.lock_inputs(&folder)?;
        evaluator.flake.flake_lock = FileHash::of(&locked);
        Ok(evaluator)
    }

    /// What is evaluated. There may be no `flake.lock`, because every input is overridden.
    pub(crate) fn flake(&self) -> &LockedFlake {
        &self.flake
    }

    /// Adds to `flake.lock` what it lacks, and gives what is in it. Inputs that are overridden leave it as it is.
    fn lock_inputs(&self, folder: &Utf8PathBuf) -> Result<Vec<u8>, Error> {
        let written = self.snapshot.flake_folder().join("flake.lock");
        let read = || fs::read(&written).unwrap_or_default();
        if !self.overrides.is_empty() {
            return Ok(read());
        }
        let before = read();
        let _task = Task::start(self.nix.events, "Locking the inputs of the flake", None, Unit::Items);
        let locked = self.nix.run(&["nix", "flake", "lock", &self.nix.flake()]);
        locked.map_err(|error| EvalError::Inputs(Box::new(error)))?;
        let after = read();
        if before != after {
            let path = folder.join("flake.lock");
            fs::write(&path, &after).map_err(|source| Error::Write { path, source })?;
        }
        Ok(after)
    }

    /// What sets and shells are on a platform.
    ///
    /// # Errors
    /// When the flake cannot be evaluated: the fault is looked for where it is.
    pub(crate) fn values(&self, platform: Platform, manifest: &Manifest) -> Result<Values, EvalError> {
        let _task = Task::start(self.nix.events, format!("Asking Nix for {platform}"), None, Unit::Items);
        match self.attribute(platform, "values", &[]) {
            Ok(json) => Values::parse(&json),
            Err(error @ EvalError::NoInput { .. }) => Err(error),
            Err(error) => Err(fault::explain(self, platform, manifest, error)),
        }
    }

    /// An attribute of what the flake says for plywood on a platform, as JSON.
    fn attribute(&self, platform: Platform, attribute: &str, more: &[&str]) -> Result<Vec<u8>, EvalError> {
        let installable = format!("{}#lib.plywood.{}.{attribute}", self.nix.flake(), system(platform));
        let mut arguments = vec!["nix", "eval", "--json", "--no-write-lock-file", &installable];
        arguments.extend(more);
        arguments.extend(self.overrides.iter().map(String::as_str));
        self.nix.run(&arguments)
    }

    /// Makes sure that outputs of derivations are in Nix's store, from substituters or built.
    ///
    /// # Errors
    /// When one cannot be had.
    pub(crate) fn realise(&self, wanted: &[(StorePath, String)]) -> Result<(), EvalError> {
        let installables: Vec<String> =
            wanted.iter().map(|(derivation, output)| format!("{}!{output}", derivation.absolute())).collect();
        self.realise_all(&installables).map_err(|source| EvalError::Realise(Box::new(source)))
    }

    /// Makes sure that a path is in Nix's store, from substituters alone.
    ///
    /// # Errors
    /// When no substituter has it.
    pub(crate) fn substitute(&self, path: &StorePath) -> Result<(), EvalError> {
        let failed = |source| EvalError::NotSubstitutable { path: path.clone(), source: Box::new(source) };
        self.realise_all(&[path.absolute()]).map_err(failed)
    }

    /// The paths that a path in Nix's store refers to.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn references(&self, path: &StorePath) -> Result<Vec<StorePath>, EvalError> {
        let printed = self.nix.run(&["nix-store", "--query", "--references", &path.absolute()])?;
        let printed = String::from_utf8_lossy(&printed);
        Ok(printed.lines().filter_map(|line| StorePath::from_absolute(line.trim()).ok()).collect())
    }

    fn realise_all(&self, installables: &[String]) -> Result<(), EvalError> {
        if installables.is_empty() {
            return Ok(());
        }
        let _task = Task::start(self.nix.events, "Getting store paths with Nix", None, Unit::Items);
        let mut arguments = vec!["nix-store", "--realise"];
        arguments.extend(installables.iter().map(String::as_str));
        // Those named first are not those at fault, which Nix names itself.
        self.nix.run_as("nix-store --realise", &arguments).map(drop)
    }

    /// A derivation in Nix's store; `None` when it is not there.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(crate) fn derivation(&self, path: &StorePath) -> Result<Option<Derivation>, EvalError> {
        let Some(bytes) = self.nix.read(path, Derivation::MAX_LEN as u64)? else { return Ok(None) };
        Derivation::parse(&bytes).map(Some).map_err(|source| EvalError::Derivation { path: path.clone(), source })
    }

    /// The file at a path in Nix's store.
    ///
    /// # Errors
    /// When it is not there, no file, or too large.
    pub(crate) fn file(&self, path: &StorePath) -> Result<Vec<u8>, EvalError> {
        /// The largest exported environment.
        const MAX_LEN: u64 = 4 << 20;
        self.nix.read(path, MAX_LEN)?.ok_or_else(|| EvalError::Gone { path: path.clone() })
    }
}

/// A flake that stands in for an input, with the full path of a folder: Nix may run elsewhere.
fn absolute(flake: &str) -> String {
    let (kind, path) = flake.strip_prefix("path:").map_or(("", flake), |path| ("path:", path));
    let is_relative = path.starts_with("./") || path.starts_with("../") || matches!(path, "." | "..");
    if !is_relative && (kind.is_empty() || path.starts_with('/')) {
        return flake.to_owned();
    }
    let (folder, rest) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
    match Utf8Path::new(folder).canonicalize_utf8() {
        Ok(folder) => format!("{kind}{folder}{rest}"),
        // Nix says better what is wrong with it.
        Err(_) => flake.to_owned(),
    }
}

/// The folder of `flake.nix`.
pub(crate) fn flake_folder(manifest: &Manifest, workspace: &Workspace) -> Utf8PathBuf {
    let folder = manifest.nix().and_then(|nix| nix.flake.as_ref()).map_or(".", |folder| folder.as_str());
    if folder == "." { workspace.directory().to_owned() } else { workspace.directory().join(folder) }
}
