//! Manifests and indexes.

use plywood_core::digest::Digest;
use plywood_core::oci::distribution::{ManifestKind, UnclearManifestError, UploadRange};
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, MAX_DOCUMENT, ManifestName, MediaType, Tag};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};

use super::auth::{Access, Scope};
use super::blob::length;
use super::body::read;
use super::failure::Failure;
use super::host::Ask;
use super::payload::Payload;
use super::repository::Work;

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// A manifest or index as a registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedManifest {
    /// Names it.
    pub descriptor: Descriptor,
    /// What it is.
    pub kind: ManifestKind,
    /// Its bytes, which have the descriptor's digest.
    pub bytes: Vec<u8>,
}

impl FetchedManifest {
    /// As an image's manifest.
    ///
    /// # Errors
    /// When it is an index, or no valid manifest.
    pub fn manifest(&self) -> Result<ImageManifest, Failure> {
        match self.kind {
            ManifestKind::Manifest => Ok(ImageManifest::parse(&self.bytes)?),
            ManifestKind::Index => Err(UnclearManifestError::Unknown(self.descriptor.media_type.clone()).into()),
        }
    }

    /// As an index.
    ///
    /// # Errors
    /// When it is a manifest, or no valid index.
    pub fn index(&self) -> Result<ImageIndex, Failure> {
        match self.kind {
            ManifestKind::Index => Ok(ImageIndex::parse(&self.bytes)?),
            ManifestKind::Manifest => Err(UnclearManifestError::Unknown(self.descriptor.media_type.clone()).into()),
        }
    }
}

impl Work<'_> {
    /// Names the manifest, if it is there.
    pub(super) async fn head_manifest(&self, name: &ManifestName) -> Result<Option<Descriptor>, Failure> {
        let scope = Scope::new(self.name, Access::Pull);
        let head = async || {
            let mut ask = Ask::new(Method::HEAD, self.manifest_url(name), &scope);
            accept(&mut ask.headers);
            match self.host.expect(self.client, &ask, &[200]).await {
                Ok(response) => Ok(Some(described(name, &response)?)),
                Err(Failure::NotFound { .. }) => Ok(None),
                Err(failure) => Err(failure),
            }
        };
        match self.client.config.patience.retry(head).await? {
            None => Ok(None),
            Some(Some(descriptor)) => Ok(Some(descriptor)),
            // Some registries answer HEAD without what names a manifest.
            Some(None) => match self.get_manifest(name).await {
                Ok(fetched) => Ok(Some(fetched.descriptor)),
                Err(Failure::NotFound { .. }) => Ok(None),
                Err(failure) => Err(failure),
            },
        }
    }

    /// The manifest, verified: by its name if that is a digest, else by what the registry says its digest is.
    pub(super) async fn get_manifest(&self, name: &ManifestName) -> Result<FetchedManifest, Failure> {
        let scope = Scope::new(self.name, Access::Pull);
        let patience = &self.client.config.patience;
        patience
            .retry(async || {
                let mut ask = Ask::new(Method::GET, self.manifest_url(name), &scope);
                accept(&mut ask.headers);
                let response = self.host.expect(self.client, &ask, &[200]).await?;
                let (told, media_type) = (told_digest(response.headers())?, content_type(response.headers()));
                let bytes = read(response, MAX_DOCUMENT as u64, patience.stall).await?;
                let found = Digest::of(&bytes);
                for expect in [named_digest(name), told].into_iter().flatten() {
                    if found != expect {
                        return Err(Failure::WrongDigest { found, expect });
                    }
                }
                let (kind, media_type) = ManifestKind::of(media_type.as_ref(), &bytes)?;
                let descriptor = Descriptor::new(media_type, found, bytes.len() as u64);
                Ok(FetchedManifest { descriptor, kind, bytes })
            })
            .await
    }

    /// Writes a manifest; whether the registry took note of its subject.
    pub(super) async fn put_manifest(
        &self,
        name: &ManifestName,
        media_type: &MediaType,
        bytes: &[u8],
    ) -> Result<(Digest, bool), Failure> {
        let expect = Digest::of(bytes);
        if let Some(named) = named_digest(name).filter(|named| *named != expect) {
            return Err(Failure::WrongDigest { found: expect, expect: named });
        }
        if bytes.len() > MAX_DOCUMENT {
            return Err(Failure::TooLarge(MAX_DOCUMENT as u64));
        }
        let scope = Scope::new(self.name, Access::Push);
        let content_type = HeaderValue::from_str(media_type.as_str());
        let content_type = content_type.map_err(|_| Failure::Protocol("a media type that no header can hold"))?;
        let put = async || {
            let mut ask = Ask::new(Method::PUT, self.manifest_url(name), &scope);
            ask.headers.insert(CONTENT_TYPE, content_type.clone());
            ask.payload = Payload::Bytes(bytes.to_vec());
            let response = self.host.expect(self.client, &ask, &[200, 201, 202]).await?;
            match told_digest(response.headers())?.filter(|told| *told != expect) {
                Some(found) => Err(Failure::WrongDigest { found, expect }),
                None => Ok((expect, response.headers().contains_key(SUBJECT))),
            }
        };
        self.client.config.patience.retry(put).await
    }

    /// Deletes a manifest, or a tag where the registry can do that; whether it was there.
    pub(super) async fn delete_manifest(&self, name: &ManifestName) -> Result<bool, Failure> {
        let scope = Scope::new(self.name, Access::Delete);
        let delete = async || {
            let ask = Ask::new(Method::DELETE, self.manifest_url(name), &scope);
            match self.host.expect(self.client, &ask, &[200, 202, 204]).await {
                Ok(_) => Ok(true),
                Err(Failure::NotFound { .. }) => Ok(false),
                Err(failure) => Err(failure),
            }
        };
        self.client.config.patience.retry(delete).await
    }

    fn manifest_url(&self, name: &ManifestName) -> reqwest::Url {
        self.host.url(self.name, &format!("manifests/{name}"))
    }
}

