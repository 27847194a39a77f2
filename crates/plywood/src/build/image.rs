//! One image on one platform: from unpacked packages to blobs in the store.

use std::collections::{BTreeMap, BTreeSet};

use plywood_core::debian::deb::UnpackedDeb;
use plywood_core::image::{Sources, base_annotations, history_over, image_annotations, image_config};
use plywood_core::item::ItemId;
use plywood_core::layering::{ItemChanges, ItemEntries, settle, settle_over};
use plywood_core::manifest::model::Workspace as WorkspaceTable;
use plywood_core::manifest::{BaseReference, ResolvedImage};
use plywood_core::nix::store_item_id;
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;
use plywood_core::tree::Tree;
use plywood_oci::codec::Codec;
use plywood_oci::image::Image;
use plywood_oci::layer::{Layer, LayerKey, build_layer};
use plywood_oci::segment::{SegmentContents, SegmentError, filter_segment, write_generated};
use plywood_oci::store::Store;
use rayon::prelude::*;

use super::BuildError;
use super::assemble::{Assembled, assemble, unpacked_debs};
use super::describe::{check_size, comments, describe};
use super::known::Known;
use super::late::StorePaths;
use super::nix;
use super::nix_plan::NixPlan;
use super::packages::Unpacked;
use super::plan::{ImagePlan, PlannedItem};
use super::report::{BuiltLayer, BuiltPlatform, LayerOrigin};
use crate::events::{Events, Task};
use crate::pull::{PulledBase, Puller};

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
    /// The images outside of the workspace that images are built on.
    pub(super) bases: &'b Bases,
    /// Fetches of those what is wanted of them.
    pub(super) puller: &'b Puller<'b>,
    /// Fetches store paths that must be looked into.
    pub(super) paths: &'b StorePaths<'b>,
}

/// Images outside of the workspace by platform, read.
pub(super) type Bases = BTreeMap<(BaseReference, Platform), PulledBase>;

