//! Signing, verifying and rebuilding images in a real registry.

use std::collections::BTreeMap;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use plywood::attest::{
    Attached, AuditOptions, AuditState, CheckState, RebuildDifference, VerifyOptions, VerifyReport, attest, audit,
    generate_key, provenance, referrers, sign, sign_and_attach, signing_key, source, verify,
};
use plywood_core::attest::{KeyAlgorithm, Materials, PrivateKey, Provenance};
use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, ImageIndex, ImageManifest, MediaType, PlatformSpec, RepositoryName, Tag, to_json};
use plywood_core::platform::Platform;
use plywood_oci::registry::{BlobSource, ClientConfig, RegistryClient, Repository, no_progress};
use plywood_testkit::{DockerRegistry, require};

use crate::fixture::{Fixture, PLATFORM, chain, plain};

const IMAGES: &str = "source = \"https://example.com/team/infra\"\n---\n[images.base]\npackages = [\"hello\"]\n\
    [images.base.files]\n\"/etc/motd\" = { text = \"welcome\\n\" }\n";

/// A workspace under version control, and a registry.
struct Lab {
    fixture: Fixture,
    registry: DockerRegistry,
    key: PrivateKey,
}

impl Lab {
    fn new() -> Option<Self> {
        if !require(&["docker-registry", "git"]) {
            return None;
        }
        let fixture = Fixture::new(IMAGES, [plain("hello", "1", &[])]);
        let lab = Self::with(fixture);
        lab.fixture.build("cache").unwrap_or_else(|error| panic!("{}", chain(&error)));
        lab.fixture.write(".gitignore", "/cache\n/.plywood\n/*.key\n");
        lab.git(&["init", "--quiet"]);
        lab.commit();
        Some(lab)
    }

    fn with(fixture: Fixture) -> Self {
        let file = fixture.path().join("ci.key");
        generate_key(&file, KeyAlgorithm::EcdsaP256).expect("a pair of keys");
        let key = signing_key(Some(&file)).expect("a key").expect("it is named");
        Self { fixture, registry: DockerRegistry::start(), key }
    }

    /// A repository of the registry.
    fn repository(&self, path: &str) -> Repository {
        let name: RepositoryName = format!("{}/{path}", self.registry.host()).parse().expect("a name");
        client().repository(&name)
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        command.arg("-C").arg(self.fixture.path()).args(identity).args(arguments);
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--message", "x"]);
    }

    /// Pushes the image that was built last, under an index; gives index and manifest.
    fn push(&self, repository: &Repository) -> (Descriptor, Descriptor) {
        let layout =
            plywood_oci::layout::ImageLayout::open(self.fixture.path().join(".plywood/oci")).expect("a layout");
        let image = layout.image(layout.names().next(), PLATFORM).expect("an image");
        for blob in image.manifest.layers.iter().chain([&image.manifest.config]) {
            let path = self.fixture.path().join(".plywood/oci/blobs/sha256").join(blob.digest.to_hex());
            let source = BlobSource::file(blob.digest, blob.size, path);
            repository.put_blob(&source, None, &no_progress).expect("a blob");
        }
        let mut manifest = image.descriptor.clone();
        let bytes = layout.document(&manifest).expect("a manifest");
        repository.put_manifest(&manifest.digest.into(), &manifest.media_type, &bytes).expect("a manifest");
        manifest.annotations.clear();
        manifest.platform = Some(PlatformSpec::from(PLATFORM));
        let index = to_json(&ImageIndex::new(vec![manifest.clone()], BTreeMap::new()));
        let tag: Tag = "latest".parse().expect("a tag");
        repository.put_manifest(&tag.into(), &MediaType::IMAGE_INDEX, &index).expect("an index");
        (Descriptor::of(MediaType::IMAGE_INDEX, &index), manifest)
    }

    fn provenance(&self) -> Provenance {
        let workspace = self.fixture.workspace("cache");
        let manifest = workspace.manifest().expect("a manifest");
        let (lock, text) = workspace.lock().expect("a lock").expect("it is there");
        let url = manifest.workspace().source.as_ref().map(ToString::to_string);
        provenance(Materials {
            image: manifest.resolve("base").expect("it is there"),
            platforms: &[PLATFORM],
            manifest: manifest.digest(),
            lock: &lock,
            lock_digest: Digest::of(text.as_bytes()),
            created: lock.date,
            source: &source(workspace.directory(), url.as_deref()).expect("a commit"),
        })
    }

