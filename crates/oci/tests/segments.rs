//! Segments and layers: what is written is read back, the same every time.

mod common;

use std::io::{self, Read};

use common::*;
use plywood_core::digest::{DiffId, Digest};
use plywood_core::item::{EntryKind, EntrySink, ItemId};
use plywood_core::layering::{EntryChange, ItemChanges};
use plywood_core::tree::{Meta, PackedContent, ReadContent, TreePath};
use plywood_oci::codec::Codec;
use plywood_oci::layer::{LayerKey, build_layer};
use plywood_oci::segment::{Segment, SegmentContents, SegmentError, TarEntry, filter_segment};
use plywood_oci::store::Store;
use proptest::prelude::*;

const CODECS: [Codec; 2] = [Codec::ZSTD, Codec::GZIP];

/// Gives its bytes a few at a time.
struct Dripping<'b>(&'b [u8], usize);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.1.min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}

type Entry = (TreePath, Meta, EntryKind, Vec<u8>);

fn write(store: &Store, item: ItemId, codec: Codec, entries: &[Entry], drip: usize) -> Segment {
    let mut writer = store.create_segment(item, codec).expect("created");
    for (path, meta, kind, data) in entries {
        writer.append(path, meta, kind, &mut Dripping(data, drip)).expect("appended");
    }
    writer.finish(b"index").expect("finished")
}

fn meta() -> impl Strategy<Value = Meta> {
    let attributes = prop::collection::btree_map("user\\.[a-z]{1,5}", prop::collection::vec(any::<u8>(), 0..40), 0..3);
    (0u16..0o10000, any::<u32>(), any::<u32>(), -5_000_000_000i64..20_000_000_000, attributes).prop_map(
        |(mode, uid, gid, mtime, attributes)| Meta {
            mode,
            uid,
            gid,
            mtime,
            xattrs: attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        },
    )
}

/// Entries of every kind with paths of every length.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let kind = prop_oneof![
        Just(EntryKind::Directory),
        Just(EntryKind::Fifo),
        (0u32..4096, 0u32..1 << 20).prop_map(|(major, minor)| EntryKind::CharDevice { major, minor }),
        (0u32..4096, 0u32..1 << 20).prop_map(|(major, minor)| EntryKind::BlockDevice { major, minor }),
        "[^\0]{1,200}".prop_map(|target| EntryKind::Symlink { target: target.into() }),
        Just(EntryKind::File { size: 0 }),
    ];
    let name = prop::collection::vec("[a-zé ]{1,130}", 1..5).prop_map(|parts| parts.join("/"));
    let entry = (name, meta(), kind, prop::collection::vec(any::<u8>(), 0..2000));
    prop::collection::vec(entry, 0..12).prop_map(|entries| {
        let mut all: Vec<Entry> = Vec::new();
        for (at, (text, meta, kind, data)) in entries.into_iter().enumerate() {
            let path = path(&format!("{at}{text}"));
            let earlier = all.iter().find(|(_, _, kind, _)| matches!(kind, EntryKind::File { .. }));
            match (kind, earlier) {
                (EntryKind::Fifo, Some((target, ..))) => {
                    let kind = EntryKind::HardLink { target: target.clone() };
                    all.push((path, meta, kind, Vec::new()));
                }
                (EntryKind::File { .. }, _) => {
                    all.push((path, meta, EntryKind::File { size: data.len() as u64 }, data))
                }
                (kind, _) => all.push((path, meta, kind, Vec::new())),
            }
        }
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn segments_survive_being_written(entries in entries()) {
        let scratch = Scratch::new();
        let store = scratch.store();
        for codec in CODECS {
            let segment = write(&store, ItemId::of_parts([b"a".as_slice()]), codec, &entries, 7);
            let again = write(&store, ItemId::of_parts([b"b".as_slice()]), codec, &entries, 1000);
            let bytes = |segment: &Segment| std::fs::read(segment.path()).expect("read");
            prop_assert_eq!(bytes(&segment), bytes(&again), "how the data came does not matter");
            let mut back = Vec::new();
            segment.for_each_entry(|TarEntry { path, meta, kind, .. }, data| {
                let mut bytes = Vec::new();
                data.read_to_end(&mut bytes)?;
                back.push((path, meta, kind, bytes));
                Ok(())
            }).expect("read");
            // Directories come first, sorted; a later entry of one replaces an earlier one.
            let is_directory = |(_, _, kind, _): &&Entry| *kind == EntryKind::Directory;
            let mut expect: Vec<Entry> = entries.iter().filter(is_directory).cloned().collect();
            expect.sort_by(|a, b| a.0.cmp(&b.0));
            expect.extend(entries.iter().filter(|entry| !is_directory(entry)).cloned());
            prop_assert_eq!(&back, &expect);
        }
    }
}

#[test]
fn data_of_another_length_is_refused() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let item = ItemId::of_parts([b"x".as_slice()]);
    let check = |size: u64, data: &[u8], expect: io::ErrorKind| {
        let mut writer = store.create_segment(item, Codec::ZSTD).expect("created");
        let kind = EntryKind::File { size };
        let result = writer.append(&path("a"), &Meta::root(0o644, 0), &kind, &mut &*data);
        assert_eq!(result.map_err(|error| error.kind()), Err(expect));
    };
    check(3, b"ab", io::ErrorKind::UnexpectedEof);
    check(1, b"ab", io::ErrorKind::InvalidData);
    check(0, b"a", io::ErrorKind::InvalidData);
    let mut writer = store.create_segment(item, Codec::ZSTD).expect("created");
    let link = EntryKind::HardLink { target: path("nowhere") };
    assert!(writer.append(&path("a"), &Meta::root(0o644, 0), &link, &mut io::empty()).is_err());
    drop(writer);
    assert!(store.segment(item, Codec::ZSTD).expect("looked up").is_none());
    assert_eq!(std::fs::read_dir(store.root().join("tmp")).expect("read").count(), 0, "nothing is left behind");
}

