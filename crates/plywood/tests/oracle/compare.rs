//! Compares a tree with a real system's tar: paths, types, modes, owners, targets, contents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;

use plywood_core::tree::{Node, NodeKind, Tree, TreePath};
use sha2::{Digest as _, Sha256};

use crate::store::Store;

/// What is compared of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    kind: char,
    mode: u32,
    uid: u64,
    gid: u64,
    /// A file's hash or a link's target.
    content: Vec<u8>,
}

/// A whole file system.
#[derive(Default)]
pub(crate) struct System {
    facts: BTreeMap<String, Fact>,
    /// The lines of files whose order means nothing, by path, sorted.
    unordered: BTreeMap<String, Vec<String>>,
}

/// Their programs write them in the order of a hash table or of the run; what they say must be equal all the same.
const UNORDERED: [&str; 4] =
    ["/etc/shells", "/var/lib/apt/extended_states", "/var/lib/dpkg/diversions", "/var/lib/shells.state"];

fn sorted_lines(text: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = String::from_utf8_lossy(text).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The facts of a tar; further names of a file have the facts of the first.
pub(crate) fn of_tar(tar: &Path) -> System {
    let System { mut facts, mut unordered } = System::default();
    let mut archive = tar::Archive::new(io::BufReader::new(File::open(tar).expect("mmdebstrap's tar")));
    for entry in archive.entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let path = name(&entry.path_bytes());
        let header = entry.header();
        let (mode, uid, gid) =
            (header.mode().expect("a mode") & 0o7777, header.uid().expect("a uid"), header.gid().expect("a gid"));
        let kind = header.entry_type();
        let link = entry.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
        if kind.is_hard_link() {
            let target = facts.get(&name(&link)).expect("the file linked to").clone();
            facts.insert(path, target);
            continue;
        }
        let (kind, content) = if kind.is_dir() {
            ('d', Vec::new())
        } else if kind.is_symlink() {
            ('l', link)
        } else if kind.is_file() {
            let mut hasher = Sha256::new();
            let mut buffer = Vec::new();
            io::Read::read_to_end(&mut entry, &mut buffer).expect("contents");
            hasher.update(&buffer);
            if UNORDERED.contains(&path.as_str()) {
                unordered.insert(path.clone(), sorted_lines(&buffer));
            }
            ('f', hasher.finalize().to_vec())
        } else {
            ('?', Vec::new())
        };
        facts.insert(path, Fact { kind, mode: if kind == 'l' { 0o777 } else { mode }, uid, gid, content });
    }
    System { facts, unordered }
}

fn name(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    format!("/{}", text.trim_start_matches("./").trim_matches('/'))
}

/// The facts of a tree.
pub(crate) fn of_tree(tree: &Tree, store: &Store) -> System {
    let lines = |path: &str| Some(sorted_lines(&tree.read(&TreePath::parse(path).ok()?, store).ok()?));
    System {
        facts: tree.iter().map(|(path, node)| (display(path), fact(node, store))).collect(),
        unordered: UNORDERED.iter().filter_map(|path| Some(((*path).to_owned(), lines(path)?))).collect(),
    }
}

fn display(path: &TreePath) -> String {
    format!("/{}", String::from_utf8_lossy(path.as_bytes()))
}

fn fact(node: &Node, store: &Store) -> Fact {
    let (kind, content) = match &node.kind {
        NodeKind::Directory => ('d', Vec::new()),
        NodeKind::Symlink { target } => ('l', target.to_vec()),
        NodeKind::File { content, .. } => ('f', store.hash(content).to_vec()),
        _ => ('?', Vec::new()),
    };
    let meta = &node.meta;
    Fact { kind, mode: u32::from(meta.mode), uid: meta.uid.into(), gid: meta.gid.into(), content }
}

/// What one system alone has in files whose order means nothing.
pub(crate) fn unordered_differences(ours: &System, theirs: &System) -> Vec<String> {
    let only = |one: &System, other: &System, where_: &str| {
        let lines = one.unordered.iter().flat_map(|(path, lines)| lines.iter().map(move |line| (path, line)));
        let missing =
            |(path, line): &(&String, &String)| !other.unordered.get(*path).is_some_and(|lines| lines.contains(line));
        lines.filter(missing).map(|(path, line)| format!("{path}: `{line}` only {where_}")).collect::<Vec<_>>()
    };
    [only(ours, theirs, "here"), only(theirs, ours, "in the real system")].concat()
}

/// Every path that differs, with what differs.
pub(crate) fn differences(ours: &System, theirs: &System) -> BTreeMap<String, String> {
    let (ours, theirs) = (&ours.facts, &theirs.facts);
    let paths: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let mut found = BTreeMap::new();
    for path in paths {
        let text = match (ours.get(path), theirs.get(path)) {
            (Some(_), None) => "only here".to_owned(),
            (None, Some(_)) => "only in the real system".to_owned(),
            (Some(ours), Some(theirs)) if ours != theirs => describe(ours, theirs),
            _ => continue,
        };
        found.insert(path.clone(), text);
    }
    found
}

fn describe(ours: &Fact, theirs: &Fact) -> String {
    if ours.kind != theirs.kind {
        return format!("a {} here, a {} there", ours.kind, theirs.kind);
    }
    let mut parts = Vec::new();
    if ours.mode != theirs.mode {
        parts.push(format!("mode {:o} here, {:o} there", ours.mode, theirs.mode));
    }
    if (ours.uid, ours.gid) != (theirs.uid, theirs.gid) {
        parts.push(format!("owner {}:{} here, {}:{} there", ours.uid, ours.gid, theirs.uid, theirs.gid));
    }
    if ours.content != theirs.content && ours.kind == 'l' {
        let text = |fact: &Fact| String::from_utf8_lossy(&fact.content).into_owned();
        parts.push(format!("leads to {} here, to {} there", text(ours), text(theirs)));
    } else if ours.content != theirs.content {
        parts.push("contents differ".to_owned());
    }
    parts.join(", ")
}
