//! Referrers: what is attached to a manifest, through the API or the tag that stands in for it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use plywood_core::digest::Digest;
use plywood_core::oci::distribution::ManifestKind;
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, MAX_DOCUMENT, ManifestName, MediaType, to_json};
use reqwest::Method;

use super::auth::{Access, Scope};
use super::body::read;
use super::failure::Failure;
use super::host::Ask;
use super::manifest::{content_type, referrers_tag};
use super::repository::Work;
use super::tags::next_page;

/// As many referrers as are read.
const MAX_REFERRERS: usize = ImageIndex::MAX_MANIFESTS;
/// How often a list under a tag is written anew when somebody else writes it at the same time.
const MAX_ROUNDS: usize = 5;

impl Work<'_> {
    /// What is attached to a manifest, in the registry's order.
    pub(super) async fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, Failure> {
        if !self.host.no_referrers.load(Ordering::Relaxed) {
            if let Some(found) = self.ask_api(subject).await? {
                return Ok(found);
            }
            self.host.no_referrers.store(true, Ordering::Relaxed);
        }
        self.read_tag(subject).await
    }

    /// Writes a manifest that has a subject, by its digest, and makes sure that it is found from there.
    pub(super) async fn put_referrer(&self, media_type: &MediaType, bytes: &[u8]) -> Result<Descriptor, Failure> {
        let (kind, media_type) = ManifestKind::of(Some(media_type), bytes)?;
        // As the registry would describe it (distribution-spec, "Listing Referrers").
        let (subject, artifact_type, annotations) = match kind {
            ManifestKind::Manifest => {
                let ImageManifest { subject, artifact_type, config, annotations, .. } = ImageManifest::parse(bytes)?;
                (subject, artifact_type.or(Some(config.media_type)), annotations)
            }
            ManifestKind::Index => {
                let ImageIndex { subject, artifact_type, annotations, .. } = ImageIndex::parse(bytes)?;
                (subject, artifact_type, annotations)
            }
        };
        let subject = subject.ok_or(Failure::Protocol("a referrer without a subject"))?.digest;
        let (digest, noted) = self.put_manifest(&Digest::of(bytes).into(), &media_type, bytes).await?;
        let mut descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        (descriptor.artifact_type, descriptor.annotations) = (artifact_type, annotations);
        if !noted {
            self.add_to_tag(subject, &descriptor).await?;
        }
        Ok(descriptor)
    }

    /// `None` where there is no such API.
    async fn ask_api(&self, subject: Digest) -> Result<Option<Vec<Descriptor>>, Failure> {
        let scope = Scope::new(self.name, Access::Pull);
        let patience = &self.client.config.patience;
        let mut found = Vec::new();
        let mut next = Some(self.host.url(self.name, &format!("referrers/{subject}")));
        while let Some(url) = next {
            let get = async || {
                let response =
                    match self.host.expect(self.client, &Ask::new(Method::GET, url.clone(), &scope), &[200]).await {
                        Ok(response) => response,
                        // Registries of before 1.1 take the path for any other unknown one.
                        Err(Failure::NotFound { .. } | Failure::Unsupported { .. }) => return Ok(None),
                        Err(failure) => return Err(failure),
                    };
                if content_type(response.headers()) != Some(MediaType::IMAGE_INDEX) {
                    return Ok(None);
                }
                let next = next_page(&response, &url)?;
                Ok(Some((read(response, MAX_DOCUMENT as u64, patience.stall).await?, next)))
            };
            let Some((bytes, following)) = patience.retry(get).await? else { return Ok(None) };
            let page = ImageIndex::parse(&bytes)?.manifests;
            next = following.filter(|_| !page.is_empty());
            found.extend(page);
            if found.len() > MAX_REFERRERS {
                return Err(Failure::Protocol("more referrers than are read"));
            }
        }
        Ok(Some(found))
    }

    async fn read_tag(&self, subject: Digest) -> Result<Vec<Descriptor>, Failure> {
        let Some(tag) = referrers_tag(subject) else { return Ok(Vec::new()) };
        match self.get_manifest(&ManifestName::Tag(tag)).await {
            Ok(fetched) => Ok(fetched.index()?.manifests),
            Err(Failure::NotFound { .. }) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    /// Adds to the list under the tag. Nothing locks it, so it is read again until it has what was added.
    async fn add_to_tag(&self, subject: Digest, descriptor: &Descriptor) -> Result<(), Failure> {
        let Some(tag) = referrers_tag(subject) else { return Ok(()) };
        let _turn = self.host.referrers_tag.lock().await;
        for _ in 0..MAX_ROUNDS {
            let mut manifests = self.read_tag(subject).await?;
            if manifests.iter().any(|other| other.digest == descriptor.digest) {
                return Ok(());
            }
            manifests.push(descriptor.clone());
            let index = to_json(&ImageIndex::new(manifests, BTreeMap::new()));
            self.put_manifest(&tag.clone().into(), &MediaType::IMAGE_INDEX, &index).await?;
        }
        Err(Failure::Protocol("the list of referrers does not keep what is added to it"))
    }
}
