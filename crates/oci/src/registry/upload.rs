//! Uploads: mounted, in one request, or in chunks, and gone on with after a failure.

use plywood_core::digest::Digest;
use plywood_core::oci::RepositoryName;
use plywood_core::oci::distribution::{ErrorCode, UploadRange};
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};

use super::auth::{Access, Scope};
use super::blob::{BlobOutcome, BlobSource, HEADWAY, Progress};
use super::failure::Failure;
use super::host::{Ask, location};
use super::manifest::uploaded;
use super::payload::{Meter, Payload};
use super::repository::Work;

const CHUNK_MIN: HeaderName = HeaderName::from_static("oci-chunk-min-length");
/// A registry that wants larger chunks than this is not believed.
const CHUNK_MIN_LIMIT: u64 = 4 << 30;

/// An upload that the registry waits for.
#[derive(Debug, Clone)]
struct Session {
    location: Url,
    /// Bytes that the registry has.
    offset: u64,
    chunk_min: u64,
    /// Whether something went wrong, so that the registry must say how much it has.
    unsure: bool,
}

/// What a registry answers to the wish for an upload.
enum Begun {
    Mounted,
    Session(Session),
}

impl Work<'_> {
    /// Makes sure that the repository has a blob.
    pub(super) async fn put_blob(
        &self,
        blob: &BlobSource,
        mount_from: Option<&RepositoryName>,
        progress: Progress<'_>,
    ) -> Result<BlobOutcome, Failure> {
        match self.head_blob(blob.digest).await? {
            Some(_) => {
                progress(blob.size);
                Ok(BlobOutcome::Present)
            }
            None => self.put_missing_blob(blob, mount_from, progress).await,
        }
    }

    /// As [`Self::put_blob`], of a blob that is not there.
    pub(super) async fn put_missing_blob(
        &self,
        blob: &BlobSource,
        mount_from: Option<&RepositoryName>,
        progress: Progress<'_>,
    ) -> Result<BlobOutcome, Failure> {
        let meter = Meter::new(progress);
        let outcome = self.upload(blob, mount_from, &meter).await?;
        meter.reached(blob.size);
        Ok(outcome)
    }

    /// Mounts a blob of another repository; whether the registry did.
    pub(super) async fn mount_blob(&self, digest: Digest, from: &RepositoryName) -> Result<bool, Failure> {
        let begun = self.client.config.patience.retry(async || self.begin(digest, Some(from)).await).await?;
        let Begun::Session(session) = begun else { return Ok(true) };
        // Nobody waits for it, and the registry forgets it in time in any case.
        let scope = Scope::new(self.name, Access::Push);
        let _ =
            self.host.expect(self.client, &Ask::new(Method::DELETE, session.location, &scope), &[200, 202, 204]).await;
        Ok(false)
    }

    async fn upload(
        &self,
        blob: &BlobSource,
        mount_from: Option<&RepositoryName>,
        meter: &Meter<'_>,
    ) -> Result<BlobOutcome, Failure> {
        let mut session: Option<Session> = None;
        let mut in_chunks = blob.size > self.client.config.upload.whole;
        let patience = &self.client.config.patience;
        patience
            .keep_trying(async || {
                let before = session.as_ref().map_or(0, |session| session.offset);
                let result = self.advance(blob, mount_from, &mut session, in_chunks, meter).await;
                let after = session.as_ref().map_or(0, |session| session.offset);
                let failure = match result {
                    Ok(outcome) => return Ok(outcome),
                    // Too much at once (HTTP 413): a proxy's limit, mostly.
                    Err(Failure::Status { status: 413, .. }) if !in_chunks => {
                        in_chunks = true;
                        session = None;
                        let retry = self.advance(blob, mount_from, &mut session, in_chunks, meter).await;
                        match retry {
                            Ok(outcome) => return Ok(outcome),
                            Err(failure) => failure,
                        }
                    }
                    Err(failure) => failure,
                };
                if let Some(session) = &mut session {
                    session.unsure = true;
                }
                Err((refused(blob, failure), after >= before + HEADWAY))
            })
            .await
    }

    /// Brings an upload to its end from wherever it is.
    async fn advance(
        &self,
        blob: &BlobSource,
        mount_from: Option<&RepositoryName>,
        session: &mut Option<Session>,
        in_chunks: bool,
        meter: &Meter<'_>,
    ) -> Result<BlobOutcome, Failure> {
        if let Some(unsure) = session.take_if(|session| session.unsure) {
            *session = self.look(&unsure, blob).await?;
            // The request whose answer was lost may have done it.
            if session.is_none() && self.head_blob(blob.digest).await?.is_some() {
                return Ok(BlobOutcome::Uploaded);
            }
        }
        let current = match session {
            Some(session) => session,
            None => match self.begin_somehow(blob.digest, mount_from).await? {
                Begun::Mounted => return Ok(BlobOutcome::Mounted),
                Begun::Session(begun) => session.insert(begun),
            },
        };
        if !in_chunks && current.offset == 0 {
            let payload = Payload::Part { path: &blob.path, offset: blob.offset, from: 0, length: blob.size };
            self.finish(blob, current, payload, meter).await?;
            return Ok(BlobOutcome::Uploaded);
        }
        let chunk = self.client.config.upload.chunk.max(current.chunk_min).max(1);
        while current.offset < blob.size {
            self.send_chunk(blob, current, chunk.min(blob.size - current.offset), meter).await?;
        }
        self.finish(blob, current, Payload::NoBytes, meter).await?;
        Ok(BlobOutcome::Uploaded)
    }

    /// Asks for an upload even where reading the other repository is what is refused.
    async fn begin_somehow(&self, digest: Digest, mount_from: Option<&RepositoryName>) -> Result<Begun, Failure> {
        match self.begin(digest, mount_from).await {
            Err(Failure::Unauthorized { .. } | Failure::Forbidden { .. } | Failure::NotFound { .. })
                if mount_from.is_some() =>
            {
                self.begin(digest, None).await
            }
            other => other,
        }
    }

    /// Asks for an upload, or for a mount, which may turn into an upload.
    async fn begin(&self, digest: Digest, mount_from: Option<&RepositoryName>) -> Result<Begun, Failure> {
        let mount_from = mount_from.filter(|from| from.registry() == self.name.registry() && *from != self.name);
        let mut scope = Scope::new(self.name, Access::Push);
        scope.mount_from = mount_from.cloned();
        let mut url = self.host.url(self.name, "blobs/uploads/");
        if let Some(from) = mount_from {
            url.query_pairs_mut().append_pair("mount", &digest.to_string()).append_pair("from", from.path());
        }
        let mut ask = Ask::new(Method::POST, url.clone(), &scope);
        ask.payload = Payload::NoBytes;
        let response = self.host.expect(self.client, &ask, &[201, 202]).await?;
        match response.status().as_u16() {
            201 if mount_from.is_some() => Ok(Begun::Mounted),
            202 => Ok(Begun::Session(session(&response, &url, 0)?)),
            _ => Err(Failure::Protocol("it says that an upload is done before it began")),
        }
    }

    /// Asks how much of an upload has arrived; `None` when it must begin anew.
    async fn look(&self, unsure: &Session, blob: &BlobSource) -> Result<Option<Session>, Failure> {
        let scope = Scope::new(self.name, Access::Push);
        let ask = Ask::new(Method::GET, unsure.location.clone(), &scope);
        let response = match self.host.expect(self.client, &ask, &[200, 204]).await {
            Ok(response) => response,
            Err(failure) if failure.may_pass() => return Err(failure),
            // Some do not know the question, others have dropped the upload.
            Err(_) => return Ok(None),
        };
        let offset = match uploaded(response.headers()) {
            Some(UploadRange::Bytes(offset)) if offset <= blob.size => offset,
            _ => return Ok(None),
        };
        // Not every registry names the address again.
        let location = location(&response, &unsure.location).unwrap_or_else(|_| unsure.location.clone());
        Ok(Some(Session { location, offset, unsure: false, ..unsure.clone() }))
    }

    async fn send_chunk(
        &self,
        blob: &BlobSource,
        current: &mut Session,
        length: u64,
        meter: &Meter<'_>,
    ) -> Result<(), Failure> {
        let scope = Scope::new(self.name, Access::Push);
        let mut ask = Ask::new(Method::PATCH, current.location.clone(), &scope);
        let end = current.offset + length;
        let range = HeaderValue::from_str(&format!("{}-{}", current.offset, end - 1));
        ask.headers.insert(CONTENT_RANGE, range.map_err(|_| Failure::Protocol("a range that is none"))?);
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        ask.payload = Payload::Part { path: &blob.path, offset: blob.offset, from: current.offset, length };
        ask.meter = Some(meter);
        let response = match self.host.expect(self.client, &ask, &[201, 202, 204]).await {
            Ok(response) => response,
            // The registry has another idea of how far it is (HTTP 416).
            Err(Failure::Status { status: 416, said }) => {
                return Err(Failure::Server { status: 416, wait: None, said });
            }
            Err(failure) => return Err(failure),
        };
        let next = session(&response, &current.location, end)?;
        let offset = match uploaded(response.headers()) {
            Some(UploadRange::Bytes(offset)) if offset <= blob.size && offset > current.offset => offset,
            Some(UploadRange::Bytes(_)) => return Err(Failure::Protocol("it has another part than what was sent")),
            // Most say it; for the others what was sent is what has arrived.
            Some(UploadRange::NoneOrOne) | None => end,
        };
        *current = Session { offset, chunk_min: current.chunk_min.max(next.chunk_min), ..next };
        Ok(())
    }

    /// Sends the rest and closes the upload under the blob's name.
    async fn finish(
        &self,
        blob: &BlobSource,
        current: &Session,
        payload: Payload<'_>,
        meter: &Meter<'_>,
    ) -> Result<(), Failure> {
        let scope = Scope::new(self.name, Access::Push);
        let mut url = current.location.clone();
        url.query_pairs_mut().append_pair("digest", &blob.digest.to_string());
        let mut ask = Ask::new(Method::PUT, url, &scope);
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        ask.payload = payload;
        ask.meter = Some(meter);
        self.host.expect(self.client, &ask, &[201, 204]).await.map(drop)
    }
}

fn session(response: &Response, from: &Url, offset: u64) -> Result<Session, Failure> {
    let header = response.headers().get(CHUNK_MIN).and_then(|value| value.to_str().ok());
    let chunk_min = header.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if chunk_min > CHUNK_MIN_LIMIT {
        return Err(Failure::Protocol("it wants chunks of more than 4 GiB"));
    }
    Ok(Session { location: location(response, from)?, offset, chunk_min, unsure: false })
}

/// Names the blob where the registry found its bytes wrong.
fn refused(blob: &BlobSource, failure: Failure) -> Failure {
    match failure {
        Failure::Status { said, .. } if said.has(&ErrorCode::DigestInvalid) => {
            Failure::DigestRefused { expect: blob.digest, said }
        }
        other => other,
    }
}
