//! `plywood lock`: decide every input by hash, and which package goes to which layer.

mod bases;
mod choose;
mod deb_ref;
mod error;
mod layers;
mod nix;
mod report;
mod resolve;
mod scripts;
mod sources;
mod stale;
mod subject;
mod universe;

use std::collections::BTreeSet;
use std::io::Write as _;

use plywood_core::lockfile::{LockDiff, Lockfile};
use plywood_core::manifest::{ImageName, Manifest};
use plywood_core::platform::Platform;

pub use deb_ref::deb_ref;
pub use error::LockError;
pub(crate) use layers::{PreviousLayout, lay_out};
use report::Changes;
pub use report::{BaseChange, LockOutcome, LockReport, LockedImage, PackageChange};
pub use sources::open_archive;
pub use subject::{LockSubject, ParseLockSubjectError};

use crate::Error;
use crate::events::{Event, Events};
use crate::nix::eval::EvalOptions;
use crate::workspace::Workspace;
use stale::Scope;
use subject::NixScope;

/// What `lock` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockOptions {
    /// Which packages may move to newer versions.
    pub upgrade: Upgrade,
    /// Whether to lay out all layers anew instead of keeping those of the last lock where they still hold.
    pub replan: bool,
    /// Whether to only say if the lock fits the manifest, writing nothing and reading no archive.
    pub check: bool,
    /// The parts to lock, anew if need be; what does not fit when empty.
    pub only: Vec<LockSubject>,
    /// How Nix is asked, where something of Nix is to be locked.
    pub nix: EvalOptions,
}

impl LockOptions {
    /// Whether sets and shells are locked anew even where they fit.
    fn is_anew(&self) -> bool {
        !self.only.is_empty() || !self.nix.override_inputs.is_empty()
    }
}

/// Which packages may move to newer versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// None: what is locked stays; only what the manifest newly asks for is resolved.
    #[default]
    Nothing,
    /// All of them.
    Everything,
    /// These, and what their new versions need.
    Packages(Vec<String>),
}

/// A lock that fits the manifest, and what was done to make it so.
#[derive(Debug)]
pub(crate) struct Ensured {
    pub(crate) lock: Lockfile,
    pub(crate) text: String,
    pub(crate) report: Option<LockReport>,
}

/// Brings the lock in line with the manifest.
///
/// # Errors
/// A bad manifest or lock, an archive that cannot be reached or trusted, or packages that do not go together.
pub fn lock(options: &LockOptions, workspace: &Workspace, events: &dyn Events) -> Result<LockReport, Error> {
    let manifest = workspace.manifest()?;
    let old = workspace.lock()?;
    let scope = scope_of(options, &manifest)?;
    let reasons = stale::reasons(&manifest, old.as_ref().map(|(lock, _)| lock), &scope, workspace);
    let asked = options.upgrade != Upgrade::Nothing || options.replan || (options.is_anew() && !options.check);
    let nothing_to_do = reasons.is_empty() && !asked;
    if let (Some((lock, _)), true) = (&old, nothing_to_do || options.check) {
        let outcome = if nothing_to_do { LockOutcome::Unchanged } else { LockOutcome::Stale };
        return Ok(report::report(workspace, &manifest, outcome, reasons, Changes::default(), lock));
    }
    if options.check {
        return Ok(report::report(
            workspace,
            &manifest,
            LockOutcome::Stale,
            reasons,
            Changes::default(),
            &Lockfile::default(),
        ));
    }
    let before = old.as_ref().map(|(lock, _)| lock.clone());
    let (new, report) = renew(&manifest, old, reasons, (options, &scope), workspace, events)?;
    if let Upgrade::Packages(names) = &options.upgrade {
        for name in names.iter().filter(|name| !before.iter().chain([&new]).any(|lock| has(lock, name))) {
            events.emit(Event::Warning(format!("nothing is locked that is called `{name}`: there is nothing to move")));
        }
    }
    Ok(report)
}

/// Whether a lock has a Debian package or a base of this name.
fn has(lock: &Lockfile, name: &str) -> bool {
    let mut packages = lock.packages.values().flat_map(|packages| packages.keys());
    packages.any(|package| package.name.as_str() == name) || lock.bases.keys().any(|base| base.to_string() == name)
}

/// What `lock` is to look at: everything, or what it is asked for alone.
fn scope_of(options: &LockOptions, manifest: &Manifest) -> Result<Scope, LockError> {
    let platforms = all_platforms(manifest);
    if options.only.is_empty() {
        let override_inputs = Some(options.nix.override_inputs.clone());
        return Ok(Scope { images: None, nix: NixScope::everything(manifest), platforms, override_inputs });
    }
    let image = |subject: &LockSubject| match subject {
        LockSubject::Image(name) => Some(name.clone()),
        LockSubject::Set(_) | LockSubject::Shell(_) => None,
    };
    let images = options.only.iter().filter_map(image).collect();
    let nix = NixScope::of(manifest, &options.only)?;
    Ok(Scope { images: Some(images), nix, platforms, override_inputs: None })
}

