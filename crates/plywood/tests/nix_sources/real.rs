//! A real Nix: its stores are read, its caches fetched from, and it takes what was pushed. All in stores of the test's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use camino::Utf8PathBuf;
use plywood::http::netrc::Netrc;
use plywood::nix::push::{PushOptions, push};
use plywood::nix::{PathInfo, Sources, SourcesConfig, StandInSources, WantedPath};
use plywood::workspace::Workspace;
use plywood_core::nix::StorePath;
use plywood_testkit::{FileServer, require};

use super::fixture::{Fixture, chain, files_below, noise};

const TOOLS: [&str; 2] = ["nix", "nix-store"];
const COMPRESSIONS: [&str; 6] = ["none", "xz", "bzip2", "gzip", "zstd", "br"];

/// A store of a real Nix below a folder, with a path that needs two others.
struct RealStore {
    fixture: Fixture,
    root: PathBuf,
    home: PathBuf,
    top: StorePath,
}

impl RealStore {
    fn new() -> Self {
        let fixture = Fixture::new();
        let (root, home) = (fixture.beside("root"), fixture.beside("home"));
        fs::create_dir_all(&root).expect("made");
        let source = fixture.beside("source");
        fs::create_dir_all(source.join("bin")).expect("made");
        fs::write(source.join("bin/tool"), noise(200_000)).expect("written");
        fs::write(source.join("read me"), "plywood\n".repeat(5000)).expect("written");
        std::os::unix::fs::symlink("bin/tool", source.join("link")).expect("linked");
        // Texts refer to what they name: no builder is needed for a path with references.
        let expression = format!(
            "let source = builtins.path {{ path = {}; name = \"source\"; }};
               middle = builtins.toFile \"middle\" \"needs ${{source}}\";
             in builtins.toFile \"top\" \"needs ${{middle}} and ${{source}}\"",
            source.display()
        );
        let mut store =
            Self { fixture, root, home, top: "0000000000000000000000000000000a-x".parse().expect("a path") };
        let top = store.nix(&["eval", "--impure", "--raw", "--expr", &expression], &store.root);
        store.top = StorePath::from_absolute(top.trim()).expect("a store path");
        store
    }

    /// Runs `nix` on a store; returns what it prints.
    fn nix(&self, arguments: &[&str], store: &Path) -> String {
        let mut command = Command::new("nix");
        command.args(["--extra-experimental-features", "nix-command flakes", "--store"]).arg(store);
        self.run(command.args(arguments))
    }

