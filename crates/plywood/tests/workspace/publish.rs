//! Pushing, promoting and pruning, against the registry in process and Docker's own.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;
use plywood::attest::{generate_key, is_signed, public_key, signing_key, trusted};
use plywood::build::LayerOrigin;
use plywood::lock::LockOptions;
use plywood::publish::{PromoteOptions, PruneOptions, PushOptions, PushOutcome, PushReport, promote, prune, push};
use plywood_core::attest::{KeyAlgorithm, PrivateKey, SimpleSigning};
use plywood_core::digest::Digest;
use plywood_core::oci::{Descriptor, ImageManifest, MediaType, Tag, annotations, to_json};
use plywood_oci::registry::{ClientConfig, RegistryClient};
use plywood_testkit::docker_registry::Access;
use plywood_testkit::registry::RegistryFault;
use plywood_testkit::{DockerRegistry, TestRegistry, require};

use crate::fixture::{Fixture, chain, plain};

/// Five images that share layers: one with packages, four on it.
fn images() -> String {
    let mut images = "[images.base]\npackages = [\"large\", \"small\"]\n".to_owned();
    for name in ["one", "two", "three", "four"] {
        images += &format!(
            "[images.{name}]\nfrom = \"base\"\n[images.{name}.files]\n\"/etc/{name}\" = {{ text = \"{name}\" }}\n"
        );
    }
    images
}

fn fixture(publish: &str) -> Fixture {
    let packages = [plain("large", "1", &[]), plain("small", "1", &[])];
    Fixture::new(&format!("---\n[publish]\n{publish}\n{}", images()), packages)
}

fn client() -> RegistryClient {
    RegistryClient::new(ClientConfig::default()).expect("a client")
}

/// Pushes to `host` with a cache of this name.
fn push_to(fixture: &Fixture, host: &str, cache: &str, options: PushOptions) -> PushReport {
    let options = PushOptions { registry: Some(format!("{host}/team").parse().expect("a prefix")), ..options };
    let report = push(&options, &fixture.workspace(cache), &client(), &fixture.events);
    report.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

fn errors(report: &PushReport) -> Vec<&str> {
    report.images.iter().filter_map(|image| image.error.as_deref()).collect()
}

fn digests(report: &PushReport) -> BTreeMap<String, Digest> {
    report.images.iter().filter_map(|image| Some((image.name.clone(), image.digest?))).collect()
}

#[test]
fn shared_blobs_are_uploaded_once_and_an_unchanged_push_writes_nothing() {
    let (fixture, registry) = (fixture(""), TestRegistry::start());
    let first = push_to(&fixture, &registry.host(), "cache", PushOptions::default());
    assert_eq!(errors(&first), [""; 0]);
    assert_eq!(first.images.len(), 5);
    let uploads: usize = first.images.iter().map(|image| image.blobs.uploaded).sum();
    // Three layers of packages or more, and of each image its state and its configuration.
    let different: usize = first.images[0].blobs.uploaded + 4 * 2;
    assert_eq!(uploads, different, "{first:?}");
    assert!(first.images[1..].iter().all(|image| image.blobs.mounted > 0), "{first:?}");

    let asked = registry.requests();
    let asked = asked.iter().filter(|request| request.method == "HEAD").map(|request| &request.path);
    let asked: Vec<&String> = asked.filter(|path| path.contains("/blobs/")).collect();
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len(), "each blob is asked for once: {asked:?}");

    let written =
        || registry.requests().iter().filter(|request| !matches!(request.method.as_str(), "GET" | "HEAD")).count();
    let before = written();
    let again = push_to(&fixture, &registry.host(), "cache", PushOptions::default());
    assert_eq!(digests(&first), digests(&again));
    assert_eq!(written(), before);
}

