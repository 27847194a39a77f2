//! The set, and programs of it in a root folder that holds nothing but a store.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use plywood_testkit::nixpkgs::{self, BUILD_SYSTEM, Nixpkgs};
use plywood_testkit::{require, require_mirror, require_root};

/// The set, unless this machine lacks what it needs.
pub(crate) fn set() -> Option<Nixpkgs> {
    able().then(|| nixpkgs::prepare().expect("the package set"))
}

/// Whether this machine has what the set needs.
pub(crate) fn able() -> bool {
    require(&nixpkgs::TOOLS) && require(&["unshare", "mount", "chroot"]) && require_root() && require_mirror().is_some()
}

/// An attribute, built.
pub(crate) fn build(set: &Nixpkgs, attribute: &str) -> PathBuf {
    set.build(BUILD_SYSTEM, &[attribute]).unwrap_or_else(|error| panic!("{attribute}: {error}")).remove(0)
}

/// What `function` makes of the set of a system, as text.
pub(crate) fn eval(set: &Nixpkgs, system: &str, function: &str) -> String {
    let installable = format!("{}#legacyPackages.{system}", set.url());
    stdout(nixpkgs::nix().args(["eval", "--raw", &installable, "--apply", function]))
}

/// Standard output; a failure ends the test with what the command said.
pub(crate) fn stdout(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A root folder with `/nix/store`, `/dev`, `/proc` and a `/tmp`: whatever else a program needed would be missing.
pub(crate) struct StoreAlone {
    root: tempfile::TempDir,
}

impl StoreAlone {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        for folder in ["nix/store", "dev", "proc", "tmp"] {
            std::fs::create_dir_all(root.path().join(folder)).expect("a folder");
        }
        Self { root }
    }

    /// The host's path of its `/tmp`.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.path().join("tmp")
    }

    /// A program that will run there with only these variables.
    pub(crate) fn command(&self, program: &Path, environment: &[(&str, &str)]) -> Command {
        const SCRIPT: &str = "\
            for folder in nix/store dev proc; do mount --rbind /$folder \"$0/$folder\" || exit 125; done
            mount -o remount,bind,ro \"$0/nix/store\" || exit 125
            cd / && exec chroot \"$0\" \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-c", SCRIPT]).arg(self.root.path()).arg(program);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/tmp");
        command.envs(environment.iter().copied());
        command
    }

    /// Standard output of a program that runs there.
    pub(crate) fn run(&self, program: &Path, arguments: &[&str]) -> String {
        stdout(self.command(program, &[]).args(arguments))
    }

    /// Starts a program there.
    pub(crate) fn spawn(&self, program: &Path, arguments: &[&str]) -> Child {
        let mut command = self.command(program, &[]);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("the program starts")
    }
}
