//! An image without Debian: the folders and account files that programs and engines expect of any system.
//!
//! What is left out on purpose: `/etc/shadow`, since nobody logs in and no password is ever checked; `/etc/hosts`,
//! `/etc/hostname` and `/etc/resolv.conf`, which engines mount; and os-release, because the image is of no distribution
//! and a scanner must not take it for one.

use super::accounts::{AccountError, has_program};
use crate::manifest::{ResolvedImage, ResolvedUser};
use crate::tree::{Meta, Node, Tree, TreeError, TreePath};

/// Folders with their modes, all of them root's.
const FOLDERS: [(TreePath, u16); 14] = [
    (TreePath::literal("dev"), 0o755),
    (TreePath::literal("etc"), 0o755),
    (TreePath::literal("home"), 0o755),
    (TreePath::literal("proc"), 0o555),
    (TreePath::literal("root"), 0o700),
    (TreePath::literal("run"), 0o755),
    (TreePath::literal("sys"), 0o555),
    (TreePath::literal("tmp"), 0o1777),
    (TreePath::literal("usr"), 0o755),
    (TreePath::literal("usr/local"), 0o755),
    (TreePath::literal("usr/local/bin"), 0o755),
    (TreePath::literal("usr/local/sbin"), 0o755),
    (TreePath::literal("var"), 0o755),
    (TreePath::literal("var/tmp"), 0o1777),
];

/// What glibc asks for users, groups and hosts (nsswitch.conf(5)); without the file it would ask NIS and others too.
const NSSWITCH: &str = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\n\
                        services: files\n";

/// The shell of who cannot log in. It need not be there.
const NO_LOGIN: &str = "/sbin/nologin";
/// The shell that the manifest gives a user when it says none.
const DEFAULT_SHELL: TreePath = TreePath::literal("bin/bash");

/// Puts folders and accounts into a tree that has the image's programs and nothing else.
///
/// # Errors
/// When a user cannot be as the manifest says.
pub fn place_bare(tree: &mut Tree, image: &ResolvedImage) -> Result<(), AccountError> {
    let failed = |source| AccountError::Write { user: "root".to_owned(), source };
    place(tree, image).map_err(failed)?;
    for user in image.users.values() {
        if user.sudo {
            return Err(AccountError::NoSudo(user.name.to_string()));
        }
        if shell(tree, user).is_none() {
            return Err(AccountError::NoShell { user: user.name.to_string(), shell: user.shell.clone() });
        }
        if let Some(group) = user.groups.iter().find(|group| !image.groups.contains_key(*group)) {
            return Err(AccountError::NoGroup { user: user.name.to_string(), group: group.to_string() });
        }
        let failed = |source| AccountError::Write { user: user.name.to_string(), source };
        if let Some(parent) = user.home.parent() {
            tree.create_dir_all(&parent, &Meta::root(0o755, 1)).map_err(failed)?;
        }
        let meta = Meta { uid: user.uid, gid: user.gid, ..Meta::root(0o700, 1) };
        tree.insert(user.home.clone(), Node::directory(meta)).map_err(failed)?;
    }
    Ok(())
}

fn place(tree: &mut Tree, image: &ResolvedImage) -> Result<(), TreeError> {
    for (folder, mode) in FOLDERS {
        tree.create_dir_all(&folder, &Meta::root(0o755, 1))?;
        tree.insert(folder, Node::directory(Meta::root(mode, 1)))?;
    }
    let file = |text: String| Node::file(Meta::root(0o644, 1), text.into_bytes());
    tree.insert(TreePath::literal("etc/nsswitch.conf"), file(NSSWITCH.to_owned()))?;
    let passwd = passwd(tree, image);
    tree.insert(TreePath::literal("etc/passwd"), file(passwd))?;
    tree.insert(TreePath::literal("etc/group"), file(group(image)))?;
    Ok(())
}

