//! The tests of `find` that have no effect (find(1), "TESTS").

use super::super::super::Invocation;
use super::super::fs::base_name;
use super::Entry;
use super::expression::Expression;
use crate::tree::{Node, NodeKind};

/// Whether a test without effect holds.
pub(super) fn is_so<S>(call: &Invocation<'_, '_, S>, test: &Expression, entry: &Entry<'_>, node: &Node) -> bool {
    let meta = &node.meta;
    match test {
        Expression::Name(pattern, ignore_case) => {
            let base = base_name(entry.name);
            if *ignore_case { pattern.matches(&base.to_ascii_lowercase()) } else { pattern.matches(base) }
        }
        Expression::Path(pattern) => pattern.matches(entry.name),
        Expression::LinkName(pattern) => matches!(&node.kind, NodeKind::Symlink { target } if pattern.matches(target)),
        Expression::Regex(regex) => regex.is_match(entry.name),
        Expression::Type(letters, follow) => {
            let target = if *follow { call.stat(entry.name, true).map(|(_, node)| letter(node)) } else { None };
            letters.contains(&target.unwrap_or_else(|| letter(node)))
        }
        Expression::Empty => match &node.kind {
            NodeKind::File { content, .. } => content.size() == 0,
            NodeKind::Directory => call.machine.tree.children(entry.path).next().is_none(),
            _ => false,
        },
        Expression::User(uid) => meta.uid == *uid,
        Expression::Group(gid) => meta.gid == *gid,
        Expression::NoUser(user) => {
            let (path, id) = if *user {
                (super::super::accounts::PASSWD, meta.uid)
            } else {
                (super::super::accounts::GROUP, meta.gid)
            };
            super::super::accounts::entry(
                &super::super::accounts::database(call.machine, path),
                2,
                id.to_string().as_bytes(),
            )
            .is_none()
        }
        Expression::Mode(bits, b'-') => meta.mode & bits == *bits,
        Expression::Mode(bits, b'/') => *bits == 0 || meta.mode & bits != 0,
        Expression::Mode(bits, _) => meta.mode == *bits,
        Expression::Links(comparison) => comparison.holds(match node.kind {
            NodeKind::File { link: Some(link), .. } => call.machine.tree.hard_links(link).len() as u64,
            _ => 1,
        }),
        Expression::Size(comparison, unit) => comparison.holds(super::super::stat::size(node).div_ceil(*unit)),
        Expression::Newer(mtime) => meta.mtime > *mtime,
        Expression::Days(comparison) => {
            comparison.holds((call.machine.now.saturating_sub(meta.mtime).max(0) / 86_400) as u64)
        }
        Expression::Executable => node.is_directory() || meta.mode & 0o111 != 0,
        _ => true,
    }
}

fn letter(node: &Node) -> u8 {
    match node.kind {
        NodeKind::Directory => b'd',
        NodeKind::File { .. } => b'f',
        NodeKind::Symlink { .. } => b'l',
        NodeKind::CharDevice { .. } => b'c',
        NodeKind::BlockDevice { .. } => b'b',
        NodeKind::Fifo => b'p',
    }
}
