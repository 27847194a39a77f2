//! The client against Docker's own registry, with and without a password, and with skopeo on the other side.

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{Scratch, run, sample_image};
use plywood_core::digest::Digest;
use plywood_core::oci::distribution::{Credential, ManifestKind, Secret};
use plywood_core::oci::{
    Descriptor, ImageConfig, ImageManifest, MAX_DOCUMENT, ManifestName, MediaType, RepositoryName, Tag,
};
use plywood_core::platform::Platform;
use plywood_oci::codec::Codec;
use plywood_oci::image::Image;
use plywood_oci::registry::{
    BlobOutcome, BlobSource, ClientConfig, Failure, RegistryClient, Repository, Unauthorized, UploadLimits, no_progress,
};
use plywood_oci::store::Store;
use plywood_testkit::docker_registry::{DockerRegistry, PASSWORD, USER};
use plywood_testkit::require;

fn client(config: ClientConfig) -> RegistryClient {
    RegistryClient::new(config).expect("a client")
}

fn name(registry: &DockerRegistry, path: &str) -> RepositoryName {
    format!("{}/{path}", registry.host()).parse().expect("a name")
}

fn tag(text: &str) -> Tag {
    text.parse().expect("a tag")
}

fn credentials(registry: &DockerRegistry, password: &str) -> ClientConfig {
    let mut config = ClientConfig::default();
    let credential = Credential::Basic { user: USER.to_owned(), password: Secret::new(password) };
    config.credentials.given.insert(registry.host(), credential);
    config
}

/// Every blob of an image but its manifest.
fn blobs(store: &Store, image: &Image) -> Vec<(BlobSource, Option<RepositoryName>)> {
    let layers = image.layers.iter().map(|layer| layer.descriptor());
    layers.chain([image.config.clone()]).map(|blob| (BlobSource::stored(store, &blob), None)).collect()
}

fn push(store: &Store, repository: &Repository, image: &Image, tag: &str) -> Vec<BlobOutcome> {
    let outcomes = repository.put_blobs(&blobs(store, image), &no_progress).expect("pushed");
    let manifest = std::fs::read(store.blob_path(image.manifest.digest)).expect("read");
    for name in [ManifestName::Digest(image.manifest.digest), ManifestName::Tag(self::tag(tag))] {
        let written = repository.put_manifest(&name, &image.manifest.media_type, &manifest);
        assert_eq!(written.expect("written"), image.manifest.digest);
    }
    outcomes
}

#[test]
fn what_is_pushed_is_read_by_skopeo_and_back() {
    if !require(&["docker-registry", "skopeo"]) {
        return;
    }
    let (scratch, registry) = (Scratch::new(), DockerRegistry::start());
    let store = scratch.store();
    let image = sample_image(&store, Codec::ZSTD, Platform::LinuxAmd64);
    let client = client(ClientConfig::default());
    let repository = client.repository(&name(&registry, "team/app"));
    let at = ManifestName::Tag(tag("1"));
    assert_eq!(repository.head_manifest(&at).expect("asked"), None);
    assert_eq!(repository.list_tags().expect("asked"), []);
    let outcomes = push(&store, &repository, &image, "1");
    assert!(outcomes.iter().all(|outcome| *outcome == BlobOutcome::Uploaded), "{outcomes:?}");

    let reference = format!("docker://{}/team/app:1", registry.host());
    let raw = run("skopeo", &["inspect", "--tls-verify=false", "--raw", &reference]);
    assert_eq!(Digest::of(raw.as_bytes()), image.manifest.digest);
    let copy = format!("dir:{}", scratch.join("copy"));
    run("skopeo", &["copy", "-q", "--src-tls-verify=false", "--preserve-digests", &reference, &copy]);

    let back = format!("docker://{}/team/back:2", registry.host());
    run("skopeo", &["copy", "-q", "--dest-tls-verify=false", "--preserve-digests", &copy, &back]);
    let repository = client.repository(&name(&registry, "team/back"));
    let fetched = repository.get_manifest(&ManifestName::Tag(tag("2"))).expect("read");
    assert_eq!((fetched.kind, fetched.descriptor.digest), (ManifestKind::Manifest, image.manifest.digest));
    let manifest = fetched.manifest().expect("a manifest");
    let config = repository.read_blob(&manifest.config, MAX_DOCUMENT as u64).expect("read");
    assert_eq!(ImageConfig::parse(&config).expect("a configuration").architecture, "amd64");
    let pulled = Store::open(scratch.join("pulled")).expect("opened");
    let seen = AtomicU64::new(0);
    let progress = |bytes| _ = seen.fetch_add(bytes, Ordering::Relaxed);
    let paths = repository.get_blobs_to(&pulled, &manifest.layers, &progress).expect("pulled");
    for (layer, path) in manifest.layers.iter().zip(paths) {
        assert_eq!(Digest::of(&std::fs::read(path).expect("read")), layer.digest);
    }
    assert_eq!(seen.into_inner(), manifest.layers.iter().map(|layer| layer.size).sum::<u64>());
    assert_eq!(repository.list_tags().expect("asked"), [tag("2")]);
}

