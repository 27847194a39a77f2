//! Files that programs expect of every system, out of the image's store paths.
//!
//! They are real files: an engine that resolves a path inside an image may not leave its folder, and a link into the
//! store would break where the store is mounted over.

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice as _;

use super::files::{Found, StoreFiles, StoreFilesError, find};
use super::profile::Profile;
use crate::nix::StorePath;
use crate::platform::Platform;
use crate::tree::{Content, Meta, Node, NodeKind, Tree, TreeError, TreePath};

/// Which files of a system an image gets from its store paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SystemFiles {
    /// `/bin/sh`.
    pub sh: bool,
    /// `/usr/bin/env`.
    pub env: bool,
    /// The bundle of certificate authorities.
    pub certificates: bool,
    /// `/usr/share/zoneinfo`.
    pub time_zones: bool,
    /// The loader that foreign programs ask for, and the libraries that they expect of every system.
    pub loader: bool,
}

/// Why a file of the system cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// No root has it.
    #[error("no package of the image's sets has {file}, which is to be {place}")]
    Missing {
        /// What was looked for in the profile.
        file: TreePath,
        /// What it was wanted for.
        place: TreePath,
        /// The attribute of nixpkgs that has it.
        attribute: &'static str,
    },
    /// No store path has the loader, or a library that `loader` is for.
    #[error("no store path of the image has {file}, which is to be {place}")]
    NoLibrary {
        /// What was looked for.
        file: TreePath,
        /// What it was wanted for.
        place: TreePath,
        /// What to do about it.
        hint: &'static str,
    },
    /// Something else is in the way.
    #[error("cannot put {place} into the image")]
    Place {
        /// The path in the image.
        place: TreePath,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// The files of a store path are not at hand.
    #[error(transparent)]
    Files(#[from] StoreFilesError),
}

impl SystemError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { attribute, .. } => {
                let option = match *attribute {
                    "coreutils" => "env",
                    "cacert" => "certificates",
                    "tzdata" => "time-zones",
                    _ => "sh",
                };
                Some(format!(
                    "add `{attribute}` to one of the image's sets, or leave it out with `nix = {{ {option} = false }}`"
                ))
            }
            Self::NoLibrary { hint, .. } => Some((*hint).to_owned()),
            _ => None,
        }
    }
}

/// The bundle's place on Debian, which Go, curl and most of nixpkgs look at, and the names it has elsewhere.
const BUNDLE: TreePath = TreePath::literal("etc/ssl/certs/ca-certificates.crt");
const BUNDLE_NAMES: [(TreePath, &str); 2] = [
    (TreePath::literal("etc/ssl/certs/ca-bundle.crt"), "ca-certificates.crt"),
    (TreePath::literal("etc/pki/tls/certs/ca-bundle.crt"), "../../../ssl/certs/ca-certificates.crt"),
];
const ZONEINFO: TreePath = TreePath::literal("usr/share/zoneinfo");
/// Libraries that prebuilt programs expect of every system, in the glibc's own package and in others.
const GLIBC: [&str; 8] = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libnss_dns.so.2",
];
const CXX: &str = "libstdc++.so.6";
const OTHERS: [&str; 3] = [CXX, "libgcc_s.so.1", "libz.so.1"];
/// Where foreign libraries find those others even when the loader that runs looks into the store alone.
const SHIM: &str = "/usr/lib/plywood";

/// Puts the files that are asked for into a tree; what is there already stays. Gives the variables that point to them.
/// `certificates` are added to the bundle; `closure` are all store paths of the image.
///
/// # Errors
/// When a file is nowhere.
pub fn place_system_files(
    tree: &mut Tree,
    wanted: SystemFiles,
    (profile, store): (&Profile, &dyn StoreFiles),
    closure: &BTreeSet<StorePath>,
    certificates: &[u8],
    platform: Platform,
) -> Result<BTreeMap<String, String>, SystemError> {
    let mut place = Placing { tree, profile, store, variables: BTreeMap::new() };
    if wanted.env {
        place.program("bin/env", "usr/bin/env", "coreutils")?;
    }
    if wanted.sh {
        let name =
            if place.profile.find(store, &TreePath::literal("bin/sh"))?.is_some() { "bin/sh" } else { "bin/bash" };
        place.program(name, "usr/bin/sh", "bashInteractive")?;
    }
    if wanted.certificates {
        place.certificates(certificates)?;
    }
    if wanted.time_zones {
        place.time_zones()?;
    }
    if wanted.loader {
        place.loader(closure, platform)?;
    }
    Ok(place.variables)
}

