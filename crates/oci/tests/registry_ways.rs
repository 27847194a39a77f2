//! Ways to a registry and what is shown on them: proxies, credentials of the environment, helpers, addresses for uploads.
//!
//! What the environment decides is tried in this program run once more, with that environment.

mod common;

use std::process::Command;
use std::time::Duration;

use common::{Scratch, say};
use plywood_core::digest::Digest;
use plywood_core::oci::MediaType;
use plywood_core::oci::distribution::{Credential, Secret};
use plywood_oci::registry::{
    BlobOutcome, BlobSource, ClientConfig, Failure, Patience, RegistryClient, RegistryError, no_progress,
};
use plywood_testkit::http::{Response, Server};
use plywood_testkit::registry::{Login, RegistryFault};
use plywood_testkit::{TestProxy, TestRegistry};

const SECRET: &str = "s3same-0pen";
/// Names the registry that the second run asks.
const REGISTRY: &str = "PLYWOOD_TEST_WAYS_REGISTRY";
/// What of the environment decides how registries are reached.
const DECIDING: [&str; 13] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "PLYWOOD_REGISTRY_AUTH",
    "DEVCONTAINERS_OCI_AUTH",
    "GITHUB_TOKEN",
    "GITHUB_SERVER_URL",
    "REGISTRY_AUTH_FILE",
];

/// A registry with one tag in `app`.
fn registry() -> TestRegistry {
    let registry = TestRegistry::start();
    let manifest = br#"{"schemaVersion":2,"config":{"mediaType":"x/y","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}"#;
    registry.add_manifest("app", Some("1"), MediaType::IMAGE_MANIFEST.as_str(), manifest);
    registry
}