#[test]
fn a_manifest_of_docker_stays_one() {
    if !require(&["docker-registry", "skopeo"]) {
        return;
    }
    let (scratch, registry) = (Scratch::new(), DockerRegistry::start());
    let store = scratch.store();
    let image = sample_image(&store, Codec::GZIP, Platform::LinuxAmd64);
    let client = client(ClientConfig::default());
    push(&store, &client.repository(&name(&registry, "app")), &image, "1");
    let [from, to] = ["app", "docker"].map(|path| format!("docker://{}/{path}:1", registry.host()));
    let docker = ["copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", "--format", "v2s2", &from, &to];
    run("skopeo", &docker);
    let repository = client.repository(&name(&registry, "docker"));
    let fetched = repository.get_manifest(&ManifestName::Tag(tag("1"))).expect("read");
    assert_eq!(fetched.descriptor.media_type, MediaType::DOCKER_MANIFEST);
    let manifest = fetched.manifest().expect("a manifest");
    assert!(manifest.layers.iter().all(|layer| layer.media_type == MediaType::DOCKER_LAYER_GZIP));
    let head = repository.head_manifest(&ManifestName::Digest(fetched.descriptor.digest)).expect("asked");
    assert_eq!(head, Some(fetched.descriptor));
}

#[test]
fn blobs_are_mounted_and_chunked_and_never_sent_twice() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (scratch, registry) = (Scratch::new(), DockerRegistry::start());
    let path = scratch.join("blob");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(&path, &bytes).expect("written");
    let blob = BlobSource::file(Digest::of(&bytes), bytes.len() as u64, path);
    let upload = UploadLimits { whole: 0, chunk: 1 << 20 };
    let client = client(ClientConfig { upload, ..ClientConfig::default() });
    let (first, second) = (name(&registry, "first"), name(&registry, "second"));
    let seen = AtomicU64::new(0);
    let progress = |bytes| _ = seen.fetch_add(bytes, Ordering::Relaxed);
    let put = |into: &RepositoryName, from: Option<&RepositoryName>| {
        client.repository(into).put_blob(&blob, from, &progress).expect("there")
    };
    assert_eq!(put(&first, None), BlobOutcome::Uploaded);
    assert_eq!(put(&first, None), BlobOutcome::Present);
    assert_eq!(put(&second, Some(&first)), BlobOutcome::Mounted);
    assert_eq!(put(&name(&registry, "third"), Some(&name(&registry, "nowhere"))), BlobOutcome::Uploaded);
    assert_eq!(seen.into_inner(), 4 * blob.size);
    assert!(client.repository(&name(&registry, "fourth")).mount_blob(blob.digest, &second).expect("asked"));
    assert!(!client.repository(&first).mount_blob(Digest::of(b"absent"), &second).expect("asked"));
    let count = |method: &str| registry.requests().iter().filter(|access| access.method == method).count();
    assert_eq!((count("PATCH"), count("PUT")), (6, 2));
    assert_eq!(
        client.repository(&second).head_blobs(&[blob.digest, Digest::of(b"")]).expect("asked"),
        [Some(blob.size), None]
    );
}

