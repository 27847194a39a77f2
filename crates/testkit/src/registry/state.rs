//! What the registry has, and which request is for what.

use std::collections::BTreeMap;
use std::sync::Arc;

use plywood_core::digest::Digest;

use super::auth::{Auth, parse_form};
use super::fault::{Faults, RegistryFault};
use super::uploads::Upload;
use crate::http::{Request, Response};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) host: String,
    repositories: BTreeMap<String, Repository>,
    pub(super) uploads: BTreeMap<u64, Upload>,
    pub(super) auth: Auth,
    pub(super) faults: Faults,
    pub(super) no_referrers: bool,
    pub(super) chunk_min: Option<u64>,
    pub(super) page: Option<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) blobs: BTreeMap<Digest, Arc<[u8]>>,
    /// With their types.
    pub(super) manifests: BTreeMap<Digest, (String, Arc<[u8]>)>,
    pub(super) tags: BTreeMap<String, Digest>,
}

impl Repository {
    pub(super) fn add_blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.blobs.insert(digest, bytes.into());
        digest
    }

    pub(super) fn add_manifest(&mut self, tag: Option<&str>, media_type: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.manifests.insert(digest, (media_type.to_owned(), bytes.into()));
        if let Some(tag) = tag {
            self.tags.insert(tag.to_owned(), digest);
        }
        digest
    }
}

/// A request with its path taken apart: `/v2/<repository>/<kind>/<name>`.
pub(super) struct Call<'r> {
    pub(super) request: &'r Request,
    pub(super) repository: &'r str,
    pub(super) kind: &'r str,
    pub(super) name: &'r str,
    pub(super) query: Vec<(String, String)>,
}

impl Call<'_> {
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl State {
    pub(super) fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }

    pub(super) fn answer(&mut self, request: &Request) -> Response {
        let fault = self.faults.next(request);
        if let Some(response) = fault.as_ref().and_then(RegistryFault::instead) {
            return response;
        }
        if fault == Some(RegistryFault::ExpireTokens) {
            self.auth.expire();
        }
        let mut response = self.honest(request, fault == Some(RegistryFault::IgnoreRange));
        if let Some(fault) = fault {
            fault.spoil(&mut response);
        }
        response
    }

    fn honest(&mut self, request: &Request, ignore_range: bool) -> Response {
        if request.path == "/token" {
            return self.auth.give_token(request);
        }
        let Some(call) = call(request) else { return error(404, "NAME_UNKNOWN") };
        let action = match request.method.as_str() {
            "GET" | "HEAD" => "pull",
            "DELETE" if call.kind == "manifests" => "delete",
            _ => "push",
        };
        let mut needs = vec![format!("repository:{}:{action}", call.repository)];
        // Whoever mounts a blob must be able to read it where it is.
        needs.extend(call.query("from").map(|from| format!("repository:{from}:pull")));
        if let Some(refusal) = self.auth.refuse(request, &self.host, &needs) {
            return refusal;
        }
        match (call.kind, request.method.as_str()) {
            ("blobs/uploads", _) => self.upload(&call),
            ("blobs", "GET" | "HEAD") => self.blob(&call, ignore_range),
            ("manifests", "GET" | "HEAD") => self.read_manifest(&call),
            ("manifests", "PUT") => self.write_manifest(&call),
            ("manifests", "DELETE") => self.delete_manifest(&call),
            ("tags", "GET") => self.list_tags(&call),
            ("referrers", "GET") if !self.no_referrers => self.list_referrers(&call),
            ("referrers", _) => Response { body: b"404 page not found\n".to_vec(), ..Response::status(404) },
            _ => error(405, "UNSUPPORTED"),
        }
    }

    fn blob(&mut self, call: &Call<'_>, ignore_range: bool) -> Response {
        let found = call.name.parse().ok().and_then(|digest: Digest| {
            let bytes = self.repository(call.repository).blobs.get(&digest).cloned()?;
            Some((digest, bytes))
        });
        let Some((digest, bytes)) = found else { return error(404, "BLOB_UNKNOWN") };
        let range = call.request.headers.get("range").filter(|_| !ignore_range);
        let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        let response = match from {
            Some(from) if from >= bytes.len() => return Response::status(416),
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                let rest = bytes.get(from..).unwrap_or_default();
                Response { body: rest.to_vec(), ..Response::status(206) }.header("Content-Range", range)
            }
            None => Response::ok(bytes.to_vec()),
        };
        response.header("Docker-Content-Digest", digest.to_string()).header("Content-Type", "application/octet-stream")
    }
}

fn call(request: &Request) -> Option<Call<'_>> {
    let path = request.path.strip_prefix("/v2/")?;
    let (repository, kind, name) = ["/blobs/uploads/", "/blobs/", "/manifests/", "/tags/", "/referrers/"]
        .iter()
        .find_map(|part| path.rsplit_once(part).map(|(repository, name)| (repository, part.trim_matches('/'), name)))?;
    Some(Call { request, repository, kind, name, query: parse_form(&request.query) })
}

/// A failure in the registry's words.
pub(super) fn error(status: u16, code: &str) -> Response {
    let body = format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"by the test's registry\"}}]}}");
    Response { body: body.into_bytes(), ..Response::status(status) }.header("Content-Type", "application/json")
}