/// The tag under which referrers are listed where there is no API for that (distribution-spec, "Referrers Tag Schema").
pub(super) fn referrers_tag(subject: Digest) -> Option<Tag> {
    format!("sha256-{}", subject.to_hex()).parse().ok()
}

/// Everything that is read, the most specific first.
fn accept(headers: &mut HeaderMap) {
    let all = [
        MediaType::IMAGE_INDEX,
        MediaType::IMAGE_MANIFEST,
        MediaType::DOCKER_MANIFEST_LIST,
        MediaType::DOCKER_MANIFEST,
    ];
    for media_type in all {
        if let Ok(value) = HeaderValue::from_str(media_type.as_str()) {
            headers.append(ACCEPT, value);
        }
    }
}

/// What the headers of an answer name; `None` if they leave something out.
fn described(name: &ManifestName, response: &Response) -> Result<Option<Descriptor>, Failure> {
    let headers = response.headers();
    let told = told_digest(headers)?;
    if let (Some(expect), Some(found)) = (named_digest(name), told)
        && expect != found
    {
        return Err(Failure::WrongDigest { found, expect });
    }
    let known = content_type(headers).filter(|media_type| media_type.is_index() || media_type.is_manifest());
    let named = (known, told.or(named_digest(name)), length(headers));
    Ok(match named {
        (Some(media_type), Some(digest), Some(size)) => Some(Descriptor::new(media_type, digest, size)),
        _ => None,
    })
}

fn named_digest(name: &ManifestName) -> Option<Digest> {
    match name {
        ManifestName::Digest(digest) => Some(*digest),
        ManifestName::Tag(_) => None,
    }
}

/// `Docker-Content-Digest`; one by another algorithm than SHA-256 says nothing that is understood here.
fn told_digest(headers: &HeaderMap) -> Result<Option<Digest>, Failure> {
    let Some(value) = headers.get(DIGEST) else { return Ok(None) };
    match value.to_str() {
        Ok(text) if text.starts_with("sha256:") => {
            text.parse().map(Some).map_err(|_| Failure::Protocol("its `Docker-Content-Digest` is no digest"))
        }
        _ => Ok(None),
    }
}

/// The media type without its parameters.
pub(super) fn content_type(headers: &HeaderMap) -> Option<MediaType> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let plain = text.split(';').next().unwrap_or_default().trim();
    serde_json::from_value(serde_json::Value::from(plain)).ok().filter(|_| !plain.is_empty())
}

/// How much of an upload the registry has.
pub(super) fn uploaded(headers: &HeaderMap) -> Option<UploadRange> {
    UploadRange::parse(headers.get(reqwest::header::RANGE)?.to_str().ok()?)
}
