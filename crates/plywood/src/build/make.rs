//! From the lock to images in the output: what is missing is made, in parallel.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::thread;

use plywood_core::image::Sources;
use plywood_core::manifest::{Manifest, ResolvedImage};
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;
use plywood_oci::image::Image;
use plywood_oci::store::Store;
use rayon::prelude::*;

use super::error::BuildError;
use super::image::{Context, build_image};
use super::packages::{Unpacked, WantedDeb, unpack_all};
use super::plan::ImagePlan;
use super::record::Record;
use super::report::{BuildReport, BuiltPlatform, LayerOrigin};
use super::{BuildOptions, Output, plan, record, sources, write};
use crate::Error;
use crate::debian::FetchError;
use crate::events::{Events, Task, Unit};
use crate::lock::{self, Ensured};
use crate::workspace::Workspace;

/// Makes the images and writes them to the output; what is gone from every mirror is resolved anew unless `locked`.
pub(super) fn make(options: &BuildOptions, workspace: &Workspace, events: &dyn Events) -> Result<BuildReport, Error> {
    let manifest = workspace.manifest()?;
    let ensured = lock::ensure(&manifest, workspace, options.locked, events)?;
    match build_locked(options, workspace, &manifest, &ensured, events) {
        Err(Error::Build(BuildError::Fetch(FetchError::Gone(gone)))) if !options.locked => {
            let gone = gone.iter().map(|deb| deb.name.split(' ').next().unwrap_or_default().to_owned()).collect();
            let ensured = lock::replace_gone(&manifest, workspace, gone, events)?;
            build_locked(options, workspace, &manifest, &ensured, events)
        }
        done => done,
    }
}

fn build_locked(
    options: &BuildOptions,
    workspace: &Workspace,
    manifest: &Manifest,
    ensured: &Ensured,
    events: &dyn Events,
) -> Result<BuildReport, Error> {
    let store = Store::open(workspace.cache()).map_err(BuildError::from)?;
    let jobs = options.jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.get()).build().map_err(Error::Threads)?;
    let created = created(ensured.lock.date)?;

    let mut jobs_to_do: Vec<Job<'_>> = Vec::new();
    for image in selected(manifest, &options.images)? {
        let sources = sources::read(workspace.directory(), image)?;
        for platform in platforms(options) {
            let plan = plan::plan(image, platform, &ensured.lock)?;
            let key = record::key(&plan, manifest.digest(), &ensured.text, created, &sources);
            jobs_to_do.push(Job { plan, sources: sources.clone(), key, done: record::find(&store, key) });
        }
    }
    pool.install(|| make_missing(&mut jobs_to_do, &store, manifest, ensured, created, workspace, jobs, events))?;
    let images = gather(&jobs_to_do);
    let output = options.output.clone().unwrap_or_else(|| Output::OciLayout(workspace.default_layout()));
    let images = write::write(&store, &output, &images, manifest)?;
    Ok(BuildReport { output, lock: ensured.report.clone(), images, loaded: None })
}

/// One image on one platform, and what became of it.
struct Job<'m> {
    plan: ImagePlan<'m>,
    sources: Sources,
    key: plywood_core::item::ItemId,
    done: Option<Record>,
}

#[allow(clippy::too_many_arguments, reason = "the one place where everything of a build meets")]
fn make_missing(
    jobs: &mut [Job<'_>],
    store: &Store,
    manifest: &Manifest,
    ensured: &Ensured,
    created: Timestamp,
    workspace: &Workspace,
    threads: NonZeroUsize,
    events: &dyn Events,
) -> Result<(), Error> {
    let mut missing: Vec<&mut Job<'_>> = jobs.iter_mut().filter(|job| job.done.is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let unpacked = unpack_for(&missing, store, workspace, threads, events)?;
    let context =
        Context { store, unpacked: &unpacked, workspace: manifest.workspace(), date: ensured.lock.date, created };
    let task = Task::start(events, "Building images", Some(missing.len() as u64), Unit::Items);
    missing.par_iter_mut().try_for_each(|job| -> Result<(), BuildError> {
        let (image, built) = build_image(&context, &job.plan, &job.sources)?;
        let mut remembered = built.clone();
        remembered.layers.iter_mut().for_each(|layer| layer.origin = LayerOrigin::Cached);
        record::keep(store, job.key, &Record { image: image.clone(), built: remembered });
        job.done = Some(Record { image, built });
        task.advance(1);
        Ok(())
    })?;
    Ok(())
}

/// Unpacks what the images need, from each archive that they name.
fn unpack_for(
    jobs: &[&mut Job<'_>],
    store: &Store,
    workspace: &Workspace,
    threads: NonZeroUsize,
    events: &dyn Events,
) -> Result<Unpacked, Error> {
    let mut by_source: Vec<(&plywood_core::manifest::DebianSource, BTreeMap<String, WantedDeb>)> = Vec::new();
    for job in jobs {
        let source = &job.plan.image.debian;
        let at = by_source.iter().position(|(known, _)| *known == source).unwrap_or_else(|| {
            by_source.push((source, BTreeMap::new()));
            by_source.len() - 1
        });
        if let Some((_, wanted)) = by_source.get_mut(at) {
            let packages = job.plan.packages.iter();
            wanted.extend(packages.map(|package| (format!("{} {}", package.item(), package.codec), package.clone())));
        }
    }
    let mut unpacked = Unpacked::new();
    for (source, wanted) in by_source {
        let archive = lock::open_archive(source, workspace.directory(), workspace.cache(), events)?;
        let wanted: Vec<WantedDeb> = wanted.into_values().collect();
        unpacked.extend(unpack_all(store, &archive, &wanted, threads, events)?);
    }
    Ok(unpacked)
}

/// The images asked for, those they stand on before them; all when none is named.
fn selected<'m>(manifest: &'m Manifest, names: &[String]) -> Result<Vec<&'m ResolvedImage>, Error> {
    let mut images: Vec<&ResolvedImage> = match names {
        [] => manifest.resolved().values().collect(),
        names => names.iter().map(|name| manifest.resolve(name)).collect::<Result<_, _>>()?,
    };
    images.sort_by_key(|image| (image.parents.len(), &image.name));
    images.dedup_by_key(|image| &image.name);
    Ok(images)
}

fn platforms(options: &BuildOptions) -> Vec<Platform> {
    let mut platforms = options.platforms.clone();
    if platforms.is_empty() {
        platforms.push(crate::os::platform());
    }
    platforms.sort();
    platforms.dedup();
    platforms
}

/// The lock's date unless `SOURCE_DATE_EPOCH` says otherwise (reproducible-builds.org, "SOURCE_DATE_EPOCH").
fn created(date: Timestamp) -> Result<Timestamp, BuildError> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.parse().map(Timestamp).map_err(|_| BuildError::SourceDateEpoch(text)),
        Err(_) => Ok(date),
    }
}

/// The finished images with their platforms.
fn gather<'j>(jobs: &'j [Job<'_>]) -> Vec<Finished<'j>> {
    let mut finished: Vec<Finished<'_>> = Vec::new();
    for job in jobs {
        let Some(record) = &job.done else { continue };
        let name = job.plan.image.name.as_str();
        match finished.iter_mut().find(|one| one.name == name) {
            Some(one) => one.platforms.push((&record.image, &record.built)),
            None => finished.push(Finished {
                name,
                platforms: vec![(&record.image, &record.built)],
            }),
        }
    }
    finished
}

/// An image with all platforms that were built.
pub(super) struct Finished<'j> {
    pub(super) name: &'j str,
    pub(super) platforms: Vec<(&'j Image, &'j BuiltPlatform)>,
}
