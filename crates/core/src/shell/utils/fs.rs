//! What several utilities do to the tree.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::super::Invocation;
use crate::tree::{HardLinkId, Meta, Node, NodeKind, Tree, TreeError, TreePath};

/// The last component of an operand, trailing slashes aside.
pub(in crate::shell) fn base_name(path: &[u8]) -> &[u8] {
    let trimmed = path.trim_end_with(|c| c == '/').as_bytes();
    match trimmed.rfind_byte(b'/') {
        Some(slash) => trimmed.get(slash + 1..).unwrap_or_default(),
        None => trimmed,
    }
}

/// A name put below a directory operand.
pub(super) fn join(directory: &[u8], name: &[u8]) -> BString {
    if directory.ends_with(b"/") { [directory, name].concat().into() } else { [directory, b"/", name].concat().into() }
}

/// Whether an operand leads to a directory.
pub(super) fn is_directory<S>(call: &Invocation<'_, '_, S>, path: &[u8]) -> bool {
    call.stat(path, true).is_some_and(|(_, node)| node.is_directory())
}

/// A hard link id that the tree does not use yet.
pub(super) fn fresh_link(tree: &Tree) -> HardLinkId {
    let used = tree.iter().filter_map(|(_, node)| match node.kind {
        NodeKind::File { link: Some(link), .. } => Some(link.0),
        _ => None,
    });
    HardLinkId(used.max().map_or(1, |last| last.saturating_add(1)))
}

/// What a copy keeps of its source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Keep {
    pub(super) mode: bool,
    pub(super) owner: bool,
    pub(super) times: bool,
    pub(super) links: bool,
    pub(super) xattrs: bool,
}

/// The metadata of a copy.
pub(super) fn copied_meta<S>(call: &Invocation<'_, '_, S>, source: &Meta, keep: Keep) -> Meta {
    let now = call.machine.now;
    let mode = if keep.mode { source.mode } else { source.mode & 0o777 & !call.shell.umask };
    let (uid, gid) = if keep.owner { (source.uid, source.gid) } else { (0, 0) };
    let xattrs = if keep.xattrs { source.xattrs.clone() } else { BTreeMap::new() };
    Meta { mode, uid, gid, mtime: if keep.times { source.mtime } else { now }, xattrs }
}

/// Puts a copy of a node at a path. A file that is there keeps its inode, and so its owner and mode.
pub(super) fn put<S>(call: &mut Invocation<'_, '_, S>, to: &TreePath, node: Node, keep: Keep) -> Result<(), TreeError> {
    let tree = &mut call.machine.tree;
    let onto_file = matches!(tree.get(to).map(|node| &node.kind), Some(NodeKind::File { .. }));
    match node.kind {
        NodeKind::File { content, link: None } if onto_file => {
            // The new content is the source's own, so that a packed one stays packed.
            let Some(old) = tree.get(to).cloned() else { return Ok(()) };
            let NodeKind::File { link, .. } = old.kind else { return Ok(()) };
            let mut meta = old.meta;
            meta.mtime = node.meta.mtime;
            if keep.mode {
                meta.mode = node.meta.mode;
            }
            if keep.owner {
                (meta.uid, meta.gid) = (node.meta.uid, node.meta.gid);
            }
            let paths = link.map_or_else(|| vec![to.clone()], |link| tree.hard_links(link));
            for path in paths {
                tree.insert(
                    path,
                    Node { meta: meta.clone(), kind: NodeKind::File { content: content.clone(), link } },
                )?;
            }
        }
        kind => {
            tree.insert(to.clone(), Node { meta: node.meta, kind })?;
        }
    }
    Ok(())
}

/// The path from a directory to another path, both resolved (`ln -r`, `realpath --relative-to`).
pub(super) fn relative(from: &TreePath, to: &TreePath) -> BString {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(left, right)| left == right).count();
    let ups = from.iter().skip(shared).map(|_| b"..".as_bstr());
    let parts: Vec<_> = ups.chain(to.into_iter().skip(shared)).collect();
    if parts.is_empty() { ".".into() } else { bstr::join("/", parts).into() }
}
