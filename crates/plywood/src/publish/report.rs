//! What `push` did; `push --index-only` reads it back.

use std::fs;

use camino::Utf8Path;
use plywood_core::digest::Digest;
use plywood_core::oci::Tag;
use plywood_core::platform::Platform;
use serde::{Deserialize, Serialize};

use super::PublishError;
use crate::Error;
use crate::error::in_full;

/// What `push` did, or with `dry_run` would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Each image, those they stand on before them.
    pub images: Vec<PushedImage>,
}

impl PushReport {
    /// Reads what `plywood push --json` wrote.
    ///
    /// # Errors
    /// When the file cannot be read or is no such report.
    pub(crate) fn read(path: &Utf8Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let report = serde_json::from_slice(&bytes);
        Ok(report.map_err(|source| PublishError::Report { path: path.to_owned(), source })?)
    }

    /// The images that are in the registry, with their digests: those asked for, all when none is.
    pub(crate) fn whole(self, asked: &[String]) -> impl Iterator<Item = (PushedImage, Digest)> {
        let there = |outcome| matches!(outcome, PushOutcome::Pushed | PushOutcome::Unchanged);
        let is_asked = move |image: &PushedImage| asked.is_empty() || asked.contains(&image.name);
        let images = self.images.into_iter().filter(move |image| there(image.outcome) && is_asked(image));
        images.filter_map(|image| image.digest.map(|digest| (image, digest)))
    }

    /// Whether some image was not pushed.
    pub fn failed(&self) -> bool {
        self.images.iter().any(|image| matches!(image.outcome, PushOutcome::Failed | PushOutcome::HeldBack))
    }
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedImage {
    /// Its name in the manifest.
    pub name: String,
    /// Its repository, such as `ghcr.io/example/infra/base`.
    pub repository: String,
    /// The digest of its index; `None` when it was not made.
    pub digest: Option<Digest>,
    /// The tags that name it now; none when the digest alone was pushed.
    pub tags: Vec<String>,
    /// The image of each platform.
    pub platforms: Vec<PushedPlatform>,
    /// What became of its blobs.
    pub blobs: BlobFigures,
    /// Whether it was signed.
    pub signed: bool,
    /// What became of it.
    pub outcome: PushOutcome,
    /// Why it was not pushed.
    pub error: Option<String>,
    /// What to do about that.
    #[serde(default)]
    pub hint: Option<String>,
}

/// Why an image was not pushed, and what to do about it.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    error: String,
    hint: Option<String>,
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        Self { error: in_full(error), hint: error.hint() }
    }
}

impl From<String> for Trouble {
    fn from(error: String) -> Self {
        Self { error, hint: None }
    }
}

impl PushedImage {
    /// An image that has come to nothing yet.
    pub(super) fn new(name: &str, repository: String) -> Self {
        Self {
            name: name.to_owned(),
            repository,
            digest: None,
            tags: Vec::new(),
            platforms: Vec::new(),
            blobs: BlobFigures::default(),
            signed: false,
            outcome: PushOutcome::Pushed,
            error: None,
            hint: None,
        }
    }

    /// The image when nothing came of it.
    pub(super) fn failed(self, outcome: PushOutcome, trouble: Trouble) -> Self {
        Self { outcome, error: Some(trouble.error), hint: trouble.hint, ..self }
    }

    /// Its tags as text.
    pub(super) fn with_tags(mut self, tags: &[Tag]) -> Self {
        self.tags = tags.iter().map(ToString::to_string).collect();
        self
    }
}

/// The image of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedPlatform {
    /// Which.
    pub platform: Platform,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Bytes of its manifest.
    pub size: u64,
}

/// What became of blobs; each blob once, bytes as stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobFigures {
    /// How many were there before.
    pub present: usize,
    /// How many another repository of the registry had.
    pub mounted: usize,
    /// Their bytes.
    pub mounted_bytes: u64,
    /// How many were uploaded.
    pub uploaded: usize,
    /// Their bytes.
    pub uploaded_bytes: u64,
}

/// What became of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushOutcome {
    /// It is in the registry now, whether or not anything had to be moved.
    Pushed,
    /// The tag had these images already, and with `--if-changed` nothing was done.
    Unchanged,
    /// It could not be built or pushed.
    Failed,
    /// An image that it stands on failed.
    HeldBack,
}
