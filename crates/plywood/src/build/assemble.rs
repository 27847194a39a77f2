//! The file system of an image: its packages configured, its definition on top, dpkg's database written.

use std::collections::BTreeSet;

use plywood_core::debian::configure::{
    ConfigureError, ConfigureOptions, Configured, bootstrapped, configure, configure_over,
};
use plywood_core::debian::deb::{UnpackedDeb, scripts_hash};
use plywood_core::debian::dpkg::Installer;
use plywood_core::debian::dpkg::database::{DatabaseOptions, write_database};
use plywood_core::image::{Sources, apply, place_bare};
use plywood_core::manifest::model::ScriptPolicy;
use plywood_core::manifest::{BaseReference, ResolvedImage};
use plywood_core::tree::Tree;
use plywood_oci::segment::SegmentContents;

use super::BuildError;
use super::image::Context;
use super::nix;
use super::plan::ImagePlan;
use crate::events::Event;
use crate::script_runner::NamespaceRunner;

/// The unpacked packages of an image, in the order of installation.
pub(super) fn unpacked_debs<'b>(
    context: &Context<'b>,
    plan: &ImagePlan<'_>,
) -> Result<Vec<&'b UnpackedDeb>, BuildError> {
    let find = |package: &super::packages::WantedDeb| {
        context.unpacked.get(&package.item()).map(|deb| &**deb).ok_or_else(|| BuildError::NotLocked {
            image: plan.image.name.to_string(),
            platform: plan.platform,
            what: package.deb.name.clone(),
        })
    };
    plan.packages.iter().map(find).collect()
}

/// What an image is before it is taken apart into layers.
pub(super) struct Assembled {
    /// Its whole file system, but for store paths.
    pub(super) tree: Tree,
    /// What was passed over on the way.
    pub(super) notes: BTreeSet<String>,
    /// The image as its sets and shell activate it; `None` when it is as the manifest says.
    pub(super) active: Option<ResolvedImage>,
}

/// Makes the file system of the image.
pub(super) fn assemble(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    debs: &[&UnpackedDeb],
    sources: &Sources,
) -> Result<Assembled, BuildError> {
    let image = || plan.image.name.to_string();
    let (mut installer, notes) = match (&plan.base, &plan.image.debian) {
        (Some((base, _)), _) => over_base(context, plan, base, debs, sources)?,
        (None, Some(_)) => configured(context, plan, debs, sources)?,
        (None, None) => (bare(plan, sources)?, BTreeSet::new()),
    };
    let placed = plan.nix.as_ref().map(|nix| nix::place(context, plan, nix, &mut installer, sources)).transpose()?;
    let apply_failed = |source| BuildError::Apply { image: image(), platform: plan.platform, source };
    if !plan.image.has_system() {
        place_bare(&mut installer.tree, plan.image).map_err(|source| apply_failed(source.into()))?;
    }
    apply(&mut installer, plan.image, sources, context.date.0).map_err(apply_failed)?;
    let active = match (&plan.nix, &placed) {
        (Some(nix), Some(placed)) => Some(nix::activated(plan, nix, placed, &mut installer)?),
        _ => None,
    };
    if plan.image.has_system() && !installer.packages().is_empty() {
        // Who made a base knows what was asked for in it.
        let mut requested = if plan.base.is_some() { BTreeSet::new() } else { bootstrapped(debs) };
        requested.extend(plan.requested.iter().cloned());
        let options = DatabaseOptions { requested: &requested, mtime: context.date.0 };
        write_database(&mut installer, &options).map_err(|source| BuildError::Database { image: image(), source })?;
    }
    Ok(Assembled { tree: installer.tree, notes, active })
}

