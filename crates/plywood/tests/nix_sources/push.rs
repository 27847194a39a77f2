//! Pushing to a binary cache, without a real Nix.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use plywood::Error;
use plywood::nix::StandInSources;
use plywood::nix::push::{PushError, PushOptions, PushReport, push};
use plywood::workspace::Workspace;
use plywood_core::nix::{NarInfo, StorePath, TrustedPublicKeys};
use plywood_testkit::substituter::test_key_text;
use plywood_testkit::{StoreNode, TestPath, TestSubstituter, WritableCache};

use super::fixture::{Fixture, files_below, library, program};
use super::local::LocalRoot;

struct Lab {
    fixture: Fixture,
    local: LocalRoot,
    paths: Vec<TestPath>,
}

impl Lab {
    /// A local store with a library, a program, and another that needs both.
    fn new() -> Self {
        let (fixture, library) = (Fixture::new(), library());
        let program = program(&library);
        let top = TestPath::new("top", StoreNode::symlink(&program.path.absolute()), &[&program, &library]);
        let local = LocalRoot::new(&fixture, &[&library, &program, &top]);
        fs::write(fixture.beside("secret"), test_key_text("team-1")).expect("written");
        Self { fixture, local, paths: vec![library, program, top] }
    }

    fn push(&self, to: &str, substituters: &[&str], options: PushOptions) -> Result<PushReport, Error> {
        let config = self.fixture.config(substituters);
        let stand_in = StandInSources {
            substituters: config.substituters,
            trusted_keys: config.trusted_keys,
            local: Some(Utf8PathBuf::from_path_buf(self.local.root.clone()).expect("UTF-8")),
            patience: config.patience,
        };
        let directory = Utf8PathBuf::from_path_buf(self.fixture.beside("nowhere")).expect("UTF-8");
        let workspace = Workspace::new(directory, self.fixture.cache.clone()).with_sources(stand_in);
        let key_file = Utf8PathBuf::from_path_buf(self.fixture.beside("secret")).expect("UTF-8");
        let what = vec![self.paths[2].path.absolute()];
        let options = PushOptions { to: Some(to.to_owned()), key_file: Some(key_file), what, ..options };
        push(&options, &workspace, &self.fixture.events)
    }
}

/// Every narinfo of a cache, with its signature and NAR checked.
fn checked(files: &BTreeMap<String, Vec<u8>>, key: &str) -> BTreeMap<StorePath, NarInfo> {
    let keys: TrustedPublicKeys = [key.parse().expect("a key")].into_iter().collect();
    let infos = files.iter().filter(|(name, _)| name.ends_with(".narinfo")).map(|(_, bytes)| {
        let info = NarInfo::parse(bytes).expect("a narinfo");
        info.verify(&keys).expect("signed");
        assert!(files.contains_key(info.url.as_str()), "{} has no NAR", info.store_path);
        (info.store_path.clone(), info)
    });
    infos.collect()
}

#[test]
fn a_folder_becomes_a_cache_that_can_be_fetched_from() {
    for compression in ["zstd", "xz", "none"] {
        let lab = Lab::new();
        let folder = lab.fixture.beside("pushed");
        let url = format!("file://{}", folder.display());
        let report = lab.push(&format!("{url}?compression={compression}"), &[], PushOptions::default());
        let report = report.expect("pushed");
        assert_eq!((report.copied.len(), report.present, report.elsewhere), (3, 0, 0));
        let files = files_below(&folder);
        assert_eq!(checked(&files, &report.public_key).len(), 3);
        assert!(files.keys().all(|name| !name.contains(".plywood-")), "{:?}", files.keys());

        let fixture = Fixture::new();
        let mut config = fixture.config(&[&url]);
        config.trusted_keys = [report.public_key.parse().expect("a key")].into_iter().collect();
        fixture.fetch(config, &lab.paths.iter().collect::<Vec<_>>()).expect("fetched");

        let again = lab.push(&url, &[], PushOptions::default()).expect("nothing to do");
        assert_eq!((again.copied.len(), again.present), (0, 3));
        assert!(files_below(&folder) == files, "pushing again changed something");
    }
}

#[test]
fn a_server_gets_references_first_and_nars_before_narinfos() {
    let lab = Lab::new();
    let cache = WritableCache::start(None);
    let options = PushOptions { jobs: NonZeroUsize::new(3), ..PushOptions::default() };
    let report = lab.push(&cache.url(), &[], options).expect("pushed");
    assert_eq!(checked(&cache.files(), &report.public_key).len(), 3);
    let puts: Vec<String> = cache.requests().into_iter().filter(|r| r.method == "PUT").map(|r| r.path).collect();
    assert_eq!(puts.first().map(String::as_str), Some("/nix-cache-info"));
    let at = |name: &str| puts.iter().position(|path| path.trim_start_matches('/') == name).expect("put");
    let infos = checked(&cache.files(), &report.public_key);
    for path in &lab.paths {
        let own = at(&format!("{}.narinfo", path.path.hash_part()));
        assert!(at(infos[&path.path].url.as_str()) < own, "{} before its NAR", path.path);
        for reference in &path.references {
            assert!(at(&format!("{}.narinfo", reference.hash_part())) < own, "{} before {reference}", path.path);
        }
    }
}

#[test]
fn what_another_cache_has_stays_there_unless_all_is_asked_for() {
    for (all, copied, elsewhere) in [(false, 2, 1), (true, 3, 0)] {
        let lab = Lab::new();
        let other = TestSubstituter::new([lab.paths[0].clone()]).serve();
        let url = format!("file://{}", lab.fixture.beside("pushed").display());
        let report = lab.push(&url, &[&other.url()], PushOptions { all, ..PushOptions::default() }).expect("pushed");
        assert_eq!((report.copied.len(), report.elsewhere), (copied, elsewhere));
    }
}

#[test]
fn what_cannot_be_pushed_is_said_and_leaves_no_narinfo() {
    let lab = Lab::new();
    let library = &lab.paths[0];
    let real = lab.local.real(library).join("lib/libx.so.1");
    fs::remove_file(&real).expect("removed");
    fs::write(&real, "spoiled").expect("written");
    let folder = lab.fixture.beside("pushed");
    let error = lab.push(&format!("file://{}", folder.display()), &[], PushOptions::default()).expect_err("spoiled");
    assert!(matches!(&error, Error::Push(PushError::Spoiled { path, .. }) if *path == library.path), "{error:?}");
    let names = files_below(&folder).into_keys().collect::<Vec<_>>();
    assert!(!names.iter().any(|name| name.ends_with(".narinfo") || name.contains(".plywood-")), "{names:?}");

    let cache = WritableCache::start(Some("Basic nobody"));
    let error = lab.push(&cache.url(), &[], PushOptions::default()).expect_err("refused");
    assert!(matches!(error, Error::Push(PushError::Transfer { .. })), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("netrc")));

    fs::write(lab.fixture.beside("secret"), "team-1:AAAA").expect("written");
    let error = lab.push("file:///nowhere", &[], PushOptions::default()).expect_err("no key");
    assert!(matches!(error, Error::Push(PushError::Key { .. })), "{error:?}");
}
