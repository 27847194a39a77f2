//! What a script left, read back from a tar stream.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use bstr::BString;
use plywood_core::digest::Sha256Hash;
use plywood_core::tree::{HardLinkId, Meta, Node, NodeKind, Tree, TreePath};
use tar::{Archive, Entry, EntryType};

use super::{Hashes, ScriptRunnerError};

/// More than this in one file is no configuration, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// dpkg's own files, which real commands of dpkg touch and which are written anew in the end.
const NOT_TAKEN: [&str; 4] =
    ["var/lib/dpkg/lock", "var/lib/dpkg/triggers", "var/lib/dpkg/updates", "var/lib/dpkg/status"];

/// The tree with the script's changes. What is as it was keeps its content's place, its times and its attributes.
pub(super) fn read_back(before: Tree, hashes: &Hashes, after: impl Read, now: i64) -> Result<Tree, ScriptRunnerError> {
    let mut tree = before;
    let mut seen = BTreeSet::from([TreePath::ROOT]);
    let mut links = Links::default();
    let mut archive = Archive::new(after);
    for entry in archive.entries().map_err(ScriptRunnerError::ReadBack)? {
        let mut entry = entry.map_err(ScriptRunnerError::ReadBack)?;
        let path = TreePath::parse(&*entry.path_bytes()).map_err(plywood_core::tree::TreeError::from)?;
        if is_taken(&path) {
            take(&mut tree, hashes, &path, &mut entry, now, &mut links)?;
        }
        seen.insert(path);
    }
    // Devices were never copied, so their absence says nothing.
    let gone = |(path, node): (&TreePath, &Node)| {
        let device = matches!(node.kind, NodeKind::CharDevice { .. } | NodeKind::BlockDevice { .. });
        (!seen.contains(path) && !device && is_taken(path) && !is_mounted_over(path)).then(|| path.clone())
    };
    let gone: Vec<TreePath> = tree.iter().filter_map(gone).collect();
    for path in gone.iter().rev() {
        // A directory stays while something is in it that the script could not see.
        if tree.below(path).next().is_none() {
            tree.remove(path)?;
        }
    }
    Ok(tree)
}

/// Further names of files that the script made or changed.
#[derive(Default)]
struct Links {
    ids: BTreeMap<TreePath, HardLinkId>,
}

fn take(
    tree: &mut Tree,
    hashes: &Hashes,
    path: &TreePath,
    entry: &mut Entry<'_, impl Read>,
    now: i64,
    links: &mut Links,
) -> Result<(), ScriptRunnerError> {
    let meta = meta_of(entry, now)?;
    if path.is_root() {
        return Ok(());
    }
    let kind = match entry.header().entry_type() {
        EntryType::Directory => NodeKind::Directory,
        EntryType::Symlink => NodeKind::Symlink { target: target_of(entry) },
        EntryType::Fifo => NodeKind::Fifo,
        EntryType::Link => return link(tree, hashes, path, entry, links),
        EntryType::Regular | EntryType::Continuous => {
            let mut bytes = Vec::new();
            entry.take(MAX_FILE).read_to_end(&mut bytes).map_err(ScriptRunnerError::ReadBack)?;
            if hashes.get(path) == Some(&Sha256Hash::of(&bytes)) {
                return restate(tree, path, &meta);
            }
            Node::file(meta.clone(), bytes).kind
        }
        _ => return Ok(()),
    };
    if tree.get(path).is_some_and(|node| node.kind == kind) {
        return restate(tree, path, &meta);
    }
    if tree.get(path).is_some_and(|node| node.is_directory() != matches!(kind, NodeKind::Directory)) {
        tree.remove_all(path);
    }
    let meta = if matches!(kind, NodeKind::Symlink { .. }) { Meta { mode: 0o777, ..meta } } else { meta };
    tree.insert(path.clone(), Node { meta, kind })?;
    Ok(())
}

/// Keeps a node that is what it was, but for its owner and mode. Links have no mode of their own.
fn restate(tree: &mut Tree, path: &TreePath, meta: &Meta) -> Result<(), ScriptRunnerError> {
    let Some(node) = tree.get(path) else { return Ok(()) };
    let is_link = matches!(node.kind, NodeKind::Symlink { .. });
    let mode = if is_link { node.meta.mode } else { meta.mode };
    if (node.meta.mode, node.meta.uid, node.meta.gid) != (mode, meta.uid, meta.gid) {
        tree.set_meta(path, |old| (old.mode, old.uid, old.gid) = (mode, meta.uid, meta.gid))?;
    }
    Ok(())
}

