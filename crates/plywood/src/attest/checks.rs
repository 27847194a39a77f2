//! What `verify` checks, one thing each.

use plywood_core::attest::{Materials, Provenance, Source};
use plywood_core::digest::Digest;
use plywood_core::lockfile::{LockedBases, Lockfile};
use plywood_core::manifest::Manifest;
use plywood_core::oci::RepositoryName;
use plywood_core::platform::Platform;
use serde::Serialize;

use super::rebuild::RebuildReport;
use super::verify::VerifiedDigest;
use crate::Error;
use crate::pull;
use crate::workspace::Workspace;

/// As many differences are told; the rest is counted.
const TOLD: usize = 5;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It could not be asked for here, and says why.
    Skipped,
}

/// Something that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What, in one word or two.
    pub name: &'static str,
    /// How it ended.
    pub state: CheckState,
    /// What was found, one sentence without a period.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Check {
    fn new(name: &'static str, passed: bool, message: impl Into<String>) -> Self {
        let state = if passed { CheckState::Passed } else { CheckState::Failed };
        Self { name, state, message: message.into(), hint: None }
    }

    fn skipped(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, state: CheckState::Skipped, message: message.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same, about the image of a platform.
    pub(super) fn of(self, platform: Option<Platform>) -> Self {
        match platform {
            Some(platform) => Self { message: format!("{platform}: {}", self.message), ..self },
            None => self,
        }
    }

    /// Whether it does not hold.
    pub fn failed(&self) -> bool {
        self.state == CheckState::Failed
    }
}

/// The signature over the whole must be there. One over the index covers the images it names by digest; whether they have their own
/// is told, since engines that pull one platform look for that.
pub(super) fn signatures(digests: &[VerifiedDigest]) -> Vec<Check> {
    const NAME: &str = "signature";
    let mut checks = Vec::new();
    for (place, digest) in digests.iter().enumerate() {
        let what = match digest.platform {
            Some(platform) => format!("the image for {platform}"),
            None if digests.len() > 1 => "the index".to_owned(),
            None => "the digest".to_owned(),
        };
        let keys: Vec<String> = digest.signed_by.iter().map(ToString::to_string).collect();
        let covered = place > 0 && digests.first().is_some_and(|root| !root.signed_by.is_empty());
        checks.push(match keys.as_slice() {
            [] if covered => {
                Check::skipped(NAME, format!("{what} has no signature of its own; that over the index covers it"))
            }
            [] => unsigned(&what, digest),
            keys => Check::new(NAME, true, format!("{what} is signed by {}", keys.join(" and "))),
        });
    }
    checks
}

fn unsigned(what: &str, digest: &VerifiedDigest) -> Check {
    let why: Vec<&str> = digest.refused.iter().map(String::as_str).collect();
    let why = if why.is_empty() { "there is none".to_owned() } else { why.join("; ") };
    Check::new("signature", false, format!("{what} has no signature that is believed: {why}"))
        .hint("sign it with `plywood sign`, or name the public key of whoever did with `--key FILE`")
}

pub(super) fn no_provenance() -> Check {
    Check::new("provenance", false, "no provenance by a key that is believed")
        .hint("`plywood push` with a signing key attaches one")
}

/// The manifest and the lock of the workspace.
pub(super) struct Here {
    manifest: Manifest,
    lock: Option<(Lockfile, String)>,
    source: Source,
    /// The image that the repository is named after, where there is one.
    image: Option<String>,
}

impl Here {
    /// Reads them; `None` where there is no workspace.
    pub(super) fn read(workspace: &Workspace, repository: &RepositoryName) -> Result<Option<Self>, Error> {
        if !workspace.manifest_path().exists() {
            return Ok(None);
        }
        let manifest = workspace.manifest()?;
        let url = manifest.workspace().source.as_ref().map(ToString::to_string);
        let source = super::source(workspace.directory(), url.as_deref())?;
        let image = repository.path().rsplit('/').next().filter(|name| manifest.resolve(name).is_ok());
        let image = image.map(str::to_owned);
        Ok(Some(Self { lock: workspace.lock()?, manifest, source, image }))
    }
}

