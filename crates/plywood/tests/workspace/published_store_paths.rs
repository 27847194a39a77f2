//! Pushing images with store paths from an empty cache: what is fetched, what is uploaded.

use std::collections::{BTreeMap, BTreeSet};

use plywood::nix::StandInSources;
use plywood::publish::{PushOptions, PushReport, push};
use plywood::workspace::Workspace;
use plywood_core::digest::Digest;
use plywood_core::image::nix::{platform_keys, store_path_item};
use plywood_core::layering::LayoutLayer;
use plywood_core::lockfile::{
    LockedFlake, LockedNix, LockedNixPlatform, LockedRoot, LockedSet, LockedShell, Lockfile, lock_inputs, set_inputs,
    shell_inputs,
};
use plywood_core::manifest::Manifest;
use plywood_oci::registry::{ClientConfig, RegistryClient};
use plywood_testkit::docker_registry::Access;
use plywood_testkit::substituter::test_key;
use plywood_testkit::{DockerRegistry, FileServer, StoreNode, TestPath, TestSubstituter, require};

use crate::fixture::{Fixture, PLATFORM, chain, package};

const IMAGES: &str = "[sets.tools]\npackages = [\"tool\"]\n[shells.work]\nsets = [\"tools\"]\n\
    [images.run]\npackages = [\"system\"]\nsets = [\"tools\"]\nfiles = { \"/etc/motd\" = { text = \"first\" } }\n\
    [images.dev]\nfrom = \"run\"\nshell = \"work\"\nuser = { name = \"dev\", shell = \"/usr/bin/bash\" }\n";

/// The store paths of the images, by name.
struct Paths {
    /// Nothing of the profile leads there.
    data: TestPath,
    /// Links of the tool lead there.
    library: TestPath,
    tool: TestPath,
    /// What made the tool: for `nix develop` without a network alone.
    derivation: TestPath,
}

impl Paths {
    fn new(version: &str) -> Self {
        let data = TestPath::new("data-1", StoreNode::file(vec![7; 200_000]), &[]);
        let content = StoreNode::directory([("x.so", StoreNode::file(vec![8; 100_000]))]);
        let library = TestPath::new("libx-1", StoreNode::directory([("lib", content)]), &[&data]);
        let tool = StoreNode::directory([
            ("bin", StoreNode::directory([("tool", StoreNode::program(format!("#!/bin/sh\necho {version}\n")))])),
            ("lib", StoreNode::symlink(&format!("{}/lib", library.path.absolute()))),
        ]);
        let tool = TestPath::new("tool-1", tool, &[&library]);
        // Its output is that of another version: what it says is not looked at here.
        let output = format!("(\"out\",\"{}\",\"\",\"\")", library.path.absolute());
        let text = format!(
            "Derive([{output}],[],[],\"x86_64-linux\",\"/bin/sh\",[],[(\"out\",\"{}\")])",
            library.path.absolute()
        );
        let derivation = TestPath::new("tool-1.drv", StoreNode::file(text), &[]);
        Self { data, library, tool, derivation }
    }

    fn all(&self) -> [&TestPath; 4] {
        [&self.data, &self.library, &self.tool, &self.derivation]
    }

    fn nix(&self, manifest: &Manifest) -> LockedNix {
        let root = LockedRoot {
            path: self.tool.path.clone(),
            attribute: "tool".to_owned(),
            output: "out".to_owned(),
            priority: 5,
        };
        let (set, shell) = (manifest.sets().next().expect("a set"), manifest.shells().next().expect("a shell"));
        let locked_shell = LockedShell {
            inputs: shell_inputs(manifest, shell.1),
            roots: vec![root.clone()],
            environment: BTreeSet::new(),
            env: BTreeMap::from([("TOOL".to_owned(), "1".to_owned())]),
            hook: String::new(),
            develop: BTreeSet::from([self.derivation.path.clone()]),
        };
        let platform = LockedNixPlatform {
            paths: self.all().iter().map(|path| (path.path.clone(), path.locked())).collect(),
            sets: BTreeMap::from([(set.0.clone(), LockedSet { inputs: set_inputs(set.1), roots: vec![root] })]),
            shells: BTreeMap::from([(shell.0.clone(), locked_shell)]),
        };
        LockedNix { flake: LockedFlake::default(), platforms: [(PLATFORM, platform)].into() }
    }
}

