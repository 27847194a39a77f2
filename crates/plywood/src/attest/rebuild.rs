//! Building an image again from nothing, and finding the first file that differs.

use std::fs::File;

use camino::Utf8PathBuf;
use plywood_core::attest::Provenance;
use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, ImageConfig, ImageManifest, MAX_DOCUMENT};
use plywood_core::platform::Platform;
use plywood_oci::diff::{FileDifference, LayerListing};
use plywood_oci::layout::{ImageLayout, LayoutImage};
use plywood_oci::registry::{Repository, no_progress};
use plywood_oci::store::Store;
use serde::Serialize;

use super::AttestError;
use super::resolve::{Resolved, ResolvedImage};
use crate::Error;
use crate::build::{BuildOptions, Output, build};
use crate::events::{Event, Events, Task, Unit};
use crate::workspace::Workspace;

/// What building again gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RebuildReport {
    /// Each platform.
    pub platforms: Vec<RebuiltPlatform>,
}

/// One platform, built again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RebuiltPlatform {
    /// Which.
    pub platform: Platform,
    /// The digest of the manifest in the registry.
    pub digest: Digest,
    /// The digest of the manifest that was built.
    pub rebuilt: Digest,
    /// Whether they are equal.
    pub same: bool,
    /// What differs, the manifest's own first, then the layers' from the bottom up.
    pub differences: Vec<RebuildDifference>,
}

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RebuildDifference {
    /// An annotation of the manifest.
    Annotation {
        /// Its key.
        key: String,
    },
    /// Something in the configuration, layers and history aside.
    Config {
        /// Where in it, such as `config.Env`.
        field: String,
    },
    /// How many layers there are.
    LayerCount {
        /// In the registry.
        registry: usize,
        /// Built again.
        rebuilt: usize,
    },
    /// A layer.
    Layer {
        /// Its place from the bottom, from 1.
        number: usize,
        /// Its digest in the registry.
        digest: Digest,
        /// What its history says is in it.
        what: String,
        /// How many of its files differ; none when only order or compression do.
        files: usize,
        /// The first of them.
        first: Option<FileDifference>,
    },
}

/// Builds the image of a provenance again, with an empty cache, and compares it with the registry's. There are several where each platform
/// has its own.
pub(super) fn rebuild(
    resolved: &Resolved,
    provenances: &[Provenance],
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<RebuildReport, Error> {
    check_workspace(provenances, workspace)?;
    let name = provenances.first().map(Provenance::image).unwrap_or_default();
    std::fs::create_dir_all(workspace.cache()).map_err(AttestError::Temporary)?;
    let folder = tempfile::Builder::new().prefix("rebuild-").tempdir_in(workspace.cache());
    let folder = folder.map_err(AttestError::Temporary)?;
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned())
        .map_err(|_| AttestError::Temporary(std::io::Error::other("the name of the cache folder is not UTF-8")))?;
    let doomed = path.clone();
    let _undo = crate::interrupt::undo_on_interrupt(move || drop(std::fs::remove_dir_all(doomed)));
    let layout = path.join("oci");
    let options = BuildOptions {
        images: vec![name.to_owned()],
        platforms: resolved.images.iter().map(|image| image.platform).collect(),
        locked: true,
        output: Some(Output::OciLayout(layout.clone())),
        ..BuildOptions::default()
    };
    // With what other builds left, this would only show that the cache is the same.
    let built = build(&options, &workspace.with_cache(path.join("cache")), events)?;
    let name = built.images.iter().find(|image| image.name == name).map(|image| image.reference.clone());
    let layout = ImageLayout::open(layout).map_err(AttestError::from)?;
    let store = Store::open(path.join("registry")).map_err(AttestError::from)?;
    let comparison = Comparison { repository: &resolved.repository, layout: &layout, store: &store, events };
    let platforms = resolved.images.iter().map(|image| comparison.of(image, name.as_deref()));
    Ok(RebuildReport { platforms: platforms.collect::<Result<_, _>>()? })
}

/// The workspace must be what the image was built from, or the comparison says nothing. Of platforms that runners built at several commits
/// of one manifest and lock, each commit will do.
fn check_workspace(provenances: &[Provenance], workspace: &Workspace) -> Result<(), Error> {
    let commit = provenances.first().and_then(Provenance::commit).map(str::to_owned);
    let other =
        |reason: &str| Err(AttestError::OtherWorkspace { reason: reason.to_owned(), commit: commit.clone() }.into());
    let manifest = workspace.manifest()?;
    let source = super::source(workspace.directory(), None)?;
    if provenances.iter().any(Provenance::is_dirty) {
        return other("it was built from files that are in no commit");
    }
    if provenances.iter().all(|provenance| source.commit.as_deref() != provenance.commit()) {
        return other(&match &commit {
            Some(commit) => format!("the workspace is not at commit {commit}"),
            None => "it was built outside of version control".to_owned(),
        });
    }
    if source.dirty {
        return other("files of the workspace differ from the commit");
    }
    let lock = workspace.read_lock()?.map(|text| Digest::of(text.as_bytes()));
    let same = |it: &Provenance| it.manifest() == Some(manifest.digest()) && it.lock() == lock;
    if !provenances.iter().all(same) {
        return other("plywood.toml or plywood.lock differ");
    }
    Ok(())
}