    fn verify(&self, reference: &str, key: &Utf8Path, rebuild: bool) -> Result<VerifyReport, plywood::Error> {
        let options = VerifyOptions {
            reference: reference.parse().expect("a reference"),
            keys: vec![key.to_owned()],
            builder: None,
            workspace: true,
            rebuild,
        };
        verify(&options, &client(), &self.fixture.workspace("cache"), &self.fixture.events)
    }

    fn public(&self) -> Utf8PathBuf {
        self.fixture.path().join("ci.pub")
    }
}

fn client() -> RegistryClient {
    RegistryClient::new(ClientConfig::default()).expect("a client")
}

/// What was checked, by name and state; the state of a name that comes twice is the last one's.
fn states(report: &VerifyReport) -> BTreeMap<&'static str, CheckState> {
    report.checks.iter().map(|check| (check.name, check.state)).collect()
}

#[test]
fn a_signed_image_with_provenance_holds() {
    let Some(lab) = Lab::new() else { return };
    let repository = lab.repository("team/base");
    let (index, manifest) = lab.push(&repository);
    let provenance = lab.provenance();
    for (subject, expect) in [(&index, Attached::Written), (&manifest, Attached::Written), (&index, Attached::Present)]
    {
        let attached = sign_and_attach(&repository, subject, &lab.key, &provenance).expect("signed");
        assert_eq!(attached, expect);
    }
    let reference = format!("{}/team/base:latest", lab.registry.host());
    let report = lab.verify(&reference, &lab.public(), false).expect("verified");
    assert!(report.holds, "{:#?}", report.checks);
    let passed = ["builder", "lock", "materials", "provenance", "signature"].map(|name| (name, CheckState::Passed));
    assert_eq!(states(&report), passed.into());
    let told = report.provenance.expect("a provenance");
    assert_eq!(told.commit.as_deref(), provenance.commit());
    assert!(!told.dirty && told.commit.is_some());
    assert_eq!(report.digests.iter().map(|it| it.digest).collect::<Vec<_>>(), [index.digest, manifest.digest]);

    let list = referrers(&reference.parse().expect("a reference"), &client()).expect("a list");
    let said: Vec<_> = list.referrers.iter().map(|it| (it.tag.is_some(), it.predicate_type.as_deref())).collect();
    let (slsa, signed) = (Some("https://slsa.dev/provenance/v1"), Some("https://sigstore.dev/cosign/sign/v1"));
    assert_eq!(said, [(false, signed), (false, slsa), (true, None), (true, slsa)]);
}

/// What `push --index-only` makes: who joins signs, and says nothing of where what others built came from.
#[test]
fn of_a_joined_index_every_image_must_say_where_it_came_from() {
    let Some(lab) = Lab::new() else { return };
    let repository = lab.repository("team/base");
    let (index, manifest) = lab.push(&repository);
    let reference = format!("{}/team/base@{}", lab.registry.host(), index.digest);
    sign(
        &reference.parse().expect("a reference"),
        Some(&lab.fixture.path().join("ci.key")),
        &client(),
        &lab.fixture.events,
    )
    .expect("signed");
    let audited = || {
        lab.fixture.write("running.txt", &reference);
        let options = AuditOptions { list: lab.fixture.path().join("running.txt"), keys: vec![lab.public()] };
        let workspace = lab.fixture.workspace("cache");
        audit(&options, &client(), &workspace, &lab.fixture.events).expect("audited").images.remove(0)
    };
    let report = lab.verify(&reference, &lab.public(), true).expect("verified");
    assert!(!report.holds && report.provenance.is_none(), "{:#?}", report.checks);
    assert_eq!(audited().state, AuditState::Signed);

    lab.git(&["clean", "--quiet", "--force", "running.txt"]);
    sign_and_attach(&repository, &manifest, &lab.key, &lab.provenance()).expect("signed");
    let report = lab.verify(&reference, &lab.public(), true).expect("verified");
    assert!(report.holds, "{:#?}", report.checks);
    assert!(report.checks.iter().any(|check| check.message.starts_with("linux/amd64: image `base`")), "{report:#?}");
    assert!(report.rebuild.expect("built again").platforms.iter().all(|platform| platform.same));
    let told = audited();
    assert_eq!((told.state, told.provenance.map(|it| it.image)), (AuditState::Attested, Some("base".to_owned())));

    // One image that nobody speaks for is one too many.
    let other = PlatformSpec::from(Platform::LinuxArm64);
    let bytes = repository.get_manifest(&manifest.digest.into()).expect("a manifest").bytes;
    let mut changed = ImageManifest::parse(&bytes).expect("a manifest");
    changed.annotations.insert("stray".to_owned(), "1".to_owned());
    let bytes = to_json(&changed);
    let stray = Descriptor { platform: Some(other), ..Descriptor::of(manifest.media_type.clone(), &bytes) };
    repository.put_manifest(&stray.digest.into(), &stray.media_type, &bytes).expect("a manifest");
    let both = to_json(&ImageIndex::new(vec![manifest, stray], BTreeMap::new()));
    let digest = Digest::of(&both);
    repository.put_manifest(&digest.into(), &MediaType::IMAGE_INDEX, &both).expect("an index");
    let reference = format!("{}/team/base@{digest}", lab.registry.host());
    sign(
        &reference.parse().expect("a reference"),
        Some(&lab.fixture.path().join("ci.key")),
        &client(),
        &lab.fixture.events,
    )
    .expect("signed");
    let report = lab.verify(&reference, &lab.public(), false).expect("verified");
    let failed: Vec<&str> =
        report.checks.iter().filter(|check| check.failed()).map(|check| check.message.as_str()).collect();
    assert_eq!(failed, ["linux/arm64: no provenance by a key that is believed"]);
}

