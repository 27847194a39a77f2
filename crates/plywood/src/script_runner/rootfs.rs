//! A tree as a tar stream that any tar unpacks.

use std::collections::BTreeMap;
use std::io::{self, Write};

use plywood_core::digest::Sha256Hash;
use plywood_core::tree::{Content, HardLinkId, Meta, Node, NodeKind, ReadContent, Tree, TreePath};
use tar::{Builder, EntryType, Header};

use super::{Hashes, ScriptRunnerError};

/// Writes the tree; gives the hash of every regular file.
///
/// Extended attributes stay behind: namespaces change what capabilities mean, and unchanged files keep theirs anyway.
pub(super) fn write(tree: &Tree, contents: &dyn ReadContent, out: impl Write) -> Result<Hashes, ScriptRunnerError> {
    let mut archive = Builder::new(out);
    let mut hashes = Hashes::new();
    let mut first_names: BTreeMap<HardLinkId, &TreePath> = BTreeMap::new();
    for (path, node) in in_reading_order(tree) {
        let (kind, target, size) = match &node.kind {
            NodeKind::Directory => (EntryType::Directory, None, 0),
            NodeKind::Symlink { target } => (EntryType::Symlink, Some(target.as_slice()), 0),
            NodeKind::CharDevice { .. } | NodeKind::BlockDevice { .. } => continue,
            NodeKind::Fifo => (EntryType::Fifo, None, 0),
            NodeKind::File { content, link } => match link.and_then(|link| first_names.insert(link, path)) {
                Some(first) => {
                    let hash = hashes.get(first).copied();
                    hashes.extend(hash.map(|hash| (path.clone(), hash)));
                    if let Some(link) = link {
                        first_names.insert(*link, first);
                    }
                    (EntryType::Link, Some(first.as_bytes()), 0)
                }
                None => (EntryType::Regular, None, content.size()),
            },
        };
        let mut bytes: &[u8] = &[];
        let content;
        if kind == EntryType::Regular {
            let read = tree.read(path, contents);
            content = read.map_err(|source| ScriptRunnerError::Content { path: path.clone(), source })?;
            hashes.insert(path.clone(), Sha256Hash::of(&content));
            bytes = &content;
        }
        let header = header(&node.meta, kind, size);
        append(&mut archive, header, path, target, bytes).map_err(ScriptRunnerError::Write)?;
    }
    archive.into_inner().and_then(|mut out| out.flush()).map_err(ScriptRunnerError::Write)?;
    Ok(hashes)
}

/// Directories first, then files in the order in which segments have them, so that each is read in one go; links last.
fn in_reading_order(tree: &Tree) -> Vec<(&TreePath, &Node)> {
    let mut nodes: Vec<(&TreePath, &Node)> = tree.iter().filter(|(path, _)| !path.is_root()).collect();
    nodes.sort_by_key(|(path, node)| match &node.kind {
        NodeKind::Directory => (0, None, *path),
        NodeKind::File { content: Content::Packed(packed), .. } => (1, Some((packed.item, packed.offset)), *path),
        NodeKind::File { .. } => (1, None, *path),
        _ => (2, None, *path),
    });
    nodes
}

fn header(meta: &Meta, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(u32::from(meta.mode));
    header.set_uid(meta.uid.into());
    header.set_gid(meta.gid.into());
    header.set_mtime(u64::try_from(meta.mtime).unwrap_or(0));
    header.set_size(size);
    header
}

/// Names and targets of any length and any bytes, as GNU tar has them.
fn append(
    archive: &mut Builder<impl Write>,
    mut header: Header,
    path: &TreePath,
    target: Option<&[u8]>,
    bytes: &[u8],
) -> io::Result<()> {
    let path = os_path(path.as_bytes());
    match target {
        Some(target) => archive.append_link(&mut header, path, os_path(target)),
        None => archive.append_data(&mut header, path, bytes),
    }
}

fn os_path(bytes: &[u8]) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt as _;
    std::path::Path::new(std::ffi::OsStr::from_bytes(bytes))
}
