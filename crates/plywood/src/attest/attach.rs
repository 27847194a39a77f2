//! Attaching signatures and statements to a digest, in both forms that tools look for: cosign's tags, and referrers (OCI 1.1) with
//! Sigstore bundles.
//!
//! Signing is deterministic and nothing is dated, so that doing it again finds everything there and writes nothing.

use std::collections::BTreeMap;
use std::io::Write as _;

use camino::Utf8PathBuf;
use data_encoding::BASE64;
use plywood_core::attest::{
    Attachment, COSIGN_SIGN, DsseEnvelope, IN_TOTO, PrivateKey, Provenance, SLSA_PROVENANCE, SigstoreBundle,
    SimpleSigning, Statement, Trust,
};
use plywood_core::digest::{DiffId, Digest};
use plywood_core::oci::{Descriptor, ImageConfig, ImageManifest, MediaType, RuntimeConfig, annotations, to_json};
use plywood_core::platform::Platform;
use plywood_oci::registry::{BlobSource, Repository, no_progress};
use serde::Serialize;

use super::AttestError;
use super::fetch::{self, CosignTag};

/// What became of something that was to be attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attached {
    /// It was attached already, or something that says the same was.
    Present,
    /// It was written.
    Written,
}

/// Signs a digest, and says of it where it came from, unless both were done before.
///
/// # Errors
/// When the registry cannot be read or written.
pub fn sign_and_attach(
    repository: &Repository,
    subject: &Descriptor,
    key: &PrivateKey,
    provenance: &Provenance,
) -> Result<Attached, AttestError> {
    let signed = sign(repository, subject, key)?;
    let mark = provenance.mark(subject.digest, key);
    if is_marked(repository, subject, &mark)? {
        return Ok(signed);
    }
    let attachments = fetch::attachments(repository, subject.digest)?;
    let trust = Trust::judge(subject.digest, &attachments.found, std::slice::from_ref(key.public()));
    if trust.provenances().any(|(_, told)| told.says_the_same(provenance)) {
        return Ok(signed);
    }
    let attested = put_attestation(repository, subject, key, SLSA_PROVENANCE, provenance, Some(&mark))?;
    Ok(signed.max(attested))
}

/// Signs a digest, in both forms.
///
/// # Errors
/// When the registry cannot be read or written.
pub fn sign(repository: &Repository, subject: &Descriptor, key: &PrivateKey) -> Result<Attached, AttestError> {
    let name = repository.name().to_string();
    let payload = SimpleSigning { reference: name, digest: subject.digest }.to_payload();
    let signature = BASE64.encode(&key.sign(&payload));
    let layer =
        Descriptor::of(MediaType::COSIGN_SIMPLE_SIGNING, &payload).annotated(annotations::COSIGN_SIGNATURE, signature);
    let tagged = under_tag(repository, subject.digest, CosignTag::Signature, &layer, &payload, |_| Ok(false))?;
    let nothing = BTreeMap::<(), ()>::new();
    let bundled = bundle(repository, subject, key, COSIGN_SIGN, &nothing, None)?;
    Ok(tagged.max(bundled))
}

/// Says something of a digest under a signature, in both forms. Under cosign's tag it takes the place of what the same key said
/// before in statements of the same type.
///
/// # Errors
/// When the registry cannot be read or written.
pub(super) fn attest(
    repository: &Repository,
    subject: &Descriptor,
    key: &PrivateKey,
    predicate_type: &str,
    predicate: &impl Serialize,
) -> Result<Attached, AttestError> {
    put_attestation(repository, subject, key, predicate_type, predicate, None)
}

/// [`attest`] with a mark for whoever says the same again.
fn put_attestation(
    repository: &Repository,
    subject: &Descriptor,
    key: &PrivateKey,
    predicate_type: &str,
    predicate: &impl Serialize,
    mark: Option<&str>,
) -> Result<Attached, AttestError> {
    let bytes = to_json(&envelope(repository, subject, key, predicate_type, predicate));
    let layer = Descriptor::of(MediaType::DSSE_ENVELOPE, &bytes)
        .annotated(annotations::COSIGN_SIGNATURE, "")
        .annotated(annotations::COSIGN_PREDICATE_TYPE, predicate_type);
    let layer = match mark {
        Some(mark) => layer.annotated(annotations::PROVENANCE_MARK, mark),
        None => layer,
    };
    let outdated = |old: &Descriptor| {
        let same_type = old.annotations.get(annotations::COSIGN_PREDICATE_TYPE).is_some_and(|it| it == predicate_type);
        Ok(same_type && is_ours(repository, subject.digest, old, key)?)
    };
    let tagged = under_tag(repository, subject.digest, CosignTag::Attestation, &layer, &bytes, outdated)?;
    let bundled = bundle(repository, subject, key, predicate_type, predicate, mark)?;
    Ok(tagged.max(bundled))
}

/// Whether what is attached in both forms has this mark: then its maker said the same before, and nothing need be read.
fn is_marked(repository: &Repository, subject: &Descriptor, mark: &str) -> Result<bool, AttestError> {
    let has_mark = |one: &Descriptor| one.annotations.get(annotations::PROVENANCE_MARK).is_some_and(|it| it == mark);
    let tagged = fetch::manifest_under(repository, &CosignTag::Attestation.of(subject.digest)?)?;
    if !tagged.is_some_and(|manifest| manifest.layers.iter().any(has_mark)) {
        return Ok(false);
    }
    Ok(repository.referrers(subject.digest, Some(&MediaType::SIGSTORE_BUNDLE))?.iter().any(has_mark))
}

