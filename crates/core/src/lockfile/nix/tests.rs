//! The Nix part of a lock from values to text and back.

use proptest::prelude::*;

use super::*;
use crate::lockfile::{Lockfile, LockfileError, LockfileProblem};
use crate::nix::StoreHash;
use crate::oci::Timestamp;

fn path(name: &str) -> StorePath {
    let digest = crate::digest::Sha256Hash::of(name.as_bytes());
    let hash: [u8; 20] = digest.as_bytes()[..20].try_into().expect("20 bytes");
    StorePath::new(StoreHash::from_bytes(hash), name).expect("a name")
}

fn flake() -> LockedFlake {
    let override_inputs = [("nixpkgs".to_owned(), "path:/a=\"b\"".to_owned())].into();
    LockedFlake { flake_lock: FileHash::of(b"flake.lock"), files: FileHash::of(b"flake.nix"), override_inputs }
}

fn locked(name: &str, references: &[&str]) -> (StorePath, LockedStorePath) {
    let locked = LockedStorePath {
        nar_hash: NarHash::of(name.as_bytes()),
        nar_size: 1000 + name.len() as u64,
        references: references.iter().map(|name| path(name)).collect(),
        deriver: None,
        pname: None,
        version: None,
        local: false,
        about: PackageAbout::default(),
    };
    (path(name), locked)
}

fn root(attribute: &str, name: &str) -> LockedRoot {
    LockedRoot { path: path(name), attribute: attribute.to_owned(), output: "out".to_owned(), priority: 5 }
}

/// A lock with one set and one shell for amd64, and an empty set for arm64.
fn lock() -> Lockfile {
    let mut amd64 = LockedNixPlatform {
        paths: BTreeMap::from([
            locked("glibc-2.40", &["glibc-2.40"]),
            locked("python3-3.12.7", &["glibc-2.40", "python3-3.12.7"]),
            locked("python3-3.12.7-env", &["python3-3.12.7"]),
            locked("source", &[]),
        ]),
        ..LockedNixPlatform::default()
    };
    let python = amd64.paths.get_mut(&path("python3-3.12.7")).expect("it is there");
    python.deriver = Some(path("python3-3.12.7.drv"));
    (python.pname, python.version) = (Some("python3".to_owned()), Some("3.12.7".to_owned()));
    python.about = PackageAbout {
        licences: vec!["Python-2.0".to_owned(), "MIT".to_owned()],
        homepage: Some("https://www.python.org".to_owned()),
        patches: vec!["CVE-2026-1.patch".to_owned()],
    };
    amd64.paths.get_mut(&path("python3-3.12.7-env")).expect("it is there").local = true;
    let inputs = Digest::of(b"inputs");
    let roots = vec![root("python312", "python3-3.12.7")];
    amd64.sets.insert("python".parse().expect("a name"), LockedSet { inputs, roots: roots.clone() });
    let shell = LockedShell {
        inputs,
        roots,
        environment: BTreeSet::from([path("python3-3.12.7-env")]),
        env: BTreeMap::from(
            [("GREETING", "a \"b\"\\\nc=d"), ("PATH", "/nix/store")].map(|(name, value)| (name.into(), value.into())),
        ),
        hook: "echo 'ready'\n".to_owned(),
        develop: BTreeSet::from([path("source")]),
    };
    amd64.shells.insert("python".parse().expect("a name"), shell);
    let mut arm64 = LockedNixPlatform::default();
    arm64.sets.insert("python".parse().expect("a name"), LockedSet { inputs, roots: Vec::new() });
    let platforms = BTreeMap::from([(Platform::LinuxAmd64, amd64), (Platform::LinuxArm64, arm64)]);
    let nix = Some(LockedNix { flake: flake(), platforms });
    Lockfile { date: Timestamp(1_795_420_800), nix, ..Lockfile::default() }
}

#[test]
fn the_text_is_as_reviewers_read_it() {
    insta::assert_snapshot!(lock().to_text());
}

#[test]
fn a_lock_survives_text() {
    assert_eq!(Lockfile::parse(&lock().to_text()), Ok(lock()));
}

#[test]
fn platforms_locked_apart_join() {
    let both = lock();
    let nix = both.nix.clone().expect("it is there");
    let only = |platform: Platform| {
        let mut nix = nix.clone();
        nix.platforms.retain(|known, _| *known == platform);
        Lockfile { nix: Some(nix), ..both.clone() }.to_text()
    };
    // What a merge of the two sides gives: the lines of one after the other.
    let (amd64, arm64) = (only(Platform::LinuxAmd64), only(Platform::LinuxArm64));
    let (_, added) = arm64.split_once("\n\n[nix.\"linux/arm64\"").expect("a set");
    assert_eq!(format!("{amd64}\n[nix.\"linux/arm64\"{added}"), both.to_text());
}

#[test]
fn what_nothing_needs_is_removed() {
    let mut lock = lock();
    let amd64 = |lock: &mut Lockfile| {
        let nix = lock.nix.as_mut().expect("it is there");
        nix.platforms.get_mut(&Platform::LinuxAmd64).expect("it is there").clone()
    };
    let before = amd64(&mut lock);
    let change = |lock: &mut Lockfile, change: fn(&mut LockedNixPlatform)| {
        let nix = lock.nix.as_mut().expect("it is there");
        change(nix.platforms.get_mut(&Platform::LinuxAmd64).expect("it is there"));
    };
    change(&mut lock, |amd64| amd64.paths.extend([locked("unused", &["glibc-2.40"])]));
    lock.remove_unused();
    assert_eq!(amd64(&mut lock), before);
    change(&mut lock, |amd64| amd64.shells.clear());
    lock.remove_unused();
    let left = amd64(&mut lock).paths.into_keys().collect::<BTreeSet<_>>();
    assert_eq!(left, BTreeSet::from([path("glibc-2.40"), path("python3-3.12.7")]));
    lock.nix.as_mut().expect("it is there").platforms.values_mut().for_each(|platform| platform.sets.clear());
    lock.remove_unused();
    assert_eq!(lock.nix, None);
}

