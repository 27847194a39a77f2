//! One image on one platform: from unpacked packages to blobs in the store.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::debian::configure::{ConfigureOptions, bootstrapped, configure};
use plywood_core::debian::deb::{UnpackedDeb, scripts_hash};
use plywood_core::debian::dpkg::Installer;
use plywood_core::debian::dpkg::database::{DatabaseOptions, write_database};
use plywood_core::image::{Sources, apply, image_annotations, image_config};
use plywood_core::item::ItemId;
use plywood_core::layering::{ItemChanges, ItemEntries, settle};
use plywood_core::manifest::model::{ScriptPolicy, Workspace as WorkspaceTable};
use plywood_core::oci::Timestamp;
use plywood_core::tree::Tree;
use plywood_oci::codec::Codec;
use plywood_oci::image::Image;
use plywood_oci::layer::{Layer, LayerKey, build_layer};
use plywood_oci::segment::{SegmentContents, SegmentError, filter_segment, write_generated};
use plywood_oci::store::Store;
use rayon::prelude::*;

use super::BuildError;
use super::packages::Unpacked;
use super::plan::ImagePlan;
use super::report::{BuiltLayer, BuiltPlatform, LayerOrigin};
use crate::events::{Event, Events, Task};
use crate::script_runner::NamespaceRunner;

/// What the images of one build have in common.
pub(super) struct Context<'b> {
    pub(super) store: &'b Store,
    pub(super) unpacked: &'b Unpacked,
    pub(super) workspace: &'b WorkspaceTable,
    /// The lock's date: dates what is generated.
    pub(super) date: Timestamp,
    /// `created` of the images.
    pub(super) created: Timestamp,
    /// Takes what is worth a word.
    pub(super) events: &'b dyn Events,
}

/// An image whose segments are all in the store: what is left is to join them.
pub(super) struct Prepared {
    /// The items of each layer, bottom up, generated state last.
    layers: Vec<Vec<ItemId>>,
    codec: Codec,
    notes: BTreeSet<String>,
}

/// Configures the packages of an image and writes the segments that no package brings.
///
/// # Errors
/// When the packages cannot be configured, the definition does not fit them, or the store cannot be written.
pub(super) fn prepare(context: &Context<'_>, plan: &ImagePlan<'_>, sources: &Sources) -> Result<Prepared, BuildError> {
    let debs = unpacked_debs(context, plan)?;
    let (tree, notes) = assemble(context, plan, &debs, sources)?;
    let (mut layers, generated) = items(context, plan, &debs, &tree)?;
    let contents = SegmentContents::new(context.store, plan.codec);
    let state = write_generated(context.store, plan.codec, &generated, &contents)?;
    layers.push(vec![state.item()]);
    Ok(Prepared { layers, codec: plan.codec, notes })
}

/// Layers by their keys, with whether the store had them before.
pub(super) type Layers = BTreeMap<LayerKey, (Layer, LayerOrigin)>;

/// Makes the layers of all images, each once however many images have it.
///
/// # Errors
/// When a segment cannot be read or a layer not be written.
pub(super) fn make_layers(store: &Store, images: &[Prepared], task: &Task<'_>) -> Result<Layers, BuildError> {
    let wanted: BTreeMap<LayerKey, (Codec, &Vec<ItemId>)> = images
        .iter()
        .flat_map(|image| image.layers.iter().map(|items| (LayerKey::of(items, image.codec), (image.codec, items))))
        .collect();
    let make = |(key, (codec, items)): (LayerKey, (Codec, &Vec<ItemId>))| {
        let origin = if store.layer(key)?.is_some() { LayerOrigin::Cached } else { LayerOrigin::Made };
        let layer = build_layer(store, codec, items)?;
        task.advance(1);
        Ok((key, (layer, origin)))
    };
    let wanted: Vec<_> = wanted.into_iter().collect();
    wanted.into_par_iter().with_max_len(1).map(make).collect()
}

/// How many layers these images have, those that they share counted once.
pub(super) fn count_layers(images: &[Prepared]) -> usize {
    let keys = |image: &Prepared| image.layers.iter().map(|items| LayerKey::of(items, image.codec)).collect::<Vec<_>>();
    images.iter().flat_map(keys).collect::<BTreeSet<_>>().len()
}

