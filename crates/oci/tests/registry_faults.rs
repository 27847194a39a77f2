//! The client against a registry that fails in every way.

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use camino::Utf8PathBuf;
use common::Scratch;
use plywood_core::digest::Digest;
use plywood_core::oci::distribution::{Credential, Secret};
use plywood_core::oci::{Descriptor, ImageManifest, ManifestName, MediaType, RepositoryName, Tag, to_json};
use plywood_oci::registry::{
    BlobOutcome, BlobSource, ClientConfig, Failure, Patience, RegistryClient, Repository, Unauthorized, UploadLimits,
    no_progress,
};
use plywood_testkit::TestRegistry;
use plywood_testkit::registry::{Login, RegistryFault};

const SECRET: &str = "s3same-0pen";

/// Impatient, so that what fails fails soon.
fn config() -> ClientConfig {
    let patience = Patience {
        backoff: Duration::from_millis(1),
        longest_pause: Duration::from_secs(2),
        stall: Duration::from_millis(300),
        attempts: 3,
        ..Patience::default()
    };
    ClientConfig { patience, ..ClientConfig::default() }
}

fn with_credential(registry: &TestRegistry, credential: Credential) -> ClientConfig {
    let mut config = config();
    config.credentials.given.insert(registry.host(), credential);
    config
}

fn basic(user: &str) -> Credential {
    Credential::Basic { user: user.to_owned(), password: Secret::new(SECRET) }
}

fn repository(registry: &TestRegistry, config: ClientConfig, path: &str) -> Repository {
    RegistryClient::new(config).expect("a client").repository(&name(registry, path))
}

fn name(registry: &TestRegistry, path: &str) -> RepositoryName {
    format!("{}/{path}", registry.host()).parse().expect("a name")
}

fn tag(text: &str) -> ManifestName {
    ManifestName::Tag(text.parse().expect("a tag"))
}

fn bytes(length: u32) -> Vec<u8> {
    (0..length).map(|number| (number % 251) as u8).collect()
}

fn descriptor(bytes: &[u8]) -> Descriptor {
    Descriptor::of(MediaType::LAYER_TAR, bytes)
}

fn source(scratch: &Scratch, bytes: &[u8]) -> BlobSource {
    let path: Utf8PathBuf = scratch.join(&Digest::of(bytes).to_hex());
    std::fs::write(&path, bytes).expect("written");
    BlobSource::file(Digest::of(bytes), bytes.len() as u64, path)
}

fn empty_manifest() -> Vec<u8> {
    to_json(&ImageManifest::new(Descriptor::of(MediaType::IMAGE_CONFIG, b"{}"), vec![], BTreeMap::new()))
}

fn token_login(read_only: bool) -> Login {
    Login::Token { user: "anna".to_owned(), password: SECRET.to_owned(), identity: SECRET.to_owned(), read_only }
}

