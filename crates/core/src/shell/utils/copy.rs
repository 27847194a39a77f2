//! `cp` and `mv`.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::fs::{Keep, base_name, copied_meta, fresh_link, is_directory, join, put};
use super::options::{Known, Parsed, flag, optional, parse, value};
use crate::tree::{HardLinkId, Node, NodeKind, TreePath};

const CP: &[Known] = &[
    flag(b'a', "archive"),
    flag(b'd', "no-dereference-links"),
    flag(b'f', "force"),
    flag(b'i', "interactive"),
    flag(b'H', "dereference-command-line"),
    flag(b'l', "link"),
    flag(b'L', "dereference"),
    flag(b'n', "no-clobber"),
    flag(b'P', "no-dereference"),
    flag(b'p', "preserve-default"),
    optional(0, "preserve"),
    value(0, "no-preserve"),
    flag(b'R', "recursive"),
    flag(b'r', "recursive"),
    optional(0, "reflink"),
    flag(0, "remove-destination"),
    flag(b's', "symbolic-link"),
    value(b't', "target-directory"),
    flag(b'T', "no-target-directory"),
    flag(b'u', "update"),
    flag(b'v', "verbose"),
    flag(b'x', "one-file-system"),
    flag(b'Z', "context"),
];

/// How one `cp` copies.
struct Copier {
    keep: Keep,
    recursive: bool,
    follow: bool,
    follow_operands: bool,
    options: Parsed,
    links: BTreeMap<HardLinkId, TreePath>,
    failed: bool,
}

/// The operands of cp, mv and ln: sources, and where each goes.
pub(super) fn targets<S>(
    call: &mut Invocation<'_, '_, S>,
    options: &Parsed,
) -> Result<Option<Vec<(BString, BString)>>, ShellError> {
    let mut sources = options.operands.clone();
    let (directory, into) = match options.value("target-directory") {
        Some(directory) => (directory.clone(), true),
        None => {
            let Some(last) = sources.pop().filter(|_| !sources.is_empty()) else {
                call.complain("missing file operand")?;
                return Ok(None);
            };
            let into = !options.has("no-target-directory") && is_directory(call, &last);
            (last, into)
        }
    };
    if sources.len() > 1 && !into {
        call.complain([b"target '", directory.as_slice(), b"' is not a directory"].concat())?;
        return Ok(None);
    }
    let place = |source: BString| {
        let to = if into { join(&directory, base_name(&source)) } else { directory.clone() };
        (source, to)
    };
    Ok(Some(sources.into_iter().map(place).collect()))
}

pub(super) fn cp<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, CP)?;
    let archive = options.has("archive");
    let mut keep = Keep::default();
    if archive {
        keep = Keep { mode: true, owner: true, times: true, links: true, xattrs: true };
    }
    if options.has("preserve-default") || (options.has("preserve") && options.value("preserve").is_none()) {
        (keep.mode, keep.owner, keep.times) = (true, true, true);
    }
    for (list, on) in options
        .values("preserve")
        .map(|list| (list, true))
        .chain(options.values("no-preserve").map(|list| (list, false)))
    {
        for attribute in list.split_str(",") {
            match attribute {
                b"mode" => keep.mode = on,
                b"ownership" => keep.owner = on,
                b"timestamps" => keep.times = on,
                b"links" => keep.links = on,
                b"xattr" => keep.xattrs = on,
                b"context" => {}
                b"all" => keep = Keep { mode: on, owner: on, times: on, links: on, xattrs: on },
                _ => return Err(call.unsupported(attribute)),
            }
        }
    }
    keep.links |= options.has("no-dereference-links");
    let recursive = archive || options.has("recursive");
    let follow = options.has("dereference");
    let no_follow = archive || options.has("no-dereference") || options.has("no-dereference-links") || recursive;
    let follow_operands = follow || options.has("dereference-command-line") || !no_follow;
    let Some(pairs) = targets(call, &options)? else { return Ok(Status::FAILURE) };
    let mut copier =
        Copier { keep, recursive, follow, follow_operands, options, links: BTreeMap::new(), failed: false };
    for (source, to) in pairs {
        copier.operand(call, &source, &to)?;
    }
    Ok(Status::from_bool(!copier.failed))
}

