//! Two store paths, caches that have them, and a store to fetch them into.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use plywood::http::Patience;
use plywood::http::netrc::Netrc;
use plywood::nix::{LocalStore, NixError, Sources, SourcesConfig, WantedPath};
use plywood_core::nix::store_item_id;
use plywood_oci::codec::Codec;
use plywood_oci::store::Store;
use plywood_testkit::substituter::test_key;
use plywood_testkit::{Recorded, StoreNode, TestPath};
pub(crate) use plywood_testkit::{chain, files_below, noise};

/// A library of half a megabyte.
pub(crate) fn library() -> TestPath {
    let lib = StoreNode::directory([("libx.so.1", StoreNode::file(noise(500_000)))]);
    TestPath::new("libx-1.0", StoreNode::directory([("lib", lib)]), &[])
}

/// A program with everything that a store path can hold.
pub(crate) fn program(library: &TestPath) -> TestPath {
    let entries = vec![
        (b"\xff not UTF-8".to_vec(), StoreNode::file("x")),
        (b"bin".to_vec(), StoreNode::directory([("x", StoreNode::program("#!/bin/sh\n"))])),
        (b"empty".to_vec(), StoreNode::file("")),
        (b"lib".to_vec(), StoreNode::symlink(&library.path.absolute())),
        (b"none".to_vec(), StoreNode::directory([])),
    ];
    let mut entries = entries;
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    TestPath::new("x-1.0", StoreNode::Directory(entries), &[library])
}

pub(crate) struct Fixture {
    pub(crate) cache: Utf8PathBuf,
    pub(crate) events: Recorded,
    folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Utf8Path::from_path(folder.path()).expect("UTF-8").join("cache");
        drop(Store::open(&cache).expect("a store"));
        Self { cache, events: Recorded::default(), folder }
    }

    /// A folder besides the cache.
    pub(crate) fn beside(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Caches in order, no local store, little patience.
    pub(crate) fn config(&self, urls: &[&str]) -> SourcesConfig {
        SourcesConfig {
            local: None,
            substituters: urls.iter().map(|url| url.parse().expect("a cache")).collect(),
            trusted_keys: [test_key("test-1").public()].into_iter().collect(),
            netrc: Netrc::default(),
            patience: Patience {
                connect: Duration::from_secs(5),
                stall: Duration::from_millis(300),
                attempts: 2,
                backoff: Duration::from_millis(5),
                longest_pause: Duration::from_millis(20),
                parallel: 4,
            },
            cache: self.cache.clone(),
        }
    }

    /// The local store below a folder, and caches.
    pub(crate) fn config_with_local(&self, root: &Path, urls: &[&str]) -> SourcesConfig {
        let root = Utf8Path::from_path(root).expect("UTF-8");
        SourcesConfig { local: Some(LocalStore::below(root)), ..self.config(urls) }
    }

    pub(crate) fn fetch(&self, config: SourcesConfig, paths: &[&TestPath]) -> Result<(), NixError> {
        let wanted: Vec<WantedPath> = paths.iter().map(|path| wanted(path)).collect();
        self.fetch_wanted(config, &wanted)
    }

    pub(crate) fn fetch_wanted(&self, config: SourcesConfig, wanted: &[WantedPath]) -> Result<(), NixError> {
        let store = Store::open(&self.cache).expect("a store");
        let sources = Sources::new(config, &self.events).expect("sources");
        sources.fetch_all(&store, wanted, Codec::ZSTD, NonZeroUsize::new(2).expect("two"))
    }

    /// Every file of plywood's cache with its bytes.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files_below(self.cache.as_std_path())
    }

    /// The segment's file of a path.
    pub(crate) fn segment(&self, path: &TestPath) -> Vec<u8> {
        let store = Store::open(&self.cache).expect("a store");
        let item = store_item_id(&path.path, path.nar_hash());
        let segment = store.segment(item, Codec::ZSTD).expect("readable").expect("a segment");
        std::fs::read(segment.path()).expect("readable")
    }
}

pub(crate) fn wanted(path: &TestPath) -> WantedPath {
    WantedPath {
        path: path.path.clone(),
        nar_hash: path.nar_hash(),
        nar_size: path.nar.len() as u64,
        references: path.references.clone(),
    }
}