#[test]
fn a_layer_is_its_segments_and_an_end() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for codec in CODECS {
        let items: Vec<ItemId> = sample_items().concat().iter().map(|entries| item(&store, codec, entries)).collect();
        for count in 0..=items.len() {
            let layer = build_layer(&store, codec, &items[..count]).expect("built");
            let blob = std::fs::read(store.blob_path(layer.digest)).expect("read");
            let mut tar = Vec::new();
            match codec {
                Codec::Zstd { .. } => tar = zstd::decode_all(blob.as_slice()).expect("decoded"),
                Codec::Gzip { .. } => {
                    flate2::read::MultiGzDecoder::new(blob.as_slice()).read_to_end(&mut tar).expect("decoded");
                }
            }
            assert_eq!((Digest::of(&blob), blob.len() as u64), (layer.digest, layer.size));
            assert_eq!((DiffId::of(&tar), tar.len() as u64), (layer.diff_id, layer.uncompressed_size));
            assert_eq!(store.layer(LayerKey::of(&items[..count], codec)).expect("looked up"), Some(layer));
        }
    }
}

#[test]
fn contents_are_read_in_any_order() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for codec in CODECS {
        let entries: Vec<Entry> = (0..20u8)
            .map(|at| {
                let data = vec![at; 1000 * usize::from(at)];
                (path(&format!("f{at}")), Meta::root(0o644, 0), EntryKind::File { size: data.len() as u64 }, data)
            })
            .collect();
        let item = ItemId::of_parts([b"contents".as_slice()]);
        let segment = write(&store, item, codec, &entries, 4096);
        let packed: Vec<PackedContent> = segment
            .entries()
            .expect("read")
            .iter()
            .zip(&entries)
            .map(|(entry, (.., data))| PackedContent { item, offset: entry.offset, size: data.len() as u64 })
            .collect();
        let contents = SegmentContents::new(&store, codec);
        for at in [5usize, 7, 7, 3, 19, 0] {
            assert_eq!(*contents.read(&packed[at]).expect("read"), *entries[at].3);
        }
        let mut seen = 0;
        contents
            .read_all(packed.iter().rev(), |_, bytes| -> Result<(), plywood_core::tree::ReadContentError> {
                assert_eq!(*bytes, *entries[seen].3, "in the order of the segment");
                seen += 1;
                Ok(())
            })
            .expect("read");
        assert_eq!(seen, 20);
        let beyond = PackedContent { offset: 1 << 40, ..packed[0].clone() };
        assert!(contents.read(&PackedContent { size: 1, ..beyond }).is_err());
    }
}

#[test]
fn variants_keep_hard_links_whole() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let entries = [
        directory("", 0o755, 1),
        linked("a", 1, "data"),
        linked("b", 1, "data"),
        linked("c", 1, "data"),
        file("d", 0o644, "other"),
    ];
    let source = item(&store, Codec::ZSTD, &entries);
    let source = store.segment(source, Codec::ZSTD).expect("looked up").expect("there");
    let check = |changes: &[(&str, EntryChange)], expect: &[&str]| {
        let changes: ItemChanges = changes.iter().map(|(at, change)| (path(at), change.clone())).collect();
        let variant = filter_segment(&store, &source, &changes, b"").expect("written");
        assert_eq!(variant.item(), changes.variant_of(source.item()));
        let show = |entry: &TarEntry| match &entry.kind {
            EntryKind::HardLink { target } => format!("{} -> {target}", entry.path),
            EntryKind::File { size } => format!("{} {size} {:o}", entry.path, entry.meta.mode),
            _ => entry.path.to_string(),
        };
        let found: Vec<String> = variant.entries().expect("read").iter().map(show).collect();
        assert_eq!(found, expect);
    };
    let place = |at: &str, mode| EntryChange::Place { path: path(at), meta: Meta::root(mode, 2) };
    check(&[], &["/", "/a 4 755", "/b -> /a", "/c -> /a", "/d 5 644"]);
    check(&[("a", EntryChange::Omit)], &["/", "/b 4 755", "/c -> /b", "/d 5 644"]);
    check(&[("a", EntryChange::Omit), ("b", EntryChange::Omit)], &["/", "/c 4 755", "/d 5 644"]);
    check(
        &[("a", place("z", 0o755)), ("d", place("d", 0o4755))],
        &["/", "/z 4 755", "/b -> /z", "/c -> /z", "/d 5 4755"],
    );
    check(&[("a", EntryChange::Omit), ("b", place("y", 0o700))], &["/", "/y 4 700", "/c -> /y", "/d 5 644"]);
    let all = ["", "a", "b", "c", "d"].map(|at| (at, EntryChange::Omit));
    check(&all, &[]);
}

#[test]
fn a_layer_needs_all_its_segments() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let missing = ItemId::of_parts([b"missing".as_slice()]);
    let error = build_layer(&store, Codec::ZSTD, &[missing]).expect_err("refused");
    assert!(matches!(error, SegmentError::Missing { item } if item == missing));
}