impl Copier {
    fn operand<S>(&mut self, call: &mut Invocation<'_, '_, S>, source: &[u8], to: &[u8]) -> Result<(), ShellError> {
        let follow = self.follow_operands || source.ends_with(b"/");
        let Some((from, node)) = call.stat(source, follow).map(|(path, node)| (path, node.clone())) else {
            self.failed = true;
            return call.complain([b"cannot stat '", source, b"': No such file or directory"].concat());
        };
        if node.is_directory() && !self.recursive {
            self.failed = true;
            return call.complain([b"-r not specified; omitting directory '", source, b"'"].concat());
        }
        let symbolic = matches!(node.kind, NodeKind::Symlink { .. });
        let follow_target = !symbolic && !self.options.has("remove-destination");
        let resolved = call.resolve(to, follow_target);
        let Some(at) = call.checked(to, resolved)? else {
            self.failed = true;
            return Ok(());
        };
        if at == from {
            self.failed = true;
            return call.complain([b"'", source, b"' and '", to, b"' are the same file"].concat());
        }
        if at.starts_with(&from) && node.is_directory() {
            self.failed = true;
            return call.complain([b"cannot copy a directory, '", source, b"', into itself, '", to, b"'"].concat());
        }
        if self.options.has("verbose") {
            call.out([b"'", source, b"' -> '", to, b"'\n"].concat())?;
        }
        self.node(call, &from, &node, &at, source)
    }

    fn node<S>(
        &mut self,
        call: &mut Invocation<'_, '_, S>,
        from: &TreePath,
        node: &Node,
        to: &TreePath,
        written: &[u8],
    ) -> Result<(), ShellError> {
        let existing = call.machine.tree.get(to).map(|node| (node.is_directory(), node.meta.mtime));
        if let Some((is_directory, mtime)) = existing {
            let older = self.options.has("update") && mtime >= node.meta.mtime;
            if !is_directory && (self.options.has("no-clobber") || older) {
                return Ok(());
            }
            if is_directory != node.is_directory() {
                self.failed = true;
                let what = if is_directory { "cannot overwrite directory" } else { "cannot overwrite non-directory" };
                return call.complain(format!("{what} '{to}'"));
            }
        }
        if node.is_directory() {
            return self.directory(call, from, node, to);
        }
        let symbolic = matches!(node.kind, NodeKind::Symlink { .. });
        let replaces =
            existing.is_some() && (symbolic || self.options.has("remove-destination") || self.options.has("link"));
        if replaces || (existing.is_some() && self.options.has("symbolic-link")) {
            if self.options.has("symbolic-link") && !self.options.has("force") {
                self.failed = true;
                return call.complain(format!("cannot create symbolic link '{to}': File exists"));
            }
            call.machine.tree.remove_all(to);
        }
        let copy = self.copy_of(call, from, node, written)?;
        let done = put(call, to, copy, self.keep);
        if call.checked(to.to_string().as_bytes(), done)?.is_none() {
            self.failed = true;
        }
        if let NodeKind::File { link: Some(link), .. } = node.kind {
            self.links.entry(link).or_insert_with(|| to.clone());
        }
        Ok(())
    }

    fn directory<S>(
        &mut self,
        call: &mut Invocation<'_, '_, S>,
        from: &TreePath,
        node: &Node,
        to: &TreePath,
    ) -> Result<(), ShellError> {
        let meta = copied_meta(call, &node.meta, self.keep);
        if !call.machine.tree.contains(to) {
            let made = call.machine.tree.insert(to.clone(), Node::directory(meta));
            if call.checked(to.to_string().as_bytes(), made)?.is_none() {
                self.failed = true;
                return Ok(());
            }
        } else if self.keep.mode {
            call.machine.tree.set_meta(to, |old| *old = meta.clone())?;
        }
        let children: Vec<(TreePath, Node)> =
            call.machine.tree.children(from).map(|(path, node)| (path.clone(), node.clone())).collect();
        for (path, node) in children {
            let name = path.file_name().unwrap_or_default();
            let target = to.join(name).map_err(crate::tree::TreeError::from)?;
            let followed = if self.follow {
                call.stat(&[b"/", path.as_bytes()].concat(), true).map(|(_, node)| node.clone())
            } else {
                None
            };
            self.node(call, &path, &followed.unwrap_or(node), &target, path.to_string().as_bytes())?;
        }
        Ok(())
    }