#[test]
fn an_empty_cache_pushes_what_is_unchanged_without_a_blob() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (fixture, registry) = (fixture(""), DockerRegistry::start());
    let first = push_to(&fixture, &registry.host(), "cache", PushOptions::default());
    let before = registry.requests().len();
    let trusting = PushOptions { trust_registry: true, ..PushOptions::default() };
    let again = push_to(&fixture, &registry.host(), "empty", trusting.clone());
    assert_eq!(digests(&first), digests(&again));
    let requests = registry.requests().split_off(before);
    assert!(!requests.is_empty());
    assert_eq!(touched(&requests), [] as [&Access; 0]);

    // One package more: its layer and the images' own are built and uploaded, nothing else, and nothing is downloaded.
    let more = fixture.read("plywood.toml").replace("\"small\"]", "\"small\", \"base-files\"]");
    fixture.write("plywood.toml", &more.replace("text = \"one\"", "text = \"other\""));
    let before = registry.requests().len();
    let changed = push_to(&fixture, &registry.host(), "another", trusting);
    assert_eq!(errors(&changed), [""; 0]);
    let requests = registry.requests().split_off(before);
    let got = requests.iter().filter(|request| request.method == "GET" && request.path.contains("/blobs/"));
    assert_eq!(got.count(), 0, "{requests:?}");
    assert!(changed.images.iter().map(|image| image.blobs.uploaded).sum::<usize>() < 12, "{changed:?}");
}

/// Requests for blobs that are more than a question whether they are there.
fn touched(requests: &[Access]) -> Vec<&Access> {
    requests.iter().filter(|request| request.path.contains("/blobs/") && request.method != "HEAD").collect()
}

#[test]
fn what_is_signed_is_believed_without_a_blob_too() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (fixture, registry) = (fixture("keys = [\"ci.pub\"]"), DockerRegistry::start());
    generate_key(&fixture.path().join("ci.key"), KeyAlgorithm::EcdsaP256).expect("a key");
    let signing = PushOptions { key: Some(fixture.path().join("ci.key")), ..PushOptions::default() };
    let signed = push_to(&fixture, &registry.host(), "cache", signing.clone());
    assert!(signed.images.iter().all(|image| image.signed), "{signed:?}");
    // Whoever signs again finds everything signed; whoever cannot sign believes who did.
    for (cache, options) in [("second", signing), ("third", PushOptions::default())] {
        let before = registry.requests().len();
        let again = push_to(&fixture, &registry.host(), cache, options);
        assert_eq!((errors(&again), digests(&again)), (vec![], digests(&signed)));
        let requests = registry.requests().split_off(before);
        assert!(!requests.is_empty());
        assert_eq!(touched(&requests), [] as [&Access; 0]);
        let written = requests.iter().filter(|request| !["HEAD", "GET"].contains(&request.method.as_str()));
        assert_eq!(written.count(), 0, "{requests:?}");
        assert!(!fixture.path().join(cache).join("debian/debs").exists(), "no package was fetched");
    }
}

#[test]
fn a_signature_that_is_not_rebuilt_is_read_and_one_by_others_is_not_believed() {
    let (fixture, registry) = (fixture("keys = [\"ci.pub\"]"), TestRegistry::start());
    for name in ["ci.key", "other.key"] {
        generate_key(&fixture.path().join(name), KeyAlgorithm::Ed25519).expect("a key");
    }
    let key = |name: &str| signing_key(Some(&fixture.path().join(name))).expect("a key").expect("it is named");
    let only = PushOptions { images: vec!["base".to_owned()], ..PushOptions::default() };
    let pushed = push_to(&fixture, &registry.host(), "cache", only.clone());
    let digest = digests(&pushed)["base"];
    let repository = format!("{}/team/base", registry.host());
    let tag = format!("sha256-{}.sig", digest.to_hex());
    let plant = |payload: &[u8], named: &[u8], key: &PrivateKey| {
        registry.add_blob("team/base", payload);
        let signature = BASE64.encode(&key.sign(payload));
        let layer = Descriptor::of(MediaType::COSIGN_SIMPLE_SIGNING, named);
        let layer = layer.annotated(annotations::COSIGN_SIGNATURE, signature);
        let manifest = ImageManifest::new(layer.clone(), vec![layer], BTreeMap::new());
        registry.add_manifest("team/base", Some(&tag), MediaType::IMAGE_MANIFEST.as_str(), &to_json(&manifest));
    };
    let payload = SimpleSigning { reference: repository, digest }.to_payload();
    // As cosign writes it with an annotation, and as it is after the image has moved here from another registry.
    let noted = String::from_utf8(payload.clone()).expect("JSON");
    let noted = noted.replace("\"optional\":null", "\"optional\":{\"build\":\"7\"}").into_bytes();
    let elsewhere = SimpleSigning { reference: "registry.example/base".to_owned(), digest }.to_payload();
    let about_another =
        SimpleSigning { reference: format!("{}/team/base", registry.host()), digest: Digest::of(b"x") }.to_payload();
    for (number, (payload, named, signer, believed, read)) in [
        (&payload, &payload, "ci.key", true, 0),
        (&noted, &noted, "ci.key", true, 1),
        (&elsewhere, &elsewhere, "ci.key", true, 1),
        (&payload, &payload, "other.key", false, 0),
        (&noted, &noted, "other.key", false, 1),
        (&about_another, &about_another, "ci.key", false, 1),
        // A signature of ours over other bytes, under the name of what would be believed.
        (&about_another, &payload, "ci.key", false, 0),
    ]
    .into_iter()
    .enumerate()
    {
        plant(payload, named, &key(signer));
        let (before, said) = (registry.count("GET", "/blobs/"), fixture.events.sentences().len());
        let cache = format!("cache-{number}");
        push_to(&fixture, &registry.host(), &cache, only.clone());
        let sentences = fixture.events.sentences().split_off(said);
        let refused = sentences.iter().any(|text| text.contains("no trusted key signed"));
        let made =
            fixture.path().join(&cache).join("segments").read_dir_utf8().is_ok_and(|mut all| all.next().is_some());
        assert_eq!((refused, made), (!believed, !believed), "{number}: {sentences:?}");
        assert_eq!(registry.count("GET", "/blobs/") - before, read, "{number}");
    }
}

