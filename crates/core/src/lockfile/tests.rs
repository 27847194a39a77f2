//! Locks from values to text and back.

use proptest::prelude::*;

use super::*;
use crate::digest::{DiffId, Digest, FileHash};
use crate::item::ItemKey;
use crate::layering::LayoutLayer;
use crate::manifest::model::ScriptPolicy;
use crate::oci::{MediaType, RuntimeConfig};

fn package(name: &str, version: &str) -> LockedPackage {
    LockedPackage {
        name: name.parse().expect("a name"),
        version: version.parse().expect("a version"),
        any_architecture: false,
        repository: "debian".parse().expect("a label"),
        path: format!("pool/main/{name}/{name}_{version}_amd64.deb").parse().expect("a path"),
        size: 1000,
        installed_size: 3,
        source: name.parse().expect("a name"),
        source_version: version.parse().expect("a version"),
        sha256: FileHash::of(format!("{name} {version}").as_bytes()),
    }
}

/// A lock with one image, `base`, that has `packages` on amd64.
fn lock(packages: &[(&str, &str)]) -> Lockfile {
    let mut lock = Lockfile { date: Timestamp(1_795_420_800), ..Lockfile::default() };
    lock.releases.push(LockedRelease {
        repository: "debian".parse().expect("a label"),
        suite: "trixie".parse().expect("a suite"),
        date: Timestamp(1_795_000_000),
        sha256: FileHash::of(b"InRelease"),
    });
    let mut locked = LockedPlatform::default();
    for (index, (name, version)) in packages.iter().enumerate() {
        let package = lock.add_package(Platform::LinuxAmd64, package(name, version)).expect("no contradiction");
        locked.packages.push(PackageUse { package, requested: index == 0 });
    }
    let platforms = BTreeMap::from([(Platform::LinuxAmd64, locked)]);
    lock.images.insert("base".parse().expect("a name"), LockedImage { inputs: Digest::of(b"inputs"), platforms });
    lock
}

fn with_everything() -> Lockfile {
    let mut lock = lock(&[("git", "1:2.47.3-0+deb13u1"), ("libc6", "2.41-12")]);
    let script = LockedScript { policy: ScriptPolicy::Run, sha256: FileHash::of(b"postinst") };
    let base = lock.images.get_mut("base").and_then(|image| image.platforms.get_mut(&Platform::LinuxAmd64));
    base.expect("it is there").scripts.insert("git".parse().expect("a name"), script);
    let layer = |images: &[&str], items: &[&str]| LayoutLayer {
        images: images.iter().map(|name| (*name).to_owned()).collect(),
        items: items.iter().map(|key| ItemKey((*key).to_owned())).collect(),
    };
    let layers = vec![layer(&["base"], &["deb:libc6", "deb:git"]), layer(&["base"], &["folder:a \"b\"\\\n"])];
    lock.layouts.insert(Platform::LinuxAmd64, Layout { layers });
    let base = LockedBase {
        manifest: Digest::of(b"manifest"),
        config: Digest::of(b"config"),
        config_size: 6,
        created: Some(Timestamp(0)),
        distribution: Some("ubuntu noble".parse().expect("a distribution")),
        runtime: RuntimeConfig { env: vec!["PATH=/a \"quoted\"".to_owned()], ..RuntimeConfig::default() },
        layers: vec![LockedLayer {
            digest: Digest::of(b"layer"),
            diff_id: DiffId::of(b"tar"),
            size: 5,
            media_type: MediaType::LAYER_TAR_GZIP,
        }],
    };
    let reference = "ghcr.io/example/ubuntu-fips:24.04".parse().expect("a reference");
    lock.bases.insert(reference, BTreeMap::from([(Platform::LinuxAmd64, base)]));
    lock
}

#[test]
fn the_text_is_as_reviewers_read_it() {
    insta::assert_snapshot!(with_everything().to_text());
}

#[test]
fn a_lock_survives_text() {
    for lock in [Lockfile::default(), with_everything()] {
        assert_eq!(Lockfile::parse(&lock.to_text()), Ok(lock));
    }
}

