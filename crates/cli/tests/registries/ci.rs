//! What a CI does: a matrix of runners that push each their platform, one that joins them, tags of date and commit; and who
//! pulls the images afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use plywood_core::digest::Digest;
use plywood_testkit::docker_registry::Access;
use plywood_testkit::{DockerRegistry, require};
use serde_json::Value;

use crate::lab::{Lab, fail, succeed};

/// Further images that share all of the first.
const MORE: &str = "
[images.more]
from = \"tiny\"
files = { \"/etc/more\" = { text = \"more\" } }

[images.most]
from = \"more\"
files = { \"/etc/most\" = { text = \"most\" } }
";

/// A workspace under version control, with a registry.
struct Place {
    lab: Lab,
    registry: DockerRegistry,
    prefix: String,
}

impl Place {
    fn new() -> Self {
        let registry = DockerRegistry::start();
        let lab = Lab::new();
        let prefix = lab.publish_to(&registry);
        lab.replace("[images.tiny]\n", "[publish]\ntags = [\"{date}-{commit}\", \"latest\"]\n\n[images.tiny]\n");
        lab.replace("name = \"lab\"\n", "name = \"lab\"\nsource = \"https://example.com/team/lab\"\n");
        let manifest = fs::read_to_string(lab.path("plywood.toml")).expect("a manifest");
        fs::write(lab.path("plywood.toml"), manifest + MORE).expect("written");
        fs::write(lab.path(".gitignore"), "/cache*\n/home\n/*.json\n/.plywood\n").expect("written");
        succeed(&mut lab.command("cache", &["lock"]));
        let place = Self { lab, registry, prefix };
        place.git(&["init", "--quiet"]);
        place.commit();
        place
    }

    fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        let output = succeed(command.arg("-C").arg(self.lab.path("")).args(identity).args(arguments));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(&self) -> String {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs plywood, and gives its report with what was asked of the registry.
    fn watched(&self, cache: &str, arguments: &[&str]) -> (Value, Vec<Access>) {
        let before = self.registry.requests().len();
        let report = self.lab.json(cache, arguments);
        (report, self.registry.requests().split_off(before))
    }

    /// What the registry has under a name, as skopeo sees it.
    fn raw(&self, name: &str) -> String {
        let reference = format!("docker://{}/{name}", self.prefix);
        let output = succeed(Command::new("skopeo").args(["inspect", "--raw", "--tls-verify=false", &reference]));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

fn written(requests: &[Access]) -> Vec<&Access> {
    requests.iter().filter(|request| !matches!(request.method.as_str(), "GET" | "HEAD")).collect()
}

/// The digests of the images, by name.
fn digests(report: &Value) -> BTreeMap<String, String> {
    let images = report["images"].as_array().expect("images");
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    images.iter().map(|image| (word(&image["name"]), word(&image["digest"]))).collect()
}

#[test]
fn runners_push_their_platforms_and_one_joins_them() {
    if !require(&["docker-registry", "skopeo", "podman", "git", "ldd"]) {
        return;
    }
    let place = Place::new();
    let commit = place.git(&["rev-parse", "HEAD"]);
    let matrix = place.lab.json("cache", &["build", "--matrix"]);
    let entries = matrix["include"].as_array().expect("entries").clone();
    assert_eq!(entries.len(), 6, "{matrix}");
    let mut join = vec!["push".to_owned()];
    for (number, entry) in entries.iter().enumerate() {
        let [image, platform] = ["image", "platform"].map(|field| entry[field].as_str().expect("a word"));
        let push = ["push", image, "--platform", platform, "--untagged", "--locked"];
        let (report, _) = place.watched(&format!("cache-{number}"), &push);
        let name = format!("{number}.json");
        fs::write(place.lab.path(&name), report.to_string()).expect("written");
        join.extend(["--index-only".to_owned(), place.lab.path(&name).to_string()]);
    }
    let join: Vec<&str> = join.iter().map(String::as_str).collect();
    // Without one of the runners nothing gets a tag.
    let said = fail(&mut place.lab.command("cache", &join[..join.len() - 2]), 1);
    assert!(said.contains("no report has the image `most`") && said.contains("hint: push it with"), "{said}");
    let (joined, requests) = place.watched("cache-join", &join);
    assert!(requests.iter().all(|request| !request.path.contains("/blobs/")), "{requests:?}");

    // The tags name it, with the commit in the index, and in no image of it.
    let date = fs::read_to_string(place.lab.path("plywood.lock")).expect("a lock");
    let date = date.lines().find_map(|line| line.strip_prefix("date = ")).expect("a date");
    let day: String = date.chars().filter(char::is_ascii_digit).take(8).collect();
    for (name, digest) in digests(&joined) {
        for tag in [format!("{day}-{}", &commit[..12]), "latest".to_owned()] {
            let raw = place.raw(&format!("{name}:{tag}"));
            assert_eq!(Digest::of(raw.as_bytes()).to_string(), digest, "{name}:{tag}");
            let index: Value = serde_json::from_str(&raw).expect("JSON");
            assert_eq!(index["annotations"]["org.opencontainers.image.revision"], *commit, "{index}");
            assert_eq!(index["manifests"].as_array().map(Vec::len), Some(2));
        }
    }

    // Another commit with the same images: `--if-changed` does nothing; without it the index alone is new.
    let next = place.commit();
    let (same, requests) = place.watched("cache", &["push", "--if-changed", "--locked"]);
    assert!(same["images"].as_array().expect("images").iter().all(|image| image["outcome"] == "unchanged"), "{same}");
    assert_eq!(written(&requests), [] as [&Access; 0]);
    // What is told is what is there: the index of the commit before, under the tag that stays.
    assert_eq!((digests(&same), &same["images"][0]["tags"]), (digests(&joined), &serde_json::json!(["latest"])));
    let (dry, requests) = place.watched("cache", &["push", "--dry-run", "--locked"]);
    assert_eq!((dry["dry_run"].as_bool(), written(&requests)), (Some(true), vec![]));
    let (moved, requests) = place.watched("cache", &["push", "--locked"]);
    assert_ne!(digests(&moved), digests(&joined));
    assert_eq!(moved["images"][0]["platforms"], joined["images"][0]["platforms"]);
    assert!(written(&requests).iter().all(|request| request.path.contains("/manifests/")), "{requests:?}");
    assert!(place.raw("tiny:latest").contains(&next));

    // Back to the commit before: what has a commit in its name stays with it.
    let (before, now) = (digests(&joined)["tiny"].clone(), digests(&moved)["tiny"].clone());
    for back in [vec!["tiny", "--to", &before], vec![&format!("tiny@{before}")]] {
        let (told, _) = place.watched("cache", &[&["promote"], back.as_slice()].concat());
        assert_eq!(told["images"][0]["tags"].as_array().map(Vec::len), Some(1), "{told}");
        assert_eq!(Digest::of(place.raw("tiny:latest").as_bytes()).to_string(), before);
        assert_eq!(Digest::of(place.raw(&format!("tiny:{day}-{}", &next[..12])).as_bytes()).to_string(), now);
    }
    let (told, _) = place.watched("cache", &["promote", &format!("tiny@{now}")]);
    assert_eq!(told["images"][0]["tags"].as_array().map(Vec::len), Some(2), "{told}");

    // Who pulls it has the same digest, and it runs.
    let image = format!("{}/tiny:latest", place.prefix);
    succeed(Command::new("podman").args(["pull", "-q", "--tls-verify=false", &image]));
    let listed = succeed(Command::new("podman").args(["image", "inspect", "--format", "{{.RepoDigests}}", &image]));
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains(&digests(&moved)["tiny"]), "{listed}");
    let run = succeed(Command::new("podman").args(["run", "--rm", "--pull=never", "--network=none", &image]));
    assert_eq!(run.stdout, b"carried\n");
    succeed(Command::new("podman").args(["rmi", "--force", &image]));
}

#[test]
fn every_blob_is_uploaded_once() {
    if !require(&["docker-registry", "git", "ldd"]) {
        return;
    }
    let place = Place::new();
    let (report, requests) = place.watched("cache", &["push"]);
    let uploads: Vec<&str> = requests
        .iter()
        .filter(|request| request.method == "PUT" && request.path.contains("/blobs/uploads/"))
        .filter_map(|request| request.path.split("digest=").nth(1))
        .collect();
    assert!(uploads.len() > 6, "{requests:?}");
    let different: BTreeSet<&&str> = uploads.iter().collect();
    assert_eq!(different.len(), uploads.len(), "{uploads:?}");
    let total: u64 = report["images"]
        .as_array()
        .expect("images")
        .iter()
        .map(|image| image["blobs"]["uploaded"].as_u64().expect("a number"))
        .sum();
    assert_eq!(total, uploads.len() as u64, "{report}");
    // What is under the tags afterwards is all there, as the registry itself says.
    let (_, requests) = place.watched("cache", &["promote", "--dry-run", "tiny", "--to", &digests(&report)["tiny"]]);
    assert!(requests.iter().all(|request| request.status == 200), "{requests:?}");
}
