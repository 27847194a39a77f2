//! Uploads (distribution-spec, "Pushing Blobs").

use plywood_core::digest::Digest;

use super::state::{Call, State, error};
use crate::http::Response;

/// An upload that is under way.
#[derive(Debug, Default)]
pub(super) struct Upload {
    bytes: Vec<u8>,
}

impl State {
    pub(super) fn upload(&mut self, call: &Call<'_>) -> Response {
        if call.request.method == "POST" {
            return self.begin(call);
        }
        let id = call.name.parse().ok().filter(|id| self.uploads.contains_key(id));
        let Some(id) = id else { return error(404, "BLOB_UPLOAD_UNKNOWN") };
        match call.request.method.as_str() {
            "GET" => self.told(call, id, 204),
            "PATCH" => self.append(call, id),
            "PUT" => self.finish(call, id),
            "DELETE" => {
                self.uploads.remove(&id);
                Response::status(204)
            }
            _ => error(405, "UNSUPPORTED"),
        }
    }

    fn begin(&mut self, call: &Call<'_>) -> Response {
        if let (Some(digest), Some(from)) = (call.query("mount"), call.query("from")) {
            let from = from.to_owned();
            let found = digest
                .parse()
                .ok()
                .and_then(|digest: Digest| Some((digest, self.repository(&from).blobs.get(&digest)?.clone())));
            if let Some((digest, bytes)) = found {
                self.repository(call.repository).blobs.insert(digest, bytes);
                return created(call, digest);
            }
        }
        let id = self.uploads.keys().last().map_or(1, |last| last + 1);
        self.uploads.insert(id, Upload::default());
        let response = self.told(call, id, 202);
        match self.chunk_min {
            Some(length) => response.header("OCI-Chunk-Min-Length", length.to_string()),
            None => response,
        }
    }

    /// Where an upload is, and how far.
    fn told(&self, call: &Call<'_>, id: u64, status: u16) -> Response {
        let length = self.uploads.get(&id).map_or(0, |upload| upload.bytes.len());
        // A query that must be kept, as real registries have it.
        let location = format!("/v2/{}/blobs/uploads/{id}?_state=s{length}", call.repository);
        Response::status(status).header("Location", location).header("Range", format!("0-{}", length.saturating_sub(1)))
    }

    fn append(&mut self, call: &Call<'_>, id: u64) -> Response {
        let has = self.uploads.get(&id).map_or(0, |upload| upload.bytes.len());
        let range = call.request.headers.get("content-range");
        let start = range.and_then(|range| range.split_once('-')?.0.parse::<usize>().ok());
        if range.is_some() && start != Some(has) {
            return Response { ..self.told(call, id, 416) };
        }
        if let Some(upload) = self.uploads.get_mut(&id) {
            upload.bytes.extend_from_slice(&call.request.body);
        }
        self.told(call, id, 202)
    }

    fn finish(&mut self, call: &Call<'_>, id: u64) -> Response {
        if let Some(upload) = self.uploads.get_mut(&id) {
            upload.bytes.extend_from_slice(&call.request.body);
        }
        if call.request.cut {
            return Response::status(500);
        }
        let Some(Upload { bytes }) = self.uploads.remove(&id) else { return error(404, "BLOB_UPLOAD_UNKNOWN") };
        let digest = Digest::of(&bytes);
        if call.query("digest") != Some(digest.to_string().as_str()) {
            return error(400, "DIGEST_INVALID");
        }
        self.repository(call.repository).blobs.insert(digest, bytes.into());
        created(call, digest)
    }
}

fn created(call: &Call<'_>, digest: Digest) -> Response {
    Response::status(201)
        .header("Location", format!("/v2/{}/blobs/{digest}", call.repository))
        .header("Docker-Content-Digest", digest.to_string())
}