struct Placing<'p> {
    tree: &'p mut Tree,
    profile: &'p Profile,
    store: &'p dyn StoreFiles,
    variables: BTreeMap<String, String>,
}

impl Placing<'_> {
    fn find(&self, file: &'static str, place: TreePath, attribute: &'static str) -> Result<Found, SystemError> {
        let file = TreePath::literal(file);
        let found = self.profile.find(self.store, &file)?;
        found.ok_or(SystemError::Missing { file, place, attribute })
    }

    fn put(&mut self, place: TreePath, node: Node) -> Result<(), SystemError> {
        let failed = |source| SystemError::Place { place: place.clone(), source };
        if let Some(folder) = place.parent() {
            self.tree.create_dir_all(&folder, &Meta::root(0o755, 1)).map_err(failed)?;
        }
        self.tree.insert(place.clone(), node).map(drop).map_err(failed)
    }

    fn program(&mut self, file: &'static str, place: &'static str, attribute: &'static str) -> Result<(), SystemError> {
        let place = TreePath::literal(place);
        if self.tree.contains(&place) {
            return Ok(());
        }
        let found = self.find(file, place.clone(), attribute)?;
        self.put(place, copy(&found, 0o755))
    }

    fn certificates(&mut self, added: &[u8]) -> Result<(), SystemError> {
        if !self.tree.contains(&BUNDLE) {
            let found = self.find("etc/ssl/certs/ca-bundle.crt", BUNDLE, "cacert")?;
            let mut bundle = self.read(&found)?;
            bundle.extend_from_slice(added);
            self.put(BUNDLE, Node::file(Meta::root(0o644, 1), bundle))?;
        }
        for (name, target) in BUNDLE_NAMES {
            if !self.tree.contains(&name) {
                self.put(name, Node::symlink(target, 1))?;
            }
        }
        for name in ["SSL_CERT_FILE", "NIX_SSL_CERT_FILE"] {
            self.variables.insert(name.to_owned(), BUNDLE.to_string());
        }
        Ok(())
    }

    fn read(&self, found: &Found) -> Result<Vec<u8>, StoreFilesError> {
        Ok(match &found.node.kind {
            NodeKind::File { content: Content::Inline(bytes), .. } => bytes.to_vec(),
            NodeKind::File { content: Content::Packed(packed), .. } => self.store.contents().read(packed)?.to_vec(),
            _ => Vec::new(),
        })
    }

    /// Zones, but not their variants with leap seconds (`right`), and not a second time (`posix`).
    fn time_zones(&mut self) -> Result<(), SystemError> {
        if !self.tree.contains(&ZONEINFO) {
            let found = self.find("share/zoneinfo", ZONEINFO, "tzdata")?;
            self.put(ZONEINFO, Node::directory(Meta::root(0o755, 1)))?;
            let Some(files) = self.store.files(&found.store_path)? else { return Ok(()) };
            for (path, node) in files.below(&found.path) {
                let relative = path.strip_prefix(&found.path).unwrap_or_default();
                if ["right", "posix"].iter().any(|left_out| relative.split_str("/").next() == Some(left_out.as_bytes()))
                {
                    continue;
                }
                let Ok(place) = ZONEINFO.join(relative) else { continue };
                let mut node = node.clone();
                node.meta = Meta::root(if node.is_directory() { 0o755 } else { 0o644 }, 1);
                if let NodeKind::Symlink { target } = &node.kind {
                    // A zone under another name; a link out of the folder would lead nowhere.
                    if target.starts_with(b"/") || target.starts_with(b"../..") {
                        continue;
                    }
                    node.meta.mode = 0o777;
                }
                self.put(place, node)?;
            }
        }
        self.variables.insert("TZDIR".to_owned(), ZONEINFO.to_string());
        Ok(())
    }

    /// The loader at the path that the psABI of each architecture names, the libraries where multiarch has them.
    fn loader(&mut self, closure: &BTreeSet<StorePath>, platform: Platform) -> Result<(), SystemError> {
        let (loader, place) = match platform {
            Platform::LinuxAmd64 => ("lib/ld-linux-x86-64.so.2", TreePath::literal("usr/lib64/ld-linux-x86-64.so.2")),
            Platform::LinuxArm64 => ("lib/ld-linux-aarch64.so.1", TreePath::literal("usr/lib/ld-linux-aarch64.so.1")),
        };
        let missing = || SystemError::NoLibrary {
            file: TreePath::literal(loader),
            place: place.clone(),
            hint: "leave `loader` out: nothing in the image is linked to glibc",
        };
        let glibc = self.owner_of(closure, loader)?.ok_or_else(missing)?;
        let libraries = format!("usr/lib/{}", platform.multiarch());
        let debian = self.tree.contains(&place);
        if !debian {
            let found = find(self.store, &glibc, &TreePath::literal(loader))?.ok_or_else(missing)?;
            self.put(place.clone(), copy(&found, 0o755))?;
            for name in GLIBC {
                self.library(&glibc, name, &libraries)?;
            }
        }
        for name in OTHERS {
            let Some(owner) = self.owner_of(closure, &format!("lib/{name}"))? else {
                // Nearly every wheel and addon with code of its own needs it; the others they bring along.
                if name == CXX {
                    return Err(SystemError::NoLibrary {
                        file: TreePath::literal("lib/libstdc++.so.6"),
                        place: TreePath::literal("usr/lib/plywood/libstdc++.so.6"),
                        hint: "add `stdenv.cc.cc.lib` to one of the image's sets",
                    });
                }
                continue;
            };
            if !debian {
                self.library(&owner, name, &libraries)?;
            }
            // Debian's own may be older than what is in the store, so these stand apart.
            self.library(&owner, name, SHIM.trim_start_matches('/'))?;
        }
        self.variables.insert("LD_LIBRARY_PATH".to_owned(), SHIM.to_owned());
        Ok(())
    }

    /// The store path that has a file; of several the last by name, which is the newest of one package.
    fn owner_of(&self, closure: &BTreeSet<StorePath>, file: &str) -> Result<Option<StorePath>, SystemError> {
        let Ok(file) = TreePath::parse(file) else { return Ok(None) };
        let mut owners = Vec::new();
        for path in closure {
            if self.store.files(path)?.is_some_and(|files| files.contains(&file)) {
                owners.push(path);
            }
        }
        Ok(owners.into_iter().max_by_key(|path| (path.name().to_owned(), path.to_string())).cloned())
    }

    fn library(&mut self, owner: &StorePath, name: &str, folder: &str) -> Result<(), SystemError> {
        let (Ok(file), Ok(place)) =
            (TreePath::parse(format!("lib/{name}")), TreePath::parse(format!("{folder}/{name}")))
        else {
            return Ok(());
        };
        match find(self.store, owner, &file)? {
            Some(found) if !self.tree.contains(&place) => self.put(place, copy(&found, 0o755)),
            _ => Ok(()),
        }
    }
}

