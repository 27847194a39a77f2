//! Reading a layer from front to back.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use plywood_core::digest::{DiffId, Digest};
use plywood_core::item::{EntryKind, ItemId};
use plywood_core::layering::WHITEOUT;
use plywood_core::tree::{Content, HardLinkId, Node, NodeKind, PackedContent, TreePath};

use super::keep::keep;
use super::{LayerRef, UnpackError, UnpackedEntry, UnpackedLayer, Whiteout};
use crate::hash::Hashing;
use crate::tar::{TarEntry, for_each_entry};

/// The whiteout that removes all that lower layers have in its directory.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// How much a layer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Its entries.
    pub entries: usize,
    /// Its uncompressed bytes.
    pub size: u64,
    /// It may unpack to this many times its own size, plus [`UnpackLimits::slack`]. gzip cannot reach 1,100.
    pub ratio: u64,
    /// Bytes allowed above what the ratio permits.
    pub slack: u64,
    /// Bytes of contents that are kept with the entries.
    pub kept: u64,
    /// Files up to this size in bytes are kept wherever they are; larger ones only of configuration and databases.
    pub small: u64,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { entries: 4 << 20, size: 64 << 30, ratio: 1100, slack: 1 << 30, kept: 256 << 20, small: 8 << 10 }
    }
}

impl UnpackLimits {
    /// How many bytes a layer of this size may unpack to.
    fn uncompressed(&self, size: u64) -> u64 {
        size.saturating_mul(self.ratio).saturating_add(self.slack).min(self.size)
    }
}

/// Reads the whole of a layer; what is wrong with it is found before anything of it is given.
///
/// # Errors
/// [`UnpackError`], which names the layer.
pub fn unpack(blob: impl Read, layer: &LayerRef, limits: &UnpackLimits) -> Result<UnpackedLayer, UnpackError> {
    let digest = layer.digest;
    let failed = |source| UnpackError::Read { digest, source };
    // One byte more than it may have shows that it has too many.
    let mut blob = Hashing::new(blob.take(layer.size.saturating_add(1)));
    let mut reader = LayerReader::new(layer.item(), limits);
    let (diff_id, uncompressed_size, read) = {
        let decoder = layer.compression.decoder(&mut blob).map_err(failed)?;
        let limit = limits.uncompressed(layer.size);
        let mut uncompressed = Hashing::new(Bounded { inner: decoder, left: limit });
        let read = for_each_entry(&mut uncompressed, |entry, data| reader.take(entry, data))
            // The tar reader stops at the end of the archive; the rest counts for the diff ID.
            .and_then(|()| io::copy(&mut uncompressed, &mut io::sink()));
        let length = uncompressed.hasher.length();
        (DiffId::new(uncompressed.hasher.finish()), length, read)
    };
    // Damage is told from malice: whatever could not be read, the bytes are looked at to their end.
    io::copy(&mut blob, &mut io::sink()).map_err(failed)?;
    let length = blob.hasher.length();
    if length != layer.size || Digest::new(blob.hasher.finish()) != digest {
        return Err(UnpackError::Digest(digest));
    }
    read.map_err(failed)?;
    if diff_id != layer.diff_id {
        return Err(UnpackError::DiffId { digest, expected: layer.diff_id });
    }
    Ok(UnpackedLayer { entries: reader.entries, whiteouts: reader.whiteouts, uncompressed_size })
}

/// Fails once more than its budget was read.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left =
            self.left.checked_sub(read as u64).ok_or_else(|| invalid("it unpacks to far more than its size"))?;
        Ok(read)
    }
}

/// Collects a layer's entries.
struct LayerReader<'l> {
    item: ItemId,
    limits: &'l UnpackLimits,
    kept_left: u64,
    entries: Vec<(TreePath, UnpackedEntry)>,
    /// Where each file is in `entries`, for hard links.
    files: BTreeMap<TreePath, usize>,
    whiteouts: Vec<Whiteout>,
}

