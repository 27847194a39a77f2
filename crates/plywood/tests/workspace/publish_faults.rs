//! Whole pushes to a registry that fails in their middle: what may pass is tried again, and whatever happens, a tag names
//! what is whole.

use std::time::Duration;

use plywood::publish::{PromoteOptions, PushOptions, PushReport, PushedImage, promote, push};
use plywood_core::digest::Digest;
use plywood_core::oci::distribution::{Credential, Secret};
use plywood_oci::registry::{ClientConfig, Patience, RegistryClient};
use plywood_testkit::TestRegistry;
use plywood_testkit::registry::{Login, RegistryFault};

use crate::fixture::{Fixture, chain, plain};

const SECRET: &str = "s3same-0pen";

/// A workspace whose image is in a registry, under its tag.
struct Lab {
    fixture: Fixture,
    registry: TestRegistry,
    before: Digest,
}

impl Lab {
    fn new() -> Self {
        let fixture = Fixture::new(&images("first"), [plain("large", "1", &[]), plain("small", "1", &[])]);
        let registry = TestRegistry::start();
        let mut lab = Self { fixture, registry, before: Digest::of(b"") };
        lab.before = lab.push().digest.expect("a digest");
        lab.fixture.manifest(&images("second"));
        lab
    }

    /// A client that gives up soon.
    fn client(&self) -> RegistryClient {
        let patience = Patience {
            backoff: Duration::from_millis(1),
            longest_pause: Duration::from_secs(2),
            stall: Duration::from_millis(300),
            answer: Duration::from_secs(2),
            attempts: 3,
            // One after the other, so that no two requests find their tokens expired by each other.
            parallel: 1,
            ..Patience::default()
        };
        let mut config = ClientConfig { patience, ..ClientConfig::default() };
        let credential = Credential::Basic { user: "anna".to_owned(), password: Secret::new(SECRET) };
        config.credentials.given.insert(self.registry.host(), credential);
        RegistryClient::new(config).expect("a client")
    }

    fn prefix(&self) -> plywood_core::manifest::RegistryPrefix {
        format!("{}/team", self.registry.host()).parse().expect("a prefix")
    }

    /// Pushes what the manifest says now, the image that the tests are about.
    fn push(&self) -> PushedImage {
        let images = vec!["base".to_owned()];
        let options = PushOptions { registry: Some(self.prefix()), images, ..PushOptions::default() };
        self.push_all(&options).images.remove(0)
    }

    fn push_all(&self, options: &PushOptions) -> PushReport {
        let report = push(options, &self.fixture.workspace("cache"), &self.client(), &self.fixture.events);
        report.unwrap_or_else(|error| panic!("{}", chain(&error)))
    }

    fn latest(&self) -> Digest {
        self.registry.tag("team/base", "latest").expect("a tag")
    }

    /// Whether everything that a digest leads to is there.
    fn is_whole(&self, digest: Digest) -> bool {
        let options = PromoteOptions {
            images: vec![format!("base@{digest}")],
            registry: Some(self.prefix()),
            dry_run: true,
            ..PromoteOptions::default()
        };
        let report = promote(&options, &self.fixture.workspace("cache"), &self.client());
        !report.unwrap_or_else(|error| panic!("{}", chain(&error))).failed()
    }
}

/// An image that differs in its files and in a package.
fn images(motd: &str) -> String {
    let more = if motd == "first" { "" } else { ", \"small\"" };
    format!("[images.base]\npackages = [\"large\"{more}]\nfiles = {{ \"/etc/motd\" = {{ text = \"{motd}\" }} }}\n")
}

fn status(status: u16, body: &str) -> RegistryFault {
    RegistryFault::Status(status, body.to_owned())
}

#[test]
fn what_may_pass_is_overcome() {
    let retry = |status: u16, wait: &str| RegistryFault::RetryAfter(status, wait.to_owned());
    for (method, part, faults) in [
        ("POST", "/blobs/uploads/", vec![status(500, ""), status(502, "")]),
        ("POST", "/blobs/uploads/", vec![retry(429, "0"), retry(503, "1")]),
        ("PUT", "/blobs/uploads/", vec![RegistryFault::CutUpload(100), RegistryFault::CutUpload(0)]),
        ("PUT", "/blobs/uploads/", vec![status(500, ""), RegistryFault::Stall(0)]),
        ("HEAD", "/blobs/", vec![status(503, "")]),
        ("HEAD", "/manifests/", vec![retry(429, "0"), RegistryFault::NoHeaders]),
        ("PUT", "/manifests/sha256:", vec![status(500, ""), retry(429, "1")]),
        ("PUT", "/manifests/latest", vec![status(503, ""), status(504, "")]),
        ("GET", "/manifests/", vec![RegistryFault::Truncate(3)]),
        ("GET", "/manifests/", vec![RegistryFault::Slow(64, Duration::from_millis(1))]),
    ] {
        let lab = Lab::new();
        faults.iter().for_each(|fault| lab.registry.fail_once(method, part, fault.clone()));
        let pushed = lab.push();
        assert_eq!(pushed.error, None, "{method} {part} {faults:?}");
        assert_eq!(Some(lab.latest()), pushed.digest);
        assert!(lab.is_whole(lab.latest()) && lab.latest() != lab.before, "{method} {part} {faults:?}");
    }
}

