//! `plywood verify`: whether an image is what a key that is believed says it is.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use plywood_core::attest::{KeyId, Provenance, PublicKey, SignatureForm, Trust};
use plywood_core::digest::Digest;
use plywood_core::oci::Reference;
use plywood_core::platform::Platform;
use plywood_oci::registry::RegistryClient;
use serde::Serialize;

use super::checks::{self, Check};
use super::fetch::trusted;
use super::rebuild::{RebuildReport, rebuild};
use super::resolve::{Resolved, SubjectKind, resolve};
use super::{AttestError, keys};
use crate::Error;
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

/// What `verify` is asked to do.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The image.
    pub reference: Reference,
    /// Files of public keys; those of the manifest when empty.
    pub keys: Vec<Utf8PathBuf>,
    /// Who must have built it; anybody when `None`.
    pub builder: Option<String>,
    /// Whether the manifest and lock here, when there are any, must be those that it was built from.
    pub workspace: bool,
    /// Whether to build it again and compare.
    pub rebuild: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerifyReport {
    /// The image's full name with its digest.
    pub reference: String,
    /// Its digest.
    pub digest: Digest,
    /// What that is.
    pub kind: SubjectKind,
    /// Whether everything holds.
    pub holds: bool,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Each digest and who signed it, the index first.
    pub digests: Vec<VerifiedDigest>,
    /// Where the image came from; that of the first platform where only the platforms' images have one.
    pub provenance: Option<ProvenanceSummary>,
    /// What building it again gave.
    pub rebuild: Option<RebuildReport>,
}

/// A digest and who signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedDigest {
    /// The digest.
    pub digest: Digest,
    /// The platform; `None` for the index.
    pub platform: Option<Platform>,
    /// The keys that signed it.
    pub signed_by: BTreeSet<KeyId>,
    /// In which forms.
    pub forms: BTreeSet<SignatureForm>,
    /// The types of what else believed keys say of it.
    pub statements: BTreeSet<String>,
    /// Why other signatures and statements are not believed.
    pub refused: BTreeSet<String>,
}

/// Where an image came from, in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenanceSummary {
    /// The image's name in its manifest.
    pub image: String,
    /// Where the sources are.
    pub repository: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Whether files differed from the commit.
    pub dirty: bool,
    /// The digest of the lock's text.
    pub lock: Option<Digest>,
    /// Who built it.
    pub builder: String,
    /// The run.
    pub run: Option<String>,
    /// The version of plywood.
    pub plywood: String,
    /// The images outside of the workspace that it is built on, each with its digest.
    pub bases: BTreeSet<String>,
    /// How many materials it names.
    pub materials: usize,
    /// The key that vouches for it.
    pub key: KeyId,
}

impl ProvenanceSummary {
    pub(super) fn of(key: KeyId, provenance: &Provenance) -> Self {
        let materials = &provenance.build_definition.resolved_dependencies;
        let repository = materials.iter().find_map(|it| it.uri.strip_prefix("git+")).map(str::to_owned);
        Self {
            image: provenance.image().to_owned(),
            repository,
            commit: provenance.commit().map(str::to_owned),
            dirty: provenance.is_dirty(),
            lock: provenance.lock(),
            bases: provenance.bases().map(|(name, digest)| format!("{name} {digest}")).collect(),
            builder: provenance.run_details.builder.id.clone(),
            run: provenance.run_details.metadata.invocation_id.clone(),
            plywood: provenance.build_definition.internal_parameters.plywood.clone(),
            materials: materials.len(),
            key,
        }
    }
}

