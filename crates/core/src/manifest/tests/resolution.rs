//! What an image is once its `from` chain is merged.

use std::collections::BTreeMap;

use super::{image, parse};
use crate::manifest::*;
use crate::oci::{RuntimeConfig, Timestamp};

const CHAIN: &str = r#"
[images.base]
packages = ["git"]
user = { name = "nix" }
workdir = "/workspace"
cmd = ["/bin/bash"]
ports = [80]
layers = 40
size-limit = "500 MB"
[images.base.env]
LANG = "C.UTF-8"
A = "base"
[images.base.directories]
"/nix" = { owner = "nix" }
"/var/spool/x" = { owner = "daemon:nix" }
[images.base.files]
"/etc/motd" = { text = "base" }

[images.dev]
from = "base"
packages = ["jq=1.7"]
user = { name = "vscode", sudo = true, groups = ["docker"] }
ports = ["53/udp", 80]
[images.dev.groups]
docker = { gid = 999 }
[images.dev.env]
A = "dev"
PATH = { prepend = ["/opt/bin", "/usr/bin"], append = ["/games"] }
[images.dev.symlinks]
"/etc/motd" = "/run/motd"

[images.service]
from = "dev"
user = { name = "root" }
entrypoint = ["/sbin/service"]
"#;

#[test]
fn a_child_adds_to_its_parent() {
    let dev = image(CHAIN, "dev");
    let asked: Vec<_> =
        dev.packages.iter().map(|package| (package.request.to_string(), package.image.to_string())).collect();
    assert_eq!(asked, [("git".to_owned(), "base".to_owned()), ("jq=1.7".to_owned(), "dev".to_owned())]);
    assert_eq!(dev.ports.iter().map(Port::to_string).collect::<Vec<_>>(), ["53/udp", "80/tcp"]);
    assert_eq!(dev.cmd.as_deref(), Some(&["/bin/bash".to_owned()][..]));
    assert_eq!((dev.workdir.to_string().as_str(), dev.layers.get(), dev.size_limit), ("/workspace", 40, None));
    assert_eq!(dev.platforms, Platform::ALL);
}

#[test]
fn variables_are_merged() {
    let dev = image(CHAIN, "dev");
    let env = |name: &str| dev.env.get(name).map(String::as_str);
    assert_eq!((env("LANG"), env("A")), (Some("C.UTF-8"), Some("dev")));
    assert_eq!(env("PATH"), Some("/opt/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin:/games"));
}

#[test]
fn a_user_takes_the_place_of_its_parents() {
    let dev = image(CHAIN, "dev");
    let users: Vec<_> =
        dev.users.values().map(|user| (user.name.as_str(), user.uid, user.gid, user.group.as_str())).collect();
    assert_eq!(users, [("vscode", 1000, 1000, "vscode")]);
    let groups: Vec<_> = dev.groups.iter().map(|(name, gid)| (name.as_str(), *gid)).collect();
    assert_eq!(groups, [("docker", 999), ("vscode", 1000)]);
    let home =
        dev.users.values().map(|user| (user.home.to_string(), user.shell.to_string(), user.sudo)).collect::<Vec<_>>();
    assert_eq!(home, [("/home/vscode".to_owned(), "/bin/bash".to_owned(), true)]);
}

#[test]
fn root_runs_beside_the_users_there_are() {
    let service = image(CHAIN, "service");
    assert_eq!(service.user.as_ref().map(UserName::as_str), Some("root"));
    assert_eq!(service.users.len(), 1);
}

#[test]
fn a_new_entrypoint_drops_the_old_command() {
    let service = image(CHAIN, "service");
    assert_eq!((service.entrypoint.as_deref(), service.cmd), (Some(&["/sbin/service".to_owned()][..]), None));
}