#[test]
fn what_is_no_lock_is_refused() {
    let text = lock().to_text();
    let check = |from: &str, to: &str, problem: LockfileProblem| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let found = Lockfile::parse(&changed).map_err(|LockfileError { problem, .. }| problem);
        assert_eq!(found, Err(problem), "{to}");
    };
    let columns = || LockfileProblem::Expected("the columns of a store path");
    let glibc = path("glibc-2.40").to_string();
    check("flake-lock = \"sha256:", "flake-lock = \"", LockfileProblem::Expected("a hash, sha256:…"));
    check("flake-lock", "flake", LockfileProblem::Missing("flake-lock"));
    check("flake-files = \"sha256:", "flake-files = \"", LockfileProblem::Expected("a hash, sha256:…"));
    check("nixpkgs=path:/a=", "nixpkgs", LockfileProblem::Expected("an input, NAME=flake"));
    check("sha256-", "sha256:", columns());
    check(" 1010 ", " +1010 ", columns());
    check(" local ", " here ", columns());
    check(&format!(" cached {glibc}\""), &format!(" cached {glibc} {glibc}\""), columns());
    check(&format!("  \"{glibc}"), &format!("  \"x{glibc}"), columns());
    check(" - - - local", " - - local", columns());
    check(" cached ", " ", columns());
    check(" out 5 ", " out 05 ", LockfileProblem::Expected("a root: attribute output priority path"));
    check("\"PATH=", "\"1=", LockfileProblem::Expected("a variable, NAME=value"));
    check("\"PATH=", "\"GREETING=", LockfileProblem::Duplicate("GREETING".to_owned()));
    check("MIT https", "MIT", LockfileProblem::Expected("a store path, licences, a homepage and patches"));
    check("environment = ", "environments = ", LockfileProblem::Missing("environment"));
    check("hook = ", "hooks = ", LockfileProblem::Missing("hook"));
    let line = text.lines().find(|line| line.starts_with(&format!("  \"{glibc}"))).expect("its line");
    check(line, &format!("{line}\n{line}"), LockfileProblem::Duplicate(glibc.clone()));
    check(&format!("{line}\n"), "", LockfileProblem::UnknownPath(glibc));
}

prop_compose! {
    fn any_path()(
        size: u64,
        word in proptest::option::of("[!#-,.-\\[\\]-~]{1,6}"),
        // A lone dash stands for nothing.
        list in prop::collection::vec("[a-z.]{1,5}", 0..3),
        local: bool,
        deriver: bool,
    ) -> LockedStorePath {
        LockedStorePath {
            nar_size: size,
            pname: word.clone(),
            version: word.clone(),
            local,
            deriver: deriver.then(|| path("x.drv")),
            about: PackageAbout { licences: list.clone(), homepage: word, patches: list },
            ..locked("x", &[]).1
        }
    }
}

prop_compose! {
    fn any_lock()(
        paths in prop::collection::btree_map("[a-z][a-z0-9.+_?=-]{0,6}", any_path(), 1..8),
        edges in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..16),
        env in prop::collection::btree_map("[A-Za-z_][A-Za-z0-9_]{0,5}", ".{0,8}", 0..4),
        hook in "(?s).{0,12}",
        override_inputs in prop::collection::btree_map("[a-z/-]{1,4}", ".{0,6}", 0..3),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<i64>(), "[a-z#.]{1,5}"), 1..5),
    ) -> Lockfile {
        let names: Vec<&String> = paths.keys().collect();
        let at = |index: prop::sample::Index| path(names[index.index(names.len())]);
        let mut platform = LockedNixPlatform {
            paths: paths.iter().map(|(name, locked)| (path(name), locked.clone())).collect(),
            ..LockedNixPlatform::default()
        };
        for (from, to) in edges {
            platform.paths.get_mut(&at(from)).expect("it is there").references.insert(at(to));
        }
        let roots: Vec<LockedRoot> = picks
            .iter()
            .map(|(index, priority, attribute)| LockedRoot { path: at(*index), attribute: attribute.clone(), output: "out".to_owned(), priority: *priority })
            .collect();
        let inputs = Digest::of(hook.as_bytes());
        platform.sets.insert("a".parse().expect("a name"), LockedSet { inputs, roots: roots.clone() });
        let environment = BTreeSet::from([at(picks[0].0)]);
        let develop = environment.clone();
        platform.shells.insert("b-c".parse().expect("a name"), LockedShell { inputs, roots, environment, env, hook, develop });
        let platforms = BTreeMap::from([(Platform::LinuxArm64, platform)]);
        Lockfile { nix: Some(LockedNix { flake: LockedFlake { override_inputs, ..flake() }, platforms }), ..Lockfile::default() }
    }
}

proptest! {
    #[test]
    fn any_lock_survives_text(lock in any_lock()) {
        let text = lock.to_text();
        prop_assert_eq!(Lockfile::parse(&text), Ok(lock), "{}", text);
    }

    /// A lock with one piece cut out or doubled still parses or is refused.
    #[test]
    fn any_damage_is_parsed_or_refused(from in 0usize..4000, length in 0usize..200, twice: bool) {
        let text = lock().to_text();
        let from = from.min(text.len());
        let to = (from + length).min(text.len());
        let (head, piece, tail) = (&text[..from], &text[from..to], &text[to..]);
        let middle = if twice { piece.repeat(2) } else { String::new() };
        let _ = Lockfile::parse(&format!("{head}{middle}{tail}"));
    }
}
