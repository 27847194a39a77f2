//! The binary cache that is written to: a folder, or a server that takes PUT.

use std::fs;
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::nix::{NarInfo, StorePath};
use reqwest::Url;
use reqwest::header::HeaderValue;
use tempfile::NamedTempFile;

use super::super::cache_info::{self, CacheInfo};
use super::super::url::CacheCompression;
use super::super::{BinaryCacheUrl, Sources, narinfo_cache};
use super::PushError;
use super::pack::Packed;
use crate::http::TransferFailure;
use crate::os::make_readable_by_all;

/// The description of a cache.
const CACHE_INFO: &str = "nix-cache-info";

/// A binary cache that can be written.
pub(super) struct Destination<'s, 'e> {
    sources: &'s Sources<'e>,
    url: BinaryCacheUrl,
    authorization: Option<HeaderValue>,
    /// The cache's own folder, if it is one.
    folder: Option<Utf8PathBuf>,
    /// Where files are made that are not a cache's yet.
    scratch: Utf8PathBuf,
}

impl<'s, 'e> Destination<'s, 'e> {
    /// Makes sure that it is a cache of ours; a new one is described.
    pub(super) fn open(sources: &'s Sources<'e>, url: &BinaryCacheUrl, cache: &Utf8Path) -> Result<Self, PushError> {
        let folder = url.folder().map(|folder| {
            let shown = Utf8PathBuf::from(folder.to_string_lossy().into_owned());
            let unusable = |path| PushError::Write { path, source: io::ErrorKind::InvalidFilename.into() };
            Utf8PathBuf::from_path_buf(folder).map_err(|_| unusable(shown))
        });
        let folder = folder.transpose()?;
        // A file gets its name by a rename, which does not lead from one file system to another.
        let scratch = folder.as_ref().map_or_else(|| cache.join("tmp"), |folder| folder.join("nar"));
        fs::create_dir_all(&scratch).map_err(|source| PushError::Write { path: scratch.clone(), source })?;
        let authorization = sources.config.netrc.authorization(url.as_url());
        let destination = Self { sources, url: url.clone(), authorization, folder, scratch };
        match sources.block_on(destination.get(CACHE_INFO, cache_info::MAX_BYTES))? {
            Some(bytes) => {
                let wrong = |source| PushError::CacheInfo { cache: url.to_string(), source };
                CacheInfo::parse(&bytes).map_err(wrong)?;
            }
            None => destination.put(CACHE_INFO, CacheInfo::text().as_bytes())?,
        }
        Ok(destination)
    }

    pub(super) fn compression(&self) -> CacheCompression {
        self.url.compression()
    }

    /// A file without a name yet, and the folder it is in, for errors.
    ///
    /// It is locked, so that nobody takes it for what a dead process left.
    pub(super) fn temporary(&self) -> Result<(NamedTempFile, Utf8PathBuf), PushError> {
        let make = || {
            let file = tempfile::Builder::new().prefix(".plywood-").tempfile_in(&self.scratch)?;
            file.as_file().lock()?;
            make_readable_by_all(file.as_file())?;
            Ok(file)
        };
        let failed = |source| PushError::Write { path: self.scratch.clone(), source };
        Ok((make().map_err(failed)?, self.scratch.clone()))
    }

    /// Whether the cache has a path.
    pub(super) async fn has(&self, path: &StorePath) -> Result<bool, PushError> {
        let name = narinfo_name(path);
        Ok(self.get(&name, narinfo_cache::MAX_BYTES).await?.is_some())
    }

    async fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, PushError> {
        let url = self.url(name, "read")?;
        match self.sources.get_small(&url, self.authorization.as_ref(), limit).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(TransferFailure::NotFound) => Ok(None),
            Err(source) => Err(self.failed("read", name, source)),
        }
    }

    /// Puts a NAR in its place.
    pub(super) fn put_nar(&self, packed: Packed, name: &str) -> Result<(), PushError> {
        if let Some(folder) = &self.folder {
            return persist(packed.file, &folder.join(name));
        }
        let open = || Ok::<_, io::Error>(tokio::fs::File::from_std(packed.file.reopen()?).into());
        let body = || open().map_err(|source| PushError::Write { path: self.scratch.clone(), source });
        self.upload(name, packed.size, body)
    }

    /// Says of a path that it is there: all it refers to must be, and its NAR.
    pub(super) fn put_narinfo(&self, narinfo: &NarInfo) -> Result<(), PushError> {
        self.put(&narinfo_name(&narinfo.store_path), narinfo.to_text().as_bytes())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), PushError> {
        let Some(folder) = &self.folder else {
            return self.upload(name, bytes.len() as u64, || Ok(bytes.to_vec().into()));
        };
        let (mut file, _) = self.temporary()?;
        let path = folder.join(name);
        file.write_all(bytes).map_err(|source| PushError::Write { path: path.clone(), source })?;
        persist(file, &path)
    }

    fn upload(
        &self,
        name: &str,
        size: u64,
        body: impl Fn() -> Result<reqwest::Body, PushError>,
    ) -> Result<(), PushError> {
        let (url, patience) = (self.url(name, "write")?, self.sources.config.patience);
        let mut pauses = patience.pauses();
        self.sources.block_on(async {
            loop {
                let sent = self.sources.transport.put(&url, self.authorization.as_ref(), (body()?, size)).await;
                let failure = match sent {
                    Ok(()) => return Ok(()),
                    Err(failure) => failure,
                };
                match pauses.next().filter(|_| failure.may_pass()) {
                    Some(pause) => patience.pause(pause, &failure).await,
                    None => return Err(self.failed("write", name, failure)),
                }
            }
        })
    }

    fn url(&self, name: &str, operation: &'static str) -> Result<Url, PushError> {
        self.url.join(name).map_err(|error| self.failed(operation, name, error.into()))
    }

    fn failed(&self, operation: &'static str, name: &str, source: TransferFailure) -> PushError {
        PushError::Transfer { operation, file: name.to_owned(), cache: self.url.to_string(), source }
    }
}

fn narinfo_name(path: &StorePath) -> String {
    format!("{}.narinfo", path.hash_part())
}

fn persist(file: NamedTempFile, path: &Utf8Path) -> Result<(), PushError> {
    let failed = |source| PushError::Write { path: path.to_owned(), source };
    file.persist(path).map(drop).map_err(|error| failed(error.error))
}
