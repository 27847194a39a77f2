//! Blobs: whether they are there, and reading them.

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;
use plywood_core::oci::Descriptor;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response};

use super::auth::{Access, Scope};
use super::body::{Incoming, read};
use super::failure::Failure;
use super::host::Ask;
use super::payload::Meter;
use super::repository::Work;
use crate::hash::Hasher;
use crate::store::{Store, TempFile};
use std::io::Write as _;

/// Takes the number of bytes that went or came since it was last called. It is called on the calling thread.
pub type Progress<'p> = &'p (dyn Fn(u64) + Sync);

/// Reports nothing.
pub fn no_progress(_: u64) {}

/// An attempt that brought this many bytes further was worth it: the count of attempts starts anew.
pub(super) const HEADWAY: u64 = 256 << 10;

/// A blob to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobSource {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The file that holds it.
    pub path: Utf8PathBuf,
    /// Where it starts in the file, in bytes.
    pub offset: u64,
}

impl BlobSource {
    /// A file that holds a blob and nothing else.
    pub fn file(digest: Digest, size: u64, path: Utf8PathBuf) -> Self {
        Self { digest, size, path, offset: 0 }
    }

    /// A blob of the store.
    pub fn stored(store: &Store, descriptor: &Descriptor) -> Self {
        Self::file(descriptor.digest, descriptor.size, store.blob_path(descriptor.digest))
    }
}

/// How a blob came to be in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlobOutcome {
    /// It was there.
    Present,
    /// It was in another repository of the same registry.
    Mounted,
    /// It was uploaded.
    Uploaded,
}

/// A blob on its way into the store.
struct Arriving {
    file: TempFile,
    hasher: Hasher,
}

impl Arriving {
    fn start(store: &Store) -> Result<Self, Failure> {
        Ok(Self { file: store.create_temp()?, hasher: Hasher::default() })
    }
}

impl Work<'_> {
    /// The blob's size in bytes, if it is there.
    pub(super) async fn head_blob(&self, digest: Digest) -> Result<Option<u64>, Failure> {
        let scope = Scope::new(self.name, Access::Pull);
        let url = self.host.url(self.name, &format!("blobs/{digest}"));
        self.client
            .config
            .patience
            .retry(async || {
                let ask = Ask::new(Method::HEAD, url.clone(), &scope);
                let response = match self.host.expect(self.client, &ask, &[200]).await {
                    Ok(response) => response,
                    Err(Failure::NotFound { .. }) => return Ok(None),
                    Err(failure) => return Err(failure),
                };
                Ok(Some(length(&response.headers().clone()).ok_or(Failure::Protocol("a blob without a length"))?))
            })
            .await
    }

    /// Brings a blob into the store, going on where a broken connection ended.
    pub(super) async fn get_blob(
        &self,
        store: &Store,
        blob: &Descriptor,
        progress: Progress<'_>,
    ) -> Result<Utf8PathBuf, Failure> {
        let path = store.blob_path(blob.digest);
        let meter = Meter::new(progress);
        if has(&path, blob.size) {
            meter.reached(blob.size);
            return Ok(path);
        }
        let mut arriving = Arriving::start(store)?;
        let patience = &self.client.config.patience;
        patience
            .keep_trying(async || {
                let before = arriving.hasher.length();
                let result = self.receive(store, blob, &mut arriving, &meter).await;
                result.map_err(|failure| (failure, arriving.hasher.length() >= before + HEADWAY))
            })
            .await?;
        arriving.file.readable_by_all()?;
        arriving.file.persist(&path)?;
        Ok(path)
    }

    /// A small blob, verified.
    pub(super) async fn read_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, Failure> {
        if blob.size > limit {
            return Err(Failure::TooLarge(limit));
        }
        let patience = &self.client.config.patience;
        patience
            .retry(async || {
                let response = self.open(blob, 0).await?;
                let bytes = read(response, blob.size, patience.stall).await?;
                verify(blob, Digest::of(&bytes), bytes.len() as u64)?;
                Ok(bytes)
            })
            .await
    }

    async fn receive(
        &self,
        store: &Store,
        blob: &Descriptor,
        arriving: &mut Arriving,
        meter: &Meter<'_>,
    ) -> Result<(), Failure> {
        let from = arriving.hasher.length();
        if from < blob.size || blob.size == 0 {
            let response = self.open(blob, from).await?;
            if from > 0 && start_of(&response) != Some(from) {
                // The registry gives all of it once more.
                *arriving = Arriving::start(store)?;
            }
            let mut incoming = Incoming::new(response, self.client.config.patience.stall);
            while let Some(chunk) = incoming.chunk().await? {
                let chunk = chunk.as_ref();
                if arriving.hasher.length() + chunk.len() as u64 > blob.size {
                    *arriving = Arriving::start(store)?;
                    return Err(Failure::TooLarge(blob.size));
                }
                let failed = crate::store::StoreError::io("write", store.root());
                arriving.file.write_all(chunk).map_err(failed)?;
                arriving.hasher.update(chunk);
                meter.reached(arriving.hasher.length());
            }
        }
        let length = arriving.hasher.length();
        if length < blob.size {
            return Err(Failure::Transport(format!("it ended after {length} of {} bytes", blob.size)));
        }
        verify(blob, Digest::new(arriving.hasher.clone().finish()), length)
    }

    async fn open(&self, blob: &Descriptor, from: u64) -> Result<Response, Failure> {
        let scope = Scope::new(self.name, Access::Pull);
        let mut ask = Ask::new(Method::GET, self.host.url(self.name, &format!("blobs/{}", blob.digest)), &scope);
        if from > 0 {
            let range = HeaderValue::from_str(&format!("bytes={from}-"));
            ask.headers.insert(RANGE, range.map_err(|_| Failure::Protocol("a range that is none"))?);
        }
        let statuses: &[u16] = if from > 0 { &[200, 206] } else { &[200] };
        let response = self.host.expect(self.client, &ask, statuses).await?;
        let whole = response.status() == 200;
        match response.content_length().filter(|found| whole && *found != blob.size) {
            Some(found) => Err(Failure::WrongSize { found, expect: blob.size }),
            None => Ok(response),
        }
    }
}

/// Whether the store has the blob whole.
fn has(path: &Utf8Path, size: u64) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == size)
}

fn verify(blob: &Descriptor, found: Digest, size: u64) -> Result<(), Failure> {
    if size != blob.size {
        return Err(Failure::WrongSize { found: size, expect: blob.size });
    }
    if found != blob.digest {
        return Err(Failure::WrongDigest { found, expect: blob.digest });
    }
    Ok(())
}

/// The length that a HEAD request tells; the body it is the length of does not come.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(reqwest::header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Where a partial answer starts: `Content-Range: bytes START-END/TOTAL` (RFC 9110 section 14.4).
fn start_of(response: &Response) -> Option<u64> {
    if response.status() != 206 {
        return None;
    }
    let text = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    text.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}
