//! Rules about where the user is at home and works.

use crate::inspect::accounts::Account;
use crate::inspect::{Report, Subject};
use crate::tree::{Meta, TreePath};

pub(super) fn home(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(account) = subject.account() else { return };
    match subject.directory(&account.home) {
        None => report.whole(format!("the home of `{}`, {}, is no directory", account.name, account.home)),
        Some((path, node)) if node.meta.uid != account.uid => {
            let owner = subject.accounts().name_of(node.meta.uid);
            report.at(&path, format!("is the home of `{}` but belongs to {owner}", account.name));
        }
        Some((path, node)) if node.meta.mode & 0o700 != 0o700 => {
            report.at(
                &path,
                format!("is the home of `{}`, who may not use it: mode {:04o}", account.name, node.meta.mode),
            );
        }
        Some(_) => {}
    }
    if let Some(home) = subject.env.get("HOME").filter(|home| **home != account.home) {
        report.whole(format!("HOME is {home}, but the home of `{}` is {}", account.name, account.home));
    }
}

pub(super) fn shell(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(account) = subject.account() else { return };
    let shell = if account.shell.is_empty() { "/bin/sh" } else { &account.shell };
    // Who cannot log in has a shell that need not be there (nologin(8)).
    let no_login = shell.rsplit('/').next() == Some("nologin") && !subject.is_debian();
    if !no_login && !subject.is_program(shell) {
        report.whole(format!("the shell of `{}`, {shell}, is no program", account.name));
    }
}

pub(super) fn workdir(subject: &Subject<'_>, report: &mut Report<'_>) {
    let (workdir, Some(account)) = (&subject.workdir, subject.account()) else { return };
    if workdir.is_empty() || workdir == "/" {
        return;
    }
    match subject.directory(workdir) {
        None => report.whole(format!("the working directory {workdir} is no directory")),
        Some((path, node)) if !may_write(subject, account, &node.meta) => {
            let owner = subject.accounts().name_of(node.meta.uid);
            report.at(
                &path,
                format!("is the working directory, but `{}` may not write to what is {owner}'s", account.name),
            );
        }
        Some(_) => {}
    }
}

/// Whether an account may write to a node with this owner and mode.
fn may_write(subject: &Subject<'_>, account: &Account, meta: &Meta) -> bool {
    if account.uid == 0 {
        return true;
    }
    if meta.uid == account.uid {
        return meta.mode & 0o200 != 0;
    }
    let is_member = |group: &crate::inspect::Group| group.gid == meta.gid && group.members.contains(&account.name);
    if meta.gid == account.gid || subject.accounts().groups.iter().any(is_member) {
        return meta.mode & 0o020 != 0;
    }
    meta.mode & 0o002 != 0
}

/// The user's home as a path of the tree.
pub(super) fn home_path(account: &Account) -> Option<TreePath> {
    TreePath::parse(&account.home).ok()
}
