//! From the lock to images in the output: what is missing is made, in parallel.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use plywood_core::image::Sources;
use plywood_core::item::ItemId;
use plywood_core::manifest::{DebianSource, ImageName, Manifest, ResolvedImage};
use plywood_core::nix::StorePath;
use plywood_core::oci::Timestamp;
use plywood_core::platform::Platform;
use plywood_oci::codec::Codec;
use plywood_oci::image::Image;
use plywood_oci::store::Store;
use rayon::prelude::*;

use super::describe::describe;
use super::error::BuildError;
use super::image::{Bases, Context, Prepared, count_layers, finish, make_layers, prepare, report_of};
use super::known::{self, Known, Made, MadeImage, MadePlatform};
use super::late::StorePaths;
use super::packages::{Unpacked, WantedDeb, unpack_all};
use super::plan::ImagePlan;
use super::report::{BuildReport, BuiltPlatform, LayerOrigin};
use super::{BuildOptions, Output, plan, record, sources, store_paths, write};
use crate::Error;
use crate::debian::FetchError;
use crate::events::{Events, Task, Unit};
use crate::lock::{self, Ensured};
use crate::nix::WantedPath;
use crate::pull::{self, PulledBase, Puller};
use crate::workspace::Workspace;

/// Makes the images and writes them to the output; what is gone from every mirror is resolved anew unless `locked`.
pub(super) fn make(options: &BuildOptions, workspace: &Workspace, events: &dyn Events) -> Result<BuildReport, Error> {
    let store = Store::open(workspace.cache()).map_err(BuildError::from)?;
    let known = Known::default();
    let (manifest, (ensured, images)) = if let Some(wanted) = &options.store_paths {
        let (manifest, ensured) = store_paths::ensure(wanted, options, workspace, events)?;
        let images = vec![wanted.name.to_string()];
        let options = BuildOptions { images, locked: true, ..options.clone() };
        let images = build_locked(&store, &options, workspace, &manifest, &ensured, &known, events)?;
        (manifest, (ensured, images))
    } else {
        let manifest = workspace.manifest()?;
        let made = make_in(&store, options, workspace, &manifest, &known, events)?;
        (manifest, made)
    };
    let output = options.output.clone().unwrap_or_else(|| Output::OciLayout(workspace.default_layout()));
    let images = write::write(&store, &output, &images, &manifest)?;
    Ok(BuildReport { output, lock: ensured.report, images, loaded: None })
}

/// Makes the images into the store and writes no output. What is known to be elsewhere is not made.
///
/// # Errors
/// As [`super::build`].
pub(crate) fn make_images(
    options: &BuildOptions,
    workspace: &Workspace,
    known: &Known,
    events: &dyn Events,
) -> Result<(Made, Vec<MadeImage>), Error> {
    let manifest = workspace.manifest()?;
    let store = Store::open(workspace.cache()).map_err(BuildError::from)?;
    let (ensured, images) = make_in(&store, options, workspace, &manifest, known, events)?;
    let created = created(ensured.lock.date)?;
    Ok((Made { ensured: Arc::new(ensured), created }, images))
}

fn make_in(
    store: &Store,
    options: &BuildOptions,
    workspace: &Workspace,
    manifest: &Manifest,
    known: &Known,
    events: &dyn Events,
) -> Result<(Ensured, Vec<MadeImage>), Error> {
    let selected = selected(manifest, &options.images)?;
    let platforms: Vec<Platform> = selected.iter().flat_map(|image| platforms(options, image)).collect();
    let needed = (options.images.as_slice(), platforms.as_slice());
    let ensured = lock::ensure(manifest, workspace, needed, options.locked, events)?;
    match build_locked(store, options, workspace, manifest, &ensured, known, events) {
        Err(Error::Build(BuildError::Fetch(FetchError::Gone(gone)))) if !options.locked => {
            let gone = gone.iter().map(|deb| deb.name.split(' ').next().unwrap_or_default().to_owned()).collect();
            let ensured = lock::replace_gone(manifest, workspace, gone, events)?;
            let images = build_locked(store, options, workspace, manifest, &ensured, known, events)?;
            Ok((ensured, images))
        }
        done => done.map(|images| (ensured, images)),
    }
}

