//! The stable names of store paths, which the layout in the lock speaks of.

use std::collections::BTreeMap;

use crate::nix::{DrvName, StorePath};

/// Outputs that nixpkgs gives packages besides the first, by which a name without a known version is taken apart.
const OUTPUTS: [&str; 16] = [
    "bin", "data", "debug", "dev", "devdoc", "dist", "doc", "etc", "info", "lib", "libgcc", "man", "out", "py",
    "static", "tools",
];

/// A store path with what is known of its package.
#[derive(Debug, Clone, Copy)]
pub struct NamedPath<'a> {
    /// The path.
    pub path: &'a StorePath,
    /// The package's name without its version.
    pub pname: Option<&'a str>,
    /// Its version.
    pub version: Option<&'a str>,
}

/// A store path's name over its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePathKey {
    /// The package with its output, as in `openssl-dev`; with the version, and at last the hash, where several paths of
    /// one platform would have the same.
    pub key: String,
    /// The package, whose outputs change together.
    pub package: String,
    /// The key without what only tells it from others' keys.
    pub short: String,
}

/// Names these paths, which must be all of one platform, so that an update changes what is behind a name but not the
/// name.
pub fn store_path_keys<'a>(paths: impl IntoIterator<Item = NamedPath<'a>>) -> BTreeMap<StorePath, StorePathKey> {
    let paths: Vec<(NamedPath<'a>, String, String)> =
        paths.into_iter().map(|named| (named, package(named), short(named))).collect();
    let key = |at: usize, level: u8| {
        let (named, _, short) = &paths[at];
        match level {
            0 => short.clone(),
            1 => named.path.name().to_owned(),
            _ => named.path.to_string(),
        }
    };
    // The shortest name that tells apart; two rounds are enough, but for names that look like others with a hash.
    let mut levels = vec![0; paths.len()];
    for _ in 0..=2 {
        let mut same: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, level) in levels.iter().enumerate() {
            same.entry(key(at, *level)).or_default().push(at);
        }
        for at in same.into_values().filter(|same| same.len() > 1).flatten() {
            levels[at] = 2.min(levels[at] + 1);
        }
    }
    let named = paths.iter().enumerate().map(|(at, (named, package, short))| {
        let key = StorePathKey { key: key(at, levels[at]), package: package.clone(), short: short.clone() };
        (named.path.clone(), key)
    });
    named.collect()
}

/// The keys that are others now, each with what it is: a second path of a package changes the key of the first, which shall stay where it
/// is. A path that is gone has the one as its successor that came in its place.
pub fn renamed_keys(
    old: &BTreeMap<StorePath, StorePathKey>,
    new: &BTreeMap<StorePath, StorePathKey>,
) -> BTreeMap<String, String> {
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    let mut arrived: BTreeMap<&str, Vec<(&str, &StorePathKey)>> = BTreeMap::new();
    for (path, key) in new.iter().filter(|(path, _)| !old.contains_key(*path)) {
        arrived.entry(&key.short).or_default().push((path.name(), key));
    }
    // By name, which has the version, as hashes have no order that means anything.
    arrived.values_mut().for_each(|keys| keys.sort_by_key(|(name, key)| (*name, &key.key)));
    let mut gone: Vec<(&str, &StorePathKey)> = Vec::new();
    for (path, key) in old {
        match new.get(path) {
            Some(now) => drop(renamed.insert(key.key.clone(), now.key.clone())),
            None => gone.push((path.name(), key)),
        }
    }
    gone.sort_by_key(|(name, key)| (*name, &key.key));
    for (_, key) in gone {
        // One that has the very key is its successor before all others.
        let Some(candidates) = arrived.get_mut(key.short.as_str()).filter(|keys| !keys.is_empty()) else { continue };
        let at = candidates.iter().position(|(_, now)| now.key == key.key).unwrap_or(0);
        renamed.insert(key.key.clone(), candidates.remove(at).1.key.clone());
    }
    renamed.retain(|old, new| old != new);
    renamed
}