impl<'b> Context<'b> {
    /// What an image is built on.
    ///
    /// # Errors
    /// When that was not read; a mistake in the program.
    pub(super) fn base(&self, plan: &ImagePlan<'_>) -> Result<&'b PulledBase, BuildError> {
        let found = plan.base.as_ref().and_then(|(base, _)| self.bases.get(&((*base).clone(), plan.platform)));
        found.ok_or_else(|| BuildError::NotLocked {
            image: plan.image.name.to_string(),
            platform: plan.platform,
            what: "base".to_owned(),
        })
    }

    /// Reads contents of what an image is made of.
    ///
    /// # Errors
    /// As [`Context::base`].
    pub(super) fn contents(&self, plan: &ImagePlan<'_>) -> Result<SegmentContents<'b>, BuildError> {
        match plan.base {
            Some(_) => Ok(self.base(plan)?.contents(self.puller, plan.codec)),
            None => Ok(SegmentContents::new(self.store, plan.codec)),
        }
    }
}

/// An image whose segments are all in the store: what is left is to join them.
pub(super) struct Prepared {
    /// The items of each layer, bottom up, generated state last.
    layers: Vec<Vec<ItemId>>,
    codec: Codec,
    notes: BTreeSet<String>,
    /// The image as its sets and shell activate it.
    active: Option<ResolvedImage>,
}

/// Configures the packages of an image and writes the segments that no package brings.
///
/// # Errors
/// When the packages cannot be configured, the definition does not fit them, or the store cannot be written.
pub(super) fn prepare(context: &Context<'_>, plan: &ImagePlan<'_>, sources: &Sources) -> Result<Prepared, BuildError> {
    let debs = unpacked_debs(context, plan)?;
    let Assembled { tree, notes, active } = assemble(context, plan, &debs, sources)?;
    let (mut layers, generated) = items(context, plan, &debs, &tree)?;
    let contents = context.contents(plan)?;
    let state = write_generated(context.store, plan.codec, &generated, &contents)?;
    layers.push(vec![state.item()]);
    Ok(Prepared { layers, codec: plan.codec, notes, active })
}

/// Layers by their keys, with whether the store had them before.
pub(super) type Layers = BTreeMap<LayerKey, (Layer, LayerOrigin)>;

/// Makes the layers of all images, each once however many images have it.
///
/// # Errors
/// When a segment cannot be read or a layer not be written.
pub(super) fn make_layers(
    store: &Store,
    images: &[Prepared],
    known: &Known,
    task: &Task<'_>,
) -> Result<Layers, BuildError> {
    let wanted: BTreeMap<LayerKey, (Codec, &Vec<ItemId>)> = images
        .iter()
        .flat_map(|image| image.layers.iter().map(|items| (LayerKey::of(items, image.codec), (image.codec, items))))
        .collect();
    let make = |(key, (codec, items)): (LayerKey, (Codec, &Vec<ItemId>))| {
        let layer = match (store.layer(key)?, known.layers.get(&key)) {
            (Some(layer), _) => (layer, LayerOrigin::Cached),
            (None, Some(layer)) => (layer.clone(), LayerOrigin::Registry),
            (None, None) => (build_layer(store, codec, items)?, LayerOrigin::Made),
        };
        task.advance(1);
        Ok((key, layer))
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
    let below = plan.base.is_some().then(|| context.base(plan)).transpose()?;
    let below = below.map(|base| base.layers.as_slice()).unwrap_or_default();
    let inherited = below.iter().map(|layer| (layer.clone(), LayerOrigin::Inherited));
    let own: Vec<(Layer, LayerOrigin)> = inherited.chain(own.cloned()).collect();
    let built = describe(plan, &own);
    check_size(plan, &built)?;

    let comments = comments(plan);
    let image = prepared.active.as_ref().unwrap_or(plan.image);
    let mut config = image_config(image, context.workspace, plan.platform, context.created, &comments);
    let mut annotations = image_annotations(image, context.workspace, context.created);
    if let Some((base, locked)) = &plan.base {
        let history = context.puller.config(base, locked)?.history;
        config.history = history_over(&history, below.len(), base, config.history);
        annotations.extend(base_annotations(base, locked.manifest));
    }
    let layers = own.iter().map(|(layer, _)| layer.clone()).collect();
    let image = Image::assemble(context.store, plan.platform, config, layers, annotations)?;
    let report = report_of(plan, &image, built, prepared.notes);
    Ok((image, report))
}

/// What is said of an image with these layers.
pub(super) fn report_of(
    plan: &ImagePlan<'_>,
    image: &Image,
    layers: Vec<BuiltLayer>,
    notes: BTreeSet<String>,
) -> BuiltPlatform {
    BuiltPlatform {
        platform: plan.platform,
        digest: image.manifest.digest,
        image_id: image.config.digest,
        packages: plan.packages.len(),
        store_paths: plan.nix.as_ref().map_or(0, |nix| nix.paths.len()),
        develop_size: plan.nix.as_ref().map_or(0, NixPlan::develop_size),
        compressed_size: layers.iter().map(|layer| layer.compressed_size).sum(),
        uncompressed_size: layers.iter().map(|layer| layer.uncompressed_size).sum(),
        layers,
        notes,
    }
}

type Generated = Vec<(plywood_core::tree::TreePath, plywood_core::tree::Node)>;

/// The items of each layer as this image has them, variants written where needed, and what is left to be generated.
fn items(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    debs: &[&UnpackedDeb],
    tree: &Tree,
) -> Result<(Vec<Vec<ItemId>>, Generated), BuildError> {
    let (above, paths) = (nix::directories(), plan.nix.as_ref().map(|nix| &nix.paths));
    let entries = |item: &PlannedItem| match item {
        PlannedItem::Package(place) => {
            debs.get(*place).map(|deb| ItemEntries { item: deb.item, entries: &deb.entries })
        }
        // A store path is the same in every image: of its entries only the folders above it can differ.
        PlannedItem::StorePath(path) => {
            let planned = paths.and_then(|paths| paths.get(path))?;
            Some(ItemEntries { item: store_item_id(path, planned.nar_hash), entries: &above })
        }
    };
    let stacked: Vec<Vec<ItemEntries<'_>>> =
        plan.layers.iter().map(|layer| layer.items.iter().filter_map(|(_, item)| entries(item)).collect()).collect();
    let settled = match plan.base {
        Some(_) => settle_over(context.base(plan)?.overlay.clone(), tree, &stacked),
        None => settle(tree, &stacked),
    };
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
    Ok((layers.collect(), settled.top_layer()))
}
