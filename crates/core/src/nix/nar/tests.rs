use std::io::{self, Read};

use bstr::{BStr, BString, ByteSlice as _};
use proptest::prelude::*;

use super::*;
use crate::digest::NarHash;

/// What a sink was given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Directory(TreePath),
    Symlink(TreePath, BString),
    File(TreePath, bool, Vec<u8>),
}

#[derive(Default)]
struct Collect(Vec<Entry>);

impl NarSink for Collect {
    fn directory(&mut self, path: &TreePath) -> io::Result<()> {
        self.0.push(Entry::Directory(path.clone()));
        Ok(())
    }

    fn symlink(&mut self, path: &TreePath, target: &BStr) -> io::Result<()> {
        self.0.push(Entry::Symlink(path.clone(), target.to_owned()));
        Ok(())
    }

    fn file(&mut self, path: &TreePath, executable: bool, _: u64, data: &mut dyn Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        data.read_to_end(&mut bytes)?;
        self.0.push(Entry::File(path.clone(), executable, bytes));
        Ok(())
    }
}

fn write(entries: &[Entry]) -> io::Result<Vec<u8>> {
    let mut writer = NarWriter::new(Vec::new());
    for entry in entries {
        match entry {
            Entry::Directory(path) => writer.directory(path)?,
            Entry::Symlink(path, target) => writer.symlink(path, target.as_bstr())?,
            Entry::File(path, executable, bytes) => {
                writer.file(path, *executable, bytes.len() as u64, &mut bytes.as_slice())?
            }
        }
    }
    writer.finish()
}

fn read_all(nar: &[u8]) -> Result<Vec<Entry>, NarError> {
    let mut collect = Collect::default();
    let summary = read(&mut &*nar, &mut collect, &NarLimits::default())?;
    assert_eq!(summary, NarSummary { size: nar.len() as u64, hash: NarHash::of(nar) });
    Ok(collect.0)
}

fn path(path: &str) -> TreePath {
    TreePath::parse(path).unwrap()
}

fn sample() -> Vec<Entry> {
    vec![
        Entry::Directory(TreePath::ROOT),
        Entry::Directory(path("bin")),
        Entry::File(path("bin/hello"), true, b"#!/bin/sh\n".to_vec()),
        Entry::Symlink(path("bin/hi"), "hello".into()),
        Entry::Directory(path("empty")),
        Entry::File(TreePath::parse(b"n\xff").unwrap(), false, vec![0; 300_000]),
    ]
}