#[test]
fn two_versions_of_one_package_stay_apart() {
    let mut lock = lock(&[("git", "1")]);
    let other = lock.add_package(Platform::LinuxAmd64, package("git", "2")).expect("another version");
    let used = LockedPlatform { packages: vec![PackageUse { package: other, requested: false }], ..Default::default() };
    let platforms = BTreeMap::from([(Platform::LinuxAmd64, used)]);
    lock.images.insert("old".parse().expect("a name"), LockedImage { inputs: Digest::of(b"old"), platforms });
    assert!(lock.to_text().contains("\"git=2\""), "{}", lock.to_text());
    assert_eq!(Lockfile::parse(&lock.to_text()), Ok(lock));
}

#[test]
fn one_version_stands_for_one_file() {
    let mut lock = lock(&[("git", "1")]);
    let other = LockedPackage { sha256: FileHash::of(b"other"), ..package("git", "1") };
    let error = lock.add_package(Platform::LinuxAmd64, other);
    assert_eq!(error, Err(LockfileProblem::Contradiction("git=1".to_owned())));
}

#[test]
fn what_no_image_has_is_removed() {
    let mut lock = with_everything();
    lock.add_package(Platform::LinuxAmd64, package("unused", "1")).expect("no contradiction");
    lock.add_package(Platform::LinuxArm64, package("unused", "1")).expect("no contradiction");
    lock.remove_unused();
    assert_eq!(lock, with_everything());
}

#[test]
fn what_is_no_lock_is_refused_with_its_line() {
    let text = with_everything().to_text();
    let libc6 = text.lines().find(|line| line.contains("libc6 2.41")).expect("it is there").to_owned();
    let check = |from: &str, to: &str, line: Option<usize>, problem: LockfileProblem| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(Lockfile::parse(&changed), Err(LockfileError { line, problem }), "{to}");
    };
    check("version = 1", "version = 2\nnew = true", Some(3), LockfileProblem::Newer { found: 2 });
    check("version = 1", "version = 0", Some(3), LockfileProblem::NoVersion);
    check("version = 1\n", "", None, LockfileProblem::NoVersion);
    check("version = 1", "<<<<<<< HEAD\nversion = 1", Some(3), LockfileProblem::Conflict);
    check("version = 1", "version = 1\nextra = 1", Some(4), LockfileProblem::UnknownKey("extra".to_owned()));
    check("date = \"2", "date = \"x", Some(4), LockfileProblem::Expected("an instant such as 2026-11-01T00:00:00Z"));
    check(
        "\"git requested\"",
        "\"got requested\"",
        Some(16),
        LockfileProblem::UnknownPackage("got requested".to_owned()),
    );
    check("\"git requested\"", "\"libc6\"", Some(17), LockfileProblem::Duplicate("libc6".to_owned()));
    let columns = || LockfileProblem::Expected("the columns of a package of this platform");
    check("libc6 2.41-12 amd64", "libc6 2.41-12 arm64", Some(27), columns());
    check("libc6 2.41-12 amd64", "libc6 2.41-12  amd64", Some(27), columns());
    check(" 1000 3 ", " 01000 3 ", Some(26), columns());
    check("pool/main/libc6/", "pool/../libc6/", Some(27), columns());
    check(&libc6, &format!("{libc6}\n{libc6}"), Some(28), LockfileProblem::Duplicate("libc6=2.41-12".to_owned()));
}

#[test]
fn every_fault_says_what_to_do() {
    for text in ["", "version = 9", "version = 1\n[", "<<<<<<< HEAD"] {
        let error = Lockfile::parse(text).expect_err("no lock");
        assert!(error.hint().is_some(), "{error:?}");
    }
}