fn port(registry: &TestRegistry) -> u16 {
    registry.host().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// Asks a registry for the tags of `app` as the environment says, in the second run; prints what comes of it.
fn second_run() -> bool {
    let Ok(registry) = std::env::var(REGISTRY) else { return false };
    let patience = Patience { attempts: 1, helper: Duration::from_secs(1), ..Patience::default() };
    let mut config = ClientConfig { patience, ..ClientConfig::from_environment() };
    config.plain_http.insert(registry.clone());
    let client = RegistryClient::new(config).expect("a client");
    let app = format!("{registry}/app").parse().expect("a name");
    match client.repository(&app).list_tags() {
        Ok(tags) => say(&format!("found {tags:?}")),
        Err(error) => {
            say(&format!("failed {error}: {}; {}; {error:?}", error.failure, error.hint().unwrap_or_default()))
        }
    }
    true
}

/// What the second run says with these variables.
fn with(test: &str, registry: &str, scratch: &Scratch, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", test, "--nocapture"]).env(REGISTRY, registry);
    command.env("HOME", scratch.path()).env("XDG_CONFIG_HOME", scratch.path()).env("DOCKER_CONFIG", scratch.path());
    DECIDING.iter().for_each(|name| _ = command.env_remove(name));
    let output = command.envs(variables.iter().copied()).output().expect("run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    said
}

#[test]
fn proxies_are_used_but_for_those_who_need_none() {
    if second_run() {
        return;
    }
    let (registry, scratch) = (registry(), Scratch::new());
    let proxy = TestProxy::start(port(&registry), None);
    let guarded = TestProxy::start(port(&registry), Some(("anna", SECRET)));
    let [open, right, wrong] = [
        format!("http://{}", proxy.host()),
        format!("http://anna:{SECRET}@{}", guarded.host()),
        format!("http://anna:wr0ng@{}", guarded.host()),
    ];
    let ask = |registry: &str, variables: &[(&str, &str)]| {
        with("proxies_are_used_but_for_those_who_need_none", registry, &scratch, variables)
    };
    let name = "registry.test:5000";
    let unknown = "there is no host `registry.test`";
    assert!(ask(name, &[]).contains(unknown));
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let before = proxy.asked().len();
        let said = ask(name, &[(variable, &open)]);
        assert!(said.contains("found [Tag(\"1\")]"), "{variable}: {said}");
        assert_eq!(proxy.asked()[before..], ["GET http://registry.test:5000/v2/app/tags/list?n=1000"]);
    }
    assert!(ask(name, &[("HTTP_PROXY", &right)]).contains("found"));
    let said = ask(name, &[("HTTP_PROXY", &wrong)]);
    assert!(said.contains("HTTP 407") && said.contains("check user and password of the proxy"), "{said}");
    assert!(!said.contains("wr0ng"), "{said}");

    let before = proxy.asked().len();
    for none in ["registry.test", ".test", "other, registry.test:5000", "*"] {
        assert!(ask(name, &[("HTTP_PROXY", &open), ("NO_PROXY", none)]).contains(unknown), "{none}");
    }
    // This machine's own registries are no proxy's business.
    assert!(ask(&registry.host(), &[("HTTP_PROXY", &open)]).contains("found"));
    assert_eq!(proxy.asked().len(), before);
    drop(proxy);
    let said = ask(name, &[("HTTP_PROXY", &open)]);
    assert!(said.contains("failed") && !said.contains("found"), "{said}");
}

#[test]
fn a_token_of_github_is_for_its_registry_alone() {
    if second_run() {
        return;
    }
    let (registry, scratch) = (registry(), Scratch::new());
    registry.demand(Login::Basic { user: "github".to_owned(), password: SECRET.to_owned() });
    let proxy = TestProxy::start(port(&registry), None);
    let proxy = format!("http://{}", proxy.host());
    let ask = |registry: &str, variables: &[(&str, &str)]| {
        let variables: Vec<_> = variables.iter().copied().chain([("HTTP_PROXY", proxy.as_str())]).collect();
        with("a_token_of_github_is_for_its_registry_alone", registry, &scratch, &variables)
    };
    let none = "asks for credentials and there are none";
    assert!(ask("ghcr.io", &[("GITHUB_TOKEN", SECRET)]).contains("found [Tag(\"1\")]"));
    let said = ask("ghcr.io", &[("GITHUB_TOKEN", "0ther")]);
    assert!(said.contains("does not accept the credentials from GITHUB_TOKEN") && !said.contains("0ther"), "{said}");
    let sent = registry.requests().len();
    assert!(ask("ghcr.io", &[]).contains(none));
    assert!(ask("registry.test", &[("GITHUB_TOKEN", SECRET)]).contains(none));
    let enterprise = [("GITHUB_TOKEN", SECRET), ("GITHUB_SERVER_URL", "https://github.example")];
    assert!(ask("ghcr.io", &enterprise).contains(none));
    assert!(registry.requests()[sent..].iter().all(|request| !request.headers.contains_key("authorization")));
    // What is named for a registry goes before.
    let list = format!("ghcr.io|github|{SECRET}");
    assert!(ask("ghcr.io", &[("GITHUB_TOKEN", "0ther"), ("PLYWOOD_REGISTRY_AUTH", &list)]).contains("found"));
}

#[test]
fn helpers_that_do_not_help_are_told() {
    if second_run() {
        return;
    }
    let (registry, scratch) = (registry(), Scratch::new());
    registry.demand(Login::Basic { user: "anna".to_owned(), password: SECRET.to_owned() });
    let path = format!("{}:{}", scratch.path(), std::env::var("PATH").unwrap_or_default());
    let ask = |helper: &str, script: Option<&str>| {
        let config = format!("{{\"credsStore\":\"{helper}\"}}");
        std::fs::write(scratch.join("config.json"), config).expect("written");
        if let Some(script) = script {
            let program = scratch.join(&format!("docker-credential-{helper}"));
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
            common::run("chmod", &["+x", program.as_str()]);
        }
        with("helpers_that_do_not_help_are_told", &registry.host(), &scratch, &[("PATH", &path)])
    };
    let check = |said: String, expect: &[&str]| {
        for text in expect {
            assert!(said.contains(text), "{said}");
        }
    };
    let answer = format!("echo '{{\"Username\":\"anna\",\"Secret\":\"{SECRET}\"}}'");
    check(ask("good", Some(&answer)), &["found"]);
    let slow =
        ["`docker-credential-slow` gives no answer within 1 seconds", "try `docker-credential-slow list` by hand"];
    check(ask("slow", Some("exec sleep 600")), &slow);
    check(
        ask("sad", Some("echo the keychain is locked; exit 1")),
        &["`docker-credential-sad` fails: the keychain is locked"],
    );
    check(
        ask("mad", Some(&format!("echo {SECRET}"))),
        &["`docker-credential-mad` gives an answer that cannot be read"],
    );
    check(
        ask("absent", None),
        &["cannot run the credential helper `docker-credential-absent`", "install `docker-credential-absent`"],
    );
    check(ask("../evil", None), &["names a credential helper that is no plain name"]);
    check(ask("empty", Some("echo credentials not found in native keychain; exit 1")), &["there are none"]);
}

/// Uploads a blob while the registry sends it to another address.
fn upload(registry: &TestRegistry, location: String) -> Result<BlobOutcome, RegistryError> {
    let scratch = Scratch::new();
    let path = scratch.join("blob");
    std::fs::write(&path, "blob").expect("written");
    let mut config = ClientConfig::default();
    let credential = Credential::Basic { user: "anna".to_owned(), password: Secret::new(SECRET) };
    config.credentials.given.insert(registry.host(), credential);
    config.patience.attempts = 1;
    registry.demand(Login::Basic { user: "anna".to_owned(), password: SECRET.to_owned() });
    let repository = RegistryClient::new(config)
        .expect("a client")
        .repository(&format!("{}/app", registry.host()).parse().expect("a name"));
    // So that the registry has said by then what it wants to see.
    repository.list_tags().expect("let in");
    registry.fail_once("POST", "/blobs/uploads/", RegistryFault::Location(location));
    repository.put_blob(&BlobSource::file(Digest::of(b"blob"), 4, path), None, &no_progress)
}

#[test]
fn an_upload_may_be_sent_elsewhere_but_no_credentials_with_it() {
    let (registry, other) = (registry(), Server::start(|_| Response::status(201)));
    let outcome = upload(&registry, format!("{}/store/1?state=x", other.url())).expect("taken");
    assert_eq!(outcome, BlobOutcome::Uploaded);
    let requests = other.requests();
    let [put] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((put.method.as_str(), put.path.as_str(), &put.body[..]), ("PUT", "/store/1", &b"blob"[..]));
    assert!(put.query.starts_with("state=x&digest=sha256%3A"), "{}", put.query);
    assert!(!put.headers.contains_key("authorization"), "{:?}", put.headers);

    let error = upload(&registry, "http://elsewhere.test/store".to_owned()).expect_err("not without TLS");
    assert!(matches!(&error.failure, Failure::Insecure { host } if host == "elsewhere.test"), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--plain-http elsewhere.test")));
    let error = upload(&registry, "ftp://elsewhere.test/store".to_owned()).expect_err("not spoken");
    assert!(error.failure.to_string().contains("neither http nor https"), "{error:?}");
}
