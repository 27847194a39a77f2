//! Pushing images over a base of a registry: what is reused, what is mounted, what is said of where it came from.

use std::process::Command;

use plywood::attest::{CheckState, VerifyOptions, generate_key, verify};
use plywood::publish::{PushOptions, PushReport, push};
use plywood_core::attest::KeyAlgorithm;
use plywood_core::digest::Digest;
use plywood_oci::registry::{ClientConfig, RegistryClient};
use plywood_testkit::docker_registry::Access;
use plywood_testkit::{DockerRegistry, require};

use crate::fixture::{Fixture, chain, package, plain};

fn client() -> RegistryClient {
    RegistryClient::new(ClientConfig::default()).expect("a client")
}

/// A workspace whose only image stands on one that is in a registry, in another repository.
struct Lab {
    fixture: Fixture,
    registry: DockerRegistry,
    base: Digest,
}

impl Lab {
    fn new() -> Self {
        let os_release = "ID=debian\nVERSION_CODENAME=trixie\n";
        let system = package("system", "1")
            .file("./etc/os-release", 0o644, os_release)
            .file("./usr/bin/bash", 0o755, "")
            .build();
        let packages = [system, plain("large", "1", &[]), plain("small", "1", &[])];
        let fixture = Fixture::new("[images.base]\npackages = [\"system\", \"large\"]\n", packages);
        let registry = DockerRegistry::start();
        let mut lab = Self { fixture, registry, base: Digest::of(b"") };
        lab.base = lab.push("elsewhere", "maker", &PushOptions::default()).images[0].digest.expect("a digest");
        std::fs::remove_file(lab.fixture.path().join("plywood.lock")).expect("removed");
        generate_key(&lab.fixture.path().join("ci.key"), KeyAlgorithm::EcdsaP256).expect("a key");
        lab.manifest("first");
        lab
    }

    fn manifest(&self, motd: &str) {
        self.fixture.manifest(&format!(
            "---\n[publish]\nkeys = [\"ci.pub\"]\n[images.app]\nfrom = \"{}/elsewhere/base@{}\"\npackages = [\"small\"]\n\
             user = {{ name = \"app\", shell = \"/usr/bin/bash\" }}\n[images.app.files]\n\"/etc/motd\" = {{ text = \"{motd}\" }}\n",
            self.registry.host(),
            self.base,
        ));
    }

    fn signing(&self) -> PushOptions {
        PushOptions { key: Some(self.fixture.path().join("ci.key")), ..PushOptions::default() }
    }

    fn push(&self, folder: &str, cache: &str, options: &PushOptions) -> PushReport {
        let prefix = format!("{}/{folder}", self.registry.host()).parse().expect("a prefix");
        let options = PushOptions { registry: Some(prefix), ..options.clone() };
        let report = push(&options, &self.fixture.workspace(cache), &client(), &self.fixture.events);
        let report = report.unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert!(!report.failed(), "{report:?}");
        report
    }

    /// Pushes the image, and gives what of it was asked of the registry.
    fn watched(&self, cache: &str, options: &PushOptions) -> (PushReport, Vec<Access>) {
        let before = self.registry.requests().len();
        let report = self.push("team", cache, options);
        (report, self.registry.requests().split_off(before))
    }
}

/// What of these requests moves blobs.
fn moved<'r>(requests: &'r [Access], method: &str) -> Vec<&'r str> {
    let moves = requests.iter().filter(|request| request.path.contains("/blobs/") && request.method == method);
    moves.map(|request| request.path.as_str()).collect()
}

#[test]
fn an_unchanged_image_over_a_base_is_pushed_without_a_blob() {
    if !require(&["docker-registry"]) {
        return;
    }
    let lab = Lab::new();
    let first = lab.push("team", "cache", &lab.signing());
    // The base's layers are in the same registry: they are mounted, whoever has them there.
    let layers = first.images[0].blobs.mounted;
    assert!(layers > 0, "{first:?}");
    let (again, requests) = lab.watched("empty", &PushOptions::default());
    assert_eq!(again.images[0].digest, first.images[0].digest);
    assert_eq!((moved(&requests, "GET"), moved(&requests, "POST")), (vec![], vec![]), "{requests:?}");
    assert!(!requests.iter().any(|request| request.path.contains("/elsewhere/")), "{requests:?}");

    // Nor does signing it again read one.
    let (signed, requests) = lab.watched("cold", &lab.signing());
    assert_eq!(signed.images[0].digest, first.images[0].digest);
    assert_eq!((moved(&requests, "GET"), moved(&requests, "POST")), (vec![], vec![]), "{requests:?}");

    // A change needs what is in the base: that is read, and only the image's own is written.
    lab.manifest("second");
    let (changed, requests) = lab.watched("another", &PushOptions::default());
    assert_ne!(changed.images[0].digest, first.images[0].digest);
    let read = moved(&requests, "GET");
    assert!(!read.is_empty() && read.iter().all(|path| path.contains("/elsewhere/")), "{read:?}");
    assert_eq!((changed.images[0].blobs.uploaded, changed.images[0].blobs.mounted), (2, 0), "{changed:?}");
}

#[test]
fn the_base_is_in_the_provenance() {
    if !require(&["docker-registry", "git"]) {
        return;
    }
    let lab = Lab::new();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        let status = command.arg("-C").arg(lab.fixture.path()).args(identity).args(arguments).status();
        assert!(status.expect("git runs").success(), "{arguments:?}");
    };
    lab.fixture.lock(&Default::default()).unwrap_or_else(|error| panic!("{}", chain(&error)));
    lab.fixture.write(".gitignore", "/cache\n/maker\n/.plywood\n/*.key\n");
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "x"]);
    let pushed = lab.push("team", "cache", &lab.signing());
    let options = VerifyOptions {
        reference: format!("{}/team/app@{}", lab.registry.host(), pushed.images[0].digest.expect("a digest"))
            .parse()
            .expect("a reference"),
        keys: vec![],
        builder: None,
        workspace: true,
        rebuild: true,
    };
    let report = verify(&options, &client(), &lab.fixture.workspace("cache"), &lab.fixture.events);
    let report = report.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert!(report.holds, "{:#?}", report.checks);
    let provenance = report.provenance.expect("a provenance");
    let bases: Vec<&str> = provenance.bases.iter().map(String::as_str).collect();
    let name = format!("{}/elsewhere/base@{}", lab.registry.host(), lab.base);
    assert!(matches!(bases[..], [base] if base.starts_with(&name)), "{bases:?}");
    // The commit, the two files, the base, the archive's release and one package on it.
    assert_eq!(provenance.materials, 6);
    let rebuilt = report.checks.iter().find(|check| check.name == "rebuild").expect("built again");
    assert_eq!(rebuilt.state, CheckState::Passed, "{rebuilt:?}");

    // Another lock, of another base, is told.
    let lock = lab.fixture.read("plywood.lock");
    let digest = lock.lines().find_map(|line| line.strip_prefix("manifest = ")).expect("a digest").to_owned();
    lab.fixture.write("plywood.lock", &lock.replace(&digest, &format!("\"{}\"", Digest::of(b"other"))));
    let options = VerifyOptions { rebuild: false, ..options };
    let report = verify(&options, &client(), &lab.fixture.workspace("cache"), &lab.fixture.events).expect("verified");
    let materials = report.checks.iter().find(|check| check.name == "materials").expect("checked");
    assert_eq!(materials.state, CheckState::Failed);
    assert!(materials.message.contains("pkg:oci/base@sha256:"), "{}", materials.message);
}
