//! Segments of what comes from no item: generated state and files of the workspace.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use plywood_core::item::{EntryKind, EntrySink as _};
use plywood_core::layering::generated_id;
use plywood_core::tree::{Content, HardLinkId, Node, NodeKind, ReadContent, TreePath};

use super::{Segment, SegmentError, SegmentWriter};
use crate::codec::Codec;
use crate::store::Store;

/// Writes entries as a segment of their own, the item being [`generated_id`] of them; one that is in the store already
/// is returned as it is. Nodes with the same [`HardLinkId`] become hard links of the first.
///
/// # Errors
/// When a content is not at hand or the segment cannot be written.
pub fn write_generated(
    store: &Store,
    codec: Codec,
    entries: &[(TreePath, Node)],
    contents: &dyn ReadContent,
) -> Result<Segment, SegmentError> {
    let item = generated_id(entries);
    if let Some(segment) = store.segment(item, codec)? {
        return Ok(segment);
    }
    let mut writer = store.create_segment(item, codec)?;
    let mut links = BTreeMap::new();
    for (path, node) in entries {
        append(&mut writer, &mut links, path, node, contents)?;
    }
    writer.finish(&[])
}

fn append(
    writer: &mut SegmentWriter,
    links: &mut BTreeMap<HardLinkId, TreePath>,
    path: &TreePath,
    node: &Node,
    contents: &dyn ReadContent,
) -> Result<(), SegmentError> {
    let mut data: Arc<[u8]> = Arc::from([]);
    let kind = match &node.kind {
        NodeKind::Directory => EntryKind::Directory,
        NodeKind::File { content, link } => match link.and_then(|link| links.get(&link)) {
            Some(target) => EntryKind::HardLink { target: target.clone() },
            None => {
                if let Some(link) = link {
                    links.insert(*link, path.clone());
                }
                data = match content {
                    Content::Inline(bytes) => bytes.clone(),
                    Content::Packed(packed) => contents.read(packed)?,
                };
                EntryKind::File { size: data.len() as u64 }
            }
        },
        NodeKind::Symlink { target } => EntryKind::Symlink { target: target.clone() },
        NodeKind::CharDevice { major, minor } => EntryKind::CharDevice { major: *major, minor: *minor },
        NodeKind::BlockDevice { major, minor } => EntryKind::BlockDevice { major: *major, minor: *minor },
        NodeKind::Fifo => EntryKind::Fifo,
    };
    let written: io::Result<u64> = writer.append(path, &node.meta, &kind, &mut &data[..]);
    written.map_err(|source| SegmentError::Append { path: path.clone(), item: writer.item(), source })?;
    Ok(())
}