impl<'l> LayerReader<'l> {
    fn new(item: ItemId, limits: &'l UnpackLimits) -> Self {
        let kept_left = limits.kept;
        Self { item, limits, kept_left, entries: Vec::new(), files: BTreeMap::new(), whiteouts: Vec::new() }
    }

    fn take(&mut self, entry: TarEntry, data: &mut dyn Read) -> io::Result<()> {
        if self.entries.len() + self.whiteouts.len() >= self.limits.entries {
            return Err(invalid("it has too many entries"));
        }
        if let Some(whiteout) = whiteout(&entry.path) {
            self.whiteouts.push(whiteout?);
            return Ok(());
        }
        let TarEntry { path, meta, kind, offset } = entry;
        let kind = match kind {
            EntryKind::Directory => NodeKind::Directory,
            EntryKind::File { size } => {
                self.files.insert(path.clone(), self.entries.len());
                NodeKind::File { content: self.content(&path, offset, size, data)?, link: None }
            }
            EntryKind::HardLink { target } => match self.link(&target)? {
                Some(kind) => kind,
                None => {
                    self.entries.push((path, UnpackedEntry::LinkBelow { target, meta }));
                    return Ok(());
                }
            },
            EntryKind::Symlink { target } => NodeKind::Symlink { target },
            EntryKind::CharDevice { major, minor } => NodeKind::CharDevice { major, minor },
            EntryKind::BlockDevice { major, minor } => NodeKind::BlockDevice { major, minor },
            EntryKind::Fifo => NodeKind::Fifo,
        };
        self.entries.push((path, UnpackedEntry::Node(Node { meta, kind })));
        Ok(())
    }

    fn content(&mut self, path: &TreePath, offset: u64, size: u64, data: &mut dyn Read) -> io::Result<Content> {
        if size > self.kept_left || !keep(path, size, self.limits.small) {
            return Ok(Content::Packed(PackedContent { item: self.item, offset, size }));
        }
        self.kept_left -= size;
        let mut bytes = Vec::new();
        data.read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Content::Inline(Arc::from(bytes)))
    }

    /// A further name of a file of this layer; `None` when the file is not in it.
    fn link(&mut self, target: &TreePath) -> io::Result<Option<NodeKind>> {
        let Some(at) = self.files.get(target).copied() else { return Ok(None) };
        let id = HardLinkId::of(self.item, target);
        match self.entries.get_mut(at) {
            Some((_, UnpackedEntry::Node(Node { kind: NodeKind::File { content, link }, .. }))) => {
                *link = Some(id);
                Ok(Some(NodeKind::File { content: content.clone(), link: *link }))
            }
            _ => Err(invalid("a hard link leads to no file")),
        }
    }
}

