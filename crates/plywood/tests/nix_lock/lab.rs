//! A workspace with the flake of `infra/` over the test package set.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use plywood::Error;
use plywood::lock::{LockOptions, LockReport, lock};
use plywood::nix::StandInSources;
use plywood::nix::eval::{EvalOptions, NixChoice};
use plywood::workspace::Workspace;
use plywood_core::lockfile::{LockedNixPlatform, Lockfile};
use plywood_core::nix::TrustedPublicKeys;
use plywood_core::platform::Platform;
pub(crate) use plywood_testkit::chain;
use plywood_testkit::nixpkgs::{self, BUILD_SYSTEM, Nixpkgs};
use plywood_testkit::{Recorded, require, require_mirror, require_root};

/// What the manifests of these tests name of the set.
const PACKAGES: [&str; 6] = ["python312", "cacert", "tzdata", "ripgrep", "coreutils", "git"];

/// The input of the flake in `infra/`.
pub(crate) const NIXPKGS: &str = "github:NixOS/nixpkgs/nixos-26.05";

/// A manifest with two sets and a shell, and an image of each.
pub(crate) const MANIFEST: &str = r#"[workspace]
name = "test"
platforms = ["linux/amd64"]

[sets.python]
packages = ["python312", "cacert"]

[sets.tools]
sets = ["python"]
packages = ["ripgrep"]
expression = "pkgs: [ pkgs.git ]"
priority = 3

[shells.dev]
sets = ["tools"]
packages = ["coreutils"]
hook = "echo ready"
env = { GREETING = "it's \"me\"" }

[images.run]
debian = false
sets = ["python"]
nix = { env = false, time-zones = false }

[images.dev]
from = "run"
shell = "dev"
"#;

/// The set with what these tests name of it in the store, once for all; `None` where the machine lacks what it needs.
pub(crate) fn set() -> Option<&'static Nixpkgs> {
    static SET: OnceLock<Nixpkgs> = OnceLock::new();
    let able = require(&nixpkgs::TOOLS) && require_root() && require_mirror().is_some();
    able.then(|| {
        SET.get_or_init(|| {
            let set = nixpkgs::prepare().expect("the package set");
            set.build(BUILD_SYSTEM, &PACKAGES).expect("packages of the set");
            set
        })
    })
}

/// A workspace, and where its store paths come from.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    pub(crate) events: Recorded,
    pub(crate) sources: StandInSources,
}

impl Lab {
    /// A workspace whose flake has the set as its input; store paths come from this machine's store alone.
    pub(crate) fn new(set: &Nixpkgs, manifest: &str) -> Self {
        let lab = Self::without_input(manifest);
        lab.edit("flake.nix", NIXPKGS, &set.url());
        lab
    }

    /// A workspace with the flake as `infra/` has it.
    pub(crate) fn without_input(manifest: &str) -> Self {
        let lab = Self {
            folder: tempfile::tempdir().expect("a folder"),
            events: Recorded::default(),
            sources: StandInSources {
                substituters: Vec::new(),
                trusted_keys: TrustedPublicKeys::default(),
                local: Some(Utf8PathBuf::from("/")),
                patience: Default::default(),
            },
        };
        let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra");
        for name in ["flake.nix", "nix/plywood.nix", "nix/environment.sh"] {
            let text = fs::read_to_string(infra.join(name)).expect("a file of infra");
            lab.write(name, &text);
        }
        lab.write("plywood.toml", manifest);
        lab
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("UTF-8")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// Puts one text in another's place.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(name)).expect("a file");
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.path().join("plywood.lock")).expect("the lock")
    }

    pub(crate) fn locked(&self) -> Lockfile {
        Lockfile::parse(&self.text()).expect("a lock")
    }

    pub(crate) fn platform(&self, platform: Platform) -> LockedNixPlatform {
        self.locked().nix_of(platform).cloned().unwrap_or_default()
    }

    /// What is outside of the workspace's folder, so that Nix does not copy it.
    pub(crate) fn workspace(&self, cache: &Utf8Path) -> Workspace {
        Workspace::new(self.path(), cache).with_sources(self.sources.clone())
    }

    /// Locks with this machine's Nix.
    pub(crate) fn lock(&self, options: LockOptions) -> Result<LockReport, Error> {
        let cache = tempfile::tempdir().expect("a folder");
        let nix = EvalOptions { nix: NixChoice::Host, ..options.nix };
        let options = LockOptions { nix, ..options };
        lock(&options, &self.workspace(Utf8Path::from_path(cache.path()).expect("UTF-8")), &self.events)
    }

    /// Locks what must be lockable.
    pub(crate) fn must_lock(&self, options: LockOptions) -> LockReport {
        self.lock(options).unwrap_or_else(|error| panic!("{}", chain(&error)))
    }

    /// The error of a lock of this manifest, with its hint.
    pub(crate) fn fault(&self, manifest: &str) -> String {
        self.write("plywood.toml", manifest);
        let error = self.lock(LockOptions::default()).expect_err(manifest);
        format!("{}; {}", chain(&error), error.hint().unwrap_or_default())
    }
}

/// Options that lock these parts.
pub(crate) fn only(parts: &[&str]) -> LockOptions {
    let only = parts.iter().map(|part| part.parse().expect("a part")).collect();
    LockOptions { only, ..LockOptions::default() }
}

/// Options with the set in the place of nixpkgs.
pub(crate) fn overriding(set: &Nixpkgs) -> LockOptions {
    let override_inputs = BTreeMap::from([("nixpkgs".to_owned(), set.url())]);
    LockOptions { nix: EvalOptions { override_inputs, ..EvalOptions::default() }, ..LockOptions::default() }
}