/// The platforms that sets and shells are for: those of the workspace, and whatever else an image is made for.
fn all_platforms(manifest: &Manifest) -> BTreeSet<Platform> {
    let workspace = manifest.workspace().platforms.as_ref();
    let workspace = workspace.map(|listed| listed.iter().map(|platform| platform.value).collect::<Vec<_>>());
    let images = manifest.resolved().values().flat_map(|image| &image.platforms).copied();
    workspace.unwrap_or_else(|| Platform::ALL.to_vec()).into_iter().chain(images).collect()
}

/// The lock as a build of these images (all when none is named) for these platforms needs it: read, or made and repaired
/// first unless `locked`.
///
/// # Errors
/// As [`lock`]; with `locked`, [`LockError::OutOfDate`] instead of a repair.
pub(crate) fn ensure(
    manifest: &Manifest,
    workspace: &Workspace,
    (images, platforms): (&[String], &[Platform]),
    locked: bool,
    events: &dyn Events,
) -> Result<Ensured, Error> {
    let old = workspace.lock()?;
    let all: BTreeSet<ImageName> = manifest.resolved().keys().cloned().collect();
    let asked: BTreeSet<ImageName> =
        all.iter().filter(|name| images.iter().any(|one| one == name.as_str())).cloned().collect();
    let scope = Scope {
        images: (!images.is_empty()).then(|| asked.clone()),
        nix: NixScope::of_images(manifest, if images.is_empty() { &all } else { &asked }),
        platforms: platforms.iter().copied().collect(),
        override_inputs: None,
    };
    let reasons = stale::reasons(manifest, old.as_ref().map(|(lock, _)| lock), &scope, workspace);
    match (old, reasons.first()) {
        (Some((lock, text)), None) => Ok(Ensured { lock, text, report: None }),
        (_, Some(reason)) if locked => Err(LockError::OutOfDate { reason: reason.clone() }.into()),
        (old, _) => {
            for reason in &reasons {
                events.emit(Event::Note(format!("Updating plywood.lock: {reason}")));
            }
            let options = LockOptions::default();
            let (lock, report) = renew(manifest, old, reasons, (&options, &scope), workspace, events)?;
            let text = lock.to_text();
            Ok(Ensured { lock, text, report: Some(report) })
        }
    }
}

/// Resolves again where some packages are gone from every mirror, everything else staying as it is.
///
/// # Errors
/// As [`lock`].
pub(crate) fn replace_gone(
    manifest: &Manifest,
    workspace: &Workspace,
    gone: Vec<String>,
    events: &dyn Events,
) -> Result<Ensured, Error> {
    let reasons = vec![format!("no mirror has {} any more", gone.join(", "))];
    events.emit(Event::Warning(format!("Updating plywood.lock: {}", reasons.join(", "))));
    let options = LockOptions { upgrade: Upgrade::Packages(gone), ..LockOptions::default() };
    let nothing = NixScope::default();
    let scope = Scope { images: None, nix: nothing, platforms: BTreeSet::new(), override_inputs: None };
    let (lock, report) = renew(manifest, workspace.lock()?, reasons, (&options, &scope), workspace, events)?;
    let text = lock.to_text();
    Ok(Ensured { lock, text, report: Some(report) })
}

fn renew(
    manifest: &Manifest,
    old: Option<(Lockfile, String)>,
    reasons: Vec<String>,
    (options, scope): (&LockOptions, &Scope),
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<(Lockfile, LockReport), Error> {
    let old_lock = old.as_ref().map(|(lock, _)| lock);
    let new = resolve::resolve(manifest, old_lock, (options, scope), workspace, events)?;
    let changes = Changes {
        packages: report::changes(old_lock, &new),
        bases: report::base_changes(old_lock, &new),
        download: old_lock.map_or(0, |old| LockDiff::between(old, &new).download),
        nar_size: report::new_nar_size(old_lock, &new),
    };
    let text = new.to_text();
    let outcome = match &old {
        None => LockOutcome::Created,
        Some((_, before)) if *before == text => LockOutcome::Unchanged,
        Some(_) => LockOutcome::Updated,
    };
    if outcome != LockOutcome::Unchanged {
        write(workspace, &text)?;
    }
    let report = report::report(workspace, manifest, outcome, reasons, changes, &new);
    Ok((new, report))
}

/// Replaces the lock in one step, so that a crash leaves the old one or the new one.
fn write(workspace: &Workspace, text: &str) -> Result<(), Error> {
    let path = workspace.lock_path();
    let failed = |source| Error::Write { path: path.clone(), source };
    let mut file = tempfile::NamedTempFile::new_in(workspace.directory()).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    crate::os::make_readable_by_all(file.as_file()).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}
