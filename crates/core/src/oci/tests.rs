//! Tests of documents: what others write is read, what plywood writes stays the same.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::digest::{DiffId, Digest};
use crate::platform::Platform;

/// What `docker image inspect`'s neighbours look like: `null` for absent lists, fields that plywood does not know.
const DOCKER_CONFIG: &str = r#"{
  "architecture": "amd64", "os": "linux", "container": "4f0e", "docker_version": "20.10",
  "created": "2024-05-01T10:20:30.123456789Z",
  "config": {
    "Hostname": "", "User": "app", "AttachStdin": false, "ExposedPorts": {"80/tcp": {}}, "Env": null,
    "Cmd": ["nginx"], "Image": "sha256:00", "Volumes": null, "WorkingDir": "/srv", "Entrypoint": null, "OnBuild": null,
    "Labels": {"a": "b"}, "StopSignal": "SIGQUIT",
    "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 30000000000}
  },
  "history": [{"created_by": "ADD"}, {"created_by": "ENV", "empty_layer": true}],
  "rootfs": {"type": "layers", "diff_ids": ["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}
}"#;

#[test]
fn a_configuration_of_docker_is_read() {
    let config = ImageConfig::parse(DOCKER_CONFIG.as_bytes()).expect("read");
    assert_eq!(config.config.user, "app");
    assert_eq!(config.config.exposed_ports, ["80/tcp".to_owned()].into());
    assert_eq!((&config.config.env, &config.config.entrypoint), (&vec![], &None));
    assert_eq!(config.config.healthcheck.map(|check| check.interval), Some(30_000_000_000));
    assert_eq!(config.rootfs.diff_ids, [DiffId::of(b"")]);
    assert_eq!(config.created.map(|instant| instant.to_string()).as_deref(), Some("2024-05-01T10:20:30Z"));
}

#[test]
fn documents_are_written_the_same_every_time() {
    let runtime = RuntimeConfig {
        user: "1000".to_owned(),
        env: vec!["B=2".to_owned(), "A=1".to_owned()],
        entrypoint: Some(vec![]),
        volumes: ["/data".to_owned()].into(),
        labels: BTreeMap::from([("z".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]),
        ..RuntimeConfig::default()
    };
    let mut config = ImageConfig::new(Platform::LinuxArm64, runtime, vec![DiffId::of(b"")]);
    config.created = Some(Timestamp(0));
    let empty = DiffId::of(b"");
    let expect = format!(
        r#"{{"created":"1970-01-01T00:00:00Z","architecture":"arm64","os":"linux","variant":"v8","config":{{"User":"1000","Env":["B=2","A=1"],"Entrypoint":[],"Volumes":{{"/data":{{}}}},"Labels":{{"a":"2","z":"1"}}}},"rootfs":{{"type":"layers","diff_ids":["{empty}"]}}}}"#
    );
    assert_eq!(String::from_utf8_lossy(&to_json(&config)), expect);

    let layer = Descriptor::new(MediaType::LAYER_TAR_ZSTD, Digest::of(b""), 0).annotated("k", "v");
    let manifest = ImageManifest::new(Descriptor::of(MediaType::IMAGE_CONFIG, b""), vec![layer], BTreeMap::new());
    let empty = Digest::of(b"");
    let expect = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{empty}","size":0}},"layers":[{{"mediaType":"{}","digest":"{empty}","size":0,"annotations":{{"k":"v"}}}}]}}"#,
        MediaType::IMAGE_MANIFEST,
        MediaType::IMAGE_CONFIG,
        MediaType::LAYER_TAR_ZSTD,
    );
    assert_eq!(String::from_utf8_lossy(&to_json(&manifest)), expect);
    assert_eq!(ImageManifest::parse(expect.as_bytes()).expect("read"), manifest);
}

#[test]
fn what_breaks_a_rule_is_refused() {
    let check = |result: Result<(), ParseDocumentError>, expect: &str| {
        let error = result.expect_err(expect).to_string();
        assert!(error.contains(expect), "{error}");
    };
    let manifest = |text: String| ImageManifest::parse(text.as_bytes()).map(drop);
    let config = |text: String| ImageConfig::parse(text.as_bytes()).map(drop);
    let blob = format!(r#"{{"mediaType":"x","digest":"{}","size":1}}"#, Digest::of(b""));
    check(manifest(format!(r#"{{"schemaVersion":1,"config":{blob},"layers":[]}}"#)), "`schemaVersion` is 2");
    let index = MediaType::IMAGE_INDEX;
    check(
        manifest(format!(r#"{{"schemaVersion":2,"mediaType":"{index}","config":{blob},"layers":[]}}"#)),
        "`mediaType` is that of a manifest",
    );
    let layers = vec![blob.clone(); 1025].join(",");
    check(manifest(format!(r#"{{"schemaVersion":2,"config":{blob},"layers":[{layers}]}}"#)), "at most 1024 layers");
    check(
        manifest(format!(r#"{{"schemaVersion":2,"config":{},"layers":[]}}"#, blob.replace("sha256", "md5"))),
        "valid",
    );
    check(manifest(" ".repeat(MAX_DOCUMENT + 1)), "at most");
    check(
        config(r#"{"architecture":"a","os":"b","rootfs":{"type":"layers","diff_ids":[]},"history":[{}]}"#.to_owned()),
        "one step for each layer",
    );
    check(config(r#"{"architecture":"a","os":"b","rootfs":{"type":"other","diff_ids":[]}}"#.to_owned()), "valid");
    check(ImageIndex::parse(br#"{"schemaVersion":2}"#).map(drop), "valid");
}

#[test]
fn an_index_leads_to_platforms() {
    let of = |architecture: &str, variant: Option<&str>| {
        let mut descriptor = Descriptor::of(MediaType::IMAGE_MANIFEST, architecture.as_bytes());
        descriptor.platform = Some(PlatformSpec {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            os_version: None,
            variant: variant.map(str::to_owned),
        });
        descriptor
    };
    let index = ImageIndex::new(vec![of("arm", Some("v7")), of("arm64", None), of("riscv64", None)], BTreeMap::new());
    assert_eq!(index.for_platform(Platform::LinuxArm64), Some(&of("arm64", None)));
    assert_eq!(index.for_platform(Platform::LinuxAmd64), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ImageManifest::parse(&bytes);
        let _ = ImageConfig::parse(&bytes);
        let _ = ImageIndex::parse(&bytes);
    }

    #[test]
    fn damaged_documents_are_read_or_refused(at in 0usize..1000, byte in any::<u8>(), length in 0usize..1200) {
        let mut bytes = DOCKER_CONFIG.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(length);
        let _ = ImageConfig::parse(&bytes);
    }
}
