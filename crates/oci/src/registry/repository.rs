//! One repository: the synchronous door to everything that is done in it.

use camino::Utf8PathBuf;
use futures_util::{StreamExt as _, stream};
use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, ImageManifest, ManifestName, MediaType, RepositoryName, Tag, to_json};

use super::blob::{BlobOutcome, BlobSource, Progress};
use super::client::{Inner, RegistryClient};
use super::error::RegistryError;
use super::failure::Failure;
use super::host::Host;
use super::manifest::FetchedManifest;
use crate::store::Store;

/// One repository of a registry. Every function blocks, tries again where that may help, and may be called from many
/// threads at once.
#[derive(Debug, Clone)]
pub struct Repository {
    client: RegistryClient,
    name: RepositoryName,
}

/// What the asynchronous side needs.
pub(super) struct Work<'w> {
    pub(super) client: &'w Inner,
    pub(super) host: &'w Host,
    pub(super) name: &'w RepositoryName,
}

impl Repository {
    pub(super) fn new(client: RegistryClient, name: RepositoryName) -> Self {
        Self { client, name }
    }

    /// Its name.
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    /// Names a manifest by HEAD; `None` when it is not there.
    ///
    /// # Errors
    /// When the registry does not say.
    pub fn head_manifest(&self, name: &ManifestName) -> Result<Option<Descriptor>, RegistryError> {
        let what = || format!("ask for the manifest {}", self.name.reference(name));
        self.run(what, async |work| work.head_manifest(name).await)
    }

    /// Reads a manifest or index of at most 4 MiB, OCI's or Docker's, whose bytes have the digest they are named by.
    ///
    /// # Errors
    /// When it is not there, not what its name says, or unclear in what it is.
    pub fn get_manifest(&self, name: &ManifestName) -> Result<FetchedManifest, RegistryError> {
        let what = || format!("read the manifest {}", self.name.reference(name));
        self.run(what, async |work| work.get_manifest(name).await)
    }

    /// Writes a manifest or index under a tag or its digest.
    ///
    /// # Errors
    /// When the registry does not take it, or calls it by another digest.
    pub fn put_manifest(
        &self,
        name: &ManifestName,
        media_type: &MediaType,
        bytes: &[u8],
    ) -> Result<Digest, RegistryError> {
        let what = || format!("write the manifest {}", self.name.reference(name));
        self.run(what, async |work| work.put_manifest(name, media_type, bytes).await.map(|(digest, _)| digest))
    }

    /// Deletes a manifest by its digest, or a tag where the registry can do that; whether it was there.
    ///
    /// # Errors
    /// When the registry does not do it.
    pub fn delete_manifest(&self, name: &ManifestName) -> Result<bool, RegistryError> {
        let what = || format!("delete {}", self.name.reference(name));
        self.run(what, async |work| work.delete_manifest(name).await)
    }

    /// The size of a blob in bytes; `None` when it is not there.
    ///
    /// # Errors
    /// When the registry does not say.
    pub fn head_blob(&self, digest: Digest) -> Result<Option<u64>, RegistryError> {
        let what = || format!("ask for blob {digest} of {}", self.name);
        self.run(what, async |work| work.bounded(async || work.head_blob(digest).await).await)
    }

    /// [`Self::head_blob`] of many, several at once, in their order.
    ///
    /// # Errors
    /// The first failure.
    pub fn head_blobs(&self, digests: &[Digest]) -> Result<Vec<Option<u64>>, RegistryError> {
        let one = async |work: &Work<'_>, digest: &Digest| work.head_blob(*digest).await;
        self.all(digests, |digest| format!("ask for blob {digest} of {}", self.name), one)
    }

    /// Brings a blob into the store, verified, unless it is there; gives its path.
    ///
    /// # Errors
    /// When it is not there, not what its name says, or cannot be kept.
    pub fn get_blob_to(
        &self,
        store: &Store,
        blob: &Descriptor,
        progress: Progress<'_>,
    ) -> Result<Utf8PathBuf, RegistryError> {
        let what = || format!("fetch blob {} of {}", blob.digest, self.name);
        self.run(what, async |work| work.bounded(async || work.get_blob(store, blob, progress).await).await)
    }

    /// [`Self::get_blob_to`] of many, several at once, in their order.
    ///
    /// # Errors
    /// The first failure; what had arrived by then stays.
    pub fn get_blobs_to(
        &self,
        store: &Store,
        blobs: &[Descriptor],
        progress: Progress<'_>,
    ) -> Result<Vec<Utf8PathBuf>, RegistryError> {
        let one = async |work: &Work<'_>, blob: &Descriptor| work.get_blob(store, blob, progress).await;
        self.all(blobs, |blob| format!("fetch blob {} of {}", blob.digest, self.name), one)
    }

