//! How two layers differ, file by file. Layers are read as streams; of each file only its hash is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};

use bstr::{BStr, BString};
use plywood_core::digest::Sha256Hash;
use plywood_core::item::EntryKind;
use plywood_core::oci::MediaType;
use plywood_core::tree::{Meta, TreePath};
use serde::{Serialize, Serializer};

use crate::codec::LayerCompression;
use crate::hash::Hashing;
use crate::tar::{TarEntry, for_each_entry};

/// As many entries as one layer may have.
const MAX_ENTRIES: usize = 4 << 20;
/// The most uncompressed bytes of one layer, against layers that unpack without end.
const MAX_LAYER: u64 = 64 << 30;

/// What a layer has at each path; of a path that comes twice, what comes last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerListing {
    entries: BTreeMap<TreePath, Listed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    meta: Meta,
    kind: EntryKind,
    /// Of a regular file's bytes.
    content: Option<Sha256Hash>,
}

/// Something of a file that differs between two layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Aspect {
    /// The file is in one of the layers alone.
    Presence {
        /// Whether that is the second one.
        added: bool,
    },
    /// It is of two kinds.
    Kind {
        /// What it was.
        from: &'static str,
        /// What it is.
        to: &'static str,
    },
    /// A regular file has other bytes.
    Content {
        /// How many there were.
        from: u64,
        /// How many there are.
        to: u64,
    },
    /// A link leads elsewhere, or a device has other numbers.
    Target {
        /// Where it led.
        #[serde(serialize_with = "text")]
        from: BString,
        /// Where it leads.
        #[serde(serialize_with = "text")]
        to: BString,
    },
    /// The permissions.
    Mode {
        /// What they were.
        from: u16,
        /// What they are.
        to: u16,
    },
    /// The user's and the group's number.
    Owner {
        /// Whose it was.
        from: (u32, u32),
        /// Whose it is.
        to: (u32, u32),
    },
    /// The time of the last change, in seconds since 1970.
    Mtime {
        /// When it was.
        from: i64,
        /// When it is.
        to: i64,
    },
    /// Extended attributes, capabilities among them.
    Xattrs,
}

fn text<S: Serializer>(bytes: &BString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(bytes)
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aspect::Presence { added: true } => f.write_str("added"),
            Aspect::Presence { added: false } => f.write_str("missing"),
            Aspect::Kind { from, to } => write!(f, "a {from} became a {to}"),
            Aspect::Content { from, to } if from == to => f.write_str("other content of the same size"),
            Aspect::Content { from, to } => write!(f, "other content: {from} bytes became {to}"),
            Aspect::Target { from, to } => write!(f, "target {from} became {to}"),
            Aspect::Mode { from, to } => write!(f, "mode {from:04o} became {to:04o}"),
            Aspect::Owner { from, to } => write!(f, "owner {}:{} became {}:{}", from.0, from.1, to.0, to.1),
            Aspect::Mtime { from, to } => write!(f, "mtime {from} became {to}"),
            Aspect::Xattrs => f.write_str("other extended attributes"),
        }
    }
}

/// A path that is not the same in two layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileDifference {
    /// Where.
    #[serde(serialize_with = "path")]
    pub path: TreePath,
    /// What differs; never empty.
    pub aspects: Vec<Aspect>,
}

fn path<S: Serializer>(path: &TreePath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(path)
}

impl fmt::Display for FileDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aspects: Vec<String> = self.aspects.iter().map(ToString::to_string).collect();
        write!(f, "{}: {}", self.path, aspects.join(", "))
    }
}

impl LayerListing {
    /// Reads a layer as it is stored.
    ///
    /// # Errors
    /// When it cannot be read, is of a type that is not read, no archive, or larger than any layer is.
    pub fn read(media_type: &MediaType, stored: impl Read) -> io::Result<Self> {
        match LayerCompression::of(media_type) {
            Some(compression) => Self::read_tar(compression.decoder(stored)?),
            None => {
                Err(io::Error::new(io::ErrorKind::Unsupported, format!("layers of type {media_type} are not read")))
            }
        }
    }

    /// Reads an uncompressed layer.
    ///
    /// # Errors
    /// As [`LayerListing::read`].
    pub fn read_tar(tar: impl Read) -> io::Result<Self> {
        let mut listing = Self::default();
        for_each_entry(tar.take(MAX_LAYER), |entry, data| listing.take(entry, data))?;
        Ok(listing)
    }

    fn take(&mut self, entry: TarEntry, data: &mut dyn Read) -> io::Result<()> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the layer has too many entries"));
        }
        let content = match entry.kind {
            EntryKind::File { .. } => {
                let mut hashing = Hashing::new(data);
                io::copy(&mut hashing, &mut io::sink())?;
                Some(hashing.hasher.finish())
            }
            _ => None,
        };
        self.entries.insert(entry.path, Listed { meta: entry.meta, kind: entry.kind, content });
        Ok(())
    }

    /// Every path that differs in `other`, in the order of paths.
    pub fn differences<'l>(&'l self, other: &'l Self) -> impl Iterator<Item = FileDifference> + use<'l> {
        let paths: BTreeSet<&TreePath> = self.entries.keys().chain(other.entries.keys()).collect();
        paths.into_iter().filter_map(|path| {
            let aspects = match (self.entries.get(path), other.entries.get(path)) {
                (Some(from), Some(to)) => aspects(from, to),
                (from, _) => vec![Aspect::Presence { added: from.is_none() }],
            };
            (!aspects.is_empty()).then(|| FileDifference { path: path.clone(), aspects })
        })
    }
}

