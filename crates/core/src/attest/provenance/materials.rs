//! What goes into an image, by hash.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{BUILD_TYPE, BuildDefinition, Builder, ExternalParameters, InternalParameters, Provenance};
use super::{ResourceDescriptor, RunDetails, RunMetadata, Source, base, nix};
use crate::digest::{Digest, FileHash, Sha256Hash};
use crate::lockfile::{LockedPackage, LockedRelease, Lockfile};
use crate::manifest::{DebianSource, ResolvedImage};
use crate::oci::Timestamp;
use crate::platform::Platform;
use crate::purl::Purl;

/// The vendor of Debian's own packages.
const DEBIAN: &str = "debian";

/// Everything that an image is made from.
#[derive(Debug, Clone, Copy)]
pub struct Materials<'m> {
    /// The image, over what is locked of its base if it has one.
    pub image: &'m ResolvedImage,
    /// The platforms that the subject is for.
    pub platforms: &'m [Platform],
    /// The digest of the manifest's text.
    pub manifest: Digest,
    /// The lock.
    pub lock: &'m Lockfile,
    /// The digest of the lock's text.
    pub lock_digest: Digest,
    /// `created` of the image.
    pub created: Timestamp,
    /// The version of the workspace.
    pub source: &'m Source,
}

impl Provenance {
    /// The provenance of an image that this program made from these.
    pub fn new(
        materials: Materials<'_>,
        program: InternalParameters,
        builder: Builder,
        invocation_id: Option<String>,
    ) -> Self {
        let stands_in = materials.created != materials.lock.date;
        let external_parameters = ExternalParameters {
            image: materials.image.name.to_string(),
            platforms: materials.platforms.to_vec(),
            directory: materials.source.directory.clone(),
            created: stands_in.then_some(materials.created),
        };
        let build_definition = BuildDefinition {
            build_type: BUILD_TYPE.to_owned(),
            external_parameters,
            internal_parameters: program,
            resolved_dependencies: self::materials(materials),
        };
        Self { build_definition, run_details: RunDetails { builder, metadata: RunMetadata { invocation_id } } }
    }

    /// How what it names differs from what there is here. The commit counts apart: the same files may be in many.
    pub fn changes(&self, here: Materials<'_>) -> Vec<MaterialChange> {
        let told = keyed(&self.build_definition.resolved_dependencies);
        let local = materials(here);
        let local = keyed(&local);
        let names: BTreeSet<&str> = told.keys().chain(local.keys()).copied().collect();
        let change = |name: &str| {
            let (told, here) = (told.get(name).copied(), local.get(name).copied());
            let hex =
                |digest: Option<&BTreeMap<String, String>>| digest.and_then(|digest| digest.values().next()).cloned();
            (told != here).then(|| MaterialChange { name: name.to_owned(), told: hex(told), here: hex(here) })
        };
        names.into_iter().filter_map(change).collect()
    }
}

/// A material that is not the same here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaterialChange {
    /// What it is.
    pub name: String,
    /// Its hash in the provenance; `None` when it is not named there.
    pub told: Option<String>,
    /// Its hash here; `None` when it is not there.
    pub here: Option<String>,
}

impl fmt::Display for MaterialChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.told, &self.here) {
            (Some(_), None) => write!(f, "{} is not in the lock here", self.name),
            (None, Some(_)) => write!(f, "{} is in the lock here alone", self.name),
            _ => write!(f, "{} is another here", self.name),
        }
    }
}

pub(super) fn keyed(materials: &[ResourceDescriptor]) -> BTreeMap<&str, &BTreeMap<String, String>> {
    let files = materials.iter().filter(|it| !it.digest.contains_key("gitCommit"));
    files.map(|it| (if it.uri.is_empty() { it.name.as_str() } else { it.uri.as_str() }, &it.digest)).collect()
}

