//! The provenance of a small image.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::*;
use crate::attest::{KeyAlgorithm, PrivateKey};
use crate::digest::{Digest, FileHash, NarHash};
use crate::lockfile::{
    LockedBase, LockedFlake, LockedImage, LockedNix, LockedNixPlatform, LockedPackage, LockedPlatform, LockedRelease,
    LockedRoot, LockedSet, LockedStorePath, Lockfile, PackageAbout, PackageUse,
};
use crate::manifest::{BaseFacts, BaseReference, Manifest};
use crate::nix::{StoreHash, StorePath};
use crate::oci::{RuntimeConfig, Timestamp};
use crate::platform::Platform;

const MANIFEST: &str = "\
[workspace]
name = \"w\"
[debian]
suite = \"trixie\"
[images.base]
packages = [\"git\"]
";

fn package(platform: Platform, repository: &str, name: &str, version: &str, all: bool) -> LockedPackage {
    let architecture = if all { "all" } else { platform.architecture() };
    LockedPackage {
        name: name.parse().expect("a name"),
        version: version.parse().expect("a version"),
        any_architecture: all,
        repository: repository.parse().expect("a label"),
        path: format!("pool/main/{name}_{architecture}.deb").parse().expect("a path"),
        size: 1000,
        installed_size: 3,
        source: name.parse().expect("a name"),
        source_version: version.parse().expect("a version"),
        sha256: FileHash::of(format!("{name} {version} {architecture}").as_bytes()),
    }
}

fn release(repository: &str, suite: &str) -> LockedRelease {
    LockedRelease {
        repository: repository.parse().expect("a label"),
        suite: suite.parse().expect("a suite"),
        date: Timestamp(1_795_000_000),
        sha256: FileHash::of(suite.as_bytes()),
    }
}

fn lock() -> Lockfile {
    let mut lock = Lockfile { date: Timestamp(1_795_420_800), ..Lockfile::default() };
    let releases =
        [("debian", "trixie"), ("security", "trixie-security"), ("debian", "bookworm"), ("docker", "trixie")];
    lock.releases = releases.map(|(repository, suite)| release(repository, suite)).to_vec();
    let mut platforms = BTreeMap::new();
    for platform in Platform::ALL {
        let packages = [
            package(platform, "security", "git", "1:2.47.3-0+deb13u1", false),
            package(platform, "debian", "netbase", "6.5", true),
        ];
        let mut locked = LockedPlatform::default();
        for package in packages {
            let package = lock.add_package(platform, package).expect("no contradiction");
            locked.packages.push(PackageUse { package, requested: true });
        }
        platforms.insert(platform, locked);
    }
    lock.images.insert("base".parse().expect("a name"), LockedImage { inputs: Digest::of(b"inputs"), platforms });
    lock
}

fn with_materials<T>(lock: &Lockfile, take: impl FnOnce(Materials<'_>) -> T) -> T {
    let manifest = Manifest::parse(MANIFEST).expect("a manifest");
    let source = Source {
        repository: Some("https://example.com/team/infra".to_owned()),
        commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        directory: "infra".to_owned(),
        dirty: false,
    };
    take(Materials {
        image: manifest.resolve("base").expect("it is there"),
        platforms: &Platform::ALL,
        manifest: manifest.digest(),
        lock,
        lock_digest: Digest::of(lock.to_text().as_bytes()),
        created: lock.date,
        source: &source,
    })
}

fn provenance() -> Provenance {
    let program = InternalParameters { plywood: "0.1.0".to_owned(), program: "0123".to_owned() };
    let builder = Builder { id: "https://example.com/workflow".to_owned() };
    with_materials(&lock(), |materials| {
        Provenance::new(materials, program, builder, Some("https://example.com/run/1".to_owned()))
    })
}

#[test]
fn it_is_as_others_read_it() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&provenance()).expect("JSON"));
}

