//! What happens when an editor gives the user the uid of the person outside.
//!
//! The dev container tools change the uid in passwd and own the home anew, and nothing else (dev containers reference,
//! `updateRemoteUserUID`); they leave everything as it is when another user has that uid already.

use super::home::home_path;
use crate::inspect::{Report, Subject};
use crate::tree::TreePath;

pub(super) fn other_uid(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(account) = subject.ordinary_account().filter(|_| subject.is_dev_container()) else { return };
    let other = subject.other_uid;
    if other == account.uid {
        return;
    }
    if let Some(taken) = subject.accounts().user(other) {
        return report.whole(format!("uid {other} is taken by `{}`, so editors keep {}", taken.name, account.uid));
    }
    let home = home_path(account);
    let is_home = |path: &TreePath| home.as_ref().is_some_and(|home| path.starts_with(home));
    let owned = subject.tree.iter().filter(|(path, node)| node.meta.uid == account.uid && !is_home(path));
    let commands = subject.lifecycle_commands();
    for path in topmost(owned.map(|(path, _)| path)) {
        if !commands.iter().any(|command| owns_anew(command, path)) {
            report
                .at(path, format!("would still belong to uid {} when `{}` becomes {other}", account.uid, account.name));
        }
    }
}

/// The paths that are not below another one of them; they come in order.
fn topmost<'p>(paths: impl Iterator<Item = &'p TreePath>) -> Vec<&'p TreePath> {
    let mut top: Vec<&TreePath> = Vec::new();
    for path in paths {
        // Between a directory and what is in it, names such as `a-b` may come; so all are looked at.
        if !top.iter().any(|above| path.starts_with(above)) {
            top.push(path);
        }
    }
    top
}

/// Whether a command line changes the owner of `path` or of a directory above it.
fn owns_anew(command: &str, path: &TreePath) -> bool {
    let is_word_of = |word: &str| {
        let word = word.trim_matches(|c: char| !(c.is_alphanumeric() || "/._-+".contains(c)));
        word.starts_with('/') && TreePath::parse(word).is_ok_and(|named| !named.is_root() && path.starts_with(&named))
    };
    command.contains("chown") && command.split_whitespace().any(is_word_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_for_what_they_own_anew() {
        let nix = TreePath::literal("nix/var");
        for (command, expect) in [
            ("sudo chown -R 1:1 /nix", true),
            (r#"["sudo","chown","/nix/var"]"#, false),
            (r#"["sudo", "chown", "/nix/var"]"#, true),
            ("sudo chown 1 /nix/var/", true),
            ("sudo chown -R 1 /", false),
            ("ls /nix/var", false),
            ("chown 1 /ni", false),
        ] {
            assert_eq!(owns_anew(command, &nix), expect, "{command}");
        }
    }

    #[test]
    fn only_the_topmost_are_named() {
        let paths = ["a", "a-b", "a/b", "c/d", "c/d/e"].map(TreePath::literal);
        assert_eq!(topmost(paths.iter()), [&paths[0], &paths[1], &paths[3]]);
    }
}
