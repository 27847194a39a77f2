//! Against a real bootstrap: mmdebstrap installs the same packages, and the trees are compared path by path.
//!
//! Exceptions are in `data/oracle-exceptions.txt`, one path a line with its reason.

mod bootstrap;
mod compare;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;

use plywood_core::debian::configure::{ConfigureError, ConfigureOptions, Configured, configure};
use plywood_core::debian::deb::UnpackedDeb;
use plywood_core::debian::dpkg::database::{DatabaseOptions, write_database};
use plywood_core::debian::packages_index::PackagesIndex;
use plywood_core::debian::resolver::{PackageSource, Request, Resolver, Universe};
use plywood_core::platform::Platform;
use plywood_testkit::require::{require, require_mirror, require_root, skip};

use crate::bootstrap::{Bootstrap, bootstrap, packages_below};
use crate::store::Store;

/// What `infra/plywood.toml` asks for, in both of its images together.
const PACKAGES: &str = "ca-certificates,curl,git,xz-utils,nix-bin,direnv,sudo,jq,ripgrep,fd-find,fzf,bat,less,procps,\
    openssh-client,zsh";
const EXCEPTIONS: &str = include_str!("../data/oracle-exceptions.txt");
const MAX_EXCEPTIONS: usize = 30;

#[test]
fn trixie_is_what_mmdebstrap_makes() {
    check("trixie", PACKAGES);
}

#[test]
fn bookworm_is_what_mmdebstrap_makes() {
    check("bookworm", PACKAGES);
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

fn check(suite: &str, packages: &str) {
    if !require(&["mmdebstrap"]) || !require_root() || require_mirror().is_none() {
        return;
    }
    let Some(real) = bootstrap(suite, packages) else {
        skip("needs a mirror that mmdebstrap can use");
        return;
    };
    let theirs = compare::of_tar(&real.tar);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = Store::default();
    let debs: Vec<UnpackedDeb> =
        packages_below(&real.debs).iter().map(|deb| store.unpack(deb, folder.path())).collect();
    let configured = install(&real, &debs, &store, packages).unwrap_or_else(|error| panic!("{error}"));
    let ours = compare::of_tree(&configured.installer.tree, &store);
    let excepted: BTreeSet<&str> = exceptions().map(|(path, _)| path).collect();
    let mut differences = compare::differences(&ours, &theirs);
    differences.retain(|path, _| !excepted.contains(path.as_str()) && !is_of_apts_run(path));
    let lines: Vec<String> = differences.iter().map(|(path, text)| format!("{path}: {text}")).collect();
    assert!(lines.is_empty(), "{} paths differ:\n{}", lines.len(), lines.join("\n"));
}

/// What `--skip=cleanup/apt` leaves for this test: the downloaded packages and lists.
fn is_of_apts_run(path: &str) -> bool {
    path.starts_with("/var/cache/apt/") || path.starts_with("/var/lib/apt/lists/") || path.starts_with("/dev/")
}

/// Installs the packages in the resolver's order, as a build does.
fn install(real: &Bootstrap, debs: &[UnpackedDeb], store: &Store, asked: &str) -> Result<Configured, ConfigureError> {
    let ordered = in_order(real, debs, asked);
    let now = i64::from(1);
    let (none, nothing) = (BTreeSet::new(), BTreeMap::new());
    let options = ConfigureOptions {
        platform: Platform::LinuxAmd64,
        now,
        allowed: &none,
        skipped: &none,
        added: &nothing,
        runner: None,
        contents: store,
    };
    let mut configured = configure(&ordered, options)?;
    let requested = asked.split(',').map(str::to_owned).collect();
    write_database(&mut configured.installer, &DatabaseOptions { requested: &requested, mtime: now })?;
    Ok(configured)
}

/// The packages in the order the resolver gives them, from an index of just these.
fn in_order<'d>(_real: &Bootstrap, debs: &'d [UnpackedDeb], asked: &str) -> Vec<&'d UnpackedDeb> {
    let index: String = debs.iter().map(index_stanza).collect();
    let index = PackagesIndex::read(BufReader::new(index.as_bytes())).expect("control stanzas");
    let universe = Universe::new("amd64", vec![PackageSource { index, priority: 500, allow: None }]);
    let mut packages: Vec<&str> = asked.split(',').collect();
    packages.extend(debs.iter().map(UnpackedDeb::package));
    let packages = packages.into_iter().map(|name| name.parse().expect("a package name")).collect();
    let resolution = Resolver::resolve(&universe, &Request { packages, ..Request::default() }).expect("a complete set");
    let find = |name: &str| debs.iter().find(|deb| deb.package() == name).expect("a package of the set");
    resolution.packages.iter().map(|chosen| find(chosen.package.name())).collect()
}

fn index_stanza(deb: &UnpackedDeb) -> String {
    let mut text = String::new();
    for (name, value) in deb.control.iter() {
        text.push_str(&format!("{name}: {value}\n"));
    }
    let hash = "0".repeat(64);
    text.push_str(&format!("Filename: pool/{}.deb\nSize: 1\nSHA256: {hash}\n\n", deb.package()));
    text
}
