//! Rules about users and groups.

use std::collections::{BTreeMap, BTreeSet};

use crate::inspect::accounts::{GROUP, PASSWD, SHADOW};
use crate::inspect::{Report, Subject};
use crate::tree::{NodeKind, TreePath};

pub(super) fn files(subject: &Subject<'_>, report: &mut Report<'_>) {
    check_file(subject, &PASSWD, 0o644, report);
    check_file(subject, &GROUP, 0o644, report);
    let accounts = subject.accounts();
    for (path, line) in &accounts.malformed {
        report.at(path, format!("a line is not in the file's format: `{line}`"));
    }
    let names: BTreeSet<&str> = accounts.users.iter().map(|account| account.name.as_str()).collect();
    check_shadow(subject, &names, report);
    let gids: BTreeSet<u32> = accounts.groups.iter().map(|group| group.gid).collect();
    for account in accounts.users.iter().filter(|account| !gids.contains(&account.gid)) {
        report.at(&PASSWD, format!("user `{}` has the main group {}, which has no name", account.name, account.gid));
    }
    for group in &accounts.groups {
        for member in group.members.iter().filter(|member| !names.contains(member.as_str())) {
            report.at(&GROUP, format!("group `{}` has the member `{member}`, who is no user", group.name));
        }
    }
}

/// shadow(5) has those users whose passwords passwd(5) says it has; without such users there need be none.
fn check_shadow(subject: &Subject<'_>, names: &BTreeSet<&str>, report: &mut Report<'_>) {
    let accounts = subject.accounts();
    let mut shadowed = accounts.users.iter().filter(|account| account.is_shadowed).peekable();
    if shadowed.peek().is_none() && !subject.tree.contains(&SHADOW) {
        return;
    }
    check_file(subject, &SHADOW, 0o640, report);
    if subject.tree.contains(&SHADOW) {
        for account in shadowed.filter(|account| !accounts.shadow.contains(&account.name)) {
            report.at(&SHADOW, format!("user `{}` of passwd is missing", account.name));
        }
    }
    for name in accounts.shadow.iter().filter(|name| !names.contains(name.as_str())) {
        report.at(&SHADOW, format!("user `{name}` is not in passwd"));
    }
}

/// A regular file of root's that nobody else may write.
fn check_file(subject: &Subject<'_>, path: &TreePath, widest: u16, report: &mut Report<'_>) {
    let Some(node) = subject.tree.get(path) else {
        return report.at(path, "is missing");
    };
    match &node.kind {
        NodeKind::File { .. } => {}
        NodeKind::Symlink { target } => return report.at(path, format!("is a link to {target}")),
        _ => return report.at(path, "is no regular file"),
    }
    if node.meta.uid != 0 {
        report.at(path, format!("belongs to {} instead of root", subject.accounts().name_of(node.meta.uid)));
    }
    if node.meta.mode & !widest != 0 {
        report.at(path, format!("has mode {:04o}, which allows more than {widest:04o}", node.meta.mode));
    }
}

pub(super) fn one_name(subject: &Subject<'_>, report: &mut Report<'_>) {
    let accounts = subject.accounts();
    let users = accounts.users.iter().map(|account| (account.uid, account.name.as_str()));
    let groups = accounts.groups.iter().map(|group| (group.gid, group.name.as_str()));
    check_names("uid", &PASSWD, users, report);
    check_names("gid", &GROUP, groups, report);
}

fn check_names<'a>(
    what: &str,
    path: &TreePath,
    entries: impl Iterator<Item = (u32, &'a str)>,
    report: &mut Report<'_>,
) {
    let mut by_id: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, name) in entries {
        by_id.entry(id).or_default().push(name);
        *by_name.entry(name).or_default() += 1;
    }
    for (id, names) in by_id.iter().filter(|(_, names)| names.len() > 1) {
        report.at(path, format!("{what} {id} has {} names: {}", names.len(), names.join(", ")));
    }
    for (name, count) in by_name.iter().filter(|(_, count)| **count > 1) {
        report.at(path, format!("`{name}` is there {count} times"));
    }
}

pub(super) fn user(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_number = subject.user.split(':').next().is_some_and(|user| user.parse::<u32>().is_ok());
    if subject.account().is_none() && !(subject.user.is_empty() || is_number) {
        report.at(&PASSWD, format!("there is no user `{}`, as whom the image runs", subject.user));
    } else if subject.account().is_none() && is_number {
        report.at(&PASSWD, format!("uid {} has no name, so ssh, git and sudo refuse to work", subject.user));
    }
}