#[test]
fn another_commit_with_the_same_image_is_not_attested_anew() {
    let Some(lab) = Lab::new() else { return };
    let repository = lab.repository("team/base");
    let (index, _) = lab.push(&repository);
    sign_and_attach(&repository, &index, &lab.key, &lab.provenance()).expect("signed");
    lab.fixture.write("README.md", "A word.\n");
    lab.commit();
    let before = lab.registry.requests().len();
    let attached = sign_and_attach(&repository, &index, &lab.key, &lab.provenance()).expect("signed");
    assert_eq!(attached, Attached::Present);
    // Known by its mark: what is attached is not read.
    let requests = lab.registry.requests().split_off(before);
    assert!(requests.iter().all(|request| !request.path.contains("/blobs/")), "{requests:?}");

    // Somebody else's mark on it says nothing, nor does that of another image.
    let other = lab.fixture.path().join("other.key");
    generate_key(&other, KeyAlgorithm::Ed25519).expect("a pair of keys");
    let other = signing_key(Some(&other)).expect("a key").expect("it is named");
    let attached = sign_and_attach(&repository, &index, &other, &lab.provenance()).expect("signed");
    assert_eq!(attached, Attached::Written);
}

#[test]
fn nothing_holds_that_somebody_else_signed() {
    let Some(lab) = Lab::new() else { return };
    let repository = lab.repository("team/base");
    let (index, _) = lab.push(&repository);
    let reference = format!("{}/team/base@{}", lab.registry.host(), index.digest);
    let unsigned = lab.verify(&reference, &lab.public(), true).expect("verified");
    assert!(!unsigned.holds);
    assert_eq!(states(&unsigned).get("rebuild"), Some(&CheckState::Skipped), "from what?");
    assert_eq!(states(&unsigned).get("provenance"), Some(&CheckState::Failed));

    let other = lab.fixture.path().join("other.key");
    generate_key(&other, KeyAlgorithm::Ed25519).expect("a pair of keys");
    let other_key = signing_key(Some(&other)).expect("a key").expect("it is named");
    sign_and_attach(&repository, &index, &other_key, &lab.provenance()).expect("signed");
    let foreign = lab.verify(&reference, &lab.public(), false).expect("verified");
    assert!(!foreign.holds);
    let reasons = &foreign.digests[0].refused;
    assert_eq!(reasons.iter().collect::<Vec<_>>(), ["no signature on it is by a key that is believed"]);
    assert!(lab.verify(&reference, &other.with_extension("pub"), false).expect("verified").holds);

    // A signature over another digest, copied to where this one's would be.
    sign_and_attach(&repository, &index, &lab.key, &lab.provenance()).expect("signed");
    let signatures = repository.get_manifest(&tag(&index, "sig").into()).expect("signatures");
    let empty = to_json(&ImageIndex::new(Vec::new(), BTreeMap::new()));
    let name: Tag = "planted".parse().expect("a tag");
    let planted = repository.put_manifest(&name.into(), &MediaType::IMAGE_INDEX, &empty).expect("an index");
    let victim = Descriptor::new(MediaType::IMAGE_INDEX, planted, 0);
    repository
        .put_manifest(&tag(&victim, "sig").into(), &MediaType::IMAGE_MANIFEST, &signatures.bytes)
        .expect("planted");
    let reference = format!("{}/team/base@{planted}", lab.registry.host());
    let copied = lab.verify(&reference, &lab.public(), false).expect("verified");
    assert!(!copied.holds && copied.digests[0].signed_by.is_empty());
    assert!(copied.digests[0].refused.contains("it is not about this digest"), "{:?}", copied.digests[0].refused);
}