    /// The node that a source that is no directory becomes.
    fn copy_of<S>(
        &mut self,
        call: &mut Invocation<'_, '_, S>,
        from: &TreePath,
        node: &Node,
        written: &[u8],
    ) -> Result<Node, ShellError> {
        let meta = copied_meta(call, &node.meta, self.keep);
        if self.options.has("symbolic-link") {
            return Ok(Node::symlink(written, call.machine.now));
        }
        let NodeKind::File { content, link } = &node.kind else {
            let mode = if matches!(node.kind, NodeKind::Symlink { .. }) { 0o777 } else { meta.mode };
            return Ok(Node { meta: crate::tree::Meta { mode, ..meta }, kind: node.kind.clone() });
        };
        if self.options.has("link") {
            let link = link_of(call, from)?;
            return Ok(Node {
                meta: node.meta.clone(),
                kind: NodeKind::File { content: content.clone(), link: Some(link) },
            });
        }
        let shared = if self.keep.links { link.and_then(|link| self.links.get(&link)).cloned() } else { None };
        let link = match shared {
            Some(first) => Some(link_of(call, &first)?),
            None => None,
        };
        Ok(Node { meta, kind: NodeKind::File { content: content.clone(), link } })
    }
}

/// The hard link id of a file, given to it now if it had none.
pub(super) fn link_of<S>(call: &mut Invocation<'_, '_, S>, path: &TreePath) -> Result<HardLinkId, ShellError> {
    let Some(Node { meta, kind: NodeKind::File { content, link } }) = call.machine.tree.get(path).cloned() else {
        return Err(crate::tree::TreeError::IsADirectory(path.clone()).into());
    };
    if let Some(link) = link {
        return Ok(link);
    }
    let fresh = fresh_link(&call.machine.tree);
    call.machine.tree.insert(path.clone(), Node { meta, kind: NodeKind::File { content, link: Some(fresh) } })?;
    Ok(fresh)
}

const MV: &[Known] = &[
    flag(b'f', "force"),
    flag(b'i', "interactive"),
    flag(b'n', "no-clobber"),
    value(b't', "target-directory"),
    flag(b'T', "no-target-directory"),
    flag(b'u', "update"),
    flag(b'v', "verbose"),
    flag(b'Z', "context"),
];

pub(super) fn mv<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, MV)?;
    let Some(pairs) = targets(call, &options)? else { return Ok(Status::FAILURE) };
    let mut status = Status::SUCCESS;
    for (source, to) in pairs {
        if !move_one(call, &options, &source, &to)? {
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn move_one<S>(
    call: &mut Invocation<'_, '_, S>,
    options: &Parsed,
    source: &[u8],
    to: &[u8],
) -> Result<bool, ShellError> {
    let Some((from, node)) = call.stat(source, false).map(|(path, node)| (path, node.clone())) else {
        call.complain([b"cannot stat '", source, b"': No such file or directory"].concat())?;
        return Ok(false);
    };
    let resolved = call.resolve(to, false);
    let Some(at) = call.checked(to, resolved)? else { return Ok(false) };
    if let Some(old) = call.machine.tree.get(&at) {
        let older = options.has("update") && old.meta.mtime >= node.meta.mtime;
        if options.has("no-clobber") || older {
            return Ok(true);
        }
        if at == from {
            call.complain([b"'", source, b"' and '", to, b"' are the same file"].concat())?;
            return Ok(false);
        }
        if old.is_directory() != node.is_directory() {
            call.complain([b"cannot overwrite '", to, b"' with '", source, b"'"].concat())?;
            return Ok(false);
        }
    }
    if options.has("verbose") {
        call.out([b"renamed '", source, b"' -> '", to, b"'\n"].concat())?;
    }
    let moved = call.machine.tree.rename(&from, &at);
    Ok(call.checked(source, moved)?.is_some())
}