/// Each of the two places where signatures are kept is enough by itself, with the referrers API and without.
#[test]
fn referrers_alone_are_believed_and_cosigns_tags_alone() {
    for api in [true, false] {
        let (fixture, registry) = (fixture("keys = [\"ci.pub\"]"), TestRegistry::start());
        if !api {
            registry.without_referrers();
        }
        generate_key(&fixture.path().join("ci.key"), KeyAlgorithm::Ed25519).expect("a key");
        let keys = [public_key(&fixture.path().join("ci.pub")).expect("a key")];
        let only = PushOptions { images: vec!["base".to_owned()], ..PushOptions::default() };
        let signing = PushOptions { key: Some(fixture.path().join("ci.key")), ..only.clone() };
        let pushed = push_to(&fixture, &registry.host(), "cache", signing);
        let digest = digests(&pushed)["base"];
        let repository = client().repository(&format!("{}/team/base", registry.host()).parse().expect("a name"));
        let fallback = format!("sha256-{}", digest.to_hex());
        assert_eq!(registry.tag("team/base", &fallback).is_none(), api, "who has the API has no list under a tag");
        let believed = || {
            let trust = trusted(&repository, digest, &keys).expect("asked");
            let signed = is_signed(&repository, digest, &keys).expect("asked");
            assert_eq!(trust.is_signed(), signed);
            (signed, trust.provenances().count())
        };
        assert_eq!(believed(), (true, 1));
        let forget = |suffix: &str| {
            let tag: Tag = format!("{fallback}{suffix}").parse().expect("a tag");
            assert!(repository.delete_manifest(&tag.into()).expect("deleted"));
        };
        if api {
            [".sig", ".att"].iter().for_each(|suffix| forget(suffix));
            assert_eq!(believed(), (true, 1));
            assert!(registry.count("GET", "/referrers/") > 0);
            push_to(&fixture, &registry.host(), "empty", only);
            assert!(fixture.path().join("cache/debian/debs").exists());
            assert!(!fixture.path().join("empty/debian/debs").exists(), "it is believed, so nothing is fetched");
        } else {
            forget("");
            assert_eq!(believed(), (true, 1));
            forget(".sig");
            assert_eq!(believed(), (false, 1));
        }
    }
}

#[test]
fn the_last_push_is_found_where_no_tag_stays() {
    let (fixture, registry) = (fixture("tags = [\"{date}-a\"]"), TestRegistry::start());
    let trusting = PushOptions { trust_registry: true, ..PushOptions::default() };
    let first = push_to(&fixture, &registry.host(), "cache", trusting.clone());
    let tag = first.images[0].tags[0].clone();
    assert!(tag.ends_with("-a") && registry.tag("team/base", "latest").is_none(), "{tag}");
    // Older ones, and what others call theirs, are not looked at.
    for other in ["19990101-a", "99991231-b", "zzz"] {
        registry.add_manifest("team/base", Some(other), MediaType::IMAGE_INDEX.as_str(), b"{}");
    }
    let again = push_to(&fixture, &registry.host(), "empty", trusting);
    assert_eq!((errors(&again), digests(&again)), (vec![], digests(&first)));
    assert!(!fixture.path().join("empty/debian/debs").exists(), "no package was fetched");
}