#[test]
fn it_survives_text() {
    let provenance = provenance();
    let json = serde_json::to_string(&provenance).expect("JSON");
    let read = Provenance::parse(&json).expect("a provenance");
    assert_eq!(read, provenance);
    assert_eq!(read.commit(), Some("0123456789abcdef0123456789abcdef01234567"));
    assert_eq!(read.lock(), Some(Digest::of(lock().to_text().as_bytes())));
    assert_eq!((read.image(), read.is_dirty()), ("base", false));
    assert!(Provenance::parse(&json.replace(BUILD_TYPE, "https://example.com/make")).is_err());
}

#[test]
fn another_commit_and_run_say_the_same() {
    let (told, mut other) = (provenance(), provenance());
    other.run_details.metadata.invocation_id = None;
    other.build_definition.resolved_dependencies.remove(0);
    assert!(told.says_the_same(&other));
    let key = |seed| PrivateKey::from_random(KeyAlgorithm::EcdsaP256, &Zeroizing::new([seed; 32])).expect("a key");
    let mark = told.mark(Digest::of(b"image"), &key(1));
    assert_eq!(other.mark(Digest::of(b"image"), &key(1)), mark);
    assert_ne!(other.mark(Digest::of(b"other"), &key(1)), mark);
    assert_ne!(other.mark(Digest::of(b"image"), &key(2)), mark);
    other.build_definition.resolved_dependencies.remove(0);
    assert!(!told.says_the_same(&other));
    assert_ne!(other.mark(Digest::of(b"image"), &key(1)), mark);
}

