//! What of the manifest decides an image's lock.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::digest::Digest;
use crate::manifest::model::{Priority, ScriptPolicy, Set, Shell, SlimRules};
use crate::manifest::{
    Component, DebianSource, ImageName, LayerBudget, Manifest, PackageName, PackagePattern, Platform, RepositoryName,
    RepositorySuite, ResolvedImage, SetName, ShellName, SnapshotTime, Suite,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<BaseInputs<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nix: Option<NixInputs<'a>>,
}

/// What decides about an image outside of the workspace and packages on it, whatever system it turns out to be.
#[derive(Serialize)]
struct BaseInputs<'a> {
    reference: String,
    of_debian: DebianInputs<'a>,
    of_other: DebianInputs<'a>,
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

/// What decides which store paths an image has; what the sets and shells are is in digests of their own.
#[derive(Serialize)]
struct NixInputs<'a> {
    sets: BTreeSet<&'a SetName>,
    shell: Option<&'a ShellName>,
    offline_develop: bool,
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
/// what is placed on top of the packages. What its sets and shell are has digests of its own ([`set_inputs`], [`shell_inputs`]). Lists
/// whose order has no meaning are sorted.
pub fn lock_inputs(image: &ResolvedImage) -> Digest {
    let inputs = Inputs {
        generation: GENERATION,
        parents: &image.parents,
        platforms: &image.platforms,
        debian: image.debian.as_ref().filter(|_| image.base.is_none()).map(debian_inputs),
        recommends: image.recommends,
        packages: image.packages.iter().map(|package| package.request.value.to_string()).collect(),
        scripts: &image.scripts,
        layers: image.layers,
        base: image.base.as_ref().map(|base| BaseInputs {
            reference: base.reference.to_string(),
            of_debian: debian_inputs(&base.of_debian),
            of_other: debian_inputs(&base.of_other),
        }),
        nix: image.nix.has_paths().then(|| NixInputs {
            sets: image.nix.sets.iter().collect(),
            shell: image.nix.shell.as_ref(),
            offline_develop: image.nix.offline_develop,
        }),
    };
    digest(&inputs)
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

/// What the manifest says of a set, those that are in it not included: while it stays and flake.lock does, so do its roots.
pub fn set_inputs(set: &Set) -> Digest {
    #[derive(Serialize)]
    struct Inputs<'a> {
        generation: u32,
        packages: Vec<&'a str>,
        expression: Option<&'a str>,
        priority: Option<Priority>,
    }
    digest(&Inputs {
        generation: GENERATION,
        packages: set.packages.iter().map(|package| package.as_str()).collect(),
        expression: set.expression.as_ref().map(|expression| expression.as_str()),
        priority: set.priority,
    })
}

/// What the manifest says of a shell, with the digests of its sets and of those in them.
pub fn shell_inputs(manifest: &Manifest, shell: &Shell) -> Digest {
    #[derive(Serialize)]
    struct Inputs<'a> {
        generation: u32,
        sets: Vec<(SetName, Digest)>,
        packages: Vec<&'a str>,
        expression: Option<&'a str>,
        hook: Option<&'a str>,
        env: BTreeMap<&'a str, &'a str>,
    }
    let known: BTreeMap<&SetName, &Set> = manifest.sets().collect();
    let sets = manifest.sets_within(shell.sets.iter().map(|set| &set.value)).into_iter();
    digest(&Inputs {
        generation: GENERATION,
        sets: sets.filter_map(|name| Some((name.clone(), set_inputs(known.get(&name)?)))).collect(),
        packages: shell.packages.iter().map(|package| package.as_str()).collect(),
        expression: shell.expression.as_ref().map(|expression| expression.as_str()),
        hook: shell.hook.as_deref(),
        env: shell.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
    })
}

fn digest(inputs: &impl Serialize) -> Digest {
    // Serializing strings, numbers and maps with text keys into memory cannot fail; an empty text would only mean "out of date".
    Digest::of(&serde_json::to_vec(inputs).unwrap_or_default())
}
