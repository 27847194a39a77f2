//! Rules about becoming root.

use crate::inspect::{Report, Subject};
use crate::tree::{Node, NodeKind, TreePath};

const SUDO: &str = "/usr/bin/sudo";
const SUDOERS: TreePath = TreePath::literal("etc/sudoers");
const SUDOERS_D: TreePath = TreePath::literal("etc/sudoers.d");

/// Programs that are of no use without root's rights, where they are installed.
const SETUID_ROOT: [&str; 4] = ["/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/usr/bin/newgrp"];

pub(super) fn sudo(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some((path, node)) = subject.file(SUDO) else {
        if subject.tree.children(&SUDOERS_D).any(|(_, node)| !node.is_directory()) {
            report.at(&SUDOERS_D, "has rules for sudo, which is not installed");
        }
        return;
    };
    check_setuid(&path, node, report);
    match subject.tree.get(&SUDOERS) {
        None => report.at(&SUDOERS, "is missing, so sudo refuses everyone"),
        Some(node) => check_rules(&SUDOERS, node, report),
    }
    for (path, node) in subject.tree.children(&SUDOERS_D) {
        check_rules(path, node, report);
        let name = path.file_name().unwrap_or_default();
        // sudoers(5), "Including other files from within sudoers".
        if name.contains(&b'.') || name.ends_with(b"~") {
            report.at(path, "is ignored by sudo: its name has a dot or ends in `~`");
        }
    }
}

/// A rules file as sudo accepts it (sudoers(5), "sudoers_uid", "sudoers_mode").
fn check_rules(path: &TreePath, node: &Node, report: &mut Report<'_>) {
    if !matches!(node.kind, NodeKind::File { .. }) {
        return report.at(path, "is no regular file, so sudo ignores it");
    }
    if node.meta.uid != 0 || node.meta.gid != 0 {
        report.at(path, format!("belongs to {}:{} instead of root", node.meta.uid, node.meta.gid));
    }
    if node.meta.mode & 0o7777 != 0o440 {
        report.at(path, format!("has mode {:04o} instead of 0440", node.meta.mode));
    }
}

pub(super) fn setuid(subject: &Subject<'_>, report: &mut Report<'_>) {
    for program in SETUID_ROOT {
        if let Some((path, node)) = subject.file(program) {
            check_setuid(&path, node, report);
        }
    }
}

fn check_setuid(path: &TreePath, node: &Node, report: &mut Report<'_>) {
    if node.meta.uid != 0 {
        report.at(path, format!("belongs to {} instead of root", node.meta.uid));
    } else if node.meta.mode & 0o4111 != 0o4111 {
        report.at(path, format!("has mode {:04o}: not setuid for everyone", node.meta.mode));
    }
}