fn whiteout(path: &TreePath) -> Option<io::Result<Whiteout>> {
    let name = path.file_name()?;
    let parent = path.parent().unwrap_or(TreePath::ROOT);
    if name == OPAQUE {
        return Some(Ok(Whiteout::Below(parent)));
    }
    let removed = name.strip_prefix(WHITEOUT)?;
    let nameless = || invalid("a whiteout has no name");
    Some(parent.join(removed).ok().filter(|path| *path != parent).map(Whiteout::One).ok_or_else(nameless))
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use plywood_core::layering::Overlay;
    use plywood_core::tree::Meta;
    use proptest::prelude::*;

    use super::*;
    use crate::codec::LayerCompression;
    use crate::tar::encode;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).expect("a path")
    }

    /// A layer of these entries, uncompressed.
    fn tar(entries: &[(&str, EntryKind, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (at, kind, data) in entries {
            encode(&path(at), &Meta::root(0o644, 1), kind, &mut bytes);
            bytes.extend_from_slice(data);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    fn layer_ref(bytes: &[u8]) -> LayerRef {
        LayerRef {
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            diff_id: DiffId::of(bytes),
            compression: LayerCompression::None,
        }
    }

    fn file(size: u64) -> EntryKind {
        EntryKind::File { size }
    }

    fn read(entries: &[(&str, EntryKind, &[u8])]) -> UnpackedLayer {
        let bytes = tar(entries);
        unpack(&bytes[..], &layer_ref(&bytes), &UnpackLimits::default()).expect("a good layer")
    }

    #[test]
    fn whiteouts_links_and_directories_are_applied_in_any_order() {
        let lower = read(&[
            ("a", EntryKind::Directory, b""),
            ("a/x", file(1), b"x"),
            ("a/y", file(1), b"y"),
            ("b", EntryKind::Directory, b""),
            ("b/z", file(1), b"z"),
            ("far", file(3), b"far"),
        ]);
        let upper = read(&[
            ("a/new", file(3), b"new"),
            ("a/also", EntryKind::HardLink { target: path("a/new") }, b""),
            ("a/.wh.x", file(0), b""),
            ("b/kept", file(1), b"k"),
            ("b/.wh..wh..opq", file(0), b""),
            ("near", EntryKind::HardLink { target: path("far") }, b""),
        ]);
        let mut overlay = Overlay::default();
        lower.apply(&mut overlay).expect("applied");
        upper.apply(&mut overlay).expect("applied");
        let tree = overlay.to_tree();
        let shown: Vec<String> = tree.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(shown, ["/", "/a", "/a/also", "/a/new", "/a/y", "/b", "/b/kept", "/far", "/near"]);
        let kind = |at| tree.get(&path(at)).map(|node| node.kind.clone());
        assert_eq!(kind("a/also"), kind("a/new"));
        assert_eq!(kind("near"), kind("far"));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let bytes = tar(&[("a", file(1), b"x"), ("b", EntryKind::HardLink { target: path("none") }, b"")]);
        let good = layer_ref(&bytes);
        let check = |bytes: &[u8], layer: &LayerRef, limits: &UnpackLimits, expect: &str| {
            let result = unpack(bytes, layer, limits).and_then(|layer| layer.apply(&mut Overlay::default()));
            let error = result.expect_err(expect);
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let text = format!("{error} {cause}");
            assert!(text.contains(expect), "{text}");
        };
        let limits = UnpackLimits::default();
        let mut damaged = bytes.clone();
        damaged[600] ^= 1;
        check(&damaged, &good, &limits, "is damaged");
        check(&bytes[..600], &good, &limits, "is damaged");
        check(&[&bytes[..], b"more"].concat(), &good, &limits, "is damaged");
        check(&bytes, &LayerRef { diff_id: DiffId::of(b""), ..good }, &limits, "has not the diff ID");
        check(&bytes, &LayerRef { compression: LayerCompression::Zstd, ..good }, &limits, "cannot unpack");
        check(&bytes, &good, &limits, "/b is a hard link to /none");
        check(&bytes, &good, &UnpackLimits { entries: 1, ..limits }, "too many entries");
        check(&bytes, &good, &UnpackLimits { ratio: 0, slack: 1000, ..limits }, "far more than its size");
        let nameless = tar(&[("a/.wh.", file(0), b"")]);
        check(&nameless, &layer_ref(&nameless), &limits, "a whiteout has no name");
    }

    proptest! {
        #[test]
        fn damaged_layers_are_refused(at in 0usize..4096, value in any::<u8>(), length in 0usize..4096) {
            let mut bytes = tar(&[("a", file(1), b"x"), ("a/.wh.x", file(0), b""), ("c", EntryKind::Fifo, b"")]);
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.truncate(length);
            // Even when digest and diff ID are right, since whoever made it wanted it so.
            let unpacked = unpack(&bytes[..], &layer_ref(&bytes), &UnpackLimits::default());
            if let Ok(layer) = unpacked {
                let _ = layer.apply(&mut Overlay::default());
            }
        }
    }
}