fn tag(subject: &Descriptor, suffix: &str) -> Tag {
    format!("sha256-{}.{suffix}", subject.digest.to_hex()).parse().expect("a tag")
}

/// Another image of the same team has every signature that its own repository gave it, wherever somebody copies it.
#[test]
fn another_image_in_the_place_of_one_does_not_hold() {
    let Some(lab) = Lab::new() else { return };
    let text = lab.fixture.read("plywood.toml");
    lab.fixture.write("plywood.toml", &format!("{text}[images.other]\n"));
    let repository = lab.repository("team/other");
    let (index, manifest) = lab.push(&repository);
    for subject in [&index, &manifest] {
        sign_and_attach(&repository, subject, &lab.key, &lab.provenance()).expect("signed");
    }
    let reference = format!("{}/team/other:latest", lab.registry.host());
    let report = lab.verify(&reference, &lab.public(), false).expect("verified");
    let failed: Vec<_> = report.checks.iter().filter(|check| check.failed()).collect();
    assert!(!report.holds && failed.len() == 1 && failed[0].name == "image", "{:#?}", report.checks);
}

#[test]
fn another_lock_here_does_not_hold() {
    let Some(mut lab) = Lab::new() else { return };
    let repository = lab.repository("team/base");
    let (index, _) = lab.push(&repository);
    sign_and_attach(&repository, &index, &lab.key, &lab.provenance()).expect("signed");
    lab.fixture.archive.add("trixie", plain("hello", "2", &[]));
    lab.fixture.republish();
    let upgrade = plywood::lock::Upgrade::Everything;
    lab.fixture.lock(&plywood::lock::LockOptions { upgrade, ..Default::default() }).expect("a lock");
    let reference = format!("{}/team/base@{}", lab.registry.host(), index.digest);
    let report = lab.verify(&reference, &lab.public(), false).expect("verified");
    assert!(!report.holds);
    let failed: Vec<_> = report.checks.iter().filter(|check| check.failed()).collect();
    assert_eq!(failed.iter().map(|check| check.name).collect::<Vec<_>>(), ["lock", "materials"]);
    assert!(
        failed[1].message.contains("pkg:deb/debian/hello@1?arch=all&distro=trixie is not in the lock here"),
        "{failed:?}"
    );
}

#[test]
fn building_again_gives_the_same_or_names_the_first_file() {
    let Some(lab) = Lab::new() else { return };
    let repository = lab.repository("team/base");
    let (index, _) = lab.push(&repository);
    let provenance = lab.provenance();
    sign_and_attach(&repository, &index, &lab.key, &provenance).expect("signed");
    let reference = format!("{}/team/base@{}", lab.registry.host(), index.digest);
    let report = lab.verify(&reference, &lab.public(), true).expect("verified");
    assert!(report.holds, "{:#?}", report.checks);
    assert_eq!(states(&report).get("rebuild"), Some(&CheckState::Passed));

    // Somebody with the key built from files that are in no commit, and says otherwise.
    lab.fixture.manifest(&IMAGES.replace("welcome", "go away"));
    lab.fixture.build("cache").expect("built");
    let (index, _) = lab.push(&repository);
    lab.git(&["checkout", "--quiet", "."]);
    sign_and_attach(&repository, &index, &lab.key, &provenance).expect("signed");
    let reference = format!("{}/team/base@{}", lab.registry.host(), index.digest);
    let report = lab.verify(&reference, &lab.public(), true).expect("verified");
    assert!(!report.holds);
    let platform = &report.rebuild.expect("built again").platforms[0];
    let [RebuildDifference::Layer { files, first: Some(first), .. }] = platform.differences.as_slice() else {
        panic!("{platform:#?}")
    };
    assert_eq!((*files, first.to_string().as_str()), (1, "/etc/motd: other content of the same size"));
    let left = lab.fixture.path().join("cache").read_dir_utf8().expect("the cache").flatten();
    assert_eq!(left.filter(|entry| entry.file_name().starts_with("rebuild-")).count(), 0);
}

