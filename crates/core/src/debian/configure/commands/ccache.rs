//! `update-ccache-symlinks`: links in `/usr/lib/ccache` for every compiler that is there (ccache's README.Debian).

use std::collections::BTreeSet;

use bstr::BString;

use super::Outcome;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};
use crate::tree::{Node, NodeKind, TreePath};

const LINKS: TreePath = TreePath::literal("usr/lib/ccache");
/// Each has a folder for each target, which has one for each version.
const GCC: [TreePath; 2] = [TreePath::literal("usr/lib/gcc"), TreePath::literal("usr/lib/gcc-cross")];
const ALWAYS: [&str; 9] = ["cc", "c++", "gcc", "g++", "c89-gcc", "c89-g++", "c99-gcc", "c99-g++", "nvcc"];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("update-ccache-symlinks", update);
}

fn update(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let names = candidates(call);
    let there = |name: &BString| {
        let found = call.stat(&[b"/usr/bin/".as_slice(), name].concat(), true);
        found.is_some_and(|(_, node)| node.meta.mode & 0o111 != 0)
    };
    let compilers: Vec<BString> = names.into_iter().filter(there).collect();
    let links: Vec<TreePath> = call.machine.tree.children(&LINKS).map(|(path, _)| path.clone()).collect();
    for link in links {
        let target = [b"/usr/bin/".as_slice(), name_of(&link)].concat();
        if call.stat(&target, true).is_none() && call.machine.tree.get(&link).is_some_and(is_symlink) {
            call.machine.tree.remove(&link)?;
        }
    }
    let now = call.machine.now;
    for name in compilers {
        let Ok(path) = LINKS.join(&name) else { continue };
        if !call.machine.tree.contains(&path) {
            call.machine.tree.insert(path, Node::symlink("../../bin/ccache", now))?;
        }
    }
    Ok(Status::SUCCESS)
}

/// Every name that a compiler may have here.
fn candidates(call: &Invocation<'_, '_, System>) -> BTreeSet<BString> {
    let mut names: BTreeSet<BString> = ALWAYS.into_iter().map(BString::from).collect();
    let mut add = |prefix: &[u8], suffix: &[u8]| {
        for compiler in ["gcc", "g++"] {
            names.insert([prefix, compiler.as_bytes(), suffix].concat().into());
        }
    };
    let tree = &call.machine.tree;
    for (target, _) in GCC.iter().flat_map(|folder| tree.children(folder)) {
        let prefix = [name_of(target), b"-"].concat();
        add(&prefix, b"");
        for (version, _) in tree.children(target).filter(|(_, node)| node.is_directory()) {
            let suffix = [b"-", name_of(version)].concat();
            add(b"", &suffix);
            add(&prefix, &suffix);
        }
    }
    let programs = tree.children(&TreePath::literal("usr/bin")).filter_map(|(path, _)| path.file_name());
    names.extend(programs.filter(|name| is_clang(name)).map(BString::from));
    names
}

fn name_of(path: &TreePath) -> &[u8] {
    path.file_name().map(|name| &**name).unwrap_or_default()
}

fn is_symlink(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Symlink { .. })
}

/// `clang`, `clang++`, with a version or not, and LLVM's older name of them.
fn is_clang(name: &[u8]) -> bool {
    let rest = name.strip_prefix(b"llvm-").unwrap_or(name);
    let Some(rest) = rest.strip_prefix(b"clang") else { return false };
    let rest = rest.strip_prefix(b"++").unwrap_or(rest);
    let is_version =
        |version: &[u8]| !version.is_empty() && version.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    rest.is_empty() || rest.strip_prefix(b"-").is_some_and(is_version)
}

#[cfg(test)]
mod tests {
    use super::is_clang;

    #[test]
    fn clangs_are_known_by_name() {
        let check = |name: &str, expect| assert_eq!(is_clang(name.as_bytes()), expect, "{name}");
        check("clang", true);
        check("clang++-19", true);
        check("llvm-clang-3.4", true);
        check("clang-format-19", false);
        check("clangd", false);
        check("clang-", false);
    }
}
