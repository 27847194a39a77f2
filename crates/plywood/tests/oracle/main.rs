//! Against a real bootstrap: mmdebstrap installs the same packages, and the trees are compared path by path.
//!
//! Exceptions are in `data/oracle-exceptions.txt`, one path a line with its reason.

mod archive;
mod bootstrap;
mod compare;
mod coverage;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use plywood::debian::DebRef;
use plywood_core::debian::configure::{ConfigureError, ConfigureOptions, Configured, bootstrapped, configure};
use plywood_core::debian::dpkg::database::{DatabaseOptions, write_database};
use plywood_testkit::require::{require, require_root};

use crate::archive::{Debian, native};
use crate::store::Store;

/// What `infra/plywood.toml` asks for, in both of its images together.
const PACKAGES: [&str; 16] = [
    "ca-certificates",
    "curl",
    "git",
    "xz-utils",
    "nix-bin",
    "direnv",
    "sudo",
    "jq",
    "ripgrep",
    "fd-find",
    "fzf",
    "bat",
    "less",
    "procps",
    "openssh-client",
    "zsh",
];
const EXCEPTIONS: &str = include_str!("../data/oracle-exceptions.txt");
const MAX_EXCEPTIONS: usize = 30;

/// Both in one test: an exception may go only when neither suite needs it.
#[test]
fn trees_are_what_mmdebstrap_makes() {
    if !require(&["mmdebstrap"]) || !require_root() {
        return;
    }
    let suites = thread::scope(|scope| {
        let running = ["trixie", "bookworm"].map(|suite| (suite, scope.spawn(move || differences(suite))));
        running.map(|(suite, thread)| (suite, thread.join().expect("no panic")))
    });
    let mut unneeded: BTreeSet<&str> = exceptions().map(|(path, _)| path).collect();
    let mut differing = Vec::new();
    for (suite, differences) in suites {
        let Some(differences) = differences else { return };
        for (path, text) in differences {
            unneeded.remove(path.as_str());
            if exceptions().all(|(excepted, _)| excepted != path) {
                differing.push(format!("{suite}: {path}: {text}"));
            }
        }
    }
    assert!(differing.is_empty(), "{} paths differ:\n{}", differing.len(), differing.join("\n"));
    assert!(unneeded.is_empty(), "exceptions that are no longer needed: {unneeded:?}");
}

#[test]
fn exceptions_are_few_and_have_reasons() {
    let exceptions: Vec<(&str, &str)> = exceptions().collect();
    assert!(exceptions.len() <= MAX_EXCEPTIONS, "{} exceptions", exceptions.len());
    for (path, reason) in exceptions {
        assert!(path.starts_with('/') && !path.contains(['*', '?']) && !path.ends_with('/'), "{path}");
        assert!(reason.len() > 10, "{path}: {reason}");
    }
}

fn exceptions() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = EXCEPTIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or((line, "")))
}

/// All paths in which the trees differ; `None` where there is no mirror. The bootstrap runs while ours is made.
fn differences(suite: &str) -> Option<BTreeMap<String, String>> {
    let debian = Debian::open(suite, native())?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (ours, theirs) = thread::scope(|scope| {
        let real = scope.spawn(|| {
            let tar = bootstrap::bootstrap(&debian, suite, &PACKAGES, folder.path());
            compare::of_tar(&tar.unwrap_or_else(|error| panic!("mmdebstrap of {suite}: {error}")))
        });
        let debs = debian.resolve(&PACKAGES).unwrap_or_else(|error| panic!("{error}"));
        let store = Store::unpack(&debs, &debian.download(&debs));
        let configured = install(&debian, &store, &debs, &PACKAGES).unwrap_or_else(|error| panic!("{error}"));
        (compare::of_tree(&configured.installer.tree, &store), real.join().expect("a bootstrap"))
    });
    assert_eq!(compare::unordered_differences(&ours, &theirs), [""; 0], "{suite}");
    Some(compare::differences(&ours, &theirs))
}

/// Installs the packages as a build does.
fn install(debian: &Debian, store: &Store, debs: &[DebRef], asked: &[&str]) -> Result<Configured, ConfigureError> {
    let (none, added) = (BTreeSet::new(), BTreeMap::new());
    let options = ConfigureOptions {
        platform: debian.platform,
        now: debian.date,
        allowed: &none,
        skipped: &none,
        runner: None,
        added: &added,
        contents: store,
    };
    let debs = store.all(debs);
    let mut configured = configure(&debs, options)?;
    let mut requested = bootstrapped(&debs);
    requested.extend(asked.iter().map(|name| (*name).to_owned()));
    write_database(&mut configured.installer, &DatabaseOptions { requested: &requested, mtime: debian.date })?;
    Ok(configured)
}
