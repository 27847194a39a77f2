//! `plywood sign`, `plywood attest`, `plywood referrers`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::attest::{KeyId, MAX_ATTESTATION, PrivateKey};
use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, Reference};
use plywood_core::platform::Platform;
use plywood_oci::registry::RegistryClient;
use serde::Serialize;
use serde_json::value::RawValue;

use super::attach::{self, Attached};
use super::fetch::{self, CosignTag};
use super::resolve::{SubjectKind, resolve};
use super::{AttestError, keys};
use crate::Error;
use crate::events::{Events, Task, Unit};

/// What was signed or attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignReport {
    /// The full name with the digest.
    pub reference: String,
    /// The key that signed.
    pub key: KeyId,
    /// Each digest, the index first.
    pub digests: Vec<SignedDigest>,
}

/// A digest that was signed or attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedDigest {
    /// The digest.
    pub digest: Digest,
    /// The platform; `None` for the index and for what is no image.
    pub platform: Option<Platform>,
    /// What became of it.
    pub outcome: Attached,
}

/// Signs an image: its index, and each image that the index names.
///
/// # Errors
/// When there is no key, or the registry cannot be read or written.
pub fn sign(
    reference: &Reference,
    key: Option<&Utf8Path>,
    client: &RegistryClient,
    events: &dyn Events,
) -> Result<SignReport, Error> {
    let key = keys::signing_key(key)?.ok_or(AttestError::NoSigningKey)?;
    let resolved = resolve(client, reference)?;
    let mut subjects = vec![(resolved.root.clone(), None)];
    if resolved.kind() == SubjectKind::Index {
        subjects.extend(resolved.images.iter().map(|image| (image.descriptor.clone(), Some(image.platform))));
    }
    let task = Task::start(events, "Signing", Some(subjects.len() as u64), Unit::Items);
    let mut digests = Vec::new();
    for (subject, platform) in subjects {
        let outcome = attach::sign(&resolved.repository, &subject, &key)?;
        digests.push(SignedDigest { digest: subject.digest, platform, outcome });
        task.advance(1);
    }
    Ok(SignReport { reference: resolved.reference(), key: key.public().id(), digests })
}

/// Says of a digest what is in a file.
///
/// # Errors
/// When there is no key, the file is no JSON, or the registry cannot be read or written.
pub fn attest(
    reference: &Reference,
    predicate_type: &str,
    predicate: &Utf8Path,
    key: Option<&Utf8Path>,
    client: &RegistryClient,
) -> Result<SignReport, Error> {
    let key: PrivateKey = keys::signing_key(key)?.ok_or(AttestError::NoSigningKey)?;
    let predicate = read_predicate(predicate)?;
    let resolved = resolve(client, reference)?;
    let outcome = attach::attest(&resolved.repository, &resolved.root, &key, predicate_type, &predicate)?;
    let digest = SignedDigest { digest: resolved.root.digest, platform: None, outcome };
    Ok(SignReport { reference: resolved.reference(), key: key.public().id(), digests: vec![digest] })
}

fn read_predicate(path: &Utf8Path) -> Result<Box<RawValue>, Error> {
    // What is around it, and base64, must fit too.
    const MAX: u64 = MAX_ATTESTATION as u64 / 2;
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let read = File::open(path).map_err(failed)?.take(MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if read as u64 > MAX {
        return Err(failed(std::io::Error::new(std::io::ErrorKind::FileTooLarge, format!("longer than {MAX} bytes"))));
    }
    let predicate: Result<Box<RawValue>, _> = serde_json::from_str(&text);
    Ok(predicate.map_err(|source| AttestError::Predicate { path: Utf8PathBuf::from(path), source })?)
}

/// What is attached to a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReferrersReport {
    /// The full name with the digest.
    pub reference: String,
    /// Everything that is attached, in the registry's order, cosign's tags last.
    pub referrers: Vec<Referrer>,
}

/// Something that is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Referrer {
    /// Its digest.
    pub digest: Digest,
    /// What kind of artifact it is.
    pub artifact_type: String,
    /// The type of what it says, where the registry tells.
    pub predicate_type: Option<String>,
    /// The tag, for what is attached by a tag alone.
    pub tag: Option<String>,
    /// Bytes of its manifest.
    pub size: u64,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Referrer {
    fn of(descriptor: Descriptor) -> Self {
        use plywood_core::oci::annotations::BUNDLE_PREDICATE_TYPE;

        let kind = descriptor.artifact_type.as_ref().unwrap_or(&descriptor.media_type);
        Self {
            digest: descriptor.digest,
            artifact_type: kind.to_string(),
            predicate_type: descriptor.annotations.get(BUNDLE_PREDICATE_TYPE).cloned(),
            tag: None,
            size: descriptor.size,
            annotations: descriptor.annotations,
        }
    }
}

/// Lists what is attached to a digest, by whomever.
///
/// # Errors
/// When the registry cannot be read.
pub fn referrers(reference: &Reference, client: &RegistryClient) -> Result<ReferrersReport, Error> {
    let repository = client.repository(reference.name());
    let root = repository.get_manifest(&reference.target()).map_err(AttestError::from)?.descriptor;
    let listed = repository.referrers(root.digest, None).map_err(AttestError::from)?;
    let mut referrers: Vec<Referrer> = listed.into_iter().map(Referrer::of).collect();
    for tag in [CosignTag::Signature, CosignTag::Attestation] {
        let tag = tag.of(root.digest)?;
        let Some(manifest) = fetch::manifest_under(&repository, &tag)? else { continue };
        let named = repository.head_manifest(&tag.clone().into()).map_err(AttestError::from)?;
        for (layer, named) in manifest.layers.into_iter().zip(named.iter().cycle()) {
            use plywood_core::oci::annotations::COSIGN_PREDICATE_TYPE;

            referrers.push(Referrer {
                digest: named.digest,
                artifact_type: layer.media_type.to_string(),
                predicate_type: layer.annotations.get(COSIGN_PREDICATE_TYPE).cloned(),
                tag: Some(tag.to_string()),
                size: layer.size,
                annotations: layer.annotations,
            });
        }
    }
    let reference = repository.name().reference(&root.digest.into()).to_string();
    Ok(ReferrersReport { reference, referrers })
}