#[test]
fn who_writes_the_same_manifest_at_the_same_time_is_no_hindrance() {
    let registry = TestRegistry::start();
    let repository = repository(&registry, config(), "team/app");
    // As Docker's registry answers while it writes what it has of the manifest.
    let codes =
        ["DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"].map(|code| format!(r#"{{"code": "{code}", "message": "x"}}"#));
    let busy = RegistryFault::Status(400, format!(r#"{{"errors": [{}]}}"#, codes.join(", ")));
    let index = to_json(&plywood_core::oci::ImageIndex::new(Vec::new(), BTreeMap::new()));
    let put = || repository.put_manifest(&Digest::of(&index).into(), &MediaType::IMAGE_INDEX, &index);
    registry.fail_once("PUT", "/manifests/", busy.clone());
    assert_eq!(put().expect("taken"), Digest::of(&index));
    registry.fail_always("PUT", "/manifests/", busy);
    assert!(matches!(put().expect_err("refused").failure, Failure::ManifestInvalid { .. }));
}

#[test]
fn what_may_pass_is_tried_again() {
    let registry = TestRegistry::start();
    let digest = registry.add_manifest("app", Some("1"), MediaType::IMAGE_MANIFEST.as_str(), &empty_manifest());
    let repository = repository(&registry, config(), "app");
    for fault in [
        RegistryFault::Status(500, String::new()),
        RegistryFault::Status(503, "busy".to_owned()),
        RegistryFault::RetryAfter(429, "0".to_owned()),
        RegistryFault::RetryAfter(429, "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
        RegistryFault::RetryAfter(503, "1".to_owned()),
        RegistryFault::Truncate(3),
        RegistryFault::Stall(3),
    ] {
        let before = registry.count("GET", "/manifests/");
        registry.fail_once("GET", "/manifests/", fault.clone());
        let fetched = repository.get_manifest(&tag("1")).unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(fetched.descriptor.digest, digest);
        assert_eq!(registry.count("GET", "/manifests/"), before + 2, "{fault:?}");
    }
}

#[test]
fn what_will_not_pass_is_told_at_once() {
    let registry = TestRegistry::start();
    registry.add_manifest("app", Some("1"), MediaType::IMAGE_MANIFEST.as_str(), &empty_manifest());
    let repository = repository(&registry, config(), "app");
    let check = |fault: RegistryFault, requests: usize, message: &str| {
        let before = registry.count("GET", "/manifests/");
        for _ in 0..requests {
            registry.fail_once("GET", "/manifests/", fault.clone());
        }
        let failure = repository.get_manifest(&tag("1")).expect_err(message).failure;
        assert!(failure.to_string().contains(message), "{failure}");
        assert_eq!(registry.count("GET", "/manifests/"), before + requests, "{message}");
    };
    let status = |status: u16, body: &str| RegistryFault::Status(status, body.to_owned());
    check(status(400, ""), 1, "HTTP 400");
    check(status(404, ""), 1, "it is not there");
    check(
        status(403, r#"{"errors":[{"code":"DENIED","message":"no\u001b[2J"}]}"#),
        1,
        "repository:app:pull (it says: DENIED: no[2J)",
    );
    check(status(405, ""), 1, "does not support it");
    check(status(501, ""), 1, "does not support it");
    check(status(500, ""), 3, "HTTP 500");
    check(RegistryFault::RetryAfter(429, "3600".to_owned()), 1, "asks to wait 3600 seconds");
    check(RegistryFault::WrongDigest, 1, "instead of");
    check(RegistryFault::Redirect("http://registry.example/".to_owned()), 1, "without TLS");
}

#[test]
fn a_manifest_is_what_it_is_called() {
    let registry = TestRegistry::start();
    let repository = repository(&registry, config(), "app");
    let check = |media_type: &str, body: &[u8], message: &str| {
        registry.add_manifest("app", Some("1"), media_type, body);
        let failure = repository.get_manifest(&tag("1")).expect_err(message).failure;
        let source = std::error::Error::source(&failure).map(ToString::to_string).unwrap_or_default();
        assert!(format!("{failure}: {source}").contains(message), "{failure}: {source}");
    };
    check(MediaType::DOCKER_MANIFEST.as_str(), &empty_manifest(), "the registry calls it");
    check("text/html", b"{}", "are not read");
    check(MediaType::IMAGE_MANIFEST.as_str(), &vec![b' '; (4 << 20) + 1], "more than 4194304 bytes");
    // HEAD without headers is made good by GET.
    let digest = registry.add_manifest("app", Some("2"), MediaType::IMAGE_MANIFEST.as_str(), &empty_manifest());
    registry.fail_once("HEAD", "/manifests/", RegistryFault::NoHeaders);
    assert_eq!(repository.head_manifest(&tag("2")).expect("asked").map(|found| found.digest), Some(digest));
}

#[test]
fn downloads_go_on_where_they_ended() {
    let (registry, scratch) = (TestRegistry::start(), Scratch::new());
    let (blob, store) = (bytes(600_000), scratch.store());
    let wanted = descriptor(&blob);
    registry.add_blob("app", &blob);
    let repository = repository(&registry, config(), "app");
    let path = store.blob_path(wanted.digest);
    let seen = AtomicU64::new(0);
    let progress = |bytes| _ = seen.fetch_add(bytes, Ordering::Relaxed);
    for (faults, ranges) in [
        (vec![], vec![None]),
        (vec![RegistryFault::Truncate(400_000)], vec![None, Some("bytes=400000-")]),
        (
            vec![RegistryFault::Stall(300_000), RegistryFault::Truncate(0)],
            vec![None, Some("bytes=300000-"), Some("bytes=300000-")],
        ),
        (vec![RegistryFault::Truncate(400_000), RegistryFault::IgnoreRange], vec![None, Some("bytes=400000-")]),
        (vec![RegistryFault::Slow(64 << 10, Duration::from_millis(2))], vec![None]),
    ] {
        let before = registry.requests().len();
        faults.iter().for_each(|fault| registry.fail_once("GET", "/blobs/", fault.clone()));
        seen.store(0, Ordering::Relaxed);
        assert_eq!(repository.get_blob_to(&store, &wanted, &progress).expect("fetched"), path);
        assert_eq!(std::fs::read(&path).expect("read"), blob, "{faults:?}");
        assert_eq!(seen.load(Ordering::Relaxed), wanted.size, "{faults:?}");
        let requests = registry.requests().split_off(before);
        let found: Vec<_> = requests.iter().map(|request| request.headers.get("range").map(String::as_str)).collect();
        assert_eq!(found, ranges, "{faults:?}");
        std::fs::remove_file(&path).expect("removed");
    }
    for fault in [RegistryFault::WrongBytes, RegistryFault::Truncate(1)] {
        registry.fail_always("GET", "/blobs/", fault);
        let failure = repository.get_blob_to(&store, &wanted, &no_progress).expect_err("refused").failure;
        assert!(matches!(failure, Failure::WrongDigest { .. }), "{failure:?}");
        assert!(!path.exists());
    }
}

#[test]
fn uploads_go_on_where_they_ended() {
    let (registry, scratch) = (TestRegistry::start(), Scratch::new());
    let content = bytes(600_000);
    let blob = source(&scratch, &content);
    let whole = UploadLimits::default();
    let chunks = UploadLimits { whole: 0, chunk: 250_000 };
    let status = RegistryFault::Status(500, String::new());
    let too_large = RegistryFault::Status(413, String::new());
    let methods = |limits: UploadLimits, faults: &[(&str, RegistryFault)], path: &str| {
        let before = registry.requests().len();
        faults.iter().for_each(|(method, fault)| registry.fail_once(method, "/blobs/uploads/", fault.clone()));
        let seen = AtomicU64::new(0);
        let progress = |bytes| _ = seen.fetch_add(bytes, Ordering::Relaxed);
        let repository = repository(&registry, ClientConfig { upload: limits, ..config() }, path);
        let outcome = repository.put_blob(&blob, None, &progress);
        assert_eq!(outcome.unwrap_or_else(|error| panic!("{faults:?}: {error:?}")), BlobOutcome::Uploaded);
        assert_eq!(registry.blob(path, blob.digest).as_ref(), Some(&content), "{faults:?}");
        assert_eq!(seen.into_inner(), blob.size);
        let requests = registry.requests().split_off(before);
        requests.iter().map(|request| request.method.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(methods(whole, &[], "a"), "HEAD POST PUT");
    assert_eq!(methods(whole, &[("POST", status.clone())], "b"), "HEAD POST POST PUT");
    assert_eq!(methods(whole, &[("PUT", RegistryFault::CutUpload(400_000))], "c"), "HEAD POST PUT GET PATCH PUT");
    assert_eq!(methods(whole, &[("PUT", status.clone())], "d"), "HEAD POST PUT GET HEAD POST PUT");
    assert_eq!(methods(whole, &[("PUT", too_large)], "e"), "HEAD POST PUT POST PATCH PUT");
    assert_eq!(methods(chunks, &[], "f"), "HEAD POST PATCH PATCH PATCH PUT");
    let cut = ("PATCH", RegistryFault::CutUpload(100_000));
    assert_eq!(methods(chunks, &[cut], "g"), "HEAD POST PATCH GET PATCH PATCH PUT");
    registry.demand_chunks(300_000);
    assert_eq!(methods(chunks, &[], "h"), "HEAD POST PATCH PATCH PUT");
}

#[test]
fn an_upload_whose_answer_was_lost_is_found() {
    let (registry, scratch) = (TestRegistry::start(), Scratch::new());
    let blob = source(&scratch, b"blob");
    // The registry closes before it says that it is done.
    registry.fail_once("PUT", "/blobs/uploads/", RegistryFault::CutUpload(4));
    registry.fail_once("GET", "/blobs/uploads/", RegistryFault::Status(404, String::new()));
    registry.fail_once("HEAD", "/blobs/", RegistryFault::Status(404, String::new()));
    registry.add_blob("app", b"blob");
    let outcome = repository(&registry, config(), "app").put_blob(&blob, None, &no_progress);
    assert_eq!(outcome.expect("there"), BlobOutcome::Uploaded);
    assert_eq!(registry.count("PUT", "/blobs/"), 1);
}

#[test]
fn credentials_do_not_follow_to_another_host() {
    let (registry, other, scratch) = (TestRegistry::start(), TestRegistry::start(), Scratch::new());
    let blob = bytes(10);
    registry.add_blob("app", &blob);
    other.add_blob("app", &blob);
    registry.demand(Login::Basic { user: "anna".to_owned(), password: SECRET.to_owned() });
    let to = format!("http://{}/v2/app/blobs/{}?signature=x", other.host(), Digest::of(&blob));
    let repository = repository(&registry, with_credential(&registry, basic("anna")), "app");
    assert_eq!(repository.head_blob(Digest::of(&blob)).expect("asked"), Some(10));
    registry.fail_once("GET", "/blobs/", RegistryFault::Redirect(to));
    repository.get_blob_to(&scratch.store(), &descriptor(&blob), &no_progress).expect("fetched");
    let sent = |of: &TestRegistry| of.requests().last().map(|request| request.headers.contains_key("authorization"));
    assert_eq!((sent(&registry), sent(&other)), (Some(true), Some(false)));
    assert_eq!(other.requests().len(), 1);
}

#[test]
fn tokens_are_fetched_once_and_again_when_they_expire() {
    let registry = TestRegistry::start();
    registry.demand(token_login(false));
    registry.add_manifest("app", Some("1"), MediaType::IMAGE_MANIFEST.as_str(), &empty_manifest());
    let blobs: Vec<Digest> = (0..20_u8).map(|number| registry.add_blob("app", &[number])).collect();
    let anonymous = repository(&registry, config(), "app");
    assert!(anonymous.head_blobs(&blobs).expect("asked").iter().all(Option::is_some));
    assert_eq!(registry.count("GET", "/token"), 1);
    registry.expire_tokens();
    assert!(anonymous.head_manifest(&tag("1")).expect("asked").is_some());
    assert_eq!(registry.count("GET", "/token"), 2);

    let scratch = Scratch::new();
    let blob = source(&scratch, b"new");
    for credential in [basic("anna"), Credential::Identity(Secret::new(SECRET))] {
        let path = if matches!(credential, Credential::Identity(_)) { "identity" } else { "basic" };
        let repository = repository(&registry, with_credential(&registry, credential), path);
        assert_eq!(repository.put_blob(&blob, None, &no_progress).expect("there"), BlobOutcome::Uploaded);
        registry.expire_tokens();
        // A token for writing is also one for reading.
        let before = (registry.count("GET", "/token"), registry.count("POST", "/token"));
        repository.put_blob(&source(&scratch, path.as_bytes()), None, &no_progress).expect("there");
        let after = (registry.count("GET", "/token"), registry.count("POST", "/token"));
        assert!(after.0 + after.1 <= before.0 + before.1 + 2);
        assert_eq!(registry.count("POST", "/token") > 0, path == "identity");
    }
    let mount = repository(&registry, with_credential(&registry, basic("anna")), "mounted");
    assert!(mount.mount_blob(blob.digest, &name(&registry, "basic")).expect("asked"));
    let scope = "scope=repository%3Amounted%3Apull%2Cpush&scope=repository%3Abasic%3Apull";
    assert!(registry.requests().iter().any(|request| request.query.contains(scope)), "{:?}", registry.requests());
}

#[test]
fn who_may_not_is_told_why() {
    let (registry, scratch) = (TestRegistry::start(), Scratch::new());
    let blob = source(&scratch, b"new");
    let refused = |config: ClientConfig| {
        let error = repository(&registry, config, "app").put_blob(&blob, None, &no_progress).expect_err("refused");
        let shown = format!("{error:?} {error} {} {:?}", error.failure, error.hint());
        assert!(!shown.contains(SECRET) && error.hint().is_some(), "{shown}");
        error.failure
    };
    let unauthorized = |failure: Failure| match failure {
        Failure::Unauthorized { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    let origin = || "the command's options".to_owned();
    let given = |credential: Credential| with_credential(&registry, credential);
    registry.demand(token_login(false));
    assert_eq!(unauthorized(refused(config())), Unauthorized::NoCredentials);
    assert_eq!(unauthorized(refused(given(basic("bert")))), Unauthorized::Rejected { origin: origin() });
    let stale = Credential::Identity(Secret::new("st4le-token"));
    assert_eq!(unauthorized(refused(given(stale))), Unauthorized::Expired { origin: origin() });
    let stale = Credential::Bearer(Secret::new(SECRET));
    assert_eq!(unauthorized(refused(given(stale))), Unauthorized::Expired { origin: origin() });
    registry.demand(token_login(true));
    match refused(given(basic("anna"))) {
        Failure::Forbidden { scopes, .. } => assert_eq!(scopes, ["repository:app:pull,push"]),
        other => panic!("{other:?}"),
    }
    // A registry that repeats what it was told.
    registry.demand(Login::Basic { user: "anna".to_owned(), password: SECRET.to_owned() });
    let echo = format!(r#"{{"errors":[{{"code":"DENIED","message":"{SECRET} may not"}}]}}"#);
    registry.fail_always("POST", "/blobs/uploads/", RegistryFault::Status(403, echo));
    assert!(refused(given(basic("anna"))).to_string().contains("DENIED: *** may not"));
}

#[test]
fn lists_come_in_pages() {
    let registry = TestRegistry::start();
    registry.page(2);
    let repository = repository(&registry, config(), "app");
    let tags = ["a", "b", "c", "d", "e"];
    for tag in tags {
        registry.add_manifest("app", Some(tag), MediaType::IMAGE_MANIFEST.as_str(), &empty_manifest());
    }
    let found: Vec<String> = repository.list_tags().expect("listed").iter().map(Tag::to_string).collect();
    assert_eq!(found, tags);
    assert_eq!(registry.count("GET", "/tags/list"), 3);

    registry.add_blob("app", b"{}");
    let subject = Descriptor::of(MediaType::IMAGE_MANIFEST, &empty_manifest());
    let attach = |note: &str| {
        let empty = Descriptor::of(MediaType::EMPTY_JSON, b"{}");
        let annotations = BTreeMap::from([("note".to_owned(), note.to_owned())]);
        let mut manifest = ImageManifest::new(empty.clone(), vec![empty], annotations);
        manifest.subject = Some(subject.clone());
        repository.put_referrer(&manifest).expect("attached").digest
    };
    let mut expect: Vec<Digest> = ["1", "2", "3"].map(attach).into();
    expect.sort();
    let listed =
        || repository.referrers(subject.digest, None).expect("listed").iter().map(|one| one.digest).collect::<Vec<_>>();
    assert_eq!(listed(), expect);
    let fallback = format!("sha256-{}", subject.digest.to_hex());
    assert_eq!((registry.count("GET", "/referrers/"), registry.tag("app", &fallback)), (2, None));
    registry.without_referrers();
    assert_eq!(listed(), []);
    let later = attach("4");
    assert_eq!(listed(), [later]);
    assert!(registry.tag("app", &fallback).is_some());
}

#[test]
fn files_and_helpers_of_docker_are_read() {
    const FOLDER: &str = "PLYWOOD_TEST_HELPER_REGISTRY";
    // Run once more by itself, with a helper on the path.
    let Ok(host) = std::env::var(FOLDER) else {
        let (registry, scratch) = (TestRegistry::start(), Scratch::new());
        registry.demand(Login::Basic { user: "anna".to_owned(), password: SECRET.to_owned() });
        let host = registry.host();
        let write = |name: &str, text: String| std::fs::write(scratch.join(name), text).expect("written");
        write("config.json", format!(r#"{{"credHelpers":{{"{host}":"plywood"}},"credsStore":"none"}}"#));
        write("auth.json", r#"{"auths":{}}"#.to_owned());
        let answer = format!(r#"{{"ServerURL":"x","Username":"anna","Secret":"{SECRET}"}}"#);
        let helper = format!(
            "#!/bin/sh\nread -r server\n[ \"$1 $server\" = 'get {host}' ] || {{ echo 'credentials not found in native keychain'; exit 1; }}\necho '{answer}'\n"
        );
        write("docker-credential-plywood", helper);
        write(
            "docker-credential-none",
            "#!/bin/sh\necho 'credentials not found in native keychain'; exit 1\n".to_owned(),
        );
        for name in ["docker-credential-plywood", "docker-credential-none"] {
            common::run("chmod", &["+x", scratch.join(name).as_str()]);
        }
        let path = format!("{}:{}", scratch.path(), std::env::var("PATH").unwrap_or_default());
        let output = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "files_and_helpers_of_docker_are_read"])
            .env(FOLDER, &host)
            .env("PATH", path)
            .env("DOCKER_CONFIG", scratch.path())
            .env("REGISTRY_AUTH_FILE", scratch.join("auth.json"))
            .env_remove("PLYWOOD_REGISTRY_AUTH")
            .env_remove("DEVCONTAINERS_OCI_AUTH")
            .output()
            .expect("run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(registry.count("GET", "/tags/list") > 0);
        return;
    };
    let client = RegistryClient::new(ClientConfig::from_environment()).expect("a client");
    let app = format!("{host}/app").parse().expect("a name");
    assert_eq!(client.repository(&app).list_tags().expect("let in"), []);
}

#[test]
fn who_cannot_be_reached_is_named() {
    let check = |registry: &str, plain: bool, message: &str| {
        let mut config = config();
        config.plain_http.extend(plain.then(|| registry.to_owned()));
        let client = RegistryClient::new(config).expect("a client");
        let app = format!("{registry}/app").parse().expect("a name");
        let error = client.repository(&app).list_tags().expect_err("refused");
        assert!(error.failure.to_string().contains(message) && error.hint().is_some(), "{error:?}");
    };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    check(&closed.to_string(), false, "refuses connections");
    check("no-such-host.invalid", true, "there is no host `no-such-host.invalid`");
}
