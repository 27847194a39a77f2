//! A registry in this process (OCI distribution-spec 1.1), whose answers can be wrong in every way that real ones are.

mod auth;
mod fault;
mod manifests;
mod state;
mod uploads;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plywood_core::digest::Digest;
use plywood_core::oci::MediaType;

use crate::http::{Request, Server};
pub use auth::Login;
pub use fault::RegistryFault;
use state::State;

/// A registry on localhost that runs until it is dropped.
#[derive(Debug)]
pub struct TestRegistry {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl TestRegistry {
    /// Starts an empty registry that lets everybody in.
    ///
    /// # Panics
    /// When no port can be opened.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (answering, cutting) = (state.clone(), state.clone());
        let server = Server::start_cutting(
            move |request| lock(&answering).answer(request),
            move |request| lock(&cutting).faults.cut_upload(request),
        );
        lock(&state).host = format!("localhost:{}", server.port());
        Self { server, state }
    }

    /// Host and port, as references name it.
    pub fn host(&self) -> String {
        lock(&self.state).host.clone()
    }

    /// Every request so far, those of the token service too.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// How many requests of this method there were whose path holds `part`.
    pub fn count(&self, method: &str, part: &str) -> usize {
        self.requests().iter().filter(|request| request.method == method && request.path.contains(part)).count()
    }

    /// From now on only those may enter whom `login` lets in.
    pub fn demand(&self, login: Login) {
        lock(&self.state).auth.login = login;
    }

    /// From now on nobody gets a token for this repository.
    pub fn hide(&self, repository: &str) {
        lock(&self.state).auth.hidden.insert(repository.to_owned());
    }

    /// Every token that was given out so far is good no more.
    pub fn expire_tokens(&self) {
        lock(&self.state).auth.expire();
    }

    /// From now on there is no referrers API, as before version 1.1 of the specification.
    pub fn without_referrers(&self) {
        lock(&self.state).no_referrers = true;
    }

    /// Chunks of uploads, but the last, have at least this many bytes.
    pub fn demand_chunks(&self, length: u64) {
        lock(&self.state).chunk_min = Some(length);
    }

    /// Lists come in pages of so many.
    pub fn page(&self, length: usize) {
        lock(&self.state).page = Some(length);
    }

    /// The next request of this method whose path holds `part` goes wrong; called again, also the one after it.
    pub fn fail_once(&self, method: &str, part: &str, fault: RegistryFault) {
        lock(&self.state).faults.add(method, part, fault, false);
    }

    /// Every request of this method whose path holds `part` goes wrong.
    pub fn fail_always(&self, method: &str, part: &str, fault: RegistryFault) {
        lock(&self.state).faults.add(method, part, fault, true);
    }

    /// Nothing goes wrong any more.
    pub fn recover(&self) {
        lock(&self.state).faults.forget();
    }

    /// Puts a blob into a repository.
    pub fn add_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        lock(&self.state).repository(repository).add_blob(bytes)
    }

    /// Puts a manifest into a repository, whatever it is, under a tag if one is given.
    pub fn add_manifest(&self, repository: &str, tag: Option<&str>, media_type: &str, bytes: &[u8]) -> Digest {
        lock(&self.state).repository(repository).add_manifest(tag, media_type, bytes)
    }

    /// A blob of a repository.
    pub fn blob(&self, repository: &str, digest: Digest) -> Option<Vec<u8>> {
        lock(&self.state).repository(repository).blobs.get(&digest).map(|bytes| bytes.to_vec())
    }

    /// What a tag of a repository names.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<Digest> {
        lock(&self.state).repository(repository).tags.get(tag).copied()
    }

    /// A manifest of a repository, with its type.
    pub fn manifest(&self, repository: &str, digest: Digest) -> Option<(MediaType, Vec<u8>)> {
        let mut state = lock(&self.state);
        let (media_type, bytes) = state.repository(repository).manifests.get(&digest)?;
        let media_type = serde_json::from_value(serde_json::Value::from(media_type.as_str())).ok()?;
        Some((media_type, bytes.to_vec()))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