/// Verifies signatures and provenance of an image, and builds it again when asked to.
///
/// # Errors
/// When the registry, the keys or the workspace cannot be read. That something does not hold is in the report.
pub fn verify(
    options: &VerifyOptions,
    client: &RegistryClient,
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<VerifyReport, Error> {
    let keys = believed_keys(&options.keys, workspace)?;
    let task = Task::start(events, "Reading signatures", None, Unit::Items);
    let resolved = resolve(client, &options.reference)?;
    let mut judged = Vec::new();
    for (digest, platform) in resolved.digests() {
        judged.push((digest, platform, trusted(&resolved.repository, digest, &keys)?));
        task.advance(1);
    }
    drop(task);
    let mut report = signatures(&resolved, &judged);
    let provenances = provenances(&judged, options, workspace, &mut report)?;
    if options.rebuild && provenances.is_empty() {
        // That there is no provenance has failed already.
        report.checks.push(checks::not_rebuilt());
    } else if options.rebuild {
        let rebuilt = rebuild(&resolved, &provenances, workspace, events)?;
        report.checks.push(checks::rebuilt(&rebuilt));
        report.rebuild = Some(rebuilt);
    }
    report.holds = report.checks.iter().all(|check| !check.failed());
    Ok(report)
}

/// The keys that are named, else those of the manifest.
pub(super) fn believed_keys(files: &[Utf8PathBuf], workspace: &Workspace) -> Result<Vec<PublicKey>, Error> {
    let mut files = files.to_vec();
    if files.is_empty() {
        files = workspace.believed_keys()?;
    }
    let keys = files.iter().map(|path| keys::public_key(path)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err(AttestError::NoKeys.into()) } else { Ok(keys) }
}

type Judged = (Digest, Option<Platform>, Trust);

fn signatures(resolved: &Resolved, judged: &[Judged]) -> VerifyReport {
    let digests: Vec<VerifiedDigest> = judged
        .iter()
        .map(|(digest, platform, trust)| VerifiedDigest {
            digest: *digest,
            platform: *platform,
            signed_by: trust.signatures.iter().map(|signature| signature.key).collect(),
            forms: trust.signatures.iter().map(|signature| signature.form).collect(),
            statements: trust.statements.iter().map(|statement| statement.predicate_type.clone()).collect(),
            refused: trust.refused.clone(),
        })
        .collect();
    VerifyReport {
        reference: resolved.reference(),
        digest: resolved.root.digest,
        kind: resolved.kind(),
        holds: false,
        checks: checks::signatures(&digests),
        digests,
        provenance: None,
        rebuild: None,
    }
}

/// The provenance of the whole. An index over what several machines pushed has none, as none of them built it all: of that the one
/// of each image, all of which must have one. Nothing when one is missing.
fn provenances(
    judged: &[Judged],
    options: &VerifyOptions,
    workspace: &Workspace,
    report: &mut VerifyReport,
) -> Result<Vec<Provenance>, Error> {
    let here = if options.workspace { checks::Here::read(workspace, options.reference.name())? } else { None };
    let best = |trust: &Trust| best(trust, options.builder.as_deref(), here.as_ref());
    let Some(((_, _, root), images)) = judged.split_first() else { return Ok(Vec::new()) };
    let mut chosen = Vec::new();
    let mut missing = Vec::new();
    match best(root)? {
        Some(best) => chosen.push((None, best)),
        None => {
            for (_, platform, trust) in images {
                match best(trust)? {
                    Some(best) => chosen.push((*platform, best)),
                    None => missing.push(*platform),
                }
            }
        }
    }
    if chosen.is_empty() {
        missing = vec![None];
    }
    report.provenance = chosen.first().map(|(_, best)| ProvenanceSummary::of(best.key, &best.provenance));
    let mut provenances = Vec::new();
    for (platform, best) in chosen {
        report.checks.extend(best.checks.into_iter().map(|check| check.of(platform)));
        provenances.push(best.provenance);
    }
    report.checks.extend(missing.iter().map(|platform| checks::no_provenance().of(*platform)));
    Ok(if missing.is_empty() { provenances } else { Vec::new() })
}

/// A provenance and what came of checking it.
struct Candidate {
    key: KeyId,
    provenance: Provenance,
    checks: Vec<Check>,
}

/// Takes the provenance of which most holds: an image may have several, of which an older one may be what the lock here says.
fn best(trust: &Trust, builder: Option<&str>, here: Option<&checks::Here>) -> Result<Option<Candidate>, Error> {
    let mut candidates = Vec::new();
    for (key, provenance) in trust.provenances() {
        let checks = checks::provenance(&provenance, builder, here)?;
        candidates.push(Candidate { key, provenance, checks });
    }
    // The first of the best: the order is that in which they were found.
    Ok(candidates.into_iter().min_by_key(|it| it.checks.iter().filter(|check| check.failed()).count()))
}