#[test]
fn layer_keys_are_believed_only_of_whom_the_manifest_names() {
    let (fixture, registry) = (fixture("keys = [\"ci.pub\"]"), TestRegistry::start());
    generate_key(&fixture.path().join("ci.key"), KeyAlgorithm::Ed25519).expect("a key");
    let unsigned = push_to(&fixture, &registry.host(), "cache", PushOptions::default());
    // Nobody signed: everything is built, and the same comes out.
    let rebuilt = push_to(&fixture, &registry.host(), "second", PushOptions::default());
    assert_eq!(digests(&unsigned), digests(&rebuilt));
    assert!(fixture.path().join("second/segments").read_dir_utf8().expect("a folder").next().is_some());
    assert!(fixture.events.sentences().iter().any(|text| text.contains("no trusted key signed")));

    let signing = PushOptions { key: Some(fixture.path().join("ci.key")), ..PushOptions::default() };
    let signed = push_to(&fixture, &registry.host(), "cache", signing);
    assert!(signed.images.iter().all(|image| image.signed));
    let reused = push_to(&fixture, &registry.host(), "third", PushOptions::default());
    assert_eq!(digests(&signed), digests(&reused));
    assert!(fixture.path().join("third/segments").read_dir_utf8().expect("a folder").next().is_none());

    // Another index, which nobody signed, in the place of the signed one: its keys are not believed.
    let digest = digests(&signed)["base"];
    let (kind, bytes) = registry.manifest("team/base", digest).expect("an index");
    let planted = String::from_utf8(bytes).expect("JSON").replacen("\"schemaVersion\":2", "\"schemaVersion\":2 ", 1);
    registry.add_manifest("team/base", Some("latest"), kind.as_str(), planted.as_bytes());
    let warned = fixture.events.sentences().len();
    push_to(&fixture, &registry.host(), "fourth", PushOptions::default());
    let sentences = fixture.events.sentences().split_off(warned);
    assert!(sentences.iter().any(|text| text.contains("no trusted key signed")), "{sentences:?}");
}

#[test]
fn a_changed_workspace_leaves_unchanged_images_where_they_are() {
    let (fixture, registry) = (fixture(""), TestRegistry::start());
    let trusting = PushOptions { trust_registry: true, ..PushOptions::default() };
    let first = push_to(&fixture, &registry.host(), "cache", trusting.clone());
    // Another image, a test, a tag, and other lines: nothing of it reaches what is there. One image has another file.
    let images = images().replace("{ text = \"four\" }", "{ text = \"4\" }");
    let more =
        "[images.more]\nfrom = \"base\"\npackages = [\"large\"]\n\n[[images.base.tests]]\ncommand = [\"true\"]\n";
    fixture.manifest(&format!("---\n# Nothing.\n[publish]\ntags = [\"latest\"]\n{images}{more}"));
    fixture.lock(&LockOptions::default()).unwrap_or_else(|error| panic!("{}", chain(&error)));
    let unchanged = ["base", "one", "two", "three"].map(str::to_owned);
    let only = PushOptions { images: unchanged.to_vec(), ..trusting.clone() };
    let second = push_to(&fixture, &registry.host(), "second", only);
    for image in &unchanged {
        assert_eq!(digests(&second)[image], digests(&first)[image], "{image}");
    }
    assert!(fixture.path().join("second/segments").read_dir_utf8().expect("a folder").next().is_none());
    assert_eq!(registry.count("GET", "/blobs/"), 0);

    // Here only what changed is made; `more` is `base` under another name.
    let built = fixture.build("cache").unwrap_or_else(|error| panic!("{}", chain(&error)));
    let made = |name: &str| {
        let image = built.images.iter().find(|image| image.name == name).expect("the image");
        image.platforms[0].layers.iter().filter(|layer| layer.origin == LayerOrigin::Made).count()
    };
    assert_eq!(["base", "one", "four", "more"].map(made), [0, 0, 1, 0]);
    let third = push_to(&fixture, &registry.host(), "third", trusting);
    let moved = third.images.iter().filter(|image| digests(&first).get(&image.name) != image.digest.as_ref());
    assert_eq!(moved.map(|image| image.name.as_str()).collect::<Vec<_>>(), ["four", "more"]);
}