#[test]
fn only_the_commit_is_built_again() {
    let Some(lab) = Lab::new() else { return };
    let repository = lab.repository("team/base");
    let (index, _) = lab.push(&repository);
    sign_and_attach(&repository, &index, &lab.key, &lab.provenance()).expect("signed");
    let reference = format!("{}/team/base@{}", lab.registry.host(), index.digest);
    lab.fixture.write("README.md", "A word.\n");
    let error = lab.verify(&reference, &lab.public(), true).expect_err("dirty");
    assert!(chain(&error).ends_with("files of the workspace differ from the commit"), "{}", chain(&error));
    lab.commit();
    let error = lab.verify(&reference, &lab.public(), true).expect_err("another commit");
    assert!(chain(&error).contains("the workspace is not at commit"), "{}", chain(&error));
    assert!(error.hint().unwrap_or_default().contains("git checkout"), "{error:?}");
}

#[test]
fn what_runs_is_audited() {
    let Some(lab) = Lab::new() else { return };
    let (signed, plain) = (lab.repository("team/base"), lab.repository("team/plain"));
    let (index, _) = lab.push(&signed);
    lab.push(&plain);
    sign_and_attach(&signed, &index, &lab.key, &lab.provenance()).expect("signed");
    let (host, digest) = (lab.registry.host(), index.digest);
    let gone = Digest::of(b"gone");
    lab.fixture.write(
        "running.txt",
        &format!("{host}/team/base@{digest}\n{host}/team/plain@{digest}\n{host}/team/base@{gone}\nlocal:1\n"),
    );
    let options = AuditOptions { list: lab.fixture.path().join("running.txt"), keys: vec![lab.public()] };
    let report = audit(&options, &client(), &lab.fixture.workspace("cache"), &lab.fixture.events);
    let report = report.expect("audited");
    assert!(!report.holds);
    let states: BTreeMap<&str, AuditState> =
        report.images.iter().map(|image| (image.reference.as_str(), image.state)).collect();
    let (base, plain) = (format!("{host}/team/base@{digest}"), format!("{host}/team/plain@{digest}"));
    let gone = format!("{host}/team/base@{gone}");
    let expect = [
        (base.as_str(), AuditState::Attested),
        (&plain, AuditState::Unsigned),
        (&gone, AuditState::Unknown),
        ("local:1", AuditState::Unknown),
    ];
    assert_eq!(states, expect.into());
    let attested = report.images.iter().find(|image| image.state == AuditState::Attested).expect("it is there");
    assert!(attested.provenance.as_ref().is_some_and(|it| it.image == "base" && it.commit.is_some()));
}

#[test]
fn any_digest_is_signed_and_anything_is_said_of_it() {
    let Some(lab) = Lab::new() else { return };
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519] {
        let repository = lab.repository(&format!("team/{algorithm}"));
        let (index, manifest) = lab.push(&repository);
        let file = lab.fixture.path().join(format!("{algorithm}.key"));
        let made = generate_key(&file, algorithm).expect("a pair of keys");
        let (client, reference) = (client(), repository.name().reference(&index.digest.into()));
        for expect in [Attached::Written, Attached::Present] {
            let report = sign(&reference, Some(&file), &client, &lab.fixture.events).expect("signed");
            let outcomes: Vec<_> = report.digests.iter().map(|it| (it.digest, it.outcome)).collect();
            assert_eq!(outcomes, [(index.digest, expect), (manifest.digest, expect)]);
        }
        lab.fixture.write("tests.json", "{\"passed\": 3}");
        let (kind, predicate) = ("https://example.com/tests/v1", lab.fixture.path().join("tests.json"));
        for expect in [Attached::Written, Attached::Present] {
            let report = attest(&reference, kind, &predicate, Some(&file), &client).expect("attested");
            assert_eq!(report.digests.iter().map(|it| it.outcome).collect::<Vec<_>>(), [expect]);
        }
        let report = lab.verify(&reference.to_string(), &made.public, false).expect("verified");
        assert!(report.digests.iter().all(|digest| digest.signed_by == [made.id].into() && digest.forms.len() == 2));
        assert_eq!(report.digests[0].statements, [kind.to_owned()].into());
        assert_eq!(states(&report).get("signature"), Some(&CheckState::Passed));
        assert_eq!(states(&report).get("provenance"), Some(&CheckState::Failed), "nothing was said of that");
        lab.fixture.write("tests.json", "no JSON");
        let error = attest(&reference, kind, &predicate, Some(&file), &client).expect_err("no JSON");
        assert!(error.is_usage(), "{}", chain(&error));
    }
}