#[test]
fn another_lock_is_told_by_what_changed() {
    let changes = |lock: &Lockfile| {
        let told = with_materials(lock, |here| provenance().changes(here));
        told.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(changes(&lock()), [""; 0]);
    let mut other = lock();
    let packages = other.packages.get_mut(&Platform::LinuxAmd64).expect("amd64");
    packages.values_mut().for_each(|package| package.sha256 = FileHash::of(b"planted"));
    other.releases.remove(0);
    assert_eq!(
        changes(&other),
        [
            "debian trixie InRelease is not in the lock here",
            "pkg:deb/debian/git@1:2.47.3-0%2Bdeb13u1?arch=amd64&distro=trixie is another here",
            "plywood.lock is another here",
        ]
    );
}

#[test]
fn store_paths_are_materials_with_their_closures() {
    let name = |name: &str| {
        let hash: [u8; 20] = Digest::of(name.as_bytes()).hash().as_bytes()[..20].try_into().expect("20 bytes");
        StorePath::new(StoreHash::from_bytes(hash), name).expect("a name")
    };
    let locked = |text: &str, references: &[&str]| {
        let locked = LockedStorePath {
            nar_hash: NarHash::of(text.as_bytes()),
            nar_size: 1,
            references: references.iter().map(|text| name(text)).collect(),
            deriver: None,
            pname: None,
            version: None,
            local: false,
            about: PackageAbout::default(),
        };
        (name(text), locked)
    };
    let root = LockedRoot { path: name("hello-2.12"), attribute: "hello".into(), output: "out".into(), priority: 5 };
    let set = LockedSet { inputs: Digest::of(b"inputs"), roots: vec![root] };
    let platform = LockedNixPlatform {
        paths: [locked("hello-2.12", &["glibc-2.40"]), locked("glibc-2.40", &[]), locked("other-1", &[])].into(),
        sets: [("tools".parse().expect("a name"), set)].into(),
        ..LockedNixPlatform::default()
    };
    let flake = LockedFlake { flake_lock: FileHash::of(b"flake.lock"), ..LockedFlake::default() };
    let nix = LockedNix { flake, platforms: [(Platform::LinuxAmd64, platform)].into() };
    let lock = Lockfile { nix: Some(nix), ..Lockfile::default() };
    let text = "[workspace]\nname = \"w\"\n[sets.tools]\npackages = [\"hello\"]\n[images.base]\ndebian = false\nsets = [\"tools\"]\n";
    let manifest = Manifest::parse(text).expect("a manifest");
    let materials = materials(Materials {
        image: manifest.resolve("base").expect("it is there"),
        platforms: &Platform::ALL,
        manifest: manifest.digest(),
        lock: &lock,
        lock_digest: Digest::of(b"lock"),
        created: lock.date,
        source: &Source::default(),
    });
    let told: Vec<String> = materials.iter().map(|it| format!("{} {} {:?}", it.name, it.uri, it.digest)).collect();
    assert_eq!(told.len(), 5, "{told:#?}");
    assert!(told[2].starts_with("flake.lock "), "{told:#?}");
    let glibc = name("glibc-2.40");
    let expect = format!(
        "/nix/store/{glibc} pkg:nix/glibc@2.40?path={glibc} {{\"narHash\": \"{}\"}}",
        NarHash::of(b"glibc-2.40").to_sri()
    );
    assert_eq!(told[3], expect);
}

fn locked_base(content: &[u8]) -> LockedBase {
    LockedBase {
        manifest: Digest::of(content),
        config: Digest::of(b"config"),
        config_size: 6,
        created: None,
        distribution: Some("ubuntu noble".parse().expect("a distribution")),
        runtime: RuntimeConfig::default(),
        layers: Vec::new(),
    }
}

#[test]
fn a_base_and_its_distribution_are_materials() {
    let check = |from: &str, expect: &str| {
        let text = format!("[workspace]\nname = \"w\"\n[images.base]\nfrom = \"{from}\"\npackages = [\"git\"]\n");
        let manifest = Manifest::parse(&text).expect("a manifest");
        let reference: BaseReference = from.parse().expect("a reference");
        let locked = locked_base(b"manifest");
        let facts = BaseFacts { distribution: locked.distribution.clone(), ..BaseFacts::default() };
        let resolved = manifest.resolved_over(&[(reference.clone(), facts)].into());
        let mut lock = lock();
        lock.bases.insert(reference, [(Platform::LinuxAmd64, locked)].into());
        lock.releases = ["ubuntu noble", "ubuntu-security noble-security", "debian trixie", "ubuntu jammy"]
            .map(|text| text.split_once(' ').expect("two words"))
            .map(|(repository, suite)| release(repository, suite))
            .to_vec();
        for package in lock.packages.values_mut().flat_map(|packages| packages.values_mut()) {
            let label = if package.repository.as_str() == "security" { "ubuntu-security" } else { "ubuntu" };
            package.repository = label.parse().expect("a label");
        }
        let materials = Materials {
            image: resolved.get("base").expect("it is there"),
            platforms: &[Platform::LinuxAmd64],
            manifest: manifest.digest(),
            lock: &lock,
            lock_digest: Digest::of(b"lock"),
            created: lock.date,
            source: &Source::default(),
        };
        let provenance = Provenance::new(materials, InternalParameters::default(), Builder { id: String::new() }, None);
        assert_eq!(provenance.bases().collect::<Vec<_>>(), [(from, Digest::of(b"manifest"))]);
        let told: Vec<&str> = provenance.build_definition.resolved_dependencies[2..]
            .iter()
            .map(|it| if it.uri.is_empty() { it.name.as_str() } else { it.uri.as_str() })
            .collect();
        let digest = Digest::of(b"manifest");
        let expect = [
            &*expect.replace("DIGEST", &digest.to_string()),
            "ubuntu noble InRelease",
            "ubuntu-security noble-security InRelease",
            "pkg:deb/ubuntu/git@1:2.47.3-0%2Bdeb13u1?arch=amd64&distro=noble",
            "pkg:deb/ubuntu/netbase@6.5?arch=all&distro=noble",
        ];
        assert_eq!(told, expect);
    };
    check("ghcr.io/team/fips:24.04", "pkg:oci/fips@DIGEST?arch=amd64&repository_url=ghcr.io%2Fteam%2Ffips&tag=24.04");
    check("oci:images/fips", "pkg:oci/fips@DIGEST?arch=amd64");
}
