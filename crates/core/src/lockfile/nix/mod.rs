//! What a lock has of Nix: store paths with their closures, and which of them sets and shells stand for.

mod line;
mod parse;
mod write;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::{Digest, FileHash, NarHash};
use crate::manifest::{SetName, ShellName};
use crate::nix::{ReferenceGraph, StorePath};
use crate::platform::Platform;

pub(super) use parse::nix as parse;
pub(super) use write::write;

/// What was locked of Nix. Each platform stands alone, so that locks made on machines of different platforms join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedNix {
    /// What all of it was evaluated from.
    pub flake: LockedFlake,
    /// What is locked for each platform.
    pub platforms: BTreeMap<Platform, LockedNixPlatform>,
}

/// The flake that sets and shells were evaluated from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedFlake {
    /// SHA-256 of its `flake.lock`; of nothing when there is none.
    pub flake_lock: FileHash,
    /// SHA-256 over the names and hashes of `flake.nix` and the files that it names, but for the manifest.
    pub files: FileHash,
    /// The inputs that others stood in for, with those as they were given: what is locked is not what the flake says.
    pub override_inputs: BTreeMap<String, String>,
}

impl Default for LockedFlake {
    /// No flake.
    fn default() -> Self {
        let nothing = FileHash::of(b"");
        Self { flake_lock: nothing, files: nothing, override_inputs: BTreeMap::new() }
    }
}

/// What was locked of Nix for one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedNixPlatform {
    /// Every store path that a set or shell needs: whole closures, so that each reference is here too.
    pub paths: BTreeMap<StorePath, LockedStorePath>,
    /// The sets, by name.
    pub sets: BTreeMap<SetName, LockedSet>,
    /// The shells, by name.
    pub shells: BTreeMap<ShellName, LockedShell>,
}

/// A store path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedStorePath {
    /// SHA-256 of its NAR, of the first trusted substituter that has it.
    pub nar_hash: NarHash,
    /// Bytes of its NAR.
    pub nar_size: u64,
    /// The paths that it refers to, itself where it does.
    pub references: BTreeSet<StorePath>,
    /// The derivation that made it, where that is known.
    pub deriver: Option<StorePath>,
    /// The package's name, where its derivation says it: `python3`.
    pub pname: Option<String>,
    /// The package's version, where its derivation says it: `3.12.7`.
    pub version: Option<String>,
    /// Whether no trusted substituter has it: only the stores of machines that built it.
    pub local: bool,
    /// What evaluation said of it.
    pub about: PackageAbout,
}

/// What evaluation says of a package besides its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageAbout {
    /// Its licences, all of which hold: SPDX identifiers, or `LicenseRef-nixpkgs-…` where there is none.
    pub licences: Vec<String>,
    /// Its home page.
    pub homepage: Option<String>,
    /// The file names of patches that its derivation applies, such as `CVE-2026-1234.patch`.
    pub patches: Vec<String>,
}

/// A set; what is in the sets within it is locked there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedSet {
    /// What the manifest said of it ([`super::set_inputs`]).
    pub inputs: Digest,
    /// Its packages, in the manifest's order.
    pub roots: Vec<LockedRoot>,
}

/// A shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedShell {
    /// What the manifest said of it and its sets ([`super::shell_inputs`]).
    pub inputs: Digest,
    /// The packages of its sets and its own.
    pub roots: Vec<LockedRoot>,
    /// The store paths that the exported variables name.
    pub environment: BTreeSet<StorePath>,
    /// The exported variables, without what only the builder had.
    pub env: BTreeMap<String, String>,
    /// What interactive shells run.
    pub hook: String,
    /// What `nix develop` without a network needs besides: the sources of the flake's inputs, the inputs of its derivation.
    pub develop: BTreeSet<StorePath>,
}

/// A package that a set or shell asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedRoot {
    /// The store path of the output.
    pub path: StorePath,
    /// What the manifest says: `python312`, `input#attribute`, or `expression`.
    pub attribute: String,
    /// The output, mostly `out`.
    pub output: String,
    /// Whose file wins in a collision: the lowest.
    pub priority: i64,
}

impl LockedRoot {
    /// The attribute of packages that an expression gives.
    pub const EXPRESSION: &'static str = "expression";
    /// The priority of packages that name none (nixpkgs, `lib.meta.defaultPriority`).
    pub const DEFAULT_PRIORITY: i64 = 5;
}

impl LockedSet {
    /// The store paths that it asks for.
    pub fn start(&self) -> impl Iterator<Item = &StorePath> {
        self.roots.iter().map(|root| &root.path)
    }
}

impl LockedShell {
    /// The store paths that its closure starts from; what only `nix develop` needs is in [`Self::develop`].
    pub fn start(&self) -> impl Iterator<Item = &StorePath> {
        self.roots.iter().map(|root| &root.path).chain(&self.environment)
    }
}

impl LockedNixPlatform {
    /// Which path refers to which.
    pub fn graph(&self) -> ReferenceGraph {
        ReferenceGraph(self.paths.iter().map(|(path, locked)| (path.clone(), locked.references.clone())).collect())
    }

    /// Drops the paths that no set and no shell needs.
    pub fn remove_unused(&mut self) {
        let graph = self.graph();
        let sets = self.sets.values().flat_map(LockedSet::start);
        let shells = self.shells.values().flat_map(|shell| shell.start().chain(&shell.develop));
        let used = graph.closure(sets.chain(shells));
        self.paths.retain(|path, _| used.contains(path));
    }

    /// A path that is referred to or asked for and not locked, if any is.
    pub fn missing(&self) -> Option<StorePath> {
        let sets = self.sets.values().flat_map(LockedSet::start);
        let shells = self.shells.values().flat_map(|shell| shell.start().chain(&shell.develop));
        let references = self.paths.values().flat_map(|locked| &locked.references);
        sets.chain(shells).chain(references).find(|path| !self.paths.contains_key(*path)).cloned()
    }
}

/// Whether a word needs no quoting in a column: as it is, it can be written and read back.
pub fn is_column(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 4096
        && word.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}