/// What an image without Debian starts with: nothing, or the links of merged /usr where files of a system come.
fn bare(plan: &ImagePlan<'_>, sources: &Sources) -> Result<Installer, BuildError> {
    let has_bundle = plan.nix.is_some() && plan.image.nix.certificates;
    if !sources.certificates.is_empty() && !has_bundle {
        return Err(BuildError::NoTrustStore { image: plan.image.name.to_string() });
    }
    let mut installer = Installer::new(plan.platform);
    if plan.nix.is_none() {
        installer.tree = Tree::default();
    }
    Ok(installer)
}

/// The packages, installed on a base.
fn over_base(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    base: &BaseReference,
    debs: &[&UnpackedDeb],
    sources: &Sources,
) -> Result<(Installer, BTreeSet<String>), BuildError> {
    let pulled = context.base(plan)?;
    let contents = context.contents(plan)?;
    let changes = !debs.is_empty() || !sources.certificates.is_empty();
    let system = pulled.system(base, plan.platform, &contents, changes)?;
    let is_store = |deb: &UnpackedDeb| deb.package() == "ca-certificates";
    let has_store = debs.iter().any(|deb| is_store(deb)) || system.packages.iter().any(is_store);
    if !sources.certificates.is_empty() && !has_store {
        return Err(BuildError::NoTrustStore { image: plan.image.name.to_string() });
    }
    if !changes {
        return Ok((system.installer, BTreeSet::new()));
    }
    install(context, plan, &contents, debs, sources, |options| configure_over(system, debs, options))
}

/// The packages, unpacked and configured.
fn configured(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    debs: &[&UnpackedDeb],
    sources: &Sources,
) -> Result<(Installer, BTreeSet<String>), BuildError> {
    let contents = SegmentContents::new(context.store, plan.codec);
    if !sources.certificates.is_empty() && !debs.iter().any(|deb| deb.package() == "ca-certificates") {
        return Err(BuildError::NoTrustStore { image: plan.image.name.to_string() });
    }
    install(context, plan, &contents, debs, sources, |options| configure(debs, options))
}

/// Installs packages by `configure`, with the scripts that the manifest vouches for.
fn install(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    contents: &SegmentContents<'_>,
    debs: &[&UnpackedDeb],
    sources: &Sources,
    configure: impl FnOnce(ConfigureOptions<'_>) -> Result<Configured, ConfigureError>,
) -> Result<(Installer, BTreeSet<String>), BuildError> {
    let image = || plan.image.name.to_string();
    let with_policy = |policy| scripts_with(plan, debs, policy);
    let (allowed, skipped) = (with_policy(ScriptPolicy::Run)?, with_policy(ScriptPolicy::Skip)?);
    let runner = NamespaceRunner { contents, platform: plan.platform, now: context.date.0 };
    let options = ConfigureOptions {
        platform: plan.platform,
        now: context.date.0,
        allowed: &allowed,
        skipped: &skipped,
        runner: Some(&runner),
        added: &sources.certificates,
        contents,
    };
    let configured = configure(options).map_err(|source| BuildError::Configure {
        image: image(),
        platform: plan.platform,
        source,
    })?;
    for note in &configured.notes {
        context.events.emit(Event::Detail(format!("{} for {}: {note}", image(), plan.platform)));
    }
    Ok((configured.installer, configured.notes))
}

/// The packages whose scripts are treated like this, once their scripts are those that were locked.
fn scripts_with(
    plan: &ImagePlan<'_>,
    debs: &[&UnpackedDeb],
    policy: ScriptPolicy,
) -> Result<BTreeSet<String>, BuildError> {
    let mut names = BTreeSet::new();
    for (name, locked) in plan.scripts.iter().filter(|(_, locked)| locked.policy == policy) {
        let Some(deb) = debs.iter().find(|deb| deb.package() == name) else { continue };
        let found = scripts_hash(&deb.control_files);
        if found != locked.sha256 {
            return Err(BuildError::Scripts { package: name.clone(), locked: locked.sha256, found });
        }
        names.insert(name.clone());
    }
    Ok(names)
}