    /// Reads a blob of at most `limit` bytes, such as a configuration, verified.
    ///
    /// # Errors
    /// When it is not there, larger, or not what its name says.
    pub fn read_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let what = || format!("read blob {} of {}", blob.digest, self.name);
        self.run(what, async |work| work.bounded(async || work.read_blob(blob, limit).await).await)
    }

    /// Makes sure that the repository has a blob: asks for it, then for a mount from another repository of the
    /// registry, and uploads it at last. `progress` reaches the blob's size in any case.
    ///
    /// # Errors
    /// When the registry does not take it, or the file cannot be read.
    pub fn put_blob(
        &self,
        blob: &BlobSource,
        mount_from: Option<&RepositoryName>,
        progress: Progress<'_>,
    ) -> Result<BlobOutcome, RegistryError> {
        let what = || format!("upload blob {} to {}", blob.digest, self.name);
        self.run(what, async |work| work.bounded(async || work.put_blob(blob, mount_from, progress).await).await)
    }

    /// [`Self::put_blob`] of many, several at once, in their order.
    ///
    /// # Errors
    /// The first failure; what had arrived by then stays.
    pub fn put_blobs(
        &self,
        blobs: &[(BlobSource, Option<RepositoryName>)],
        progress: Progress<'_>,
    ) -> Result<Vec<BlobOutcome>, RegistryError> {
        let one = async |work: &Work<'_>, (blob, from): &(BlobSource, Option<RepositoryName>)| {
            work.put_blob(blob, from.as_ref(), progress).await
        };
        self.all(blobs, |(blob, _)| format!("upload blob {} to {}", blob.digest, self.name), one)
    }

    /// [`Self::put_blobs`] of blobs that the repository was just found not to have: that is not asked again.
    ///
    /// # Errors
    /// The first failure; what had arrived by then stays.
    pub fn put_missing_blobs(
        &self,
        blobs: &[(BlobSource, Option<RepositoryName>)],
        progress: Progress<'_>,
    ) -> Result<Vec<BlobOutcome>, RegistryError> {
        let one = async |work: &Work<'_>, (blob, from): &(BlobSource, Option<RepositoryName>)| {
            work.put_missing_blob(blob, from.as_ref(), progress).await
        };
        self.all(blobs, |(blob, _)| format!("upload blob {} to {}", blob.digest, self.name), one)
    }

    /// Has the registry take a blob over from another of its repositories; whether it did.
    ///
    /// # Errors
    /// When the registry answers neither yes nor no.
    pub fn mount_blob(&self, digest: Digest, from: &RepositoryName) -> Result<bool, RegistryError> {
        let what = || format!("mount blob {digest} of {from} in {}", self.name);
        self.run(what, async |work| work.mount_blob(digest, from).await)
    }

    /// Every tag, sorted; none when the repository is not there.
    ///
    /// # Errors
    /// When the registry does not say, or not all of them.
    pub fn list_tags(&self) -> Result<Vec<Tag>, RegistryError> {
        self.run(|| format!("list the tags of {}", self.name), async |work| work.list_tags().await)
    }

    /// What is attached to a manifest, of one type or any: by the referrers API, else by the tag that stands in for it.
    ///
    /// # Errors
    /// When the registry does not say.
    pub fn referrers(
        &self,
        subject: Digest,
        artifact_type: Option<&MediaType>,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let what = || format!("list what is attached to {}@{subject}", self.name);
        let mut found = self.run(what, async |work| work.referrers(subject).await)?;
        // Not every registry filters.
        found.retain(|referrer| artifact_type.is_none() || referrer.artifact_type.as_ref() == artifact_type);
        Ok(found)
    }

    /// Writes a manifest that has a `subject`, by its digest; where the registry has no referrers API, also adds it to
    /// the list under the tag that stands in for it. Its blobs must be there. Gives what [`Self::referrers`] will list.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub fn put_referrer(&self, manifest: &ImageManifest) -> Result<Descriptor, RegistryError> {
        let media_type = manifest.media_type.clone().unwrap_or(MediaType::IMAGE_MANIFEST);
        self.put_referrer_as_is(&media_type, &to_json(manifest))
    }

    /// [`Self::put_referrer`] of a manifest or index that others wrote, whose bytes must stay as they are.
    ///
    /// # Errors
    /// When it has no `subject`, or the registry does not take it.
    pub fn put_referrer_as_is(&self, media_type: &MediaType, bytes: &[u8]) -> Result<Descriptor, RegistryError> {
        let what = || format!("attach an artifact in {}", self.name);
        self.run(what, async |work| work.put_referrer(media_type, bytes).await)
    }

    fn run<T>(
        &self,
        what: impl FnOnce() -> String,
        work: impl AsyncFnOnce(&Work<'_>) -> Result<T, Failure>,
    ) -> Result<T, RegistryError> {
        let host = match self.client.inner.host(self.name.registry()) {
            Ok(host) => host,
            Err(failure) => return Err(RegistryError { operation: what(), failure }),
        };
        let context = Work { client: &self.client.inner, host: &host, name: &self.name };
        self.client.block_on(work(&context)).map_err(RegistryError::of(what))
    }

    /// Does something for each item, as many at once as is allowed.
    fn all<I, T>(
        &self,
        items: &[I],
        what: impl Fn(&I) -> String,
        one: impl AsyncFn(&Work<'_>, &I) -> Result<T, Failure>,
    ) -> Result<Vec<T>, RegistryError> {
        let Some(first) = items.first() else { return Ok(Vec::new()) };
        let host = self.client.inner.host(self.name.registry()).map_err(RegistryError::of(|| what(first)))?;
        let work = Work { client: &self.client.inner, host: &host, name: &self.name };
        let parallel = self.client.inner.config.patience.parallel.max(1);
        self.client.block_on(async {
            let (work, one, what) = (&work, &one, &what);
            let each = items.iter().enumerate().map(|(index, item)| async move {
                let result = work.bounded(async || one(work, item).await).await;
                result.map(|value| (index, value)).map_err(RegistryError::of(|| what(item)))
            });
            let mut running = stream::iter(each).buffer_unordered(parallel);
            let mut done = Vec::with_capacity(items.len());
            while let Some(result) = running.next().await {
                done.push(result?);
            }
            done.sort_by_key(|(index, _)| *index);
            Ok(done.into_iter().map(|(_, value)| value).collect())
        })
    }
}

impl Work<'_> {
    /// Waits for its turn among all that the client transfers.
    async fn bounded<T>(&self, work: impl AsyncFnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        // The semaphore is never closed.
        let _turn = self.client.transfers.acquire().await.map_err(|_| Failure::Protocol("the client is closed"))?;
        work().await
    }
}
