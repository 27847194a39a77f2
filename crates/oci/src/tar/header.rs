//! Headers of entries (POSIX.1-2024, pax, "ustar Interchange Format" and "pax Header Block").
//!
//! Owners are numeric, names of users and groups empty, numbers octal and zero-padded. A pax header comes before the
//! entry only where ustar has no room: for long paths, large numbers, times before 1970 and extended attributes.
//! Names that are not ASCII are written as they are: every engine takes them as bytes.

use std::collections::BTreeMap;

use plywood_core::item::EntryKind;
use plywood_core::tree::{Meta, TreePath};

/// The size of a tar block, in bytes.
pub(crate) const BLOCK: usize = 512;

const NAME: usize = 100;
const PREFIX: usize = 155;
/// The name of pax headers themselves, which readers that know pax never show.
const PAX_NAME: &[u8] = b"PaxHeaders";

/// How many zero bytes follow `size` bytes of data.
pub(crate) fn padding(size: u64) -> usize {
    // Less than a block, so it fits.
    (size.wrapping_neg() % BLOCK as u64) as usize
}

/// Appends an entry's header blocks to `out`.
pub(crate) fn encode(path: &TreePath, meta: &Meta, kind: &EntryKind, out: &mut Vec<u8>) {
    let mut pax = BTreeMap::new();
    let mut block = Block::new(type_flag(kind));
    let name = entry_name(path, kind);
    if !block.set_name(&name) {
        pax.insert(b"path".to_vec(), name);
    }
    block.number(100, 8, u64::from(meta.mode));
    for (key, at, value) in [("uid", 108, u64::from(meta.uid)), ("gid", 116, u64::from(meta.gid))] {
        if !block.number(at, 8, value) {
            pax.insert(key.into(), value.to_string().into_bytes());
        }
    }
    let size = if let EntryKind::File { size } = kind { *size } else { 0 };
    if !block.number(124, 12, size) {
        pax.insert(b"size".to_vec(), size.to_string().into_bytes());
    }
    if !u64::try_from(meta.mtime).is_ok_and(|mtime| block.number(136, 12, mtime)) {
        pax.insert(b"mtime".to_vec(), meta.mtime.to_string().into_bytes());
    }
    let target = match kind {
        EntryKind::HardLink { target } => target.as_bytes(),
        EntryKind::Symlink { target } => target.as_slice(),
        _ => b"",
    };
    if !block.set_link(target) {
        pax.insert(b"linkpath".to_vec(), target.to_vec());
    }
    if let EntryKind::CharDevice { major, minor } | EntryKind::BlockDevice { major, minor } = kind {
        // Linux has 12 bits of major and 20 of minor number, less than seven octal digits.
        block.number(329, 8, u64::from(*major));
        block.number(337, 8, u64::from(*minor));
    }
    for (name, value) in &meta.xattrs {
        pax.insert([b"SCHILY.xattr.", name.as_slice()].concat(), value.to_vec());
    }
    if !pax.is_empty() {
        encode_pax(&pax, out);
    }
    out.extend_from_slice(&block.finish());
}

/// Directories end in a slash; the root is `./`.
fn entry_name(path: &TreePath, kind: &EntryKind) -> Vec<u8> {
    let mut name = if path.is_root() { b".".to_vec() } else { path.as_bytes().to_vec() };
    if matches!(kind, EntryKind::Directory) {
        name.push(b'/');
    }
    name
}

fn type_flag(kind: &EntryKind) -> u8 {
    match kind {
        EntryKind::File { .. } => b'0',
        EntryKind::HardLink { .. } => b'1',
        EntryKind::Symlink { .. } => b'2',
        EntryKind::CharDevice { .. } => b'3',
        EntryKind::BlockDevice { .. } => b'4',
        EntryKind::Directory => b'5',
        EntryKind::Fifo => b'6',
    }
}

/// Appends a pax header: a block and the padded records, sorted by key.
fn encode_pax(records: &BTreeMap<Vec<u8>, Vec<u8>>, out: &mut Vec<u8>) {
    let body: Vec<u8> = records.iter().flat_map(|(key, value)| pax_record(key, value)).collect();
    let mut block = Block::new(b'x');
    block.set_name(PAX_NAME);
    block.number(100, 8, 0o644);
    block.number(108, 8, 0);
    block.number(116, 8, 0);
    block.number(124, 12, body.len() as u64);
    block.number(136, 12, 0);
    out.extend_from_slice(&block.finish());
    let end = out.len() + body.len() + padding(body.len() as u64);
    out.extend_from_slice(&body);
    out.resize(end, 0);
}

/// `length key=value\n`, where the length counts its own digits.
fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// One header block under construction.
struct Block([u8; BLOCK]);

impl Block {
    fn new(type_flag: u8) -> Self {
        let mut bytes = [0; BLOCK];
        bytes[156] = type_flag;
        bytes[257..265].copy_from_slice(b"ustar\x0000");
        let mut block = Self(bytes);
        block.number(329, 8, 0);
        block.number(337, 8, 0);
        block
    }

    /// Writes zero-padded octal with a final NUL; leaves zero and says `false` when the number has too many digits.
    fn number(&mut self, at: usize, width: usize, value: u64) -> bool {
        let digits = width - 1;
        let fits = value >> (3 * digits) == 0;
        let text = format!("{:0digits$o}\0", if fits { value } else { 0 });
        self.0[at..at + width].copy_from_slice(text.as_bytes());
        fits
    }

    /// Writes the name, split into prefix and name where it is long; cuts it and says `false` when it cannot be split.
    fn set_name(&mut self, name: &[u8]) -> bool {
        if name.len() <= NAME {
            self.0[..name.len()].copy_from_slice(name);
            return true;
        }
        // The earliest slash that leaves a fitting name; one at the very end belongs to the name.
        let first = name.len() - NAME - 1;
        let split = name[..name.len() - 1].iter().skip(first).position(|byte| *byte == b'/').map(|at| first + at);
        match split.filter(|at| (1..=PREFIX).contains(at)) {
            Some(at) => {
                self.0[345..345 + at].copy_from_slice(&name[..at]);
                self.0[..name.len() - at - 1].copy_from_slice(&name[at + 1..]);
                true
            }
            None => {
                self.0[..NAME].copy_from_slice(&name[..NAME]);
                false
            }
        }
    }

    /// Writes the link's target; cuts it and says `false` when it is too long.
    fn set_link(&mut self, target: &[u8]) -> bool {
        let length = target.len().min(NAME);
        self.0[157..157 + length].copy_from_slice(&target[..length]);
        target.len() <= NAME
    }

    /// Puts in the checksum: the sum of all bytes with its own field as spaces.
    fn finish(mut self) -> [u8; BLOCK] {
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        let text = format!("{sum:06o}\0 ");
        self.0[148..156].copy_from_slice(text.as_bytes());
        self.0
    }
}