#[test]
fn owners_are_those_of_the_image_that_says_so() {
    let dev = image(CHAIN, "dev");
    let owner = |path: &str| match dev.placements.get(path.as_bytes()) {
        Some(Placement::Directory(directory)) => directory.owner.as_ref().map(ToString::to_string),
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(owner("nix").as_deref(), Some("1000:1000"), "nix is gone, its directory stays with the user of that id");
    assert_eq!(owner("var/spool/x").as_deref(), Some("daemon:1000"), "daemon is a package's");
    assert!(matches!(dev.placements.get(&b"etc/motd"[..]), Some(Placement::Symlink(_))), "the child's word holds");
}

#[test]
fn a_user_joins_a_group_that_has_its_id() {
    let resolved =
        image("[images.a]\nuser = { name = \"u\", gid = 50 }\n[images.a.groups]\nstaff2 = { gid = 50 }", "a");
    assert_eq!(resolved.groups.keys().map(GroupName::as_str).collect::<Vec<_>>(), ["staff2"]);
}

#[test]
fn a_declared_group_outlives_its_user() {
    let text = "[images.a]\nuser = { name = \"u\", gid = 50 }\ngroups = { data = { gid = 50 } }\n[images.b]\nfrom = \"a\"\nuser = { name = \"v\" }";
    let groups = image(text, "b").groups.into_iter().map(|(name, gid)| (name.to_string(), gid)).collect::<Vec<_>>();
    assert_eq!(groups, [("data".to_owned(), 50), ("v".to_owned(), 1000)]);
}

#[test]
fn an_image_may_have_another_suite() {
    let text = r#"
[debian.repositories.docker]
url = "https://download.example.org/debian"
key = "keys/docker.asc"
packages = ["docker-*"]
[images.a]
[images.old.debian]
suite = "bookworm"
slim = { keep = ["/usr/share/man/*"] }
recommends = true
[images.rolling.debian]
suite = "sid"
"#;
    let (a, old, rolling) = (image(text, "a"), image(text, "old"), image(text, "rolling"));
    assert_eq!((a.recommends, old.recommends), (false, true));
    let [a, old, rolling] = [a, old, rolling].map(|image| image.debian.expect("an archive"));
    assert_eq!((a.suite.as_str(), a.slim.is_some()), ("trixie", false));
    assert_eq!((old.suite.as_str(), old.slim.is_some()), ("bookworm", true));
    assert_eq!((rolling.updates, rolling.security, old.security), (false, false, true));
    assert_eq!(old.repositories.values().map(|one| one.suite.as_str()).collect::<Vec<_>>(), ["bookworm"]);
    assert_eq!(old.components.iter().map(Component::as_str).collect::<Vec<_>>(), ["main"]);
}

#[test]
fn the_lock_depends_on_packages_alone() {
    let inputs = |text: &str| crate::lockfile::lock_inputs(&image(text, "a"));
    let base = inputs("[images.a]\npackages = [\"git\", \"jq\"]");
    for same in [
        "[images.a]\npackages = [\"jq\", \"git\"]",
        "[images.a]\npackages = [\"git\", \"jq\"]\ncmd = [\"x\"]\nuser = { name = \"u\" }",
        "[images.b]\n[images.a]\npackages = [\"git\", \"jq\"]",
    ] {
        assert_eq!(inputs(same), base, "{same}");
    }
    for other in [
        "[images.a]\npackages = [\"git\"]",
        "[images.a]\npackages = [\"git\", \"jq=1\"]",
        "[images.a]\npackages = [\"git\", \"jq\"]\nrecommends = true",
        "[images.a]\npackages = [\"git\", \"jq\"]\nlayers = 3",
        "[images.a]\npackages = [\"git\", \"jq\"]\nplatforms = [\"linux/amd64\"]",
        "[images.a]\npackages = [\"git\", \"jq\"]\n[images.a.debian]\nsuite = \"bookworm\"",
        "[images.a]\npackages = [\"git\", \"jq\"]\n[images.a.scripts]\njq = \"run\"",
    ] {
        assert_ne!(inputs(other), base, "{other}");
    }
}

#[test]
fn a_long_chain_is_resolved() {
    let links = (1..200).map(|number| format!("[images.i{number:03}]\nfrom = \"i{:03}\"\n", number - 1));
    let text = format!("{}[images.i000]\n{}", super::PRELUDE, links.rev().collect::<String>());
    assert_eq!(parse(&text).resolve("i199").map(|image| image.parents.len()), Ok(199));
}

const NIX: &str = r#"
[sets.a]
packages = ["hello"]
[sets.b]
sets = ["a", "c"]
[sets.c]
[sets.d]
sets = ["b", "a"]
[shells.s]
sets = ["d"]
[images.runtime]
debian = false
sets = ["b"]
user = { name = "app" }
[images.dev]
from = "runtime"
sets = ["d", "c"]
shell = "s"
nix = { sh = true, env = false }
[images.debian]
sets = ["c"]
[images.child]
from = "dev"
nix = { offline-develop = false }
"#;

#[test]
fn sets_are_closed_and_added() {
    let sets = |name: &str| image(NIX, name).nix.sets.iter().map(SetName::to_string).collect::<Vec<_>>();
    assert_eq!(sets("runtime"), ["a", "c", "b"]);
    assert_eq!(sets("dev"), ["a", "c", "b", "d"]);
    assert_eq!(sets("debian"), ["c"]);
}

#[test]
fn what_is_linked_follows_from_having_debian() {
    let (runtime, dev, debian, child) =
        (image(NIX, "runtime"), image(NIX, "dev"), image(NIX, "debian"), image(NIX, "child"));
    let system = |image: &ResolvedImage| {
        let nix = &image.nix;
        (nix.sh, nix.env, nix.certificates, nix.time_zones, nix.loader)
    };
    assert_eq!(system(&runtime), (false, true, true, true, false));
    assert_eq!(system(&dev), (true, false, true, true, false));
    assert_eq!(system(&debian), (false, false, false, false, false));
    let develop = |image: &ResolvedImage| {
        let shell = image.nix.shell.as_ref().map(ShellName::to_string);
        (shell, image.nix.database, image.nix.offline_develop)
    };
    let shell = Some("s".to_owned());
    assert_eq!(develop(&runtime), (None, false, false));
    assert_eq!(develop(&dev), (shell.clone(), true, true));
    assert_eq!(develop(&child), (shell, true, false));
    assert!(runtime.debian.is_none() && child.debian.is_none());
}

#[test]
fn a_deep_nest_of_sets_is_closed() {
    let links = (1..2000).map(|number| format!("[sets.s{number:04}]\nsets = [\"s{:04}\"]\n", number - 1));
    let text = format!("[sets.s0000]\n{}[images.a]\nsets = [\"s1999\"]\n", links.collect::<String>());
    assert_eq!(image(&text, "a").nix.sets.len(), 2000);
}

#[test]
fn a_lock_of_a_shell_depends_on_what_is_in_it() {
    let inputs = |text: &str| {
        let manifest = parse(&format!("{}{text}", super::PRELUDE));
        let shell = manifest.shells().next().expect("a shell").1.clone();
        crate::lockfile::shell_inputs(&manifest, &shell)
    };
    let base = inputs("[sets.a]\npackages = [\"git\"]\n[sets.b]\nsets = [\"a\"]\n[shells.s]\nsets = [\"b\"]");
    assert_eq!(
        inputs("[images.x]\n[sets.a]\npackages = [\"git\"]\n[sets.b]\nsets = [\"a\"]\n[shells.s]\nsets = [\"b\"]"),
        base
    );
    for other in [
        "[sets.a]\npackages = [\"jq\"]\n[sets.b]\nsets = [\"a\"]\n[shells.s]\nsets = [\"b\"]",
        "[sets.a]\npackages = [\"git\"]\n[sets.b]\nsets = [\"a\"]\n[shells.s]\nsets = [\"b\"]\nhook = \"x\"",
        "[sets.a]\npackages = [\"git\"]\n[sets.b]\nsets = [\"a\"]\n[shells.s]\nsets = [\"b\"]\nenv = { A = \"1\" }",
        "[sets.a]\npackages = [\"git\"]\npriority = 3\n[sets.b]\nsets = [\"a\"]\n[shells.s]\nsets = [\"b\"]",
    ] {
        assert_ne!(inputs(other), base, "{other}");
    }
}

/// What a base says that the tests of chains over it need.
fn facts(distribution: Option<&str>) -> BaseFacts {
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let config = RuntimeConfig {
        user: "1000:1000".to_owned(),
        env: ["PATH=/opt/bin:/usr/bin", "odd.name=1", "LANG=C", "LANG=en"].map(str::to_owned).to_vec(),
        entrypoint: words(&["/entry"]),
        cmd: words(&["run"]),
        exposed_ports: ["80/tcp".to_owned()].into(),
        working_dir: "/srv".to_owned(),
        labels: BTreeMap::from([
            ("org.opencontainers.image.title".to_owned(), "base".to_owned()),
            ("a".to_owned(), "base".to_owned()),
            ("b".to_owned(), "base".to_owned()),
        ]),
        stop_signal: "15".to_owned(),
        healthcheck: Some(crate::oci::Healthcheck { test: vec!["NONE".to_owned()], ..Default::default() }),
        ..RuntimeConfig::default()
    };
    BaseFacts {
        config,
        distribution: distribution.map(|text| text.parse().expect("a distribution")),
        mirrors: Some((vec!["http://mirror.example/ubuntu".parse().expect("a URL")], Vec::new())),
    }
}

/// The image `name`, over a base of that distribution.
fn over_base(rest: &str, name: &str, distribution: Option<&str>) -> ResolvedImage {
    let manifest = parse(&format!("{}{rest}", super::PRELUDE));
    let base = manifest.resolve(name).expect("there").base.clone().expect("a base");
    let mut resolved = manifest.resolved_over(&Bases::from([(base.reference, facts(distribution))]));
    resolved.remove(name).expect("there")
}

#[test]
fn a_base_of_a_registry_is_merged_as_a_parent_is() {
    let text = r#"
[images.a]
from = "ghcr.io/example/base:1"
labels = { a = "own" }
cmd = ["other"]
[images.a.env]
PATH = { prepend = ["/own/bin"] }
NEW = "x"
[images.b]
from = "a"
entrypoint = ["/b"]
healthcheck = false
user = { name = "u", uid = 1000 }
"#;
    let (a, b) = (over_base(text, "a", None), over_base(text, "b", None));
    assert_eq!((a.parents.len(), b.parents.len()), (0, 1));
    assert_eq!((&a.debian, &b.debian), (&None, &None));
    let workspace = parse(super::PRELUDE).workspace().clone();
    let config = |image: &ResolvedImage| {
        crate::image::image_config(image, &workspace, Platform::LinuxAmd64, Timestamp(0), &[]).config
    };
    let (a, b) = (config(&a), config(&b));
    assert_eq!(a.env, ["PATH=/own/bin:/opt/bin:/usr/bin", "odd.name=1", "LANG=en", "NEW=x"]);
    assert_eq!(
        (a.entrypoint.as_deref(), a.cmd.as_deref()),
        (Some(&["/entry".to_owned()][..]), Some(&["other".to_owned()][..]))
    );
    assert_eq!((b.entrypoint.as_deref(), b.cmd), (Some(&["/b".to_owned()][..]), None));
    assert_eq!((a.user.as_str(), b.user.as_str()), ("1000:1000", "u"));
    assert_eq!((a.working_dir.as_str(), a.stop_signal.as_str()), ("/srv", "15"));
    assert_eq!((a.healthcheck.is_some(), b.healthcheck.is_some()), (true, false));
    let labels: Vec<_> = a.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(labels, ["a=own", "b=base", "org.opencontainers.image.title=a"]);
    assert_eq!(a.exposed_ports, ["80/tcp".to_owned()].into());
}

#[test]
fn packages_on_a_base_come_from_its_own_archive() {
    let text = r#"
[debian.repositories.docker]
url = "https://download.example.org/debian"
key = "keys/docker.asc"
packages = ["docker-*"]
[images.a]
from = "ghcr.io/example/base:1"
packages = ["jq"]
[images.a.debian]
components = ["main", "universe"]
"#;
    let source = |distribution| over_base(text, "a", distribution).debian;
    assert_eq!(source(None), None);
    assert_eq!(source(Some("debian")), None, "it has no suite");
    let debian = source(Some("debian bookworm")).expect("an archive");
    assert_eq!((debian.suite.as_str(), debian.distribution, debian.mirrors), ("bookworm", None, None));
    let suites: Vec<_> = debian.repositories.values().map(|one| one.suite.as_str()).collect();
    assert_eq!(suites, ["bookworm"]);
    let ubuntu = source(Some("ubuntu noble")).expect("an archive");
    assert_eq!((ubuntu.suite.as_str(), ubuntu.distribution.as_deref()), ("noble", Some("ubuntu")));
    assert_eq!(ubuntu.repositories.len(), 0, "a repository for Debian is none for Ubuntu");
    assert_eq!(ubuntu.components.len(), 2);
}

#[test]
fn the_lock_depends_on_the_base() {
    let inputs = |from: &str| crate::lockfile::lock_inputs(&image(&format!("[images.a]\nfrom = \"{from}\""), "a"));
    assert_eq!(inputs("debian:13"), inputs("docker.io/library/debian:13"));
    assert_ne!(inputs("debian:13"), inputs("debian:12"));
}