/// A workspace that is locked, a registry, and a binary cache.
struct Lab {
    fixture: Fixture,
    registry: DockerRegistry,
    cache: FileServer,
}

impl Lab {
    fn new() -> Self {
        let os_release = "ID=debian\nVERSION_CODENAME=trixie\n";
        let system = package("system", "1").file("./etc/os-release", 0o644, os_release);
        let system = system.file("./usr/bin/bash", 0o755, "").build();
        // What Nix would evaluate is written into the lock afterwards.
        let plain = "[images.run]\npackages = [\"system\"]\n[images.dev]\nfrom = \"run\"\n";
        let fixture = Fixture::new(plain, [system]);
        fixture.lock(&Default::default()).unwrap_or_else(|error| panic!("{}", chain(&error)));
        let paths = Paths::new("1");
        let cache = TestSubstituter::new(paths.all().map(TestPath::clone)).serve();
        let lab = Self { fixture, registry: DockerRegistry::start(), cache };
        lab.lock(IMAGES, &paths);
        lab
    }

    /// Writes the manifest, and these paths into the lock: each in a layer of its own.
    fn lock(&self, images: &str, paths: &Paths) {
        self.fixture.manifest(images);
        let manifest = Manifest::parse(&self.fixture.read("plywood.toml")).expect("a manifest");
        let mut lock = Lockfile::parse(&self.fixture.read("plywood.lock")).expect("a lock");
        let nix = paths.nix(&manifest);
        let locked = &nix.platforms[&PLATFORM];
        let keys = platform_keys(locked);
        let layout = lock.layouts.get_mut(&PLATFORM).expect("a layout");
        layout.layers.retain(|layer| layer.items.iter().all(|item| !item.0.starts_with("nix:")));
        for path in paths.all() {
            let images: &[&str] = if path.path.is_derivation() { &["dev"] } else { &["run", "dev"] };
            let item = store_path_item(&keys[&path.path], Default::default());
            layout.layers.push(LayoutLayer {
                images: images.iter().map(|name| (*name).to_owned()).collect(),
                items: vec![item],
            });
        }
        lock.nix = Some(nix);
        for (name, image) in &mut lock.images {
            image.inputs = lock_inputs(manifest.resolve(name.as_str()).expect("it is there"));
        }
        self.fixture.write("plywood.lock", &lock.to_text());
    }

    fn workspace(&self, cache: &str) -> Workspace {
        self.fixture.workspace(cache).with_sources(StandInSources {
            substituters: vec![self.cache.url().parse().expect("a URL")],
            trusted_keys: [test_key("test-1").public()]
                .into_iter()
                .map(|key| key.to_string().parse().expect("a key"))
                .collect(),
            local: None,
            patience: Default::default(),
        })
    }

    /// Pushes with a cache of this name; gives what was asked of the registry, and which store paths were fetched.
    fn push(&self, cache: &str) -> (PushReport, Vec<Access>, usize) {
        let options = PushOptions {
            registry: Some(format!("{}/team", self.registry.host()).parse().expect("a prefix")),
            trust_registry: true,
            locked: true,
            ..PushOptions::default()
        };
        let client = RegistryClient::new(ClientConfig::default()).expect("a client");
        let nars = || self.cache.requests().iter().filter(|request| request.path.contains("/nar/")).count();
        let (before, nars_before) = (self.registry.requests().len(), nars());
        let report = push(&options, &self.workspace(cache), &client, &self.fixture.events);
        let report = report.unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert!(!report.failed(), "{report:?}");
        (report, self.registry.requests().split_off(before), nars() - nars_before)
    }
}