fn build_locked(
    store: &Store,
    options: &BuildOptions,
    workspace: &Workspace,
    manifest: &Manifest,
    ensured: &Ensured,
    known: &Known,
    events: &dyn Events,
) -> Result<Vec<MadeImage>, Error> {
    let threads = options.jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build().map_err(Error::Threads)?;
    let created = created(ensured.lock.date)?;
    let resolved: BTreeMap<Platform, BTreeMap<ImageName, ResolvedImage>> = Platform::ALL
        .iter()
        .map(|platform| (*platform, pull::with_facts(manifest, &ensured.lock.bases, *platform)))
        .collect();
    let build = Build { store, workspace, manifest, resolved: &resolved, ensured, known, created, threads, events };

    let mut jobs = build.jobs(options)?;
    pool.install(|| build.make_missing(&mut jobs))?;
    Ok(gather(jobs))
}

/// What all images of one build share.
struct Build<'b> {
    store: &'b Store,
    workspace: &'b Workspace,
    manifest: &'b Manifest,
    /// The images of each platform, over what is locked of bases.
    resolved: &'b BTreeMap<Platform, BTreeMap<ImageName, ResolvedImage>>,
    ensured: &'b Ensured,
    known: &'b Known,
    created: Timestamp,
    threads: NonZeroUsize,
    events: &'b dyn Events,
}

/// One image on one platform, and what became of it.
struct Job<'m> {
    plan: ImagePlan<'m>,
    sources: Sources,
    key: ItemId,
    done: Option<(Image, BuiltPlatform)>,
}