    fn run(&self, command: &mut Command) -> String {
        command.args(["--option", "build-users-group", ""]).env("HOME", &self.home).env_remove("NIX_REMOTE");
        let output = command.output().expect("Nix runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {error}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn local(&self) -> SourcesConfig {
        self.fixture.config_with_local(&self.root, &[])
    }

    fn closure(&self) -> BTreeMap<StorePath, PathInfo> {
        let sources = Sources::new(self.local(), &self.fixture.events).expect("sources");
        sources.closure(std::slice::from_ref(&self.top)).unwrap_or_else(|error| panic!("{}", chain(&error)))
    }
}

/// Fetches a closure into a cache of its own; returns its files.
fn fetched(
    config: impl FnOnce(&Fixture) -> SourcesConfig,
    closure: &BTreeMap<StorePath, PathInfo>,
) -> BTreeMap<String, Vec<u8>> {
    let fixture = Fixture::new();
    let wanted: Vec<WantedPath> = closure.values().map(WantedPath::from).collect();
    let result = fixture.fetch_wanted(config(&fixture), &wanted);
    result.unwrap_or_else(|error| panic!("{}", chain(&error)));
    fixture.files()
}

#[test]
fn every_cache_that_nix_writes_gives_what_its_store_gives() {
    if !require(&TOOLS) {
        return;
    }
    let store = RealStore::new();
    let closure = store.closure();
    assert_eq!(closure.len(), 3);
    let before = files_below(&store.root);
    let local = fetched(|fixture| fixture.config_with_local(&store.root, &[]), &closure);
    assert!(files_below(&store.root) == before, "the store was written to");

    let [secret, public] = ["secret", "public"].map(|name| store.fixture.beside(name));
    let mut generate = Command::new("nix-store");
    store.run(generate.args(["--generate-binary-cache-key", "real-1"]).args([&secret, &public]));
    let public = fs::read_to_string(public).expect("a key");
    for compression in COMPRESSIONS {
        let folder = store.fixture.beside(&format!("cache-{compression}"));
        let url = format!("file://{}", folder.display());
        let target = format!("{url}?compression={compression}&secret-key={}", secret.display());
        store.nix(&["copy", "--no-check-sigs", "--to", &target, &store.top.absolute()], &store.root);
        let server = FileServer::start(files_below(&folder));
        for url in [&url, &server.url()] {
            let config = |fixture: &Fixture| SourcesConfig {
                trusted_keys: [public.trim().parse().expect("a key")].into_iter().collect(),
                ..fixture.config(&[url])
            };
            assert!(fetched(config, &closure) == local, "{compression} from {url} gives other segments");

            let fixture = Fixture::new();
            let sources = Sources::new(config(&fixture), &fixture.events).expect("sources");
            let walked = sources.closure(std::slice::from_ref(&store.top)).expect("a closure");
            for (path, info) in &closure {
                let there = &walked[path];
                assert_eq!((there.nar_hash, &there.references), (info.nar_hash, &info.references), "{path}");
                assert_eq!(there.content_address, info.content_address, "{path}");
            }
        }
    }
}

#[test]
fn nix_says_the_same_of_its_store() {
    if !require(&TOOLS) {
        return;
    }
    let store = RealStore::new();
    for info in store.closure().values() {
        let query = |what: &str| {
            let mut command = Command::new("nix-store");
            store.run(command.arg("--store").arg(&store.root).args(["-q", what, &info.path.absolute()]))
        };
        assert_eq!(query("--hash").trim(), info.nar_hash.to_nix());
        assert_eq!(query("--size").trim(), info.nar_size.to_string());
        let references: Vec<String> = info.references.iter().map(StorePath::absolute).collect();
        let mut expect: Vec<String> = query("--references").lines().map(str::to_owned).collect();
        expect.sort();
        assert_eq!(references, expect);
    }
}

#[test]
fn nix_takes_what_was_pushed() {
    if !require(&TOOLS) {
        return;
    }
    let store = RealStore::new();
    let [secret, public] = ["secret", "public"].map(|name| store.fixture.beside(name));
    let mut generate = Command::new("nix-store");
    store.run(generate.args(["--generate-binary-cache-key", "team-1"]).args([&secret, &public]));
    for compression in ["zstd", "xz", "none"] {
        let folder = store.fixture.beside(&format!("pushed-{compression}"));
        let url = format!("file://{}", folder.display());
        let config = store.local();
        let stand_in = StandInSources {
            substituters: Vec::new(),
            trusted_keys: config.trusted_keys,
            local: Some(Utf8PathBuf::from_path_buf(store.root.clone()).expect("UTF-8")),
            patience: config.patience,
        };
        let nowhere = Utf8PathBuf::from_path_buf(store.fixture.beside("nowhere")).expect("UTF-8");
        let workspace = Workspace::new(nowhere, store.fixture.cache.clone()).with_sources(stand_in);
        let options = PushOptions {
            to: Some(format!("{url}?compression={compression}")),
            what: vec![store.top.absolute()],
            key_file: Some(Utf8PathBuf::from_path_buf(secret.clone()).expect("UTF-8")),
            ..PushOptions::default()
        };
        let report = push(&options, &workspace, &store.fixture.events).expect("pushed");
        assert_eq!(report.public_key, fs::read_to_string(&public).expect("a key").trim());
        assert_eq!(report.copied.len(), 3);

        // Nothing but the signature makes Nix believe these.
        let trust = ["--option", "trusted-public-keys", &report.public_key, "--option", "require-sigs", "true"];
        let copied = store.fixture.beside(&format!("copied-{compression}"));
        store.nix(&[&["copy", "--from", &url, &store.top.absolute()], trust.as_slice()].concat(), &copied);
        store.nix(&["store", "verify", "--all", "--sigs-needed", "1", trust[0], trust[1], trust[2]], &copied);

        let realised = store.fixture.beside(&format!("realised-{compression}"));
        let mut command = Command::new("nix-store");
        command.arg("--store").arg(&realised).args([
            "--realise",
            &store.top.absolute(),
            "--option",
            "substituters",
            &url,
        ]);
        store.run(command.args(trust));
        let top = |root: &Path| fs::read(root.join("nix/store").join(store.top.as_str())).expect("a text");
        assert_eq!(top(&realised), top(&store.root));
    }
}

#[test]
fn a_server_that_wants_to_know_who_asks() {
    if !require(&TOOLS) {
        return;
    }
    let store = RealStore::new();
    let [secret, public] = ["secret", "public"].map(|name| store.fixture.beside(name));
    let mut generate = Command::new("nix-store");
    store.run(generate.args(["--generate-binary-cache-key", "real-1"]).args([&secret, &public]));
    let folder = store.fixture.beside("cache");
    let target = format!("file://{}?secret-key={}", folder.display(), secret.display());
    store.nix(&["copy", "--no-check-sigs", "--to", &target, &store.top.absolute()], &store.root);
    let server = FileServer::start(files_below(&folder));
    server.demand("Basic YW5uYTpzZXNhbWU=");
    let public = fs::read_to_string(public).expect("a key");
    let config = |fixture: &Fixture| SourcesConfig {
        trusted_keys: [public.trim().parse().expect("a key")].into_iter().collect(),
        netrc: Netrc::parse("machine 127.0.0.1 login anna password sesame"),
        ..fixture.config(&[&server.url()])
    };
    fetched(config, &store.closure());
}
