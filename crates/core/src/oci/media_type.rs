//! Media types of blobs.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The media type of a blob. Any text is accepted when reading, since indexes also hold signatures and attestations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// An image index.
    pub const IMAGE_INDEX: Self = Self::known("application/vnd.oci.image.index.v1+json");
    /// An image manifest.
    pub const IMAGE_MANIFEST: Self = Self::known("application/vnd.oci.image.manifest.v1+json");
    /// An image configuration.
    pub const IMAGE_CONFIG: Self = Self::known("application/vnd.oci.image.config.v1+json");
    /// An uncompressed layer.
    pub const LAYER_TAR: Self = Self::known("application/vnd.oci.image.layer.v1.tar");
    /// A layer compressed by gzip.
    pub const LAYER_TAR_GZIP: Self = Self::known("application/vnd.oci.image.layer.v1.tar+gzip");
    /// A layer compressed by zstd.
    pub const LAYER_TAR_ZSTD: Self = Self::known("application/vnd.oci.image.layer.v1.tar+zstd");
    /// The empty configuration of artifacts, `{}`.
    pub const EMPTY_JSON: Self = Self::known("application/vnd.oci.empty.v1+json");
    /// Docker's image index (registry schema 2, "manifest list").
    pub const DOCKER_MANIFEST_LIST: Self = Self::known("application/vnd.docker.distribution.manifest.list.v2+json");
    /// Docker's image manifest (registry schema 2).
    pub const DOCKER_MANIFEST: Self = Self::known("application/vnd.docker.distribution.manifest.v2+json");
    /// Docker's image configuration.
    pub const DOCKER_CONFIG: Self = Self::known("application/vnd.docker.container.image.v1+json");
    /// Docker's layer, compressed by gzip.
    pub const DOCKER_LAYER_GZIP: Self = Self::known("application/vnd.docker.image.rootfs.diff.tar.gzip");
    /// A signed envelope, as cosign keeps attestations under a tag.
    pub const DSSE_ENVELOPE: Self = Self::known("application/vnd.dsse.envelope.v1+json");
    /// What cosign signs, under a tag.
    pub const COSIGN_SIMPLE_SIGNING: Self = Self::known("application/vnd.dev.cosign.simplesigning.v1+json");
    /// A signed envelope with what it takes to verify it.
    pub const SIGSTORE_BUNDLE: Self = Self::known("application/vnd.dev.sigstore.bundle.v0.3+json");

    /// Docker's layer, uncompressed.
    pub const DOCKER_LAYER: Self = Self::known("application/vnd.docker.image.rootfs.diff.tar");

    const fn known(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an index, OCI's or Docker's.
    pub fn is_index(&self) -> bool {
        [Self::IMAGE_INDEX, Self::DOCKER_MANIFEST_LIST].contains(self)
    }

    /// Whether it is an image manifest, OCI's or Docker's.
    pub fn is_manifest(&self) -> bool {
        [Self::IMAGE_MANIFEST, Self::DOCKER_MANIFEST].contains(self)
    }

    /// Whether it is a Sigstore bundle, of whatever version.
    pub fn is_sigstore_bundle(&self) -> bool {
        self.0.starts_with("application/vnd.dev.sigstore.bundle")
    }

    /// Whether it is an image configuration, OCI's or Docker's.
    pub fn is_config(&self) -> bool {
        [Self::IMAGE_CONFIG, Self::DOCKER_CONFIG].contains(self)
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