/// What goes into the image: the workspace first, then what it is built on, then what the archives signed, then every
/// package, each once.
pub fn materials(from: Materials<'_>) -> Vec<ResourceDescriptor> {
    let files = [("plywood.toml", from.manifest), ("plywood.lock", from.lock_digest)];
    let releases = from.lock.releases.iter().filter(|release| is_asked(from.image, release));
    let bases = from.platforms.iter().filter_map(|platform| base::base(from.image, from.lock, *platform));
    let mut packages = BTreeMap::new();
    for platform in from.platforms {
        let locked = from.lock.packages_of(from.image.name.as_str(), *platform);
        for package in locked.into_iter().flatten().filter_map(|(_, package)| package) {
            let package = deb(from.image, *platform, package);
            packages.insert(package.uri.clone(), package);
        }
        let store_paths =
            from.lock.nix_of(*platform).into_iter().flat_map(|locked| nix::store_paths(from.image, locked));
        packages.extend(store_paths.map(|path| (path.uri.clone(), path)));
    }
    let flake = from.lock.nix.as_ref().filter(|_| from.image.nix.has_paths());
    let flake = flake.map(|nix| hashed("flake.lock", "", nix.flake.flake_lock.hash()));
    let workspace = source(from.source).into_iter();
    let files = files.into_iter().map(|(name, digest)| hashed(name, "", digest.hash()));
    let files = workspace.chain(files).chain(flake).chain(bases);
    files.chain(releases.map(release)).chain(packages.into_values()).collect()
}

/// The commit; nothing outside of version control.
fn source(source: &Source) -> Option<ResourceDescriptor> {
    let commit = source.commit.clone()?;
    let dirty = source.dirty.then(|| ("dirty".to_owned(), Value::Bool(true)));
    Some(ResourceDescriptor {
        name: "source".to_owned(),
        uri: source.repository.as_ref().map(|url| format!("git+{url}")).unwrap_or_default(),
        digest: BTreeMap::from([("gitCommit".to_owned(), commit)]),
        annotations: dirty.into_iter().collect(),
    })
}

/// Whether an image's packages were chosen from this release.
fn is_asked(image: &ResolvedImage, release: &LockedRelease) -> bool {
    let Some(debian) = &image.debian else { return false };
    let (label, suite) = (release.repository.as_str(), debian.suite.as_str());
    let own = vendor(debian, label) != label || label == debian.distribution.as_deref().unwrap_or(DEBIAN);
    let same_suite =
        release.suite.as_str().strip_prefix(suite).is_some_and(|rest| matches!(rest.as_bytes(), [] | [b'-', ..]));
    (own && same_suite) || debian.repositories.keys().any(|name| name.as_str() == label)
}

/// The vendor of what an archive has, by the lock's word for it: of a security archive the distribution itself.
fn vendor<'l>(source: &DebianSource, label: &'l str) -> &'l str {
    match source.distribution.as_deref() {
        None if label == "security" => DEBIAN,
        None => label,
        Some(id) => label.strip_suffix("-security").filter(|vendor| *vendor == id).unwrap_or(label),
    }
}

fn release(release: &LockedRelease) -> ResourceDescriptor {
    let name = format!("{} {} InRelease", release.repository, release.suite);
    hashed(&name, "", release.sha256.hash())
}

fn deb(image: &ResolvedImage, platform: Platform, package: &LockedPackage) -> ResourceDescriptor {
    let vendor = match &image.debian {
        Some(debian) => vendor(debian, package.repository.as_str()),
        None => package.repository.as_str(),
    };
    let architecture = if package.any_architecture { "all" } else { platform.architecture() };
    let (name, version) = (package.name.as_str(), package.version.as_str());
    let suite = image.debian.as_ref().map_or("", |debian| debian.suite.as_str());
    let purl = Purl::deb(vendor, name, version, architecture, suite);
    let sha256: FileHash = package.sha256;
    hashed(package.path.as_str(), &purl.to_string(), sha256.hash())
}

fn hashed(name: &str, uri: &str, hash: Sha256Hash) -> ResourceDescriptor {
    ResourceDescriptor {
        name: name.to_owned(),
        uri: uri.to_owned(),
        digest: BTreeMap::from([("sha256".to_owned(), hash.to_hex())]),
        annotations: BTreeMap::new(),
    }
}