/// A store path's file as the image's own.
fn copy(found: &Found, mode: u16) -> Node {
    Node { meta: Meta::root(mode, 1), kind: found.node.kind.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::files::tests::{TestStore, store_path};
    use super::super::profile::{ProfileRoot, merge_profile};
    use super::*;

    const STORE: &[(&str, &[&str])] = &[
        ("cacert", &["etc/ssl/certs/ca-bundle.crt = authorities"]),
        ("tzdata", &["share/zoneinfo/UTC", "share/zoneinfo/Etc/UTC -> ../UTC", "share/zoneinfo/right/UTC"]),
        ("coreutils", &["bin/coreutils", "bin/env -> coreutils"]),
        ("bash", &["bin/bash"]),
        ("glibc", &["lib/ld-linux-x86-64.so.2", "lib/libc.so.6"]),
        ("gcc-lib", &["lib/libstdc++.so.6 -> libstdc++.so.6.0.30", "lib/libstdc++.so.6.0.30"]),
    ];
    const ALL: SystemFiles = SystemFiles { sh: true, env: true, certificates: true, time_zones: true, loader: true };

    fn placed(roots: &[&str], wanted: SystemFiles) -> Result<(Tree, BTreeMap<String, String>), SystemError> {
        placed_without("", roots, wanted)
    }

    /// With a closure that lacks one store path.
    fn placed_without(
        lacking: &str,
        roots: &[&str],
        wanted: SystemFiles,
    ) -> Result<(Tree, BTreeMap<String, String>), SystemError> {
        let store = TestStore::new(STORE);
        let root = |name: &&str| ProfileRoot { path: store_path(name), owner: (*name).to_owned(), priority: 5 };
        let profile = merge_profile(&store, &roots.iter().map(root).collect::<Vec<_>>()).expect("a profile");
        let closure = STORE.iter().filter(|(name, _)| *name != lacking).map(|(name, _)| store_path(name)).collect();
        let mut tree = Tree::new();
        let platform = Platform::LinuxAmd64;
        let variables = place_system_files(&mut tree, wanted, (&profile, &store), &closure, b" and ours", platform)?;
        Ok((tree, variables))
    }

    #[test]
    fn they_are_real_files() {
        let (tree, variables) = placed(&["cacert", "tzdata", "coreutils", "bash"], ALL).expect("placed");
        let check = |path: &str, expect: Option<&str>| {
            let node = tree.get(&TreePath::parse(path).expect("a path"));
            let text = node.map(|node| match &node.kind {
                NodeKind::File { content: Content::Inline(bytes), .. } => bytes.to_str_lossy().into_owned(),
                NodeKind::Symlink { target } => format!("-> {target}"),
                _ => String::new(),
            });
            assert_eq!(text.as_deref(), expect, "{path}");
        };
        check("usr/bin/env", Some("bin/coreutils"));
        check("usr/bin/sh", Some("bin/bash"));
        check("etc/ssl/certs/ca-certificates.crt", Some("authorities and ours"));
        check("etc/ssl/certs/ca-bundle.crt", Some("-> ca-certificates.crt"));
        check("usr/share/zoneinfo/UTC", Some("share/zoneinfo/UTC"));
        check("usr/share/zoneinfo/Etc/UTC", Some("-> ../UTC"));
        check("usr/share/zoneinfo/right", None);
        check("usr/lib64/ld-linux-x86-64.so.2", Some("lib/ld-linux-x86-64.so.2"));
        check("usr/lib/x86_64-linux-gnu/libc.so.6", Some("lib/libc.so.6"));
        check("usr/lib/plywood/libstdc++.so.6", Some("lib/libstdc++.so.6.0.30"));
        let names: Vec<&str> = variables.keys().map(String::as_str).collect();
        assert_eq!(names, ["LD_LIBRARY_PATH", "NIX_SSL_CERT_FILE", "SSL_CERT_FILE", "TZDIR"]);
    }

    #[test]
    fn what_is_nowhere_names_its_attribute() {
        for (roots, attribute) in [
            (&["tzdata", "coreutils", "bash"][..], "cacert"),
            (&["cacert", "coreutils", "bash"], "tzdata"),
            (&["cacert", "tzdata", "bash"], "coreutils"),
            (&["cacert", "tzdata", "coreutils"], "bashInteractive"),
        ] {
            let error = placed(roots, ALL).expect_err("missing");
            let hint = error.hint().unwrap_or_default();
            assert!(hint.starts_with(&format!("add `{attribute}` to one of the image's sets, or")), "{hint}");
        }
    }

    #[test]
    fn foreign_programs_get_all_or_an_error() {
        let wanted = SystemFiles { loader: true, ..SystemFiles::default() };
        for (lacking, hint) in [("glibc", "leave `loader` out"), ("gcc-lib", "add `stdenv.cc.cc.lib`")] {
            let error = placed_without(lacking, &[], wanted).expect_err("missing");
            assert!(error.hint().is_some_and(|said| said.contains(hint)), "{error}");
        }
    }
}