fn package(named: NamedPath<'_>) -> String {
    let split = || DrvName::split(named.path.name()).name;
    named.pname.filter(|pname| !pname.is_empty()).map_or_else(|| split().to_owned(), str::to_owned)
}

/// The package, and the output where it is not the first.
fn short(named: NamedPath<'_>) -> String {
    let (package, name) = (package(named), named.path.name());
    let rest = name.strip_prefix(package.as_str()).unwrap_or_default();
    let output = match named.version.and_then(|version| rest.strip_prefix('-')?.strip_prefix(version)) {
        Some(output) => output.strip_prefix('-').unwrap_or_default(),
        None => rest.rsplit_once('-').map(|(_, last)| last).filter(|last| OUTPUTS.contains(last)).unwrap_or_default(),
    };
    if output.is_empty() { package } else { format!("{package}-{output}") }
}

#[cfg(test)]
mod tests {
    use super::super::files::tests::store_path;
    use super::*;

    fn check(paths: &[(&str, Option<&str>, Option<&str>)], expect: &[&str]) {
        let paths: Vec<(StorePath, Option<&str>, Option<&str>)> =
            paths.iter().map(|(name, pname, version)| (store_path(name), *pname, *version)).collect();
        let named = paths.iter().map(|(path, pname, version)| NamedPath { path, pname: *pname, version: *version });
        let keys = store_path_keys(named);
        let keys: Vec<&str> = paths.iter().map(|(path, ..)| keys[path].key.as_str()).collect();
        assert_eq!(keys, expect);
    }

    #[test]
    fn names_say_no_version_unless_they_must() {
        check(&[("openssl-3.0.13-dev", Some("openssl"), Some("3.0.13"))], &["openssl-dev"]);
        check(&[("openssl-3.0.13", Some("openssl"), Some("3.0.13"))], &["openssl"]);
        check(&[("glibc-2.40-66", None, None), ("glibc-2.40-66-bin", None, None)], &["glibc", "glibc-bin"]);
        check(&[("source", None, None)], &["source"]);
        check(&[("python3.12-requests-2.31", None, None)], &["python3.12-requests"]);
        check(&[("zlib-1.2", None, None), ("zlib-1.3", None, None)], &["zlib-1.2", "zlib-1.3"]);
        check(&[("a-1", Some("a-b"), None), ("a-b-2", None, None)], &["a-1", "a-b-2"]);
    }

    #[test]
    fn what_has_another_key_is_still_itself() {
        let keys = |paths: &[(&str, &str)]| {
            let paths: Vec<(StorePath, &str)> = paths
                .iter()
                .map(|(hash, name)| (format!("{}-{name}", hash.repeat(32)).parse().expect("a path"), *name))
                .collect();
            store_path_keys(paths.iter().map(|(path, name)| NamedPath {
                path,
                pname: Some(DrvName::split(name).name),
                version: None,
            }))
        };
        let check = |old: &[(&str, &str)], new: &[(&str, &str)], expect: &[(&str, &str)]| {
            let renamed = renamed_keys(&keys(old), &keys(new));
            let renamed: Vec<(&str, &str)> = renamed.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
            assert_eq!(renamed, expect, "{old:?} {new:?}");
        };
        check(&[("0", "zlib-1")], &[("0", "zlib-1")], &[]);
        check(&[("0", "zlib-1")], &[("1", "zlib-2")], &[]);
        check(&[("0", "zlib-1")], &[("0", "zlib-1"), ("1", "zlib-2")], &[("zlib", "zlib-1")]);
        check(&[("0", "zlib-1"), ("1", "zlib-2")], &[("1", "zlib-2")], &[("zlib-2", "zlib")]);
        check(&[("0", "zlib-1"), ("1", "zlib-2")], &[("1", "zlib-2"), ("2", "zlib-3")], &[("zlib-1", "zlib-3")]);
        check(
            &[("0", "zlib-1"), ("1", "zlib-2")],
            &[("3", "zlib-1.1"), ("2", "zlib-2.1")],
            &[("zlib-1", "zlib-1.1"), ("zlib-2", "zlib-2.1")],
        );
        check(&[("0", "a-1")], &[("1", "b-1")], &[]);
    }
}
