//! What is inspected.

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::ByteSlice as _;

use super::accounts::{Account, Accounts};
use crate::platform::Platform;
use crate::tree::{Node, NodeKind, ReadContent, Tree, TreePath};

/// The label that makes an image one for dev containers (dev container specification, "Image metadata").
pub(super) const METADATA_LABEL: &str = "devcontainer.metadata";

/// An image: its files and the parts of its configuration that they must agree with.
pub struct Subject<'i> {
    /// The merged files of all layers.
    pub tree: &'i Tree,
    /// Reads the files whose bytes the tree does not hold.
    pub contents: &'i dyn ReadContent,
    /// For which platform it is.
    pub platform: Platform,
    /// The user as the configuration has it: empty, a name or an id, with or without a group.
    pub user: String,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// The working directory; empty for the root.
    pub workdir: String,
    /// The programs that engines start, each the first word of a command: that of the image and its health check.
    pub started: Vec<String>,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// The uid and gid that an editor would give the user (dev containers: `updateRemoteUserUID`).
    pub other_uid: u32,
    accounts: Accounts,
}

impl<'i> Subject<'i> {
    /// An image with these files and nothing configured.
    pub fn new(tree: &'i Tree, contents: &'i dyn ReadContent, platform: Platform) -> Self {
        Self {
            tree,
            contents,
            platform,
            user: String::new(),
            env: BTreeMap::new(),
            workdir: String::new(),
            started: Vec::new(),
            labels: BTreeMap::new(),
            other_uid: 1001,
            accounts: Accounts::read(tree, contents),
        }
    }

    /// The contents of passwd, group and shadow.
    pub(super) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The account the image runs as; `None` when passwd does not have it.
    pub(super) fn account(&self) -> Option<&Account> {
        let user = self.user.split(':').next().unwrap_or_default();
        let is = |account: &&Account| match user.parse::<u32>() {
            Ok(uid) => account.uid == uid,
            Err(_) if user.is_empty() => account.uid == 0,
            Err(_) => account.name == user,
        };
        self.accounts.users.iter().find(is)
    }

    /// The account, unless it is root's.
    pub(super) fn ordinary_account(&self) -> Option<&Account> {
        self.account().filter(|account| account.uid != 0)
    }

    /// Whether editors attach to it.
    pub(super) fn is_dev_container(&self) -> bool {
        self.labels.contains_key(METADATA_LABEL)
    }

    /// The file that an absolute path leads to, links followed.
    pub(super) fn file(&self, path: &str) -> Option<(TreePath, &Node)> {
        self.tree.lookup(path).filter(|(_, node)| matches!(node.kind, NodeKind::File { .. }))
    }

    /// The directory that an absolute path leads to, links followed.
    pub(super) fn directory(&self, path: &str) -> Option<(TreePath, &Node)> {
        self.tree.lookup(path).filter(|(_, node)| node.is_directory())
    }

    /// Whether an absolute path leads to a file that may be executed.
    pub(super) fn is_program(&self, path: &str) -> bool {
        self.file(path).is_some_and(|(_, node)| node.meta.mode & 0o111 != 0)
    }

    /// Whether a program of this name is in one of the folders of `PATH`.
    pub(super) fn has_program(&self, name: &str) -> bool {
        self.path_entries().any(|folder| self.is_program(&format!("{folder}/{name}")))
    }

    /// The folders of `PATH`; the one that engines set when the image sets none.
    pub(super) fn path_entries(&self) -> impl Iterator<Item = &str> {
        const DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        self.env.get("PATH").map_or(DEFAULT, String::as_str).split(':')
    }

    /// The content of a file, links followed; `None` when there is none or it cannot be read.
    pub(super) fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        let (path, _) = self.file(path)?;
        self.tree.read(&path, self.contents).ok()
    }

    /// Whether it has Debian's package database, and so all that Debian promises.
    pub(super) fn is_debian(&self) -> bool {
        self.file("/var/lib/dpkg/status").is_some()
    }

    /// Whether a Debian package is installed.
    pub(super) fn has_package(&self, name: &str) -> bool {
        let Some(status) = self.read("/var/lib/dpkg/status") else { return false };
        super::installed_packages(&status).iter().any(|package| package.name == name)
    }

    /// The commands of the dev container metadata, in any form they may have, one text each.
    pub(super) fn lifecycle_commands(&self) -> Vec<String> {
        let metadata = self.labels.get(METADATA_LABEL).and_then(|text| serde_json::from_str(text).ok());
        let mut commands = Vec::new();
        collect_commands(&metadata.unwrap_or(serde_json::Value::Null), &mut commands);
        commands
    }
}

/// The values of all keys that end in `Command`, at any depth: the label holds one object or a list of them.
fn collect_commands(value: &serde_json::Value, commands: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect_commands(value, commands)),
        serde_json::Value::Object(entries) => {
            for (key, value) in entries {
                match (key.ends_with("Command"), value) {
                    (true, serde_json::Value::String(line)) => commands.push(line.clone()),
                    (true, value) => commands.push(value.to_string()),
                    (false, value) => collect_commands(value, commands),
                }
            }
        }
        _ => {}
    }
}

/// Whether some line of a text file, without its comment, has this word.
pub(super) fn has_line_starting(text: &[u8], start: &str) -> bool {
    text.lines().any(|line| line.starts_with(start.as_bytes()))
}
