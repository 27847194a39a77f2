use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::digest::Digest;
use plywood_core::item::EntryKind;
use plywood_core::tree::{Meta, TreePath};
use proptest::prelude::*;

use super::{SealedArchive, SealedError, write_sealed};
use crate::registry::{BlobSource, no_progress};
use crate::tar::TarWriter;

const DOCUMENTS: [(&str, u64); 2] = [("oci-layout", 100), ("index.json", 100)];

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Utf8PathBuf {
        let path = Utf8Path::from_path(self.0.path()).expect("UTF-8").join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// The blobs of these bytes, each in a file where others stand before and after it.
    fn blobs(&self, contents: &[&[u8]]) -> BTreeMap<Digest, BlobSource> {
        let one = |bytes: &&[u8]| {
            let digest = Digest::of(bytes);
            let path = self.file(&digest.to_hex(), &[b"before", *bytes, b"after"].concat());
            (digest, BlobSource { digest, size: bytes.len() as u64, path, offset: 6 })
        };
        contents.iter().map(one).collect()
    }

    fn archive(&self, contents: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let documents: [(&str, &[u8]); 2] = [("oci-layout", b"{}"), ("index.json", b"[]")];
        write_sealed(&documents, &self.blobs(contents), &mut bytes, &no_progress).expect("written");
        bytes
    }

    fn open(&self, bytes: &[u8]) -> Result<SealedArchive, SealedError> {
        SealedArchive::open(&self.file("archive.tar", bytes), &DOCUMENTS, &no_progress)
    }
}

#[test]
fn what_is_written_is_read() {
    let scratch = Scratch::new();
    let contents: [&[u8]; 3] = [b"one", b"", &[7; 700_000]];
    let bytes = scratch.archive(&contents);
    assert_eq!(bytes, scratch.archive(&[contents[2], contents[0], contents[1]]));
    let seen = AtomicU64::new(0);
    let count = |more| _ = seen.fetch_add(more, Ordering::Relaxed);
    let archive = SealedArchive::open(&scratch.file("a.tar", &bytes), &DOCUMENTS, &count).expect("whole");
    assert_eq!(seen.into_inner(), bytes.len() as u64);
    assert_eq!(archive.documents(), [b"{}", b"[]"]);
    assert_eq!(archive.blobs().count(), 3);
    for content in contents {
        let digest = Digest::of(content);
        assert_eq!(archive.read(digest, 1 << 20).expect("there"), content);
        let source = archive.source(digest).expect("there");
        assert_eq!(&bytes[source.offset as usize..][..source.size as usize], content);
    }
    assert!(matches!(archive.read(Digest::of(contents[2]), 9), Err(SealedError::TooLarge { .. })));
    assert!(matches!(archive.read(Digest::of(b"absent"), 9), Err(SealedError::NoBlob { .. })));
}

#[test]
fn a_blob_that_is_not_what_it_is_called_is_not_written() {
    let scratch = Scratch::new();
    let mut blobs = scratch.blobs(&[b"one"]);
    blobs.values_mut().for_each(|blob| blob.offset = 5);
    let written = write_sealed(&[], &blobs, Vec::new(), &no_progress);
    assert!(matches!(written, Err(crate::layout::LayoutError::Damaged { digest }) if digest == Digest::of(b"one")));
}

/// A tar of these members, each a file unless its name ends in a slash.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = TarWriter::new(Vec::new());
    for (name, content) in members {
        let directory = name.ends_with('/');
        let kind = if directory { EntryKind::Directory } else { EntryKind::File { size: content.len() as u64 } };
        let meta = Meta::root(if directory { 0o755 } else { 0o644 }, 0);
        let path = TreePath::parse(name.trim_end_matches('/')).expect("a path");
        writer.append(&path, &meta, &kind, &mut &**content).expect("written");
    }
    writer.finish().expect("written")
}

#[test]
fn whatever_else_is_in_it_is_refused() {
    let scratch = Scratch::new();
    let one = format!("blobs/sha256/{}", Digest::of(b"one").to_hex());
    let two = format!("blobs/sha256/{}", Digest::of(b"two").to_hex());
    let (first, second) = if one < two { ((&one, b"one"), (&two, b"two")) } else { ((&two, b"two"), (&one, b"one")) };
    let check = |blobs: &[(&str, &[u8])], expect: &str| {
        let start: [(&str, &[u8]); 4] =
            [("oci-layout", b"{}"), ("index.json", b"[]"), ("blobs/", b""), ("blobs/sha256/", b"")];
        let result = scratch.open(&tar(&[&start, blobs].concat()));
        match expect {
            "" => drop(result.expect("it is whole")),
            _ => {
                assert!(result.as_ref().is_err_and(|error| error.to_string().contains(expect)), "{blobs:?}: {result:?}")
            }
        }
    };
    check(&[(first.0, first.1), (second.0, second.1)], "");
    check(&[(second.0, second.1), (first.0, first.1)], "out of order");
    check(&[(first.0, first.1), (first.0, first.1)], "there twice");
    check(&[(&one, b"two")], "is damaged");
    check(&[("evil", b"x")], "does not belong");
    check(&[("blobs/sha256/00", b"x")], "does not belong");
    check(&[("blobs/more/", b"")], "does not belong");
    let short = scratch.open(&tar(&[("oci-layout", b"{}")]));
    assert!(matches!(short, Err(SealedError::Missing { .. })), "{short:?}");
    let large = scratch.open(&tar(&[("oci-layout", &[b' '; 101])]));
    assert!(matches!(large, Err(SealedError::Member { .. })), "{large:?}");
}

#[test]
fn paths_that_lead_out_are_refused() {
    let scratch = Scratch::new();
    let bytes = scratch.archive(&[b"one"]);
    let name = format!("blobs/sha256/{}", Digest::of(b"one").to_hex());
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).expect("a header");
    for evil in ["../../etc/passwd", "/etc/passwd", "blobs/sha256/../../x"] {
        let mut header = bytes[at..at + 512].to_vec();
        header[..100].fill(0);
        header[..evil.len()].copy_from_slice(evil.as_bytes());
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let changed = [&bytes[..at], &header, &bytes[at + 512..]].concat();
        assert!(scratch.open(&changed).is_err(), "{evil}");
    }
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    let scratch = Scratch::new();
    let bytes = scratch.archive(&[b"one", b"two"]);
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1, bytes.len() - 512, bytes.len() - 1024]) {
        assert!(scratch.open(&bytes[..length]).is_err(), "{length}");
    }
    for more in [1, 512, 1024] {
        assert!(scratch.open(&[bytes.clone(), vec![0; more]].concat()).is_err(), "{more}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert!(Scratch::new().open(&bytes).is_err());
    }

    #[test]
    fn changed_archives_never_give_other_blobs(at: prop::sample::Index, value: u8) {
        let scratch = Scratch::new();
        let mut bytes = scratch.archive(&[b"one", b"two"]);
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(archive) = scratch.open(&bytes) {
            for (digest, _) in archive.blobs() {
                prop_assert_eq!(Digest::of(&archive.read(digest, 100).expect("read")), digest);
            }
        }
    }
}
