//! `debian.json`: what the lock does not say of its packages and their derivations need, from the same signed indexes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use plywood::events::Silent;
use plywood::lock::open_archive;
use plywood::workspace::Workspace;
use plywood_core::debian::control::{Stanza, stanzas};
use plywood_core::debian::relation::OrGroup;
use plywood_core::debian::release::UnixTime;
use plywood_core::lockfile::Lockfile;
use plywood_core::platform::Platform;
use serde::{Deserialize, Serialize};

use super::Result;

/// The file's name, beside the lock.
pub(super) const ABOUT_NAME: &str = "debian.json";

/// What is known of a package besides its lock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct About {
    /// The first line of the description.
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    homepage: Option<String>,
    /// The locked packages that it depends on and that are installed before it, so that there are no cycles.
    depends: BTreeSet<String>,
}

type Packages = BTreeMap<String, About>;

/// The text of the file. What the indexes no longer have keeps what is known of it.
///
/// # Errors
/// Without a lock, or when no index can be fetched.
pub(super) fn about(workspace: &Workspace) -> Result<String> {
    let (lock, _) = workspace.lock()?.ok_or("there is no lock")?;
    let path = workspace.directory().join(ABOUT_NAME);
    let old: BTreeMap<String, Packages> =
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let indexes = read_indexes(workspace)?;
    let mut text = String::from("{\n");
    for platform in Platform::ALL {
        let mut known = old.get(&platform.to_string()).cloned().unwrap_or_default();
        let index = indexes.get(&platform).into_iter().flatten();
        known.extend(describe(&lock, platform, index.map(String::as_str))?);
        let order = order(&lock, platform);
        known.retain(|name, _| order.contains_key(name));
        text.push_str(&format!("  {:?}: {{\n", platform.to_string()));
        let lines: Vec<String> = known
            .iter()
            .map(|(name, about)| Ok(format!("    {name:?}: {}", serde_json::to_string(about)?)))
            .collect::<Result<_>>()?;
        text.push_str(&lines.join(",\n"));
        text.push_str(if platform == Platform::ALL[1] { "\n  }\n" } else { "\n  },\n" });
    }
    text.push_str("}\n");
    Ok(text)
}

/// The texts of every `Packages` file, by platform.
fn read_indexes(workspace: &Workspace) -> Result<BTreeMap<Platform, Vec<String>>> {
    let manifest = workspace.manifest()?;
    let debian = manifest.resolved().values().find_map(|image| image.debian.as_ref());
    let archive = open_archive(debian.ok_or("no image of tests/nixpkgs has Debian packages")?, workspace, &Silent)?;
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let suites = archive.indexes(&["amd64", "arm64"], UnixTime(i64::try_from(elapsed.as_secs())?))?;
    let mut texts: BTreeMap<Platform, Vec<String>> = BTreeMap::new();
    for file in suites.into_iter().flat_map(|suite| suite.packages) {
        for platform in Platform::ALL {
            if file.architecture == platform.architecture() || file.architecture == "all" {
                texts.entry(platform).or_default().push(String::from_utf8(file.bytes.clone())?);
            }
        }
    }
    Ok(texts)
}

/// The place of each locked package in the order of installation: images that have others' packages come after them.
fn order(lock: &Lockfile, platform: Platform) -> BTreeMap<String, usize> {
    let mut images: Vec<_> =
        lock.images.keys().filter_map(|image| lock.packages_of(image.as_str(), platform)).collect();
    images.sort_by_key(ExactSizeIterator::len);
    let mut order = BTreeMap::new();
    for (used, _) in images.into_iter().flatten() {
        let next = order.len();
        order.entry(used.package.name.to_string()).or_insert(next);
    }
    order
}

fn describe<'t>(lock: &Lockfile, platform: Platform, index: impl Iterator<Item = &'t str>) -> Result<Packages> {
    let order = order(lock, platform);
    let locked = lock.packages.get(&platform).into_iter().flatten();
    let versions: BTreeMap<&str, &str> = locked.map(|(key, _)| (key.name.as_str(), key.version.as_str())).collect();
    let mut found: BTreeMap<&str, Stanza<'_>> = BTreeMap::new();
    for stanza in index.flat_map(stanzas) {
        let stanza = stanza?;
        let (name, version) = (stanza.require("Package")?, stanza.require("Version")?);
        if versions.get(name) == Some(&version) {
            found.entry(name).or_insert(stanza);
        }
    }
    let providers = providers(&found)?;
    let mut packages = Packages::new();
    for (name, stanza) in &found {
        let mut depends = BTreeSet::new();
        for group in groups(stanza, &["Pre-Depends", "Depends"])? {
            let chosen = group.0.iter().find_map(|relation| {
                let provided = || providers.get(&*relation.name).and_then(BTreeSet::first).copied();
                found.get_key_value(&*relation.name).map(|(name, _)| *name).or_else(provided)
            });
            depends.extend(chosen.filter(|chosen| order.get(*chosen) < order.get(*name)).map(str::to_owned));
        }
        let description = stanza.get("Description").unwrap_or_default();
        let about = About {
            description: description.lines().next().unwrap_or_default().trim().to_owned(),
            homepage: stanza.get("Homepage").map(str::to_owned),
            depends,
        };
        packages.insert((*name).to_owned(), about);
    }
    Ok(packages)
}

/// Who provides a virtual package.
fn providers<'t>(found: &BTreeMap<&'t str, Stanza<'t>>) -> Result<BTreeMap<String, BTreeSet<&'t str>>> {
    let mut providers: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (name, stanza) in found {
        for relation in groups(stanza, &["Provides"])?.into_iter().flat_map(|group| group.0) {
            providers.entry(relation.name.into()).or_default().insert(name);
        }
    }
    Ok(providers)
}

fn groups(stanza: &Stanza<'_>, fields: &[&str]) -> Result<Vec<OrGroup>> {
    let mut groups = Vec::new();
    for field in fields {
        groups.extend(OrGroup::parse_list(stanza.get(field).unwrap_or_default())?);
    }
    Ok(groups)
}
