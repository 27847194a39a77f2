//! `plywood why`: who in the manifest asks for something that an image has, and over what.

mod embedded;
mod error;
mod packages;
mod places;
mod store_paths;
mod subject;

use plywood_core::lockfile::Lockfile;
use plywood_core::manifest::{Manifest, ResolvedImage};
use plywood_core::platform::Platform;
use plywood_oci::store::Store;
use serde::Serialize;

pub use error::WhyError;
pub use places::Place;

use crate::Error;
use crate::build::{ImagePlan, plan};
use crate::pull;
use crate::workspace::Workspace;

/// What `why` is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhyOptions {
    /// The image by name.
    pub image: String,
    /// What of it: a store path, the hash of one, a package, or a path in the image.
    pub what: String,
    /// On which platform; the host's when `None`.
    pub platform: Option<Platform>,
}

/// Why an image has something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyReport {
    /// The image.
    pub image: String,
    /// The platform.
    pub platform: Platform,
    /// An answer for each thing of that name.
    pub answers: Vec<Answer>,
}

/// Why an image has one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What it is: `store path …` or `package …`.
    pub subject: String,
    /// Who asks for the first of the chain, in words.
    pub asked_by: String,
    /// Where in the manifest that is.
    pub place: Option<Place>,
    /// From what is asked for to the subject, each needing the next.
    pub chain: Vec<Step>,
    /// The variables of the image's shell that name the subject.
    pub variables: Vec<String>,
}

/// One thing of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The store path, or the package with its version.
    pub name: String,
    /// How it needs the next: the file that names it, or the field of the package; `None` at the end, and where the
    /// image was not built on this machine.
    pub by: Option<String>,
}

/// What is looked into.
struct Inquiry<'w> {
    manifest: &'w Manifest,
    text: &'w str,
    image: &'w ResolvedImage,
    lock: &'w Lockfile,
    plan: &'w ImagePlan<'w>,
    store: &'w Store,
}

/// Says why an image has something, out of the lock and, where there are, the segments in the cache.
///
/// # Errors
/// Without a manifest or a lock that has the image; [`WhyError::Nothing`] when the image has no such thing.
pub fn why(options: &WhyOptions, workspace: &Workspace) -> Result<WhyReport, Error> {
    let text = workspace.manifest_text()?;
    let manifest = workspace.manifest()?;
    let image = manifest.resolve(&options.image)?;
    let (lock, _) = workspace.lock()?.ok_or(WhyError::NoLock)?;
    let platform = options.platform.unwrap_or_else(crate::os::platform);
    let resolved = pull::with_facts(&manifest, &lock.bases, platform);
    let image = resolved.get(&image.name).unwrap_or(image);
    let plan = plan(image, platform, &lock)?;
    let store = Store::open(workspace.cache())?;
    let inquiry = Inquiry { manifest: &manifest, text: &text, image, lock: &lock, plan: &plan, store: &store };
    let subjects = subject::find(&inquiry, &options.what)?;
    let answers = subjects.iter().map(|subject| inquiry.answer(subject)).collect::<Result<_, _>>()?;
    Ok(WhyReport { image: options.image.clone(), platform, answers })
}

impl Inquiry<'_> {
    fn answer(&self, subject: &subject::Subject) -> Result<Answer, WhyError> {
        match subject {
            subject::Subject::Package(name) => packages::answer(self, name),
            subject::Subject::StorePath(path) => store_paths::answer(self, path),
            subject::Subject::Generated(path) => Ok(Answer {
                subject: path.to_string(),
                asked_by: "the definition of the image, or what configuring its packages left".to_owned(),
                place: places::file(self, path),
                chain: Vec::new(),
                variables: Vec::new(),
            }),
        }
    }
}
