//! Reading entries back.

use std::io::{self, Read};

use plywood_core::item::EntryKind;
use plywood_core::tree::{Meta, TreePath};
use tar::EntryType;

/// The prefix of extended attributes in pax headers.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// An entry of a segment or layer, without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarEntry {
    /// Where it is.
    pub path: TreePath,
    /// Owner, mode, times, attributes.
    pub meta: Meta,
    /// What it is.
    pub kind: EntryKind,
    /// Where its data starts in the uncompressed archive, in bytes.
    pub offset: u64,
}

/// Hands every entry with its data to `take`, in the archive's order.
pub(crate) fn for_each_entry(
    archive: impl Read,
    mut take: impl FnMut(TarEntry, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let read = read_entry(&mut entry)?;
        take(read, &mut entry)?;
    }
    Ok(())
}

fn read_entry<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<TarEntry> {
    let path = TreePath::parse(entry.path_bytes()).map_err(invalid)?;
    let kind = entry_kind(entry)?;
    let header = entry.header();
    let id = |id: u64| u32::try_from(id).map_err(invalid);
    let mut meta = Meta::root((header.mode()? & 0o7777) as u16, header.mtime()? as i64);
    (meta.uid, meta.gid) = (id(header.uid()?)?, id(header.gid()?)?);
    let offset = entry.raw_file_position();
    if let Some(records) = entry.pax_extensions()? {
        for record in records {
            let record = record?;
            set_from_pax(&mut meta, record.key_bytes(), record.value_bytes())?;
        }
    }
    Ok(TarEntry { path, meta, kind, offset })
}

/// What ustar had no room for.
fn set_from_pax(meta: &mut Meta, key: &[u8], value: &[u8]) -> io::Result<()> {
    let text = || std::str::from_utf8(value).map_err(invalid);
    match key {
        b"uid" => meta.uid = text()?.parse().map_err(invalid)?,
        b"gid" => meta.gid = text()?.parse().map_err(invalid)?,
        b"mtime" => {
            let text = text()?;
            // Whole seconds, rounded down as engines do.
            let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
            let below = seconds.starts_with('-') && fraction.bytes().any(|digit| digit != b'0');
            meta.mtime = seconds.parse::<i64>().map_err(invalid)?.saturating_sub(i64::from(below));
        }
        _ => {
            if let Some(name) = key.strip_prefix(XATTR) {
                meta.xattrs.insert(name.into(), value.into());
            }
        }
    }
    Ok(())
}

fn entry_kind<R: Read>(entry: &tar::Entry<'_, R>) -> io::Result<EntryKind> {
    let header = entry.header();
    let target = || entry.link_name_bytes().ok_or_else(|| invalid("a link without a target"));
    let device = |number: Option<u32>| number.ok_or_else(|| invalid("a device without numbers"));
    Ok(match header.entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => EntryKind::File { size: entry.size() },
        EntryType::Directory => EntryKind::Directory,
        EntryType::Link => EntryKind::HardLink { target: TreePath::parse(target()?).map_err(invalid)? },
        EntryType::Symlink => EntryKind::Symlink { target: target()?.as_ref().into() },
        EntryType::Char => {
            EntryKind::CharDevice { major: device(header.device_major()?)?, minor: device(header.device_minor()?)? }
        }
        EntryType::Block => {
            EntryKind::BlockDevice { major: device(header.device_major()?)?, minor: device(header.device_minor()?)? }
        }
        EntryType::Fifo => EntryKind::Fifo,
        other => return Err(invalid(format!("an entry of unknown type {:?}", other.as_byte() as char))),
    })
}

fn invalid(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, source)
}