#[test]
fn what_does_not_pass_leaves_the_tag_and_is_gone_on_with() {
    let attempts = 3;
    let denied = r#"{"errors":[{"code":"DENIED","message":"quota"}]}"#;
    let invalid = r#"{"errors":[{"code":"DIGEST_INVALID","message":"damaged"}]}"#;
    for (method, part, fault, times, message) in [
        ("POST", "/blobs/uploads/", status(500, ""), 20, "HTTP 500"),
        ("PUT", "/blobs/uploads/", RegistryFault::CutUpload(0), 20, "connection failed"),
        ("PUT", "/blobs/uploads/", status(400, invalid), 20, "DIGEST_INVALID: damaged"),
        ("POST", "/blobs/uploads/", status(403, denied), 20, "DENIED: quota"),
        ("PUT", "/manifests/sha256:", status(500, ""), attempts, "HTTP 500"),
        ("PUT", "/manifests/sha256:", RegistryFault::RetryAfter(429, "3600".to_owned()), 1, "wait 3600 seconds"),
        ("PUT", "/manifests/sha256:", RegistryFault::WrongDigest, 1, "instead of"),
        ("PUT", "/manifests/latest", status(500, ""), attempts, "HTTP 500"),
        ("PUT", "/manifests/latest", status(413, ""), 1, "HTTP 413"),
        ("HEAD", "/blobs/", status(500, ""), 20, "HTTP 500"),
    ] {
        let lab = Lab::new();
        (0..times).for_each(|_| lab.registry.fail_once(method, part, fault.clone()));
        let failed = lab.push();
        let error = failed.error.unwrap_or_else(|| panic!("{method} {part} {fault:?}"));
        assert!(error.contains(message), "{method} {part}: {error}");
        assert_eq!(lab.latest(), lab.before, "{method} {part} {fault:?}");

        // Once the registry works again, what has arrived is not sent twice.
        lab.registry.recover();
        assert!(lab.is_whole(lab.before));
        let sent = lab.registry.count("PUT", "/blobs/uploads/");
        let pushed = lab.push();
        assert_eq!(pushed.error, None, "{method} {part}");
        assert_eq!(Some(lab.latest()), pushed.digest);
        assert!(lab.is_whole(lab.latest()) && lab.latest() != lab.before, "{method} {part} {fault:?}");
        if part.starts_with("/manifests/") {
            assert_eq!(lab.registry.count("PUT", "/blobs/uploads/"), sent, "{method} {part}");
        }
    }
}

#[test]
fn tokens_expire_in_the_middle_and_rights_are_missing() {
    let lab = Lab::new();
    let login = |read_only| Login::Token {
        user: "anna".to_owned(),
        password: SECRET.to_owned(),
        identity: SECRET.to_owned(),
        read_only,
    };
    lab.registry.demand(login(true));
    let refused = lab.push().error.expect("no right to write");
    assert!(refused.contains("it needs repository:team/base:pull,push"), "{refused}");
    assert_eq!(lab.latest(), lab.before);

    lab.registry.demand(login(false));
    for (method, part) in [
        ("HEAD", "/manifests/"),
        ("POST", "/blobs/uploads/"),
        ("PUT", "/blobs/uploads/"),
        ("PUT", "/manifests/sha256:"),
        ("PUT", "/manifests/latest"),
    ] {
        lab.registry.fail_once(method, part, RegistryFault::ExpireTokens);
    }
    let tokens = || lab.registry.count("GET", "/token");
    let before = tokens();
    let pushed = lab.push();
    assert_eq!(pushed.error, None);
    assert_eq!(Some(lab.latest()), pushed.digest);
    assert!(tokens() > before + 3, "{} tokens", tokens() - before);
    assert!(lab.is_whole(lab.latest()));
}

#[test]
fn what_may_not_be_read_elsewhere_is_uploaded() {
    let lab = Lab::new();
    let two = format!("{}[images.other]\nfrom = \"base\"\nworkdir = \"/srv\"\n", images("first"));
    lab.fixture.manifest(&two);
    let login = Login::Token {
        user: "anna".to_owned(),
        password: SECRET.to_owned(),
        identity: SECRET.to_owned(),
        read_only: false,
    };
    lab.registry.demand(login);
    lab.registry.hide("team/base");
    let options =
        PushOptions { registry: Some(lab.prefix()), images: vec!["other".to_owned()], ..PushOptions::default() };
    let report = lab.push_all(&options);
    assert_eq!(report.images[0].error, None);
    assert_eq!((report.images[0].blobs.mounted, report.images[0].blobs.uploaded > 0), (0, true), "{report:?}");
    assert_eq!(lab.registry.tag("team/other", "latest"), report.images[0].digest);
}