/// What a provenance says, and whether it is what there is here.
pub(super) fn provenance(
    provenance: &Provenance,
    builder: Option<&str>,
    here: Option<&Here>,
) -> Result<Vec<Check>, Error> {
    let materials = provenance.build_definition.resolved_dependencies.len();
    let told = format!("image `{}` from {materials} materials", provenance.image());
    let mut checks = vec![Check::new("provenance", true, told)];
    let id = &provenance.run_details.builder.id;
    checks.push(match builder {
        None => Check::new("builder", true, id.clone()),
        Some(wanted) if wanted == id => Check::new("builder", true, id.clone()),
        Some(wanted) => Check::new("builder", false, format!("it was {id}, not {wanted}")),
    });
    match here {
        None => checks.push(Check::skipped("lock", "there is no workspace here to compare with")),
        Some(here) => checks.extend(local(provenance, here)),
    }
    Ok(checks)
}

/// Whether it was built from the manifest and lock that are here.
fn local(provenance: &Provenance, here: &Here) -> Vec<Check> {
    let commit = provenance.commit();
    let elsewhere = match commit {
        Some(commit) => format!("run `git checkout {commit}`, or leave the workspace out with `--no-workspace`"),
        None => "leave the workspace out with `--no-workspace`".to_owned(),
    };
    let failed = |name, message: &str| Check::new(name, false, message).hint(elsewhere.clone());
    // Another image of the same team has all signatures too, and is not what the name promises.
    if let Some(image) = here.image.as_deref().filter(|image| *image != provenance.image()) {
        let message =
            format!("it is the image `{}`, and not `{image}` as the repository's name says", provenance.image());
        return vec![
            Check::new("image", false, message).hint("find out who put it there, or name it with `--no-workspace`"),
        ];
    }
    let parameters = &provenance.build_definition.external_parameters;
    let nothing = LockedBases::default();
    let bases = here.lock.as_ref().map_or(&nothing, |(lock, _)| &lock.bases);
    let Ok(image) = pull::image_over(&here.manifest, bases, provenance.image(), &parameters.platforms) else {
        let message = format!("plywood.toml here has no image `{}`", provenance.image());
        return vec![failed("manifest", &message)];
    };
    let Some((lock, text)) = &here.lock else { return vec![failed("lock", "there is no plywood.lock here")] };
    let lock_digest = Digest::of(text.as_bytes());
    let same = provenance.lock() == Some(lock_digest);
    let mut checks = vec![if same {
        Check::new("lock", true, format!("plywood.lock here is the one it was built from, {lock_digest}"))
    } else {
        failed("lock", "plywood.lock here is not the one it was built from")
    }];
    let materials = Materials {
        image: &image,
        platforms: &parameters.platforms,
        manifest: here.manifest.digest(),
        lock,
        lock_digest,
        created: parameters.created.unwrap_or(lock.date),
        source: &here.source,
    };
    let changes: Vec<String> = provenance.changes(materials).iter().map(ToString::to_string).collect();
    checks.push(match changes.as_slice() {
        [] => Check::new("materials", true, "all are what plywood.toml and plywood.lock here say"),
        changes => {
            let told = changes.get(..TOLD).unwrap_or(changes).join("; ");
            let more = changes.len().checked_sub(TOLD).filter(|more| *more > 0);
            failed("materials", &format!("{told}{}", more.map(|more| format!("; and {more} more")).unwrap_or_default()))
        }
    });
    checks
}

pub(super) fn not_rebuilt() -> Check {
    Check::skipped("rebuild", "nothing that is believed says what to build it from")
}

/// Whether building it again gave the same.
pub(super) fn rebuilt(report: &RebuildReport) -> Check {
    let count = report.platforms.len();
    let other: Vec<String> = report.platforms.iter().filter(|it| !it.same).map(|it| it.platform.to_string()).collect();
    match other.as_slice() {
        [] => Check::new(
            "rebuild",
            true,
            format!("building again gives the same digest for {count} of {count} platforms"),
        ),
        other => {
            Check::new("rebuild", false, format!("building again gives another image for {}", other.join(" and ")))
        }
    }
}
