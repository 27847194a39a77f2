//! Keys of annotations (OCI image-spec, "Annotations") and those of plywood's own.

/// The tag of an image in the index of an image layout.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// When the image was made, RFC 3339.
pub const CREATED: &str = "org.opencontainers.image.created";
/// The image's human-readable title.
pub const TITLE: &str = "org.opencontainers.image.title";
/// What the image is for.
pub const DESCRIPTION: &str = "org.opencontainers.image.description";
/// Where the source of the image is.
pub const SOURCE: &str = "org.opencontainers.image.source";
/// The commit of the source.
pub const REVISION: &str = "org.opencontainers.image.revision";
/// The version of what is packaged.
pub const VERSION: &str = "org.opencontainers.image.version";
/// The name of the image that an image is built on.
pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// The digest of the manifest of the image that an image is built on.
pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// The full reference that containerd gives an imported image.
pub const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// On a layer's descriptor: the key of its items and format, by which a cold machine finds it again.
pub const LAYER_KEY: &str = "dev.plywood.layer.key";
/// On a layer's descriptor: the digest of its uncompressed bytes.
pub const LAYER_DIFF_ID: &str = "dev.plywood.layer.diff-id";
/// On a layer's descriptor: the size of its uncompressed bytes.
pub const LAYER_UNCOMPRESSED_SIZE: &str = "dev.plywood.layer.uncompressed-size";
/// On what cosign signed: the signature in base64; empty on an envelope, which has its own.
pub const COSIGN_SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// On an attestation under cosign's tag: the type of its predicate.
pub const COSIGN_PREDICATE_TYPE: &str = "predicateType";
/// On an attached Sigstore bundle: what kind of thing is in it.
pub const BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
/// On an attached Sigstore bundle: the type of the predicate in it.
pub const BUNDLE_PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
/// On an attested provenance: a signature by which its maker knows it again (`Provenance::mark`).
pub const PROVENANCE_MARK: &str = "dev.plywood.provenance.mark";
/// On an image's descriptor in an index: the key of everything that the image is made from.
pub const IMAGE_KEY: &str = "dev.plywood.image.key";