impl<'b> Build<'b> {
    /// What is to be done; images that were made from the same before are done already.
    fn jobs(&self, options: &BuildOptions) -> Result<Vec<Job<'b>>, Error> {
        let mut jobs = Vec::new();
        for image in selected(self.manifest, &options.images)? {
            for platform in platforms(options, image) {
                let resolved = self.resolved.get(&platform).and_then(|images| images.get(&image.name));
                let image = resolved.unwrap_or(image);
                let sources = sources::read(self.workspace.directory(), image)?;
                let mut plan = plan::plan(image, platform, &self.ensured.lock)?;
                if let Some(nix) = &mut plan.nix {
                    nix.as_available = options.store_paths.is_some();
                }
                let (workspace, date) = (self.manifest.workspace(), self.ensured.lock.date);
                let key = record::key(&plan, workspace, date, self.created, &sources);
                let done = self.find(&plan, key);
                jobs.push(Job { plan, sources, key, done });
            }
        }
        Ok(jobs)
    }

    /// An image that is there: here, or in the registry.
    fn find(&self, plan: &ImagePlan<'_>, key: ItemId) -> Option<(Image, BuiltPlatform)> {
        let (image, notes, origin) = match (record::find(self.store, key), self.known.images.get(&key)) {
            (Some(record), _) => (record.image, record.notes, LayerOrigin::Cached),
            (None, Some(image)) => (image.clone(), BTreeSet::new(), LayerOrigin::Registry),
            (None, None) => return None,
        };
        let layers = describe(plan, &known::with_origin(&image.layers, origin));
        let built = report_of(plan, &image, layers, notes);
        Some((image, built))
    }

    fn make_missing(&self, jobs: &mut [Job<'_>]) -> Result<(), Error> {
        let missing: Vec<&mut Job<'_>> = jobs.iter_mut().filter(|job| job.done.is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let unpacked = self.unpack_for(&missing)?;
        let paths = StorePaths::new(self.store, self.workspace, self.manifest, self.threads, self.events);
        self.fetch_for(&missing, &paths)?;
        let puller = Puller::new(self.workspace.directory(), self.store, self.events);
        let bases = self.open_bases(&missing, &puller)?;
        let context = Context {
            bases: &bases,
            puller: &puller,
            paths: &paths,
            store: self.store,
            unpacked: &unpacked,
            workspace: self.manifest.workspace(),
            date: self.ensured.lock.date,
            created: self.created,
            events: self.events,
        };
        let task = Task::start(self.events, "Configuring packages", Some(missing.len() as u64), Unit::Items);
        let prepared: Vec<Prepared> = missing
            .par_iter()
            .map(|job| prepare(&context, &job.plan, &job.sources).inspect(|_| task.advance(1)))
            .collect::<Result<_, _>>()?;
        drop(task);
        let task = Task::start(self.events, "Writing layers", Some(count_layers(&prepared) as u64), Unit::Items);
        let layers = make_layers(self.store, &prepared, self.known, &task)?;
        drop(task);
        for (job, prepared) in missing.into_iter().zip(prepared) {
            let (image, built) = finish(&context, &job.plan, prepared, &layers)?;
            record::keep(self.store, job.key, &record::Record { image: image.clone(), notes: built.notes.clone() });
            job.done = Some((image, built));
        }
        Ok(())
    }

    /// Fetches and reads what the images are built on, each once.
    fn open_bases(&self, jobs: &[&mut Job<'_>], puller: &Puller<'_>) -> Result<Bases, BuildError> {
        let mut bases = Bases::new();
        for job in jobs {
            let Some((base, locked)) = &job.plan.base else { continue };
            if let Entry::Vacant(free) = bases.entry(((*base).clone(), job.plan.platform)) {
                free.insert(PulledBase::open(puller, base, locked)?);
            }
        }
        Ok(bases)
    }

    /// Unpacks what the images need, from each archive that they name.
    fn unpack_for(&self, jobs: &[&mut Job<'_>]) -> Result<Unpacked, Error> {
        let mut by_source: Vec<(&DebianSource, BTreeMap<(ItemId, Codec), WantedDeb>)> = Vec::new();
        for job in jobs {
            let Some(source) = &job.plan.image.debian else { continue };
            let packages = job.plan.packages.iter();
            let wanted = packages.map(|package| ((package.item(), package.codec), package.clone()));
            match by_source.iter_mut().find(|(known, _)| *known == source) {
                Some((_, known)) => known.extend(wanted),
                None => by_source.push((source, wanted.collect())),
            }
        }
        let mut unpacked = Unpacked::new();
        for (source, wanted) in by_source {
            let archive = lock::open_archive(source, self.workspace, self.events)?;
            let wanted: Vec<WantedDeb> = wanted.into_values().collect();
            unpacked.extend(unpack_all(self.store, &archive, &wanted, self.threads, self.events)?);
        }
        Ok(unpacked)
    }

    /// Fetches the store paths that the images need.
    fn fetch_for(&self, jobs: &[&mut Job<'_>], store_paths: &StorePaths<'_>) -> Result<(), Error> {
        let mut wanted: BTreeMap<Codec, BTreeMap<&StorePath, WantedPath>> = BTreeMap::new();
        for job in jobs {
            let elsewhere = self.paths_elsewhere(&job.plan);
            let paths = job.plan.nix.iter().flat_map(|nix| &nix.paths);
            let paths = paths.filter(|(path, _)| !elsewhere.contains(path));
            let paths = paths.map(|(path, planned)| (path, planned.wanted(path)));
            wanted.entry(job.plan.codec).or_default().extend(paths);
        }
        for (codec, paths) in wanted.into_iter().filter(|(_, paths)| !paths.is_empty()) {
            let paths: Vec<WantedPath> = paths.into_values().collect();
            store_paths.fetch(&paths, codec)?;
        }
        Ok(())
    }
}

impl Build<'_> {
    /// The store paths in layers that the registry has, without those that are looked into all the same: roots, whose files
    /// are linked; derivations, whose outputs are in Nix's database; every path where it is looked for the loader.
    fn paths_elsewhere<'p>(&self, plan: &'p ImagePlan<'_>) -> BTreeSet<&'p StorePath> {
        let mut paths = self.known.store_paths(plan);
        let Some(nix) = &plan.nix else { return paths };
        let roots: BTreeSet<&StorePath> = nix.roots.iter().map(|root| &root.path).collect();
        let asked = &plan.image.nix;
        paths.retain(|path| {
            let read = (asked.database && path.is_derivation()) || (asked.loader && nix.runtime.contains(path));
            !read && !roots.contains(path)
        });
        paths
    }
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

fn platforms(options: &BuildOptions, image: &ResolvedImage) -> Vec<Platform> {
    let mut platforms = match options.every_platform {
        true => image.platforms.clone(),
        false => options.platforms.clone(),
    };
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
fn gather(jobs: Vec<Job<'_>>) -> Vec<MadeImage> {
    let mut images: Vec<MadeImage> = Vec::new();
    for job in jobs {
        let Some((image, built)) = job.done else { continue };
        let name = job.plan.image.name.to_string();
        let platform = MadePlatform { key: job.key, image, built };
        match images.iter_mut().find(|one| one.name == name) {
            Some(one) => one.platforms.push(platform),
            None => images.push(MadeImage { name, platforms: vec![platform] }),
        }
    }
    images
}
