//! Reading what is attached to a digest, wherever tools put it. Nothing that is read here is believed.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use plywood_core::attest::{
    Attachment, AttestationError, DsseEnvelope, MAX_ATTESTATION, PublicKey, SigstoreBundle, SimpleSigning, Trust,
};
use plywood_core::digest::Digest;
use plywood_core::oci::distribution::ManifestKind;
use plywood_core::oci::{Descriptor, ImageManifest, MediaType, Tag, annotations};
use plywood_oci::registry::Repository;

use super::AttestError;

/// As many blobs are read of what is attached to one digest: whoever attaches more hides something.
const MAX_ATTACHMENTS: usize = 512;
/// The largest thing that is signed by simple signing, in bytes.
const MAX_PAYLOAD: u64 = 64 << 10;

/// The tags under which cosign keeps what belongs to a digest (cosign's specs, "Signature specification").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CosignTag {
    /// Signatures.
    Signature,
    /// Attestations.
    Attestation,
}

impl CosignTag {
    /// The tag of a digest.
    pub(super) fn of(self, digest: Digest) -> Result<Tag, AttestError> {
        let suffix = match self {
            CosignTag::Signature => "sig",
            CosignTag::Attestation => "att",
        };
        Ok(format!("sha256-{}.{suffix}", digest.to_hex()).parse()?)
    }
}

/// What is attached to a digest.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    /// What could be read.
    pub(super) found: Vec<Attachment>,
    /// Why others could not, each reason once.
    pub(super) unread: BTreeSet<String>,
}

/// What of a digest is believed with these keys: signatures over it and statements about it.
///
/// # Errors
/// When the registry cannot be read, or has more attached than is read.
pub fn trusted(repository: &Repository, digest: Digest, keys: &[PublicKey]) -> Result<Trust, AttestError> {
    let attachments = attachments(repository, digest)?;
    let mut trust = Trust::judge(digest, &attachments.found, keys);
    trust.refused.extend(attachments.unread);
    Ok(trust)
}

/// Whether one of these keys signed a digest: what [`trusted`] would say of it, with as little read as that takes.
///
/// # Errors
/// As [`trusted`].
pub fn is_signed(repository: &Repository, digest: Digest, keys: &[PublicKey]) -> Result<bool, AttestError> {
    let manifest = manifest_under(repository, &CosignTag::Signature.of(digest)?)?;
    let layers = manifest.into_iter().flat_map(|manifest| manifest.layers).take(MAX_ATTACHMENTS);
    let rebuilt = layers.filter_map(|layer| {
        let payload = payload_of(repository, digest, &layer)?;
        parse(&layer, payload).ok()?
    });
    let rebuilt: Vec<Attachment> = rebuilt.collect();
    if Trust::judge(digest, &rebuilt, keys).is_signed() {
        return Ok(true);
    }
    Ok(trusted(repository, digest, keys)?.is_signed())
}

/// Everything that is attached to a digest.
pub(super) fn attachments(repository: &Repository, digest: Digest) -> Result<Attachments, AttestError> {
    let mut attachments = Attachments::default();
    let mut layers = Vec::new();
    for tag in [CosignTag::Signature, CosignTag::Attestation] {
        let manifest = manifest_under(repository, &tag.of(digest)?)?;
        layers.extend(manifest.into_iter().flat_map(|manifest| manifest.layers));
    }
    let referrers = repository.referrers(digest, None)?;
    let signed = referrers.into_iter().filter(|referrer| {
        let kind = referrer.artifact_type.as_ref();
        // Bills of materials and the like are not looked at; cosign's are known by their type, and so are those of plain envelopes.
        kind.is_none_or(|kind| kind.is_sigstore_bundle() || *kind == MediaType::DSSE_ENVELOPE || is_cosign(kind))
    });
    for referrer in signed.take(MAX_ATTACHMENTS + 1) {
        let fetched = match repository.get_manifest(&referrer.digest.into()) {
            Ok(fetched) => fetched,
            // A list under a tag goes on naming what was deleted.
            Err(error) if error.is_not_found() => {
                attachments.unread.insert(format!("{} is listed and not there", referrer.digest));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if let (ManifestKind::Manifest, Ok(manifest)) = (fetched.kind, ImageManifest::parse(&fetched.bytes)) {
            layers.extend(manifest.layers);
        }
    }
    if layers.len() > MAX_ATTACHMENTS {
        return Err(AttestError::TooMany { digest, limit: MAX_ATTACHMENTS });
    }
    for descriptor in &layers {
        match layer(repository, digest, descriptor)? {
            Ok(attachment) => attachments.found.extend(attachment),
            Err(error) => drop(attachments.unread.insert(error.to_string())),
        }
    }
    Ok(attachments)
}

fn is_cosign(kind: &MediaType) -> bool {
    kind.as_str().starts_with("application/vnd.dev.cosign.")
}

/// The manifest under a tag, when there is one.
pub(super) fn manifest_under(repository: &Repository, tag: &Tag) -> Result<Option<ImageManifest>, AttestError> {
    match repository.get_manifest(&tag.clone().into()) {
        Ok(fetched) => Ok(ImageManifest::parse(&fetched.bytes).map(Some)?),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The payload of a signature over `about` that plywood or cosign made in this very repository: all of it is known but the
/// signature, which is an annotation, so that the blob need not be read. It has the digest by which the layer names it,
/// so it is what the registry would give.
fn payload_of(repository: &Repository, about: Digest, layer: &Descriptor) -> Option<Vec<u8>> {
    if layer.media_type != MediaType::COSIGN_SIMPLE_SIGNING {
        return None;
    }
    let payload = SimpleSigning { reference: repository.name().to_string(), digest: about }.to_payload();
    (payload.len() as u64 == layer.size && Digest::of(&payload) == layer.digest).then_some(payload)
}

/// What a layer attached to the digest `about` holds, when it is of a kind that is signed.
pub(super) fn layer(
    repository: &Repository,
    about: Digest,
    layer: &Descriptor,
) -> Result<Result<Option<Attachment>, AttestationError>, AttestError> {
    let kind = &layer.media_type;
    let limit = if *kind == MediaType::COSIGN_SIMPLE_SIGNING { MAX_PAYLOAD } else { MAX_ATTESTATION as u64 };
    let is_known =
        [MediaType::COSIGN_SIMPLE_SIGNING, MediaType::DSSE_ENVELOPE].contains(kind) || kind.is_sigstore_bundle();
    if !is_known {
        return Ok(Ok(None));
    }
    if layer.size > limit {
        return Ok(Err(AttestationError::TooLarge { size: usize::try_from(layer.size).unwrap_or(usize::MAX) }));
    }
    let bytes = match payload_of(repository, about, layer) {
        Some(payload) => payload,
        None => repository.read_blob(layer, limit)?,
    };
    Ok(parse(layer, bytes))
}

fn parse(layer: &Descriptor, bytes: Vec<u8>) -> Result<Option<Attachment>, AttestationError> {
    if layer.media_type == MediaType::COSIGN_SIMPLE_SIGNING {
        let signature = layer.annotations.get(annotations::COSIGN_SIGNATURE);
        let signature = signature.and_then(|text| BASE64.decode(text.as_bytes()).ok());
        return Ok(signature.map(|signature| Attachment::SimpleSigning { payload: bytes, signature }));
    }
    let envelope = if layer.media_type == MediaType::DSSE_ENVELOPE {
        DsseEnvelope::parse(&bytes)?
    } else {
        SigstoreBundle::parse(&bytes)?.envelope().clone()
    };
    Ok(Some(Attachment::Envelope(envelope)))
}