struct Comparison<'c> {
    repository: &'c Repository,
    layout: &'c ImageLayout,
    store: &'c Store,
    events: &'c dyn Events,
}

impl Comparison<'_> {
    fn of(&self, image: &ResolvedImage, name: Option<&str>) -> Result<RebuiltPlatform, AttestError> {
        let rebuilt = self.layout.image(name, image.platform)?;
        let (digest, same) = (image.descriptor.digest, image.descriptor.digest == rebuilt.descriptor.digest);
        let differences = if same { Vec::new() } else { self.differences(&image.descriptor, &rebuilt)? };
        Ok(RebuiltPlatform { platform: image.platform, digest, rebuilt: rebuilt.descriptor.digest, same, differences })
    }

    fn differences(&self, there: &Descriptor, rebuilt: &LayoutImage) -> Result<Vec<RebuildDifference>, AttestError> {
        let fetched = self.repository.get_manifest(&there.digest.into())?;
        let manifest = ImageManifest::parse(&fetched.bytes)?;
        let config = self.repository.read_blob(&manifest.config, MAX_DOCUMENT as u64)?;
        let config = ImageConfig::parse(&config)?;
        let (here, there) = (&rebuilt.manifest.annotations, &manifest.annotations);
        let keys: std::collections::BTreeSet<&String> = here.keys().chain(there.keys()).collect();
        let other = keys.into_iter().filter(|key| here.get(*key) != there.get(*key));
        let mut differences: Vec<RebuildDifference> =
            other.map(|key| RebuildDifference::Annotation { key: key.clone() }).collect();
        differences.extend(config_differences(&config, &rebuilt.config));
        let (ours, theirs) = (&rebuilt.manifest.layers, &manifest.layers);
        if ours.len() != theirs.len() {
            differences.push(RebuildDifference::LayerCount { registry: theirs.len(), rebuilt: ours.len() });
        }
        let comments: Vec<String> = config
            .history
            .iter()
            .filter(|step| !step.empty_layer)
            .map(|step| step.comment.clone().or_else(|| step.created_by.clone()).unwrap_or_default())
            .collect();
        for (place, (theirs, ours)) in theirs.iter().zip(ours).enumerate().filter(|(_, (a, b))| a.digest != b.digest) {
            let what = comments.get(place).cloned().unwrap_or_default();
            differences.push(self.layer(place + 1, theirs, ours, what)?);
        }
        Ok(differences)
    }

    /// Reads both layers, one after the other, and compares them file by file.
    fn layer(
        &self,
        number: usize,
        theirs: &Descriptor,
        ours: &Descriptor,
        what: String,
    ) -> Result<RebuildDifference, AttestError> {
        let _task = Task::start(self.events, format!("Comparing layer {number}"), None, Unit::Items);
        let unreadable = |digest| move |source| AttestError::Layer { digest, source };
        let path = self.repository.get_blob_to(self.store, theirs, &no_progress)?;
        let there = File::open(path).and_then(|file| LayerListing::read(&theirs.media_type, file));
        let there = there.map_err(unreadable(theirs.digest))?;
        let here = LayerListing::read(&ours.media_type, self.layout.blob(ours)?).map_err(unreadable(ours.digest))?;
        let mut differences = there.differences(&here);
        let first = differences.next();
        let files = usize::from(first.is_some()) + differences.count();
        if let Some(first) = &first {
            self.events.emit(Event::Detail(format!("layer {number}: {first}")));
        }
        Ok(RebuildDifference::Layer { number, digest: theirs.digest, what, files, first })
    }
}

/// The fields that differ, layers and history aside: those differ wherever a layer does.
fn config_differences(there: &ImageConfig, here: &ImageConfig) -> Vec<RebuildDifference> {
    let value = |config: &ImageConfig| {
        let mut value = serde_json::to_value(config).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("rootfs");
            fields.remove("history");
        }
        value
    };
    let mut fields = Vec::new();
    compare("", &value(there), &value(here), &mut fields);
    fields.into_iter().map(|field| RebuildDifference::Config { field }).collect()
}

fn compare(path: &str, there: &serde_json::Value, here: &serde_json::Value, fields: &mut Vec<String>) {
    use serde_json::Value::{Null, Object};

    match (there, here) {
        (Object(there), Object(here)) => {
            let keys: std::collections::BTreeSet<&String> = there.keys().chain(here.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, there.get(key).unwrap_or(&Null), here.get(key).unwrap_or(&Null), fields);
            }
        }
        (there, here) if there != here => fields.push(path.to_owned()),
        _ => {}
    }
}