/// A NAR of words, each as a string.
fn words(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in words {
        bytes.extend((word.len() as u64).to_le_bytes());
        bytes.extend_from_slice(word);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    bytes
}

/// A directory with files of these names.
fn directory(names: &[&[u8]]) -> Vec<u8> {
    let mut all: Vec<&[u8]> = vec![MAGIC, b"(", b"type", b"directory"];
    for name in names {
        all.extend([b"entry".as_slice(), b"(", b"name", name, b"node"]);
        all.extend([b"(".as_slice(), b"type", b"regular", b"contents", b"", b")", b")"]);
    }
    all.push(b")");
    words(&all)
}

#[test]
fn a_tree_survives() {
    let nar = write(&sample()).unwrap();
    assert_eq!(read_all(&nar).unwrap(), sample());
    for root in [Entry::File(TreePath::ROOT, true, b"x".to_vec()), Entry::Symlink(TreePath::ROOT, "/x".into())] {
        assert_eq!(read_all(&write(std::slice::from_ref(&root)).unwrap()).unwrap(), [root]);
    }
}

#[test]
fn the_hash_is_that_of_nix() {
    // `nix hash path` of an empty directory.
    let nar = write(&[Entry::Directory(TreePath::ROOT)]).unwrap();
    assert_eq!(NarHash::of(&nar).to_sri(), "sha256-pQpattmS9VmO3ZIQUFn66az8GSmB4IvYhTTCFn6SUmo=");
}

#[test]
fn a_nar_cut_short_is_told() {
    let nar = write(&sample()).unwrap();
    for length in (0..400).chain(nar.len() - 400..nar.len()) {
        match read_all(&nar[..length]) {
            Err(NarError::Truncated { .. } | NarError::Magic) => {}
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn names_are_checked() {
    let long = [b'a'; 256];
    for (names, expected) in [
        (&[b"".as_slice()][..], NameFault::Empty),
        (&[b"."], NameFault::Dots),
        (&[b".."], NameFault::Dots),
        (&[b"a/b"], NameFault::Slash),
        (&[b"/"], NameFault::Slash),
        (&[b"a\0b"], NameFault::Nul),
        (&[long.as_slice()], NameFault::TooLong),
        (&[b"a", b"a"], NameFault::Duplicate),
        (&[b"b", b"a"], NameFault::Order),
    ] {
        match read_all(&directory(names)) {
            Err(NarError::Name { fault, .. }) => assert_eq!(fault, expected),
            other => panic!("{names:?}: {other:?}"),
        }
    }
    assert_eq!(read_all(&directory(&[b"A", b"a", b"a.", b"b\xff"])).unwrap().len(), 5);
}

#[test]
fn what_nix_would_not_write_is_refused() {
    let nar = write(&sample()).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = nar.clone();
        change(&mut changed);
        read_all(&changed)
    };
    assert!(matches!(with(&|nar| nar.push(0)), Err(NarError::Trailing { at }) if at == nar.len() as u64));
    assert!(matches!(with(&|nar| nar[21] = 1), Err(NarError::Padding { .. }) | Err(NarError::Magic)));
    assert!(matches!(with(&|nar| nar[0] = 14), Err(NarError::Magic)));
    let plain = |all: &[&[u8]]| read_all(&words(&[&[MAGIC, b"(", b"type"], all].concat()));
    assert!(matches!(plain(&[b"fifo", b")"]), Err(NarError::Unexpected { .. })));
    assert!(matches!(plain(&[b"regular", b")"]), Err(NarError::Unexpected { .. })));
    assert!(matches!(plain(&[b"regular", b"executable", b"x"]), Err(NarError::Unexpected { .. })));
    assert!(matches!(plain(&[b"symlink", b"target", b"", b")"]), Err(NarError::Path { .. })));
    assert!(matches!(plain(&[b"symlink", b"target", b"a\0", b")"]), Err(NarError::Path { .. })));
    assert!(matches!(plain(&[b"symlink", b"target", &[b'a'; 4096], b")"]), Err(NarError::Path { .. })));
}

#[test]
fn another_nar_than_expected_is_told() {
    let nar = write(&sample()).unwrap();
    let summary = read(&mut nar.as_slice(), &mut Discard, &NarLimits::default()).unwrap();
    summary.check(&NarSummary { size: nar.len() as u64, hash: NarHash::of(&nar) }).unwrap();
    let check = |expected: NarSummary, message: String| {
        assert_eq!(summary.check(&expected).unwrap_err().to_string(), message);
    };
    let (size, hash) = (summary.size, NarHash::of(b"another"));
    check(NarSummary { size: size + 8, ..summary }, format!("the NAR has {size} bytes, not {}", size + 8));
    check(NarSummary { hash, ..summary }, format!("the NAR has the hash {}, not {hash}", summary.hash));
}

#[test]
fn limits_hold() {
    let nar = write(&sample()).unwrap();
    let limited = |limits: NarLimits| read(&mut nar.as_slice(), &mut Discard, &limits);
    let all = NarLimits::default();
    assert!(matches!(limited(NarLimits { size: 299_999, ..all }), Err(NarError::TooMuch { what: "bytes", .. })));
    assert!(matches!(limited(NarLimits { entries: 3, ..all }), Err(NarError::TooMuch { what: "entries", .. })));
    assert!(matches!(limited(NarLimits { depth: 1, ..all }), Err(NarError::Depth { .. })));
    // A length beyond everything allocates nothing.
    let mut huge = words(&[MAGIC, b"(", b"type", b"regular", b"contents"]);
    huge.extend(u64::MAX.to_le_bytes());
    assert!(matches!(read(&mut huge.as_slice(), &mut Discard, &all), Err(NarError::Truncated { .. })));
}

#[test]
fn a_writer_takes_no_other_order() {
    let file = |at: &str| Entry::File(path(at), false, vec![]);
    let root = Entry::Directory(TreePath::ROOT);
    assert!(write(&[]).is_err());
    assert!(write(&[root.clone(), root.clone()]).is_err());
    assert!(write(&[root.clone(), file("b"), file("a")]).is_err());
    assert!(write(&[root.clone(), file("a"), file("a")]).is_err());
    assert!(write(&[root, file("a/b")]).is_err());
}

/// A sorted tree of a few directories, files and symlinks.
fn trees() -> impl Strategy<Value = Vec<Entry>> {
    let name = prop::collection::vec(any::<u8>().prop_filter("allowed", |byte| !matches!(byte, 0 | b'/' | b'.')), 1..6);
    let leaf = (0..3u8, any::<bool>(), prop::collection::vec(any::<u8>(), 0..20));
    prop::collection::btree_map((name.clone(), prop::option::of(name)), leaf, 0..12).prop_map(|members| {
        let mut entries = std::collections::BTreeMap::from([(Vec::new(), Entry::Directory(TreePath::ROOT))]);
        for ((first, second), (kind, executable, bytes)) in members {
            let outer = TreePath::parse(&first).unwrap();
            let place = match &second {
                Some(second) => {
                    entries.insert(vec![first.clone()], Entry::Directory(outer.clone()));
                    (vec![first.clone(), second.clone()], outer.join(second).unwrap())
                }
                None => (vec![first.clone()], outer),
            };
            let entry = match kind {
                0 => Entry::Directory(place.1),
                1 => Entry::File(place.1, executable, bytes),
                _ => Entry::Symlink(
                    place.1,
                    if bytes.is_empty() { "x".into() } else { bytes.replace(b"\0", b"0").into() },
                ),
            };
            entries.entry(place.0).or_insert(entry);
        }
        let directories: Vec<_> = entries
            .iter()
            .filter(|(_, entry)| matches!(entry, Entry::Directory(_)))
            .map(|(at, _)| at.clone())
            .collect();
        entries.retain(|at, _| at.len() < 2 || directories.contains(&at[..1].to_vec()));
        entries.into_values().collect()
    })
}

proptest! {
    #[test]
    fn trees_survive(entries in trees()) {
        prop_assert_eq!(read_all(&write(&entries).unwrap()).unwrap(), entries);
    }

    #[test]
    fn what_is_read_is_what_nix_would_write(entries in trees(), at: prop::sample::Index, byte: u8) {
        let mut nar = write(&entries).unwrap();
        let at = at.index(nar.len());
        nar[at] = byte;
        if let Ok(entries) = read_all(&nar) {
            prop_assert_eq!(write(&entries).unwrap(), nar);
        }
    }

    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_all(&bytes);
        let _ = read_all(&[words(&[MAGIC, b"("]), bytes].concat());
    }
}
