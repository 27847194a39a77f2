//! Rules about the system's own files.

use crate::inspect::subject::has_line_starting;
use crate::inspect::{Report, Subject};
use crate::tree::{NodeKind, TreePath};

pub(super) fn os_release(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !subject.is_debian() {
        // An image of store paths alone is of no distribution, and a scanner must not take it for one.
        return;
    }
    // os-release(5): the file in /etc takes precedence.
    match subject.read("/etc/os-release").or_else(|| subject.read("/usr/lib/os-release")) {
        None => report.whole("there is neither /etc/os-release nor /usr/lib/os-release"),
        Some(text) if !has_line_starting(&text, "ID=") => report.whole("os-release has no ID"),
        Some(_) => {}
    }
}

pub(super) fn engine_files(subject: &Subject<'_>, report: &mut Report<'_>) {
    const MOUNTED: [TreePath; 3] =
        [TreePath::literal("etc/hosts"), TreePath::literal("etc/hostname"), TreePath::literal("etc/resolv.conf")];
    for path in MOUNTED {
        if let Some(NodeKind::Symlink { target }) = subject.tree.get(&path).map(|node| &node.kind) {
            report.at(&path, format!("is a link to {target}, where an engine mounts a file of its own"));
        }
    }
    let etc = TreePath::literal("etc");
    if let Some(NodeKind::Symlink { target }) = subject.tree.get(&etc).map(|node| &node.kind) {
        report.at(&etc, format!("is a link to {target}"));
    }
}

pub(super) fn temporary(subject: &Subject<'_>, report: &mut Report<'_>) {
    for path in [TreePath::literal("tmp"), TreePath::literal("var/tmp")] {
        match subject.tree.get(&path) {
            None => report.at(&path, "is missing"),
            Some(node) if !node.is_directory() => report.at(&path, "is no directory"),
            Some(node) if (node.meta.uid, node.meta.mode) != (0, 0o1777) => {
                report.at(&path, format!("belongs to {} with mode {:04o}", node.meta.uid, node.meta.mode));
            }
            Some(_) => {}
        }
    }
}

pub(super) fn certificates(subject: &Subject<'_>, report: &mut Report<'_>) {
    const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
    if subject.has_package("ca-certificates") && subject.read(BUNDLE).is_none_or(|bundle| bundle.is_empty()) {
        report.whole(format!("{BUNDLE} is missing or empty"));
    }
}

pub(super) fn nix_store(subject: &Subject<'_>, report: &mut Report<'_>) {
    let (Some(account), Some((nix, node))) = (subject.ordinary_account(), subject.directory("/nix")) else { return };
    if subject.directory("/nix/var").is_none() && subject.directory("/nix/profile").is_some() {
        // Store paths to be run, not a store to be used.
        return;
    }
    if node.meta.uid != account.uid {
        report.at(
            &nix,
            format!("belongs to {}, so `{}` cannot use Nix", subject.accounts().name_of(node.meta.uid), account.name),
        );
    }
    for folder in ["/nix/store", "/nix/var"] {
        match subject.directory(folder) {
            None => report.whole(format!("{folder} is missing, so Nix puts its store elsewhere")),
            Some((path, node)) if node.meta.uid != account.uid => {
                let owner = subject.accounts().name_of(node.meta.uid);
                report.at(&path, format!("belongs to {owner}, so `{}` cannot use Nix", account.name));
            }
            Some(_) => {}
        }
    }
}