#[test]
fn a_diff_says_what_changed() {
    let old = lock(&[("git", "1"), ("libc6", "2"), ("gone", "1")]);
    let new = lock(&[("git", "1"), ("libc6", "3"), ("jq", "1")]);
    let diff = LockDiff::between(&old, &new);
    let version = |text: &str| text.parse().expect("a version");
    let changes: Vec<_> = diff.images.values().flat_map(|image| &image.packages).collect();
    assert_eq!(
        changes,
        [
            (&"gone".parse().expect("a name"), &PackageChange::Removed { version: version("1") }),
            (&"jq".parse().expect("a name"), &PackageChange::Added { version: version("1") }),
            (&"libc6".parse().expect("a name"), &PackageChange::Changed { from: version("2"), to: version("3") }),
        ]
    );
    assert_eq!(
        diff.images.values().map(|image| (image.download, image.installed_growth)).collect::<Vec<_>>(),
        [(2000, 0)]
    );
    assert_eq!(diff.download, 2000);
    assert!(LockDiff::between(&old, &old).is_empty());
}

prop_compose! {
    fn any_package()(
        name in "[a-z0-9][a-z0-9+.-]{1,12}",
        version in "([0-9]:)?[0-9][A-Za-z0-9.+~]{0,6}(-[a-z0-9.+~]{1,4})?",
        source in proptest::option::of("[a-z0-9][a-z0-9+.-]{1,12}"),
        source_version in proptest::option::of("[0-9]{1,3}"),
        any_architecture: bool,
        size: u64,
        installed_size: u64,
    ) -> LockedPackage {
        let base = package(&name, &version);
        LockedPackage {
            source: source.map_or(base.source.clone(), |source| source.parse().expect("a name")),
            source_version: source_version.map_or(base.source_version.clone(), |version| version.parse().expect("a version")),
            path: "pool/a_1.deb".parse().expect("a path"),
            any_architecture,
            size,
            installed_size,
            ..base
        }
    }
}

prop_compose! {
    fn any_lock()(
        packages in prop::collection::vec((any_package(), any::<bool>(), any::<bool>()), 0..12),
        date in 0i64..253_402_300_799,
        layers in prop::collection::vec((prop::collection::btree_set(".{0,6}", 0..3), prop::collection::vec(".{0,8}", 0..4)), 0..4),
    ) -> Lockfile {
        let mut lock = Lockfile { date: Timestamp(date), ..Lockfile::default() };
        let mut images = [LockedPlatform::default(), LockedPlatform::default()];
        for (package, requested, second) in packages {
            let image = &mut images[usize::from(second)];
            if image.packages.iter().any(|used| used.package.name == package.name) {
                continue;
            }
            let package = lock.add_package(Platform::LinuxArm64, package).expect("the hash follows from name and version");
            image.packages.push(PackageUse { package, requested });
        }
        if !lock.packages.is_empty() {
            for (name, locked) in ["a.b", "c-d"].into_iter().zip(images) {
                let platforms = BTreeMap::from([(Platform::LinuxArm64, locked)]);
                let image = LockedImage { inputs: Digest::of(name.as_bytes()), platforms };
                lock.images.insert(name.parse().expect("a name"), image);
            }
        }
        let layers = layers.into_iter().map(|(images, items)| LayoutLayer { images, items: items.into_iter().map(ItemKey).collect() });
        lock.layouts.insert(Platform::LinuxArm64, Layout { layers: layers.collect() });
        lock
    }
}

proptest! {
    #[test]
    fn any_lock_survives_text(lock in any_lock()) {
        let text = lock.to_text();
        prop_assert_eq!(Lockfile::parse(&text), Ok(lock), "{}", text);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC*") {
        let _ = Lockfile::parse(&text);
    }

    /// A lock with one piece cut out or doubled still parses or is refused.
    #[test]
    fn any_damage_is_parsed_or_refused(from in 0usize..2000, length in 0usize..200, twice: bool) {
        let text = with_everything().to_text();
        let from = from.min(text.len());
        let to = (from + length).min(text.len());
        let (head, piece, tail) = (&text[..from], &text[from..to], &text[to..]);
        let middle = if twice { piece.repeat(2) } else { String::new() };
        let _ = Lockfile::parse(&format!("{head}{middle}{tail}"));
    }
}