#[test]
fn an_interrupted_push_moves_no_tag_and_goes_on_later() {
    let (fixture, registry) = (fixture(""), TestRegistry::start());
    registry.fail_always("PUT", "/manifests/sha256:", RegistryFault::Status(500, String::new()));
    let only = PushOptions { images: vec!["base".to_owned()], ..PushOptions::default() };
    let failed = push_to(&fixture, &registry.host(), "cache", only.clone());
    assert_eq!(failed.images[0].outcome, PushOutcome::Failed);
    assert_eq!(registry.tag("team/base", "latest"), None);

    let registry = TestRegistry::start();
    registry.fail_once("PUT", "/blobs/uploads", RegistryFault::CutUpload(100));
    registry.fail_once("PATCH", "/blobs/uploads", RegistryFault::CutUpload(100));
    let pushed = push_to(&fixture, &registry.host(), "cache", only);
    assert_eq!(errors(&pushed), [""; 0]);
    assert_eq!(registry.tag("team/base", "latest"), pushed.images[0].digest);
}

#[test]
fn an_image_that_fails_holds_back_only_itself_and_those_on_it() {
    let text = format!(
        "{}[images.top]\nfrom = \"one\"\n[images.bad]\nfrom = \"base\"\nsize-limit = \"1kB\"\n[images.worse]\nfrom = \"bad\"\n",
        images()
    );
    let fixture = Fixture::new(&text, [plain("large", "1", &[]), plain("small", "1", &[])]);
    let registry = TestRegistry::start();
    let report = push_to(&fixture, &registry.host(), "cache", PushOptions::default());
    let outcomes: BTreeMap<&str, PushOutcome> =
        report.images.iter().map(|image| (image.name.as_str(), image.outcome)).collect();
    assert_eq!((outcomes["bad"], outcomes["worse"]), (PushOutcome::Failed, PushOutcome::HeldBack));
    for name in ["base", "one", "top", "four"] {
        assert_eq!(outcomes[name], PushOutcome::Pushed, "{report:?}");
    }
    assert!(report.failed());
}

#[test]
fn tags_move_when_they_are_told_to_and_back() {
    let (fixture, registry) = (fixture("tags = [\"v{version}\", \"latest\"]\nversion = \"1\""), TestRegistry::start());
    let untagged = PushOptions { untagged: true, images: vec!["base".to_owned()], ..PushOptions::default() };
    let first = push_to(&fixture, &registry.host(), "cache", untagged.clone());
    let first_digest = first.images[0].digest.expect("a digest");
    assert_eq!(registry.tag("team/base", "latest"), None);
    fixture.write("pushed.json", &serde_json::to_string(&first).expect("JSON"));
    let move_to = |options: PromoteOptions| {
        let prefix = format!("{}/team", registry.host()).parse().expect("a prefix");
        let options = PromoteOptions { registry: Some(prefix), ..options };
        promote(&options, &fixture.workspace("cache"), &client()).unwrap_or_else(|error| panic!("{}", chain(&error)))
    };
    let by_report = || PromoteOptions { report: Some(fixture.path().join("pushed.json")), ..PromoteOptions::default() };
    assert!(!move_to(by_report()).failed());
    assert_eq!(registry.tag("team/base", "v1"), Some(first_digest));

    fixture.write(
        "plywood.toml",
        &fixture.read("plywood.toml").replace("[images.base]", "[images.base]\nworkdir = \"/srv\""),
    );
    let second = push_to(&fixture, &registry.host(), "cache", PushOptions { untagged: false, ..untagged.clone() });
    assert_ne!(second.images[0].digest, Some(first_digest));
    let back = PromoteOptions { images: vec!["base".to_owned()], to: Some(first_digest), ..PromoteOptions::default() };
    let report = move_to(back);
    assert!(report.images[0].tags.iter().all(|tag| tag.before == second.images[0].digest), "{report:?}");
    assert_eq!(registry.tag("team/base", "latest"), Some(first_digest));
    // A tag that names the version of today is not to say that it is what it was before.
    assert_eq!(registry.tag("team/base", "v1"), second.images[0].digest);
    let asked = PromoteOptions {
        images: vec![format!("base@{first_digest}")],
        tags: vec!["v{version}".parse().expect("a template")],
        ..PromoteOptions::default()
    };
    assert!(!move_to(asked).failed());
    assert_eq!(registry.tag("team/base", "v1"), Some(first_digest));

    // What is not whole gets no tag.
    let nowhere = PromoteOptions { images: vec![format!("base@{}", Digest::of(b"x"))], ..PromoteOptions::default() };
    assert!(move_to(nowhere).failed());
    assert_eq!(registry.tag("team/base", "latest"), Some(first_digest));
}