/// What differs, the heaviest first.
fn aspects(from: &Listed, to: &Listed) -> Vec<Aspect> {
    let (was, is) = (kind(&from.kind), kind(&to.kind));
    if was != is {
        return vec![Aspect::Kind { from: was, to: is }];
    }
    let mut aspects = Vec::new();
    if from.content != to.content {
        let size = |kind: &EntryKind| if let EntryKind::File { size } = kind { *size } else { 0 };
        aspects.push(Aspect::Content { from: size(&from.kind), to: size(&to.kind) });
    }
    let (was, is) = (target(&from.kind), target(&to.kind));
    if was != is {
        aspects.push(Aspect::Target { from: was, to: is });
    }
    let (was, is) = (&from.meta, &to.meta);
    if was.mode != is.mode {
        aspects.push(Aspect::Mode { from: was.mode, to: is.mode });
    }
    if (was.uid, was.gid) != (is.uid, is.gid) {
        aspects.push(Aspect::Owner { from: (was.uid, was.gid), to: (is.uid, is.gid) });
    }
    if was.mtime != is.mtime {
        aspects.push(Aspect::Mtime { from: was.mtime, to: is.mtime });
    }
    if was.xattrs != is.xattrs {
        aspects.push(Aspect::Xattrs);
    }
    aspects
}

fn kind(kind: &EntryKind) -> &'static str {
    match kind {
        EntryKind::Directory => "directory",
        EntryKind::File { .. } => "file",
        EntryKind::HardLink { .. } => "hard link",
        EntryKind::Symlink { .. } => "symlink",
        EntryKind::CharDevice { .. } => "character device",
        EntryKind::BlockDevice { .. } => "block device",
        EntryKind::Fifo => "named pipe",
    }
}

/// What a link leads to, a device's numbers; nothing for the rest.
fn target(kind: &EntryKind) -> BString {
    match kind {
        EntryKind::HardLink { target } => target.as_bstr().to_owned(),
        EntryKind::Symlink { target } => target.clone(),
        EntryKind::CharDevice { major, minor } | EntryKind::BlockDevice { major, minor } => {
            format!("{major}:{minor}").into()
        }
        EntryKind::Directory | EntryKind::File { .. } | EntryKind::Fifo => BStr::new("").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;
    use crate::tar::TarWriter;

    type Entry = (&'static str, Meta, EntryKind, &'static [u8]);

    fn tar(entries: &[Entry]) -> Vec<u8> {
        let mut writer = TarWriter::new(Vec::new());
        for (path, meta, kind, data) in entries {
            let mut data = *data;
            writer.append(&TreePath::literal(path), meta, kind, &mut data).expect("an entry");
        }
        writer.finish().expect("an archive")
    }

    fn file(path: &'static str, data: &'static [u8]) -> Entry {
        (path, Meta::root(0o644, 1), EntryKind::File { size: data.len() as u64 }, data)
    }

    fn check(left: &[Entry], right: &[Entry], expect: &[&str]) {
        let read = |entries| LayerListing::read_tar(tar(entries).as_slice()).expect("a layer");
        let (left, right) = (read(left), read(right));
        let found: Vec<String> = left.differences(&right).map(|difference| difference.to_string()).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn equal_layers_do_not_differ_in_whatever_order() {
        let (a, b) = (file("etc/a", b"1"), file("etc/b", b"2"));
        check(&[a.clone(), b.clone()], &[b, a], &[]);
    }

    #[test]
    fn every_aspect_is_told() {
        let with = |change: fn(&mut Meta)| {
            let mut entry = file("etc/a", b"1");
            change(&mut entry.1);
            entry
        };
        let check = |entry: Entry, expect: &str| check(&[file("etc/a", b"1")], &[entry], &[expect]);
        check(file("etc/a", b"2"), "/etc/a: other content of the same size");
        check(file("etc/a", b"22"), "/etc/a: other content: 1 bytes became 2");
        check(with(|meta| meta.mode = 0o4755), "/etc/a: mode 0644 became 4755");
        check(with(|meta| meta.uid = 1000), "/etc/a: owner 0:0 became 1000:0");
        check(with(|meta| meta.mtime = 2), "/etc/a: mtime 1 became 2");
        check(with(|meta| drop(meta.xattrs.insert("user.a".into(), "b".into()))), "/etc/a: other extended attributes");
        check(("etc/a", Meta::root(0o755, 1), EntryKind::Directory, b""), "/etc/a: a file became a directory");
    }

    #[test]
    fn the_first_path_comes_first() {
        let link = |target: &str| {
            ("bin/sh", Meta::root(0o777, 1), EntryKind::Symlink { target: target.into() }, b"".as_slice())
        };
        check(
            &[file("usr/z", b"1"), link("dash"), file("etc/a", b"1")],
            &[link("bash"), file("etc/b", b"1"), file("usr/z", b"2")],
            &[
                "/bin/sh: target dash became bash",
                "/etc/a: missing",
                "/etc/b: added",
                "/usr/z: other content of the same size",
            ],
        );
    }

    #[test]
    fn layers_are_decompressed_by_their_type() {
        use std::io::Write as _;

        let bytes = tar(&[file("etc/a", b"1")]);
        let expect = LayerListing::read_tar(bytes.as_slice()).expect("a layer");
        for codec in [Codec::ZSTD, Codec::GZIP] {
            let mut encoder = codec.encoder(Vec::new()).expect("an encoder");
            encoder.write_all(&bytes).expect("compression");
            let stored = encoder.finish().expect("compression");
            let read = LayerListing::read(&codec.media_type(), stored.as_slice()).expect("a layer");
            assert_eq!(read, expect);
        }
        assert!(LayerListing::read(&MediaType::IMAGE_CONFIG, bytes.as_slice()).is_err());
    }
}
