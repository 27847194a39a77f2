//! What shells read when they start: the profile's programs for login shells, the hook for interactive ones.
//!
//! Nothing here is evaluated when a container starts; the files say what the lock says.

use std::collections::BTreeMap;

use bstr::ByteSlice as _;

use super::environment::PATH;
use crate::debian::dpkg::{Diversion, DiversionError, Installer};
use crate::tree::{Content, Meta, Node, NodeKind, TreeError, TreePath};

/// What every shell may read: the environment, and in interactive bash and zsh the hook.
pub(super) const ENVIRONMENT: TreePath = TreePath::literal("nix/profile/etc/profile.d/plywood.sh");
/// The shell's hook as the manifest has it; bash and zsh read it.
pub(super) const HOOK: TreePath = TreePath::literal("nix/profile/etc/profile.d/plywood-hook");

/// How the system's files read it.
const READ: &str =
    "if [ -r /nix/profile/etc/profile.d/plywood.sh ]; then . /nix/profile/etc/profile.d/plywood.sh; fi\n";

/// Debian's files that interactive shells read whatever a user's dotfiles say. They belong to packages.
const DEBIAN: [TreePath; 2] = [TreePath::literal("etc/bash.bashrc"), TreePath::literal("etc/zsh/zshrc")];

/// The same of nixpkgs' shells, which know of no Debian, and what each reads besides.
const NIXPKGS: [(TreePath, &str); 3] = [
    (TreePath::literal("etc/bashrc"), "/etc/bash.bashrc"),
    (TreePath::literal("etc/zshrc"), "/etc/zsh/zshrc"),
    (TreePath::literal("etc/zprofile"), "/etc/zsh/zprofile"),
];

/// Where Debian's `/etc/profile` looks, which sets PATH anew.
const PROFILE_D: TreePath = TreePath::literal("etc/profile.d");
const PROFILE: TreePath = TreePath::literal("etc/profile");
const ZSH: TreePath = TreePath::literal("etc/zsh");

/// The text of [`ENVIRONMENT`].
fn environment_text(variables: &BTreeMap<String, String>) -> String {
    let mut text = "# Shells that start from an environment of their own get the image's back.\n\
                    case \":$PATH:\" in\n*\":/nix/profile/bin:\"*) ;;\n*) export PATH=\"/nix/profile/bin:$PATH\" ;;\nesac\n"
        .to_owned();
    for (name, value) in variables.iter().filter(|(name, _)| is_name(name) && *name != PATH) {
        let value = value.replace('\'', r"'\''");
        text.push_str(&format!("[ -n \"${{{name}+x}}\" ] || export {name}='{value}'\n"));
    }
    text.push_str(
        "\n# Once in each interactive shell.\n\
         case $- in\n*i*)\n    if [ -n \"${BASH_VERSION-}${ZSH_VERSION-}\" ] && [ -z \"${PLYWOOD_HOOKED-}\" ]; then\n        \
         PLYWOOD_HOOKED=1\n        \
         if [ -r /nix/profile/etc/profile.d/plywood-hook ]; then . /nix/profile/etc/profile.d/plywood-hook; fi\n    \
         fi\n    ;;\nesac\n",
    );
    text
}

/// A name that every shell takes (POSIX.1-2024, XBD 3.216, "Name").
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Why the hook cannot be put where shells read it.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// Something else is in the way.
    #[error("cannot put {path} into the image")]
    Place {
        /// The file.
        path: TreePath,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// A package's file cannot make way.
    #[error("cannot divert the package's own {path}")]
    Divert {
        /// The file.
        path: TreePath,
        /// Why.
        #[source]
        source: DiversionError,
    },
}

/// Makes the system's shells read what the profile has. The manifest's own files of these names stay and read it, too.
///
/// # Errors
/// When something that is no file is where a shell reads one.
pub fn place_hooks(installer: &mut Installer) -> Result<(), HookError> {
    for path in DEBIAN {
        if installer.tree.contains(&path) {
            read_from(installer, &path)?;
        }
    }
    if installer.tree.contains(&PROFILE) {
        let place = |source| HookError::Place { path: PROFILE_D, source };
        installer.tree.create_dir_all(&PROFILE_D, &Meta::root(0o755, 1)).map_err(place)?;
        write(installer, &TreePath::literal("etc/profile.d/plywood.sh"), READ.to_owned())?;
    } else {
        // Without Debian nothing stands there, but a bash or zsh that was made for Debian looks there all the same.
        let place = |source| HookError::Place { path: ZSH, source };
        installer.tree.create_dir_all(&ZSH, &Meta::root(0o755, 1)).map_err(place)?;
        for path in [&PROFILE].into_iter().chain(&DEBIAN) {
            if !installer.tree.contains(path) {
                write(installer, path, READ.to_owned())?;
            }
        }
    }
    for (path, other) in NIXPKGS {
        if !installer.tree.contains(&path) {
            write(installer, &path, format!("if [ -r {other} ]; then . {other}; fi\n{READ}"))?;
        }
    }
    Ok(())
}