/// A further name of a file that came earlier.
fn link(
    tree: &mut Tree,
    hashes: &Hashes,
    path: &TreePath,
    entry: &Entry<'_, impl Read>,
    links: &mut Links,
) -> Result<(), ScriptRunnerError> {
    let first = TreePath::parse(target_of(entry)).map_err(plywood_core::tree::TreeError::from)?;
    let unchanged = hashes.get(path).is_some() && hashes.get(path) == hashes.get(&first);
    let were_linked = |tree: &Tree| link_id(tree, path).is_some() && link_id(tree, path) == link_id(tree, &first);
    if unchanged && were_linked(tree) {
        return Ok(());
    }
    let next = tree.iter().filter_map(|(path, _)| link_id(tree, path)).max().map_or(0, |id| id.0 + 1);
    let id = *links.ids.entry(first.clone()).or_insert(HardLinkId(next));
    let Some(mut node) = tree.get(&first).cloned() else { return Ok(()) };
    if let NodeKind::File { link, .. } = &mut node.kind {
        *link = Some(link.unwrap_or(id));
    }
    tree.insert(first, node.clone())?;
    tree.insert(path.clone(), node)?;
    Ok(())
}

fn link_id(tree: &Tree, path: &TreePath) -> Option<HardLinkId> {
    match tree.get(path).map(|node| &node.kind) {
        Some(NodeKind::File { link, .. }) => *link,
        _ => None,
    }
}

fn meta_of(entry: &Entry<'_, impl Read>, now: i64) -> Result<Meta, ScriptRunnerError> {
    let header = entry.header();
    let number = |value: std::io::Result<u64>| value.map_err(ScriptRunnerError::ReadBack);
    let id = |value: u64| u32::try_from(value).unwrap_or(u32::MAX - 1);
    let mode = header.mode().map_err(ScriptRunnerError::ReadBack)? & 0o7777;
    let (uid, gid) = (id(number(header.uid())?), id(number(header.gid())?));
    Ok(Meta { uid, gid, ..Meta::root(u16::try_from(mode).unwrap_or(0o644), now) })
}

fn target_of(entry: &Entry<'_, impl Read>) -> BString {
    entry.link_name_bytes().map(|name| BString::from(name.into_owned())).unwrap_or_default()
}

fn is_taken(path: &TreePath) -> bool {
    let starts = |prefix: &str| path.as_bytes().starts_with(prefix.as_bytes());
    !NOT_TAKEN.iter().any(|prefix| starts(prefix)) && !is_mounted_over(path)
}

/// Whether something else was mounted there while the script ran; the folder itself counts as the image's.
fn is_mounted_over(path: &TreePath) -> bool {
    ["dev/", "proc/", "sys/", "run/", "tmp/"].iter().any(|folder| path.as_bytes().starts_with(folder.as_bytes()))
}

#[cfg(test)]
mod tests {
    use plywood_core::tree::NoPackedContent;

    use super::*;
    use crate::script_runner::rootfs;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let node = |text: &str| Node::file(Meta::root(0o644, 7), text.as_bytes());
        files.iter().map(|(path, text)| (TreePath::parse(path).expect("a path"), node(text))).collect()
    }

    #[test]
    fn what_is_left_alone_comes_back_as_it_was() {
        let mut before = tree(&[("etc/a", "a"), ("etc/b", "b"), ("usr/bin/x", "x")]);
        before.insert(TreePath::literal("bin"), Node::symlink("usr/bin", 3)).expect("inserted");
        let mut archive = Vec::new();
        let hashes = rootfs::write(&before, &NoPackedContent, &mut archive).expect("written");
        let after = read_back(before.clone(), &hashes, archive.as_slice(), 99).expect("read");
        assert_eq!(after, before);
    }

    #[test]
    fn changes_have_the_time_of_the_lock() {
        let before = tree(&[("etc/a", "a"), ("etc/b", "b"), ("run/pid", "1"), ("var/lib/dpkg/status", "s")]);
        let after = tree(&[("etc/a", "changed"), ("etc/c", "new")]);
        let mut archive = Vec::new();
        let hashes = rootfs::write(&before, &NoPackedContent, &mut Vec::new()).expect("written");
        rootfs::write(&after, &NoPackedContent, &mut archive).expect("written");
        let read = read_back(before, &hashes, archive.as_slice(), 99).expect("read");
        let text = |path: &str| read.read(&TreePath::parse(path).expect("a path"), &NoPackedContent).ok();
        assert_eq!(text("etc/a").as_deref(), Some(&b"changed"[..]));
        assert_eq!(read.get(&TreePath::literal("etc/c")).map(|node| node.meta.mtime), Some(99));
        assert_eq!(text("etc/b"), None);
        assert_eq!(text("run/pid").as_deref(), Some(&b"1"[..]));
        assert_eq!(text("var/lib/dpkg/status").as_deref(), Some(&b"s"[..]));
    }
}
