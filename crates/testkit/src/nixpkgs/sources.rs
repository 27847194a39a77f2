//! What the set is made of, by the names that its fixed-output derivations have.

use std::collections::BTreeMap;

use plywood::debian::DebRef;
use plywood::lock::deb_ref;
use plywood::workspace::Workspace;
use plywood_core::lockfile::LockedPackage;
use serde::Deserialize;

use super::Result;

/// What comes from npm and PyPI, and the hash of the first tool.
pub(super) const REGISTRY_NAME: &str = "sources.toml";

/// Where a file comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A Debian package.
    Deb(Box<DebRef>),
    /// A tarball, as `npm pack` takes it.
    Npm { spec: String },
    /// A wheel.
    Wheel(Wheel),
    /// The program in `busybox-static`, which everything else is unpacked with.
    Busybox(Box<DebRef>),
}

/// A file of PyPI.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Wheel {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) file: String,
    pub(super) sha256: String,
}

/// Every file of the set.
#[derive(Debug)]
pub(super) struct Sources(BTreeMap<String, Source>);

#[derive(Deserialize)]
struct Registry {
    npm: BTreeMap<String, Tarball>,
    pypi: BTreeMap<String, Wheel>,
}

#[derive(Deserialize)]
struct Tarball {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct NpmLock {
    packages: BTreeMap<String, NpmLockEntry>,
}

#[derive(Deserialize)]
struct NpmLockEntry {
    version: Option<String>,
}

impl Sources {
    /// Reads the locks of the set in `workspace`.
    ///
    /// # Errors
    /// When one is missing or cannot be parsed.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let mut sources = BTreeMap::new();
        let (lock, _) = workspace.lock()?.ok_or("tests/nixpkgs has no plywood.lock")?;
        for (platform, packages) in &lock.packages {
            for package in packages.values() {
                let deb = Box::new(deb_ref(package, *platform, lock.date, None));
                if package.name.as_str() == "busybox-static" && platform.architecture() == "amd64" {
                    sources.insert("busybox".to_owned(), Source::Busybox(deb.clone()));
                }
                sources.insert(store_name(package), Source::Deb(deb));
            }
        }
        let read = |name: &str| {
            let path = workspace.directory().join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))
        };
        let registry: Registry = toml::from_str(&read(REGISTRY_NAME)?)?;
        for Tarball { name, version } in registry.npm.into_values() {
            add_npm(&mut sources, &name, &version);
        }
        for wheel in registry.pypi.into_values() {
            sources.insert(wheel.file.clone(), Source::Wheel(wheel));
        }
        let eslint: NpmLock = serde_json::from_str(&read("eslint/package-lock.json")?)?;
        for (path, entry) in eslint.packages {
            let name = path.rsplit_once("node_modules/").map(|(_, name)| name);
            if let (Some(name), Some(version)) = (name, entry.version) {
                add_npm(&mut sources, name, &version);
            }
        }
        Ok(Self(sources))
    }

    /// The package with the first tool.
    pub(super) fn busybox(&self) -> Option<&DebRef> {
        self.0.values().find_map(|source| match source {
            Source::Busybox(deb) => Some(&**deb),
            _ => None,
        })
    }

    /// The file of a fixed-output derivation, when it is one of the set's.
    pub(super) fn of_derivation(&self, path: &str) -> Option<(&str, &Source)> {
        let (_, name) = path.strip_prefix("/nix/store/")?.strip_suffix(".drv")?.split_once('-')?;
        self.0.get_key_value(name).map(|(name, source)| (name.as_str(), source))
    }
}

fn add_npm(sources: &mut BTreeMap<String, Source>, name: &str, version: &str) {
    let file = format!("{}-{version}.tgz", name.replace('@', "").replace('/', "-"));
    sources.insert(file, Source::Npm { spec: format!("{name}@{version}") });
}

/// The name of a package's file in the store, where `~` is no character; as in `pkgs/lock.nix`.
fn store_name(package: &LockedPackage) -> String {
    let path = package.path.as_str();
    path.rsplit_once('/').map_or(path, |(_, file)| file).replace('~', "-")
}
