//! `stat` and `ls`.

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::accounts::{self, GROUP, PASSWD};
use super::options::{flag, optional, parse, value};
use crate::tree::{Node, NodeKind, TreePath};

pub(super) fn stat<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[value(b'c', "format"), value(0, "printf"), flag(b'L', "dereference")])?;
    let (format, newline) = match (options.value("format"), options.value("printf")) {
        (Some(format), _) => (format.clone(), true),
        (None, Some(format)) => (format.replace(r"\n", "\n").into(), false),
        (None, None) => return Err(call.unsupported("stat without a format")),
    };
    let mut status = Status::SUCCESS;
    for operand in &options.operands {
        let Some((path, node)) =
            call.stat(operand, options.has("dereference")).map(|(path, node)| (path, node.clone()))
        else {
            call.complain(format!("cannot statx '{operand}': No such file or directory"))?;
            status = Status::FAILURE;
            continue;
        };
        let mut text = Vec::new();
        let mut bytes = format.iter().copied();
        while let Some(byte) = bytes.next() {
            match byte {
                b'%' => {
                    let letter = bytes.next().unwrap_or(b'%');
                    let field = field(call, letter, operand, &path, &node);
                    text.extend_from_slice(&field.ok_or_else(|| call.unsupported(format!("%{}", char::from(letter))))?);
                }
                _ => text.push(byte),
            }
        }
        if newline {
            text.push(b'\n');
        }
        call.out(text)?;
    }
    Ok(status)
}

fn field<S>(
    call: &Invocation<'_, '_, S>,
    letter: u8,
    operand: &BString,
    path: &TreePath,
    node: &Node,
) -> Option<BString> {
    let meta = &node.meta;
    Some(match letter {
        b'%' => "%".into(),
        b'a' => format!("{:o}", meta.mode).into(),
        b'A' => permissions(node).into(),
        b'f' => format!("{:x}", type_bits(node) | u32::from(meta.mode)).into(),
        b'F' => kind_name(node).into(),
        b'g' => meta.gid.to_string().into(),
        b'G' => accounts::name(call.machine, GROUP, meta.gid),
        b'h' => link_count(call, node).to_string().into(),
        b'n' => operand.clone(),
        b'N' => match &node.kind {
            NodeKind::Symlink { target } => format!("'{operand}' -> '{target}'").into(),
            _ => format!("'{operand}'").into(),
        },
        b's' => size(node).to_string().into(),
        b'u' => meta.uid.to_string().into(),
        b'U' => accounts::name(call.machine, PASSWD, meta.uid),
        b'X' | b'Y' | b'Z' => meta.mtime.to_string().into(),
        // One file system, and an inode number that only has to tell files apart.
        b'd' | b'D' => "1".into(),
        b'i' => match node.kind {
            NodeKind::File { link: Some(link), .. } => format!("{}", link.0).into(),
            _ => (1_000_000 + call.machine.tree.iter().position(|(other, _)| other == path)?).to_string().into(),
        },
        b'm' => "/".into(),
        _ => return None,
    })
}

fn link_count<S>(call: &Invocation<'_, '_, S>, node: &Node) -> usize {
    match node.kind {
        NodeKind::File { link: Some(link), .. } => call.machine.tree.hard_links(link).len(),
        _ => 1,
    }
}

/// A node's size as stat(2) gives it.
pub(super) fn size(node: &Node) -> u64 {
    match &node.kind {
        NodeKind::File { content, .. } => content.size(),
        NodeKind::Symlink { target } => target.len() as u64,
        NodeKind::Directory => 4096,
        _ => 0,
    }
}

fn type_bits(node: &Node) -> u32 {
    match node.kind {
        NodeKind::Directory => 0o040_000,
        NodeKind::File { .. } => 0o100_000,
        NodeKind::Symlink { .. } => 0o120_000,
        NodeKind::CharDevice { .. } => 0o020_000,
        NodeKind::BlockDevice { .. } => 0o060_000,
        NodeKind::Fifo => 0o010_000,
    }
}

fn kind_name(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::Directory => "directory",
        NodeKind::File { content, .. } if content.size() == 0 => "regular empty file",
        NodeKind::File { .. } => "regular file",
        NodeKind::Symlink { .. } => "symbolic link",
        NodeKind::CharDevice { .. } => "character special file",
        NodeKind::BlockDevice { .. } => "block special file",
        NodeKind::Fifo => "fifo",
    }
}

/// `drwxr-xr-x`
fn permissions(node: &Node) -> String {
    let mode = node.meta.mode;
    let mut text = String::from(match node.kind {
        NodeKind::Directory => "d",
        NodeKind::Symlink { .. } => "l",
        NodeKind::CharDevice { .. } => "c",
        NodeKind::BlockDevice { .. } => "b",
        NodeKind::Fifo => "p",
        NodeKind::File { .. } => "-",
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

pub(super) fn ls<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'1', "one"),
            flag(b'a', "all"),
            flag(b'A', "almost-all"),
            flag(b'd', "directory"),
            flag(b'r', "reverse"),
            flag(b't', "by-time"),
            flag(b'v', "by-version"),
            flag(b'L', "dereference"),
            flag(b'n', "numeric"),
            flag(b'l', "long"),
            optional(0, "color"),
        ],
    )?;
    if options.has("long") || options.has("numeric") || options.has("by-version") {
        return Err(call.unsupported("-l"));
    }
    let operands = if options.operands.is_empty() { vec![BString::from(".")] } else { options.operands.clone() };
    let mut status = Status::SUCCESS;
    let mut files: Vec<(BString, i64)> = Vec::new();
    let mut directories: Vec<(BString, Vec<(BString, i64)>)> = Vec::new();
    for operand in &operands {
        let found = call.stat(operand, true).or_else(|| call.stat(operand, false));
        match found.map(|(path, node)| (path, node.is_directory(), node.meta.mtime)) {
            None => {
                call.complain(format!("cannot access '{operand}': No such file or directory"))?;
                status = Status(2);
            }
            Some((path, true, _)) if !options.has("directory") => {
                let mut names: Vec<(BString, i64)> = call
                    .machine
                    .tree
                    .children(&path)
                    .filter_map(|(path, node)| Some((path.file_name()?.to_owned(), node.meta.mtime)))
                    .filter(|(name, _)| !name.starts_with(b".") || options.has("all") || options.has("almost-all"))
                    .collect();
                if options.has("all") {
                    names.extend([(".".into(), 0), ("..".into(), 0)]);
                }
                directories.push((operand.clone(), names));
            }
            Some((_, _, mtime)) => files.push((operand.clone(), mtime)),
        }
    }
    let mut text = Vec::new();
    let list = |names: &mut Vec<(BString, i64)>, text: &mut Vec<u8>| {
        names.sort();
        if options.has("by-time") {
            names.sort_by_key(|(_, mtime)| std::cmp::Reverse(*mtime));
        }
        if options.has("reverse") {
            names.reverse();
        }
        names.iter().for_each(|(name, _)| text.extend_from_slice(&[name.as_bytes(), b"\n"].concat()));
    };
    list(&mut files, &mut text);
    directories.sort();
    for (name, mut names) in directories {
        if operands.len() > 1 {
            let gap = if text.is_empty() { "" } else { "\n" };
            text.extend_from_slice(format!("{gap}{name}:\n").as_bytes());
        }
        list(&mut names, &mut text);
    }
    call.out(text)?;
    Ok(status)
}
