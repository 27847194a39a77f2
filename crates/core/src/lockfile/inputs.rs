//! What of the manifest decides an image's lock.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::digest::Digest;
use crate::manifest::model::{ScriptPolicy, SlimRules};
use crate::manifest::{
    Component, DebianSource, ImageName, LayerBudget, PackageName, PackagePattern, Platform, RepositoryName,
    RepositorySuite, ResolvedImage, SnapshotTime, Suite,
};

/// Changes whenever plywood resolves the same words differently, so that locks made before count as out of date.
const GENERATION: u32 = 1;

/// Everything that decides what is locked for an image; the order of fields is that of the digest.
#[derive(Serialize)]
struct Inputs<'a> {
    generation: u32,
    parents: &'a [ImageName],
    platforms: &'a [Platform],
    #[serde(flatten)]
    debian: Option<DebianInputs<'a>>,
    recommends: bool,
    packages: BTreeSet<String>,
    scripts: &'a BTreeMap<PackageName, ScriptPolicy>,
    layers: LayerBudget,
}

#[derive(Serialize)]
struct DebianInputs<'a> {
    suite: &'a Suite,
    components: BTreeSet<&'a Component>,
    updates: bool,
    security: bool,
    snapshot: Option<SnapshotTime>,
    slim: Option<&'a SlimRules>,
    repositories: BTreeMap<&'a RepositoryName, RepositoryInputs<'a>>,
}

#[derive(Serialize)]
struct RepositoryInputs<'a> {
    url: &'a str,
    suite: &'a RepositorySuite,
    components: BTreeSet<&'a Component>,
    packages: BTreeSet<&'a PackagePattern>,
}

/// The digest of what the manifest says about an image's packages: while it stays, the image's lock holds.
///
/// Mirrors, credentials and key files are not in it, because any of them gives the same packages; nor is anything that only changes
/// what is placed on top of the packages. Lists whose order has no meaning are sorted.
pub fn lock_inputs(image: &ResolvedImage) -> Digest {
    let inputs = Inputs {
        generation: GENERATION,
        parents: &image.parents,
        platforms: &image.platforms,
        debian: image.debian.as_ref().map(debian_inputs),
        recommends: image.recommends,
        packages: image.packages.iter().map(|package| package.request.value.to_string()).collect(),
        scripts: &image.scripts,
        layers: image.layers,
    };
    // Serializing strings, numbers and maps with text keys into memory cannot fail; an empty text would only mean "out of date".
    Digest::of(&serde_json::to_vec(&inputs).unwrap_or_default())
}

fn debian_inputs(debian: &DebianSource) -> DebianInputs<'_> {
    let repositories = debian.repositories.iter().map(|(name, repository)| {
        let inputs = RepositoryInputs {
            url: repository.url.as_str(),
            suite: &repository.suite,
            components: repository.components.iter().collect(),
            packages: repository.packages.iter().collect(),
        };
        (name, inputs)
    });
    DebianInputs {
        suite: &debian.suite,
        components: debian.components.iter().collect(),
        updates: debian.updates,
        security: debian.security,
        snapshot: debian.snapshot,
        slim: debian.slim.as_ref(),
        repositories: repositories.collect(),
    }
}
