//! The file system of an image: its packages configured, its definition on top, dpkg's database written.

use std::collections::BTreeSet;

use plywood_core::debian::configure::{ConfigureOptions, bootstrapped, configure};
use plywood_core::debian::deb::{UnpackedDeb, scripts_hash};
use plywood_core::debian::dpkg::Installer;
use plywood_core::debian::dpkg::database::{DatabaseOptions, write_database};
use plywood_core::image::{Sources, apply, place_bare};
use plywood_core::manifest::model::ScriptPolicy;
use plywood_core::tree::Tree;
use plywood_oci::segment::SegmentContents;

use super::BuildError;
use super::image::Context;
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

/// The whole file system of the image, and what was passed over on the way.
pub(super) fn assemble(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    debs: &[&UnpackedDeb],
    sources: &Sources,
) -> Result<(Tree, BTreeSet<String>), BuildError> {
    if plan.image.debian.is_none() {
        return bare(context, plan, sources);
    }
    let image = || plan.image.name.to_string();
    let contents = SegmentContents::new(context.store, plan.codec);
    if !sources.certificates.is_empty() && !debs.iter().any(|deb| deb.package() == "ca-certificates") {
        return Err(BuildError::NoTrustStore { image: image() });
    }
    let with_policy = |policy| scripts_with(plan, debs, policy);
    let (allowed, skipped) = (with_policy(ScriptPolicy::Run)?, with_policy(ScriptPolicy::Skip)?);
    let runner = NamespaceRunner { contents: &contents, platform: plan.platform, now: context.date.0 };
    let options = ConfigureOptions {
        platform: plan.platform,
        now: context.date.0,
        allowed: &allowed,
        skipped: &skipped,
        runner: Some(&runner),
        added: &sources.certificates,
        contents: &contents,
    };
    let configured = configure(debs, options).map_err(|source| BuildError::Configure {
        image: image(),
        platform: plan.platform,
        source,
    })?;
    for note in &configured.notes {
        context.events.emit(Event::Detail(format!("{} for {}: {note}", image(), plan.platform)));
    }
    let mut installer: Installer = configured.installer;
    apply(&mut installer, plan.image, sources, context.date.0).map_err(|source| BuildError::Apply {
        image: image(),
        platform: plan.platform,
        source,
    })?;
    let mut requested = bootstrapped(debs);
    requested.extend(plan.requested.iter().cloned());
    let options = DatabaseOptions { requested: &requested, mtime: context.date.0 };
    write_database(&mut installer, &options).map_err(|source| BuildError::Database { image: image(), source })?;
    Ok((installer.tree, configured.notes))
}

/// The file system of an image without Debian: folders, accounts, and the definition on top.
fn bare(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    sources: &Sources,
) -> Result<(Tree, BTreeSet<String>), BuildError> {
    let image = || plan.image.name.to_string();
    if !sources.certificates.is_empty() {
        return Err(BuildError::NoTrustStore { image: image() });
    }
    let failed = |source| BuildError::Apply { image: image(), platform: plan.platform, source };
    let mut installer = Installer::new(plan.platform);
    installer.tree = Tree::default();
    place_bare(&mut installer.tree, plan.image).map_err(|source| failed(source.into()))?;
    apply(&mut installer, plan.image, sources, context.date.0).map_err(failed)?;
    Ok((installer.tree, BTreeSet::new()))
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
