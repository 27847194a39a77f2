//! `plywood audit`: of every image that runs somewhere, who signed it and where it came from.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::attest::{KeyId, MAX_RUNNING, PublicKey, Running, Trust};
use plywood_core::digest::Digest;
use plywood_core::oci::Reference;
use plywood_oci::registry::{RegistryClient, Repository};
use serde::Serialize;

use super::AttestError;
use super::fetch::trusted;
use super::resolve::images;
use super::verify::{ProvenanceSummary, believed_keys};
use crate::Error;
use crate::error::in_full;
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

/// What `audit` is asked to do.
#[derive(Debug, Clone, Default)]
pub struct AuditOptions {
    /// The file with the list; `-` for standard input.
    pub list: Utf8PathBuf,
    /// Files of public keys; those of the manifest when empty.
    pub keys: Vec<Utf8PathBuf>,
}

/// What runs, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Whether every image is signed by a key that is believed and says where it came from.
    pub holds: bool,
    /// Each image, by name.
    pub images: Vec<AuditedImage>,
}

/// An image that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditedImage {
    /// Its name, with its digest when it has one.
    pub reference: String,
    /// Where it runs, when the list says so.
    pub places: BTreeSet<String>,
    /// What is known of it.
    pub state: AuditState,
    /// Why it is in that state, one sentence without a period; nothing when all is well.
    pub reason: Option<String>,
    /// The keys that signed it.
    pub signed_by: BTreeSet<KeyId>,
    /// Where it came from.
    pub provenance: Option<ProvenanceSummary>,
}

/// What is known of an image that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditState {
    /// A key that is believed signed it and says where it came from.
    Attested,
    /// A key that is believed signed it, and nothing says where it came from.
    Signed,
    /// No key that is believed signed it.
    Unsigned,
    /// The registry does not have it any more, or cannot be asked, or the name has no digest.
    Unknown,
}

/// Looks at every image of a list. One registry that cannot be asked does not keep the others from being looked at.
///
/// # Errors
/// When the list or the keys cannot be read.
pub fn audit(
    options: &AuditOptions,
    client: &RegistryClient,
    workspace: &Workspace,
    events: &dyn Events,
) -> Result<AuditReport, Error> {
    let keys = believed_keys(&options.keys, workspace)?;
    let text = read(&options.list)?;
    let running =
        Running::parse(&text).map_err(|source| AttestError::Running { path: options.list.clone(), source })?;
    let task = Task::start(events, "Reading signatures", Some(running.images.len() as u64), Unit::Items);
    let mut images: Vec<AuditedImage> = running
        .images
        .into_iter()
        .map(|(reference, places)| {
            let image = image(&reference, places, &keys, client);
            task.advance(1);
            image
        })
        .collect();
    drop(task);
    images.extend(running.unknown.into_iter().map(|(reference, places)| AuditedImage {
        reference,
        places,
        state: AuditState::Unknown,
        reason: Some("the name has no digest".to_owned()),
        signed_by: BTreeSet::new(),
        provenance: None,
    }));
    let holds = images.iter().all(|image| image.state == AuditState::Attested);
    Ok(AuditReport { holds, images })
}

fn image(reference: &Reference, places: BTreeSet<String>, keys: &[PublicKey], client: &RegistryClient) -> AuditedImage {
    let unknown = |reason: String| AuditedImage {
        reference: reference.to_string(),
        places: places.clone(),
        state: AuditState::Unknown,
        reason: Some(reason),
        signed_by: BTreeSet::new(),
        provenance: None,
    };
    let Some(digest) = reference.digest() else { return unknown("the name has no digest".to_owned()) };
    let repository = client.repository(reference.name());
    match repository.head_manifest(&digest.into()) {
        Ok(Some(_)) => {}
        Ok(None) => return unknown("the registry does not have it".to_owned()),
        Err(error) => return unknown(in_full(&error)),
    }
    let trust = match trusted(&repository, digest, keys) {
        Ok(trust) => trust,
        Err(error) => return unknown(in_full(&error)),
    };
    let provenance = match provenance(&repository, digest, &trust, keys) {
        Ok(provenance) => provenance,
        Err(error) => return unknown(in_full(&error)),
    };
    let (state, reason) = match (trust.is_signed(), &provenance) {
        (true, Some(_)) => (AuditState::Attested, None),
        (true, None) => (AuditState::Signed, Some("nothing says where it came from".to_owned())),
        (false, _) if trust.refused.is_empty() => (AuditState::Unsigned, Some("it has no signature".to_owned())),
        (false, _) => (AuditState::Unsigned, Some(trust.refused.iter().cloned().collect::<Vec<_>>().join("; "))),
    };
    let signed_by = trust.signatures.iter().map(|signature| signature.key).collect();
    AuditedImage { reference: reference.to_string(), places, state, reason, signed_by, provenance }
}

/// Where an image came from: what is said of its digest or, of an index over what several machines pushed, of each image that it names, the
/// first of which is told.
fn provenance(
    repository: &Repository,
    digest: Digest,
    trust: &Trust,
    keys: &[PublicKey],
) -> Result<Option<ProvenanceSummary>, AttestError> {
    let first =
        |trust: &Trust| trust.provenances().next().map(|(key, provenance)| ProvenanceSummary::of(key, &provenance));
    if first(trust).is_some() || !trust.is_signed() {
        return Ok(first(trust));
    }
    let mut told = Vec::new();
    for image in images(repository, digest)? {
        match first(&trusted(repository, image.descriptor.digest, keys)?) {
            Some(provenance) => told.push(provenance),
            None => return Ok(None),
        }
    }
    Ok(told.into_iter().next())
}

fn read(path: &Utf8Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let input: Box<dyn io::Read> = match path.as_str() {
        "-" => Box::new(io::stdin()),
        _ => Box::new(File::open(path).map_err(failed)?),
    };
    let mut text = String::new();
    input.take(MAX_RUNNING as u64 + 1).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
