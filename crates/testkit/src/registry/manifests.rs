//! Manifests, tags and referrers.

use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, MediaType, Tag, to_json};

use super::state::{Call, Repository, State, error};
use crate::http::Response;

impl State {
    pub(super) fn read_manifest(&mut self, call: &Call<'_>) -> Response {
        let repository = self.repository(call.repository);
        let digest = digest_of(repository, call.name);
        let found = digest.and_then(|digest| Some((digest, repository.manifests.get(&digest)?)));
        let Some((digest, (media_type, bytes))) = found else { return error(404, "MANIFEST_UNKNOWN") };
        Response::ok(bytes.to_vec())
            .header("Content-Type", media_type.clone())
            .header("Docker-Content-Digest", digest.to_string())
    }

    pub(super) fn write_manifest(&mut self, call: &Call<'_>) -> Response {
        let bytes = &call.request.body;
        let no_referrers = self.no_referrers;
        let repository = self.repository(call.repository);
        let media_type = call.request.headers.get("content-type").cloned().unwrap_or_default();
        let tag = match (call.name.parse::<Digest>(), call.name.parse::<Tag>()) {
            (Ok(digest), _) if digest != Digest::of(bytes) => return error(400, "DIGEST_INVALID"),
            (Ok(_), _) => None,
            (Err(_), Ok(_)) => Some(call.name),
            (Err(_), Err(_)) => return error(400, "MANIFEST_INVALID"),
        };
        let (missing, subject) = match (ImageManifest::parse(bytes), ImageIndex::parse(bytes)) {
            (Ok(manifest), _) => {
                let mut blobs = manifest.layers.iter().chain([&manifest.config]);
                (blobs.any(|blob| !repository.blobs.contains_key(&blob.digest)), manifest.subject)
            }
            (_, Ok(index)) => {
                let absent = |one: &Descriptor| !repository.manifests.contains_key(&one.digest);
                (index.manifests.iter().any(absent), index.subject)
            }
            _ => return error(400, "MANIFEST_INVALID"),
        };
        if missing {
            return error(400, "MANIFEST_BLOB_UNKNOWN");
        }
        let digest = repository.add_manifest(tag, &media_type, bytes);
        let response = Response::status(201)
            .header("Location", format!("/v2/{}/manifests/{digest}", call.repository))
            .header("Docker-Content-Digest", digest.to_string());
        match subject.filter(|_| !no_referrers) {
            Some(subject) => response.header("OCI-Subject", subject.digest.to_string()),
            None => response,
        }
    }

    pub(super) fn delete_manifest(&mut self, call: &Call<'_>) -> Response {
        let repository = self.repository(call.repository);
        let removed = match call.name.parse::<Digest>() {
            Ok(digest) => {
                repository.tags.retain(|_, named| *named != digest);
                repository.manifests.remove(&digest).is_some()
            }
            Err(_) => repository.tags.remove(call.name).is_some(),
        };
        if removed { Response::status(202) } else { error(404, "MANIFEST_UNKNOWN") }
    }

    pub(super) fn list_tags(&mut self, call: &Call<'_>) -> Response {
        let asked = call.query("n").and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
        let page = self.page.unwrap_or(usize::MAX).min(asked);
        let last = call.query("last").unwrap_or_default().to_owned();
        let tags = &self.repository(call.repository).tags;
        let rest: Vec<&String> = tags.keys().filter(|tag| **tag > last).collect();
        let shown = rest.get(..page).unwrap_or(&rest);
        let body = serde_json::json!({ "name": call.repository, "tags": shown });
        let response = Response::ok(body.to_string()).header("Content-Type", "application/json");
        match shown.last().filter(|_| rest.len() > shown.len()) {
            Some(last) => {
                let next = format!("</v2/{}/tags/list?last={last}&n={page}>; rel=\"next\"", call.repository);
                response.header("Link", next)
            }
            None => response,
        }
    }

    pub(super) fn list_referrers(&mut self, call: &Call<'_>) -> Response {
        let Ok(subject) = call.name.parse::<Digest>() else { return error(400, "DIGEST_INVALID") };
        let page = self.page.unwrap_or(usize::MAX);
        let skip = call.query("skip").and_then(|count| count.parse().ok()).unwrap_or(0_usize);
        let manifests = &self.repository(call.repository).manifests;
        let all: Vec<Descriptor> = manifests.iter().filter_map(|(_, (_, bytes))| referrer(bytes, subject)).collect();
        let shown: Vec<Descriptor> = all.iter().skip(skip).take(page).cloned().collect();
        let more = skip.saturating_add(page) < all.len();
        let body = to_json(&ImageIndex::new(shown, Default::default()));
        let response = Response::ok(body).header("Content-Type", MediaType::IMAGE_INDEX.to_string());
        if !more {
            return response;
        }
        let next = format!("</v2/{}/referrers/{subject}?skip={}>; rel=\"next\"", call.repository, skip + page);
        response.header("Link", next)
    }
}

/// Describes a manifest that is attached to `subject`.
fn referrer(bytes: &[u8], subject: Digest) -> Option<Descriptor> {
    let manifest = ImageManifest::parse(bytes).ok()?;
    if manifest.subject.as_ref()?.digest != subject {
        return None;
    }
    let mut descriptor = Descriptor::of(manifest.media_type.clone()?, bytes);
    descriptor.artifact_type = Some(manifest.artifact_type.unwrap_or(manifest.config.media_type));
    descriptor.annotations = manifest.annotations;
    Some(descriptor)
}

fn digest_of(repository: &Repository, name: &str) -> Option<Digest> {
    name.parse().ok().or_else(|| repository.tags.get(name).copied())
}