/// Puts configuration and manifest on an image's layers, and says what is in it.
///
/// # Errors
/// When the image is too large, or the store cannot be written.
pub(super) fn finish(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    prepared: Prepared,
    layers: &Layers,
) -> Result<(Image, BuiltPlatform), BuildError> {
    let own = prepared.layers.iter().filter_map(|items| layers.get(&LayerKey::of(items, prepared.codec)));
    let own: Vec<(Layer, LayerOrigin)> = own.cloned().collect();
    let built = describe(plan, &own);
    check_size(plan, &built)?;

    let comments: Vec<String> = built.iter().map(comment).collect();
    let config = image_config(plan.image, context.workspace, plan.platform, context.created, &comments);
    let annotations = image_annotations(plan.image, context.workspace, context.created);
    let layers = own.into_iter().map(|(layer, _)| layer).collect();
    let image = Image::assemble(context.store, plan.platform, config, layers, annotations)?;
    let report = BuiltPlatform {
        platform: plan.platform,
        digest: image.manifest.digest,
        image_id: image.config.digest,
        packages: plan.packages.len(),
        compressed_size: built.iter().map(|layer| layer.compressed_size).sum(),
        uncompressed_size: built.iter().map(|layer| layer.uncompressed_size).sum(),
        layers: built,
        notes: prepared.notes,
    };
    Ok((image, report))
}

fn unpacked_debs<'b>(context: &Context<'b>, plan: &ImagePlan<'_>) -> Result<Vec<&'b UnpackedDeb>, BuildError> {
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
fn assemble(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    debs: &[&UnpackedDeb],
    sources: &Sources,
) -> Result<(Tree, BTreeSet<String>), BuildError> {
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

type Generated = Vec<(plywood_core::tree::TreePath, plywood_core::tree::Node)>;

/// The items of each layer as this image has them, variants written where needed, and what is left to be generated.
fn items(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    debs: &[&UnpackedDeb],
    tree: &Tree,
) -> Result<(Vec<Vec<ItemId>>, Generated), BuildError> {
    let stacked: Vec<Vec<ItemEntries<'_>>> = plan
        .layers
        .iter()
        .map(|layer| {
            let debs = layer.items.iter().filter_map(|(_, place)| debs.get(*place));
            debs.map(|deb| ItemEntries { item: deb.item, entries: &deb.entries }).collect()
        })
        .collect();
    let settled = settle(tree, &stacked);
    let changed: Vec<(ItemId, &ItemChanges)> = stacked
        .iter()
        .zip(&settled.changes)
        .flat_map(|(items, changes)| items.iter().map(|item| item.item).zip(changes))
        .filter(|(_, changes)| !changes.is_empty())
        .collect();
    changed.par_iter().try_for_each(|(item, changes)| {
        let segment = context.store.segment(*item, plan.codec)?.ok_or(SegmentError::Missing { item: *item })?;
        filter_segment(context.store, &segment, changes, &[]).map(drop)
    })?;
    let layers = stacked.iter().zip(&settled.changes).map(|(items, changes)| {
        items.iter().zip(changes).map(|(item, changes)| changes.variant_of(item.item)).collect()
    });
    Ok((layers.collect(), settled.generated))
}

fn describe(plan: &ImagePlan<'_>, layers: &[(Layer, LayerOrigin)]) -> Vec<BuiltLayer> {
    let own = || [plan.image.name.to_string()].into();
    let planned = plan.layers.iter().map(|layer| {
        let items: Vec<_> = layer.items.iter().map(|(key, _)| key.clone()).collect();
        (layer.images.clone(), items)
    });
    let with_state = planned.chain([(own(), Vec::new())]);
    let describe = |((layer, origin), (images, items)): (&(Layer, LayerOrigin), (_, Vec<_>))| BuiltLayer {
        digest: layer.digest,
        diff_id: layer.diff_id,
        compressed_size: layer.size,
        uncompressed_size: layer.uncompressed_size,
        reason: reason(items.len()),
        items,
        images,
        origin: *origin,
    };
    layers.iter().zip(with_state).map(describe).collect()
}

/// Why the items of a layer are together; who shares it is said beside it.
fn reason(items: usize) -> String {
    match items {
        0 => "users, files and state of this image alone",
        1 => "large or often changing, so that an update of it moves nothing else",
        _ => "the same images have them; small, or from one source and changing together",
    }
    .to_owned()
}

/// What a layer's line of history says.
fn comment(layer: &BuiltLayer) -> String {
    /// As many items are named; more would only be noise in `podman history`.
    const NAMED: usize = 4;
    if layer.items.is_empty() {
        return "users, files and state".to_owned();
    }
    let names: Vec<&str> = layer.items.iter().map(|key| key.0.rsplit('/').next().unwrap_or(&key.0)).collect();
    match names.len().checked_sub(NAMED) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names.get(..NAMED).unwrap_or_default().join(", ")),
    }
}

fn check_size(plan: &ImagePlan<'_>, layers: &[BuiltLayer]) -> Result<(), BuildError> {
    let size: u64 = layers.iter().map(|layer| layer.compressed_size).sum();
    match plan.image.size_limit {
        Some(limit) if size > limit.0 => Err(BuildError::TooLarge {
            image: plan.image.name.to_string(),
            platform: plan.platform,
            size,
            limit: limit.0,
        }),
        _ => Ok(()),
    }
}