/// passwd(5), with `*` for passwords that nothing matches.
fn passwd(tree: &Tree, image: &ResolvedImage) -> String {
    let sh = TreePath::literal("bin/sh");
    let root_shell = if has_program(tree, &sh) { sh.to_string() } else { NO_LOGIN.to_owned() };
    let mut text = format!("root:*:0:0:root:/root:{root_shell}\n");
    for user in image.users.values() {
        let ResolvedUser { name, uid, gid, home, .. } = user;
        let shell = shell(tree, user).unwrap_or_else(|| user.shell.to_string());
        text.push_str(&format!("{name}:*:{uid}:{gid}::{home}:{shell}\n"));
    }
    if !image.users.values().any(|user| user.name.as_str() == "nobody" || user.uid == 65534) {
        text.push_str(&format!("nobody:*:65534:65534:nobody:/nonexistent:{NO_LOGIN}\n"));
    }
    text
}

/// group(5).
fn group(image: &ResolvedImage) -> String {
    let mut text = "root:*:0:\n".to_owned();
    let mut groups: Vec<_> = image.groups.iter().collect();
    groups.sort_by_key(|(_, gid)| **gid);
    for (name, gid) in &groups {
        let members: Vec<&str> =
            image.users.values().filter(|user| user.groups.contains(name)).map(|user| user.name.as_str()).collect();
        text.push_str(&format!("{name}:*:{gid}:{}\n", members.join(",")));
    }
    if !groups.iter().any(|(name, gid)| name.as_str() == "nogroup" || **gid == 65534) {
        text.push_str("nogroup:*:65534:\n");
    }
    text
}

/// The login shell: what the manifest says; where it says nothing and there is no bash, sh or none at all. `None` when
/// the manifest's is not there.
fn shell(tree: &Tree, user: &ResolvedUser) -> Option<String> {
    let sh = TreePath::literal("bin/sh");
    match &user.shell {
        shell if has_program(tree, shell) => Some(shell.to_string()),
        shell if *shell != DEFAULT_SHELL => None,
        _ if has_program(tree, &sh) => Some(sh.to_string()),
        _ => Some(NO_LOGIN.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::tree::{Content, NodeKind};

    fn check(user: &str, programs: &[&'static str], expect: Result<&str, &str>) {
        let text =
            format!("[workspace]\nname = \"w\"\n[debian]\nsuite = \"trixie\"\n[images.run]\nuser = {{ {user} }}\n");
        let manifest = Manifest::parse(&text).expect("a manifest");
        let mut tree: Tree =
            programs.iter().map(|path| (TreePath::literal(path), Node::symlink("/nix/store/x/bin/x", 1))).collect();
        let placed = place_bare(&mut tree, manifest.resolve("run").expect("the image"));
        let passwd = tree.get(&TreePath::literal("etc/passwd")).map(|node| match &node.kind {
            NodeKind::File { content: Content::Inline(bytes), .. } => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        });
        let line = passwd.as_deref().and_then(|passwd| passwd.lines().nth(1).map(str::to_owned)).unwrap_or_default();
        assert_eq!(
            placed.map(|()| line).map_err(|error| error.to_string()),
            expect.map(str::to_owned).map_err(str::to_owned)
        );
    }

    #[test]
    fn the_login_shell_is_what_there_is() {
        check("name = \"app\"", &[], Ok("app:*:1000:1000::/home/app:/sbin/nologin"));
        check("name = \"app\"", &["bin/sh"], Ok("app:*:1000:1000::/home/app:/bin/sh"));
        let zsh = "name = \"app\", shell = \"/nix/profile/bin/zsh\"";
        check(zsh, &["nix/profile/bin/zsh"], Ok("app:*:1000:1000::/home/app:/nix/profile/bin/zsh"));
        check(zsh, &[], Err("the shell /nix/profile/bin/zsh of the user `app` is not in the image"));
        let sudo = "the user `app` may use sudo, but the package `sudo` is not in the image";
        check("name = \"app\", sudo = true", &[], Err(sudo));
    }
}
