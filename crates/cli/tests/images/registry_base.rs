//! A base from a registry, made here, pushed to Docker's own registry by skopeo, and what stands on it in podman.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_testkit::docker_registry::DockerRegistry;
use plywood_testkit::{require, require_mirror};

use crate::lab::{lab, plywood, succeed, text};

/// What a bootstrap of apt's own leaves of its run, and what is only of our image: its user.
const DIFFERENT: [&str; 21] = [
    "debs",
    // Our user and its group, in all four.
    "etc/group",
    "etc/gshadow",
    "etc/passwd",
    "etc/shadow",
    "etc/sudoers.d/app",
    "home/app",
    "srv",
    "tmp",
    "var/cache/apt",
    "var/cache/debconf/tmp.ci",
    "var/cache/ldconfig/aux-cache",
    "var/lib/apt/extended_states",
    "var/lib/apt/lists",
    "var/lib/dpkg/status-old",
    "var/log/alternatives.log",
    "var/log/apt",
    "var/log/dpkg.log",
    "run",
    "etc/resolv.conf",
    "etc/hosts",
];

/// A file of a container: its kind, owner, mode, where it leads, and its bytes.
type Facts = (u8, u32, u64, u64, Vec<u8>, Vec<u8>);

/// Every file of a container of an image after a command.
fn files(image: &str, mount: Option<&Utf8Path>, script: &str) -> BTreeMap<String, Facts> {
    let name = format!("plywood-test-{}-{}", std::process::id(), script.len());
    let mut run = Command::new("podman");
    run.args(["run", "--name", &name, "--pull=never", "--network=none", "--user=root"]);
    run.args(mount.map(|folder| format!("--mount=type=bind,source={folder},target=/debs,readonly")));
    let ran = run.args([image, "sh", "-euc", script]).output().expect("podman runs");
    let exported = succeed(Command::new("podman").args(["export", &name])).stdout;
    succeed(Command::new("podman").args(["rm", &name]));
    assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
    let mut found: BTreeMap<String, Facts> = BTreeMap::new();
    for entry in tar::Archive::new(&exported[..]).entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let path = String::from_utf8_lossy(&entry.path_bytes()).trim_end_matches('/').to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("read");
        let link = entry.link_name_bytes().map(|link| link.to_vec()).unwrap_or_default();
        let header = entry.header();
        let (mode, uid, gid) = (header.mode().unwrap_or(0), header.uid().unwrap_or(0), header.gid().unwrap_or(0));
        let mut facts = (header.entry_type().as_byte(), mode, uid, gid, link, bytes);
        // Which name of a file comes first is the exporter's business.
        if header.entry_type().is_hard_link()
            && let Some(first) = found.get(&*String::from_utf8_lossy(&facts.4))
        {
            facts = first.clone();
        }
        found.insert(path, facts);
    }
    found
}

fn workspace_of_example(registry: &DockerRegistry, folder: &Utf8Path) -> Utf8PathBuf {
    let example = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/registry-base/plywood.toml");
    let manifest = fs::read_to_string(example).expect("the example");
    let base = format!("{}/platform/base:1", registry.host());
    let manifest = manifest.replace("registry.example.org/platform/ubuntu-fips:24.04", &base);
    let manifest = manifest.replace("name = \"fips\"\n", "name = \"fips\"\nplatforms = [\"linux/amd64\"]\n");
    let workspace = folder.join("app");
    fs::create_dir(&workspace).expect("a folder");
    let manifest = manifest.replace("registry.example.org/team", "localhost/plywood-test");
    fs::write(workspace.join("plywood.toml"), manifest).expect("written");
    workspace
}

#[test]
fn the_example_stands_on_a_base_of_a_registry() {
    let tools = ["podman", "skopeo", "docker-registry"];
    let (true, Some(_), Some(lab)) = (require(&tools), require_mirror(), lab()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let cache = lab.cold_cache(folder.as_std_path());
    let registry = DockerRegistry::start();
    let base = folder.join("base");
    fs::create_dir(&base).expect("a folder");
    // gzip, so that skopeo can give it Docker's own media types.
    let manifest = "[workspace]\nname = \"base\"\nplatforms = [\"linux/amd64\"]\n[debian]\nsuite = \"trixie\"\n[images.base]\n\
        packages = [\"ca-certificates\", \"passwd\"]\nuser = { name = \"ubuntu\" }\ncompression = \"gzip\"\nlayers = 5\n";
    fs::write(base.join("plywood.toml"), manifest).expect("written");
    succeed(plywood(&base, &cache).args(["build", "--platform", "linux/amd64"]));
    let reference = format!("{}/platform/base:1", registry.host());
    let (from, to) = (format!("oci:{base}/.plywood/oci"), format!("docker://{reference}"));
    succeed(Command::new("skopeo").args(["copy", "-q", "--dest-tls-verify=false", "--format=v2s2", &from, &to]));

    let app = workspace_of_example(&registry, folder);
    let build = ["build", "--platform", "linux/amd64", "--load", "podman"];
    succeed(plywood(&app, &cache).args(build));
    succeed(plywood(&app, &cache).args(["test", "fips-base", "--locked"]));
    let lock = fs::read_to_string(app.join("plywood.lock")).expect("a lock");
    assert!(
        lock.contains("vnd.docker.image.rootfs.diff.tar.gzip") && lock.contains("distribution = \"debian trixie\"")
    );

    let image = "localhost/plywood-test/fips-base:latest";
    let check = "dpkg --audit; dpkg --verify; apt-get check -qq; grep -c :1000: /etc/passwd";
    let mut podman = Command::new("podman");
    podman.args(["run", "--rm", "--pull=never", "--network=none", "--user=root", image, "sh", "-c", check]);
    assert_eq!(text(&succeed(&mut podman).stdout), "1\n");

    // The truth: apt itself, in a container of the base, with the same packages.
    let debs = folder.join("debs");
    fs::create_dir(&debs).expect("a folder");
    for line in lock.lines().filter(|line| line.contains(" pool/")) {
        let words: Vec<&str> = line.trim().trim_matches(['"', ',']).split(' ').collect();
        let [name, .., hash] = words.as_slice() else { panic!("{line}") };
        fs::copy(cache.join(format!("debian/debs/{hash}.deb")), debs.join(format!("{name}.deb"))).expect("a package");
    }
    succeed(Command::new("podman").args(["pull", "-q", "--tls-verify=false", &reference]));
    let install = "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /debs/*.deb";
    let (ours, theirs) = (files(image, None, "true"), files(&reference, Some(&debs), install));
    succeed(Command::new("podman").args(["rmi", "-f", &reference, image]));
    let excepted = |path: &str| {
        DIFFERENT.iter().any(|one| path.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    let all = ours.keys().chain(theirs.keys()).filter(|path| !excepted(path));
    let differ: Vec<&String> = all.filter(|path| ours.get(*path) != theirs.get(*path)).collect();
    assert_eq!(differ, Vec::<&String>::new());
    assert!(ours.contains_key("usr/bin/jq"), "{}", ours.len());
}