fn digests(report: &PushReport) -> Vec<Option<Digest>> {
    report.images.iter().map(|image| image.digest).collect()
}

fn uploads(report: &PushReport) -> Vec<usize> {
    report.images.iter().map(|image| image.blobs.uploaded).collect()
}

fn blobs_read(requests: &[Access]) -> usize {
    requests.iter().filter(|request| request.path.contains("/blobs/") && request.method == "GET").count()
}

#[test]
fn store_paths_that_the_registry_has_are_not_fetched() {
    if !require(&["docker-registry"]) {
        return;
    }
    let lab = Lab::new();
    let (first, _, fetched) = lab.push("cache");
    assert_eq!(fetched, 4, "each once");
    // Of one: three layers of packages, three of store paths, state and configuration; of the other, what it has besides.
    let mounted: Vec<usize> = first.images.iter().map(|image| image.blobs.mounted).collect();
    assert_eq!((uploads(&first), mounted), (vec![8, 3], vec![0, 6]), "{first:?}");
    let (again, requests, fetched) = lab.push("empty");
    assert_eq!((digests(&again), blobs_read(&requests), fetched), (digests(&first), 0, 0));

    // Another file: the images' own layers are made anew. For the profile it is looked where links of the tool lead, and
    // for Nix's database into the derivation; the rest stays where it is.
    let paths = Paths::new("1");
    let changed = IMAGES.replace("first", "second");
    lab.lock(&changed, &paths);
    let (second, requests, fetched) = lab.push("another");
    assert_eq!((uploads(&second), blobs_read(&requests), fetched), (vec![2, 2], 0, 3), "{second:?}");

    // The same that a machine makes that has everything.
    let (warm, _, _) = lab.push("cache");
    assert_eq!(digests(&warm), digests(&second));

    // Another tool: its layer, once, and the images' own.
    let paths = Paths::new("2");
    let newer = TestSubstituter::new(paths.all().map(TestPath::clone)).files();
    newer.into_iter().for_each(|(path, bytes)| lab.cache.replace(&path, bytes));
    lab.lock(&changed, &paths);
    let (third, requests, fetched) = lab.push("fourth");
    assert_eq!((blobs_read(&requests), fetched), (0, 3));
    let mounted: Vec<usize> = third.images.iter().map(|image| image.blobs.mounted).collect();
    assert_eq!((uploads(&third), mounted), (vec![3, 2], vec![0, 1]), "{third:?}");
}

#[test]
fn what_is_looked_for_in_every_path_is_fetched_at_once() {
    if !require(&["docker-registry"]) {
        return;
    }
    let lab = Lab::new();
    let loader = match PLATFORM {
        plywood_core::platform::Platform::LinuxAmd64 => "ld-linux-x86-64.so.2",
        plywood_core::platform::Platform::LinuxArm64 => "ld-linux-aarch64.so.1",
    };
    let mut paths = Paths::new("1");
    let library = |name| (name, StoreNode::file("library"));
    let content = StoreNode::directory([(loader, StoreNode::program("loader")), library("libstdc++.so.6")]);
    paths.data = TestPath::new("data-1", StoreNode::directory([("lib", content)]), &[]);
    let library = paths.library.node.clone();
    paths.library = TestPath { references: [paths.data.path.clone()].into(), ..TestPath::new("libx-1", library, &[]) };
    let files = TestSubstituter::new(paths.all().map(TestPath::clone)).files();
    files.into_iter().for_each(|(path, bytes)| lab.cache.replace(&path, bytes));
    let images = IMAGES.replace("sets = [\"tools\"]\nfiles", "sets = [\"tools\"]\nnix = { loader = true }\nfiles");
    lab.lock(&images, &paths);
    let (first, _, _) = lab.push("cache");
    lab.lock(&images.replace("first", "second"), &paths);
    let (second, requests, fetched) = lab.push("empty");
    assert_eq!((uploads(&second), blobs_read(&requests), fetched), (vec![2, 2], 0, 4), "{first:?} {second:?}");
}