fn envelope(
    repository: &Repository,
    subject: &Descriptor,
    key: &PrivateKey,
    predicate_type: &str,
    predicate: &impl Serialize,
) -> DsseEnvelope {
    let statement = Statement::about(repository.name().to_string(), subject.digest, predicate_type, predicate);
    DsseEnvelope::sign(IN_TOTO, to_json(&statement), key)
}

/// Whether this key signed an envelope about the digest.
fn is_ours(repository: &Repository, about: Digest, layer: &Descriptor, key: &PrivateKey) -> Result<bool, AttestError> {
    let attachment = fetch::layer(repository, about, layer)?;
    let trust = attachment
        .as_ref()
        .ok()
        .and_then(Option::as_ref)
        .map(|attachment: &Attachment| Trust::judge(about, [attachment], std::slice::from_ref(key.public())));
    Ok(trust.is_some_and(|trust| !trust.keys().is_empty()))
}

/// Adds a layer to the manifest under cosign's tag; what others put there stays.
fn under_tag(
    repository: &Repository,
    subject: Digest,
    tag: CosignTag,
    layer: &Descriptor,
    bytes: &[u8],
    is_outdated: impl Fn(&Descriptor) -> Result<bool, AttestError>,
) -> Result<Attached, AttestError> {
    let tag = tag.of(subject)?;
    let old = fetch::manifest_under(repository, &tag)?;
    let mut layers = old.map(|manifest| manifest.layers).unwrap_or_default();
    if layers.iter().any(|old| old == layer) {
        return Ok(Attached::Present);
    }
    let mut kept = Vec::with_capacity(layers.len() + 1);
    for layer in layers.drain(..) {
        if !is_outdated(&layer)? {
            kept.push(layer);
        }
    }
    kept.push(layer.clone());
    let config = to_json(&config(&kept));
    put_bytes(repository, bytes)?;
    put_bytes(repository, &config)?;
    let manifest = ImageManifest::new(Descriptor::of(MediaType::IMAGE_CONFIG, &config), kept, BTreeMap::new());
    repository.put_manifest(&tag.into(), &MediaType::IMAGE_MANIFEST, &to_json(&manifest))?;
    Ok(Attached::Written)
}

/// cosign's manifests are images, whose configuration names the layers; they run nowhere.
fn config(layers: &[Descriptor]) -> ImageConfig {
    let diff_ids = layers.iter().map(|layer| DiffId::new(layer.digest.hash())).collect();
    let mut config = ImageConfig::new(Platform::LinuxAmd64, RuntimeConfig::default(), diff_ids);
    (config.os, config.architecture) = (String::new(), String::new());
    config
}

/// Attaches a bundle as a referrer.
fn bundle(
    repository: &Repository,
    subject: &Descriptor,
    key: &PrivateKey,
    predicate_type: &str,
    predicate: &impl Serialize,
    mark: Option<&str>,
) -> Result<Attached, AttestError> {
    /// The configuration of what needs none (image-spec, "Guidance for an Empty Descriptor").
    const NO_CONFIG: &[u8] = b"{}";
    let envelope = envelope(repository, subject, key, predicate_type, predicate);
    let bytes = to_json(&SigstoreBundle::new(envelope, key.public()));
    let config = Descriptor::of(MediaType::EMPTY_JSON, NO_CONFIG);
    let layer = Descriptor::of(MediaType::SIGSTORE_BUNDLE, &bytes);
    let mut notes = BTreeMap::from([
        (annotations::BUNDLE_CONTENT.to_owned(), "dsse-envelope".to_owned()),
        (annotations::BUNDLE_PREDICATE_TYPE.to_owned(), predicate_type.to_owned()),
    ]);
    notes.extend(mark.map(|mark| (annotations::PROVENANCE_MARK.to_owned(), mark.to_owned())));
    let mut manifest = ImageManifest::new(config, vec![layer], notes);
    manifest.artifact_type = Some(MediaType::SIGSTORE_BUNDLE);
    manifest.subject = Some(Descriptor::new(subject.media_type.clone(), subject.digest, subject.size));
    let digest = Digest::of(&to_json(&manifest));
    let there = repository.referrers(subject.digest, Some(&MediaType::SIGSTORE_BUNDLE))?;
    if there.iter().any(|referrer| referrer.digest == digest) {
        return Ok(Attached::Present);
    }
    put_bytes(repository, &bytes)?;
    put_bytes(repository, NO_CONFIG)?;
    repository.put_referrer(&manifest)?;
    Ok(Attached::Written)
}

/// Makes sure that a repository has a small blob.
fn put_bytes(repository: &Repository, bytes: &[u8]) -> Result<(), AttestError> {
    let mut file = tempfile::NamedTempFile::new().map_err(AttestError::Temporary)?;
    file.write_all(bytes).map_err(AttestError::Temporary)?;
    let path = Utf8PathBuf::from_path_buf(file.path().to_owned())
        .map_err(|_| AttestError::Temporary(std::io::Error::other("the name of the temporary folder is not UTF-8")))?;
    let source = BlobSource::file(Digest::of(bytes), bytes.len() as u64, path);
    repository.put_blob(&source, None, &no_progress)?;
    Ok(())
}