#[test]
fn runners_join_their_platforms_under_one_index() {
    let (fixture, registry) = (fixture(""), TestRegistry::start());
    let only = PushOptions { images: vec!["base".to_owned()], untagged: true, ..PushOptions::default() };
    let runner = push_to(&fixture, &registry.host(), "cache", only.clone());
    fixture.write("runner.json", &serde_json::to_string(&runner).expect("JSON"));
    let join = PushOptions { index_only: vec![fixture.path().join("runner.json")], untagged: false, ..only };
    let joined = push_to(&fixture, &registry.host(), "cache", join.clone());
    assert_eq!(errors(&joined), [""; 0]);
    assert_eq!(registry.tag("team/base", "latest"), joined.images[0].digest);
    let missing = push_to(&fixture, &registry.host(), "cache", PushOptions { images: vec!["one".to_owned()], ..join });
    assert!(errors(&missing)[0].contains("no report has the image `one`"), "{missing:?}");
}

#[test]
fn old_images_go_and_what_is_in_use_stays() {
    if !require(&["docker-registry"]) {
        return;
    }
    let (fixture, registry) = (fixture(""), DockerRegistry::start());
    let mut all = Vec::new();
    for (number, tag) in ["one", "two", "three"].iter().enumerate() {
        let text = fixture
            .read("plywood.toml")
            .replace("[images.base]", &format!("[images.base]\ndescription = \"{number}\""));
        fixture.write("plywood.toml", &text.replacen("\ndescription = \"0\"\ndescription", "\ndescription", 1));
        let tags = vec![format!("{{date}}-{tag}").parse().expect("a template")];
        let options = PushOptions { images: vec!["base".to_owned()], tags, ..PushOptions::default() };
        let report = push_to(&fixture, &registry.host(), "cache", options);
        all.push(report.images[0].digest.expect("a digest"));
        fixture
            .write("plywood.toml", &fixture.read("plywood.toml").replace(&format!("\ndescription = \"{number}\""), ""));
    }
    fixture.write("running.txt", &format!("{}/team/base@{}\n", registry.host(), all[1]));
    let options = PruneOptions {
        images: vec!["base".to_owned()],
        registry: Some(format!("{}/team", registry.host()).parse().expect("a prefix")),
        days: 0,
        keep: 0,
        tags: ["{date}-one", "{date}-two"].map(|tag| tag.parse().expect("a template")).to_vec(),
        deployed: Some(fixture.path().join("running.txt")),
        ..PruneOptions::default()
    };
    let run = |options: &PruneOptions| {
        prune(options, &fixture.workspace("cache"), &client(), &fixture.events)
            .unwrap_or_else(|error| panic!("{}", chain(&error)))
    };
    let dry = run(&PruneOptions { dry_run: true, ..options.clone() });
    let listed = |list: &str| {
        fixture.write("list.txt", list);
        let options =
            PruneOptions { deployed: Some(fixture.path().join("list.txt")), dry_run: true, ..options.clone() };
        prune(&options, &fixture.workspace("cache"), &client(), &fixture.events)
    };
    // A name with a tag keeps what it names; a list that may lack something is not taken.
    let lock = fixture.read("plywood.lock");
    let date = lock.lines().find_map(|line| line.strip_prefix("date = ")).expect("a date");
    let date: String = date.chars().filter(char::is_ascii_digit).take(8).collect();
    let kept = listed(&format!("{0}/team/base:{date}-one\n{0}/team/base:{date}-two\n", registry.host()));
    assert_eq!(kept.expect("pruned").repositories[0].deleted, [] as [Digest; 0]);
    let broken = format!("{}/team/base@{}\n", registry.host(), &all[0].to_string()[..40]);
    for (list, expect) in [(broken.as_str(), "names no image"), ("\n", "the list is empty")] {
        assert!(chain(&listed(list).expect_err("refused")).contains(expect), "{list}");
    }
    let report = run(&options);
    assert_eq!(dry.repositories[0].deleted, report.repositories[0].deleted);
    assert_eq!(report.repositories[0].deleted.first(), Some(&all[0]));
    let there = |digest: Digest| {
        let name = format!("{}/team/base", registry.host()).parse().expect("a name");
        client().repository(&name).head_manifest(&digest.into()).expect("an answer").is_some()
    };
    assert_eq!(all.iter().map(|digest| there(*digest)).collect::<Vec<_>>(), [false, true, true]);
}