#[test]
fn a_password_opens_and_is_never_shown() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (scratch, registry) = (Scratch::new(), DockerRegistry::start_with_password());
    let store = scratch.store();
    let image = sample_image(&store, Codec::ZSTD, Platform::LinuxArm64);
    let app = name(&registry, "app");
    push(&store, &client(credentials(&registry, PASSWORD)).repository(&app), &image, "1");

    let refused = |config: ClientConfig| {
        let error = client(config).repository(&app).list_tags().expect_err("refused");
        assert!(!format!("{error:?} {error} {} {:?}", error.failure, error.hint()).contains("wr0ng"));
        match error.failure {
            Failure::Unauthorized { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(ClientConfig::default()), Unauthorized::NoCredentials);
    let origin = "the command's options".to_owned();
    assert_eq!(refused(credentials(&registry, "wr0ng")), Unauthorized::Rejected { origin });
}

#[test]
fn referrers_are_listed_under_a_tag_where_there_is_no_api() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (scratch, registry) = (Scratch::new(), DockerRegistry::start());
    let store = scratch.store();
    let image = sample_image(&store, Codec::ZSTD, Platform::LinuxAmd64);
    let repository = client(ClientConfig::default()).repository(&name(&registry, "app"));
    push(&store, &repository, &image, "1");
    let artifact_type: MediaType = serde_json::from_str("\"application/vnd.example\"").expect("a type");
    let empty = Descriptor::of(MediaType::EMPTY_JSON, b"{}");
    store.put_blob(b"{}").expect("kept");
    repository.put_blob(&BlobSource::stored(&store, &empty), None, &no_progress).expect("pushed");
    let attach = |note: &str| {
        let annotations = BTreeMap::from([("note".to_owned(), note.to_owned())]);
        let mut manifest = ImageManifest::new(empty.clone(), vec![empty.clone()], annotations);
        manifest.artifact_type = Some(artifact_type.clone());
        manifest.subject = Some(image.manifest.clone());
        repository.put_referrer(&manifest).expect("attached")
    };
    let expect = vec![attach("one"), attach("two")];
    attach("one");
    assert_eq!(repository.referrers(image.manifest.digest, Some(&artifact_type)).expect("listed"), expect);
    assert_eq!(repository.referrers(image.manifest.digest, Some(&MediaType::EMPTY_JSON)).expect("listed"), []);
    assert_eq!(repository.referrers(empty.digest, None).expect("listed"), []);
    let listed = ManifestName::Tag(tag(&format!("sha256-{}", image.manifest.digest.to_hex())));
    assert!(repository.head_manifest(&listed).expect("asked").is_some());
}

#[test]
fn what_the_registry_refuses_is_told_in_its_words() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (scratch, registry) = (Scratch::new(), DockerRegistry::start());
    let repository = client(ClientConfig::default()).repository(&name(&registry, "app"));
    let absent = Descriptor::of(MediaType::IMAGE_CONFIG, b"absent");
    let manifest = plywood_core::oci::to_json(&ImageManifest::new(absent.clone(), vec![], BTreeMap::new()));
    let put = repository.put_manifest(&ManifestName::Tag(tag("1")), &MediaType::IMAGE_MANIFEST, &manifest);
    let failure = put.expect_err("refused").failure;
    assert!(matches!(&failure, Failure::ManifestInvalid { .. }), "{failure:?}");
    assert!(failure.to_string().contains("MANIFEST_BLOB_UNKNOWN"), "{failure}");
    // A tag on what is not whole is never left.
    assert_eq!(repository.list_tags().expect("asked"), []);

    let path = scratch.join("blob");
    std::fs::write(&path, "changed").expect("written");
    let blob = BlobSource::file(Digest::of(b"planned"), 7, path);
    let failure = repository.put_blob(&blob, None, &no_progress).expect_err("refused").failure;
    assert!(matches!(&failure, Failure::DigestRefused { expect, .. } if *expect == blob.digest), "{failure:?}");
    std::fs::write(&blob.path, "short").expect("written");
    let failure = repository.put_blob(&blob, None, &no_progress).expect_err("refused").failure;
    assert!(matches!(&failure, Failure::Read { .. }), "{failure:?}");
}

#[test]
fn manifests_go_by_digest() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (scratch, registry) = (Scratch::new(), DockerRegistry::start());
    let store = scratch.store();
    let image = sample_image(&store, Codec::ZSTD, Platform::LinuxAmd64);
    let repository = client(ClientConfig::default()).repository(&name(&registry, "app"));
    push(&store, &repository, &image, "1");
    let digest = ManifestName::Digest(image.manifest.digest);
    assert!(repository.delete_manifest(&digest).expect("deleted"));
    assert!(!repository.delete_manifest(&digest).expect("asked"));
    let error = repository.get_manifest(&digest).expect_err("gone");
    assert!(error.is_not_found() && error.to_string().starts_with("cannot read the manifest localhost:"), "{error}");
}