/// Makes a file that shells read read the profile's as well.
fn read_from(installer: &mut Installer, path: &TreePath) -> Result<(), HookError> {
    let owned = installer.owners(path).next().is_some();
    if owned && installer.diversions.get(path).is_none() {
        let to = TreePath::parse([path.as_bytes(), b".distrib"].concat())
            .map_err(|error| HookError::Place { path: path.clone(), source: error.into() })?;
        let text = format!("# Debian's own file stands beside this one.\n. {to}\n\n{READ}");
        let failed = |source| HookError::Divert { path: path.clone(), source };
        installer.divert(Diversion { package: None, from: path.clone(), to }, true).map_err(failed)?;
        return write(installer, path, text);
    }
    // The manifest's own: small, and so in the tree.
    let before = match installer.tree.get(path).map(|node| &node.kind) {
        Some(NodeKind::File { content: Content::Inline(bytes), .. }) => bytes.to_str_lossy().into_owned(),
        Some(_) => return Ok(()),
        None => String::new(),
    };
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    write(installer, path, format!("{before}{gap}{READ}"))
}

fn write(installer: &mut Installer, path: &TreePath, text: String) -> Result<(), HookError> {
    let failed = |source| HookError::Place { path: path.clone(), source };
    installer.tree.write(path, text.into_bytes(), &Meta::root(0o644, 1)).map_err(failed)
}

/// The profile's own files for shells.
pub fn shell_files(variables: &BTreeMap<String, String>, hook: Option<&str>) -> Vec<(TreePath, Node)> {
    let file = |text: String| Node::file(Meta::root(0o644, 1), text.into_bytes());
    let mut files = vec![(ENVIRONMENT, file(environment_text(variables)))];
    if let Some(hook) = hook.filter(|hook| !hook.trim().is_empty()) {
        files.push((HOOK, file(format!("{}\n", hook.trim_end()))));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    fn text(installer: &Installer, path: &str) -> Option<String> {
        let path = TreePath::parse(path).expect("a path");
        match installer.tree.get(&path).map(|node| &node.kind) {
            Some(NodeKind::File { content: Content::Inline(bytes), .. }) => Some(bytes.to_str_lossy().into_owned()),
            _ => None,
        }
    }

    #[test]
    fn values_and_names_survive_the_shell() {
        let variables = [("A", "it's $HOME"), ("BASH_FUNC_x%%", "() { :; }"), ("PATH", "/x")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let text = environment_text(&variables);
        assert!(text.contains(r#"[ -n "${A+x}" ] || export A='it'\''s $HOME'"#), "{text}");
        assert!(!text.contains("BASH_FUNC") && !text.contains("/x"));
    }

    /// With these files, each with its name as its text.
    fn placed(files: &[&str]) -> Installer {
        let mut installer = Installer::new(Platform::LinuxAmd64);
        installer.tree.create_dir_all(&TreePath::literal("etc"), &Meta::root(0o755, 1)).expect("made");
        for path in files {
            let own = Node::file(Meta::root(0o600, 1), path.as_bytes());
            installer.tree.insert(TreePath::parse(*path).expect("a path"), own).expect("placed");
        }
        place_hooks(&mut installer).expect("placed");
        installer
    }

    #[test]
    fn the_manifests_own_file_stays_and_others_are_made() {
        let installer = placed(&["etc/bash.bashrc"]);
        assert_eq!(text(&installer, "etc/bash.bashrc"), Some(format!("etc/bash.bashrc\n{READ}")));
        assert_eq!(text(&installer, "etc/profile").as_deref(), Some(READ));
        let nixpkgs = text(&installer, "etc/bashrc").expect("made");
        assert!(nixpkgs.starts_with("if [ -r /etc/bash.bashrc ]") && nixpkgs.ends_with(READ));
    }

    #[test]
    fn shells_made_for_debian_read_it_without_debian_too() {
        let bare = placed(&[]);
        for path in ["etc/bash.bashrc", "etc/zsh/zshrc", "etc/profile"] {
            assert_eq!(text(&bare, path).as_deref(), Some(READ), "{path}");
        }
        // Debian's zsh brings the file when it is installed later.
        assert_eq!(text(&placed(&["etc/profile", "etc/bash.bashrc"]), "etc/zsh/zshrc"), None);
    }
}
