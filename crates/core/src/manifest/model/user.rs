//! `user` and `groups` of an image.

use std::ops::Range;

use schemars::JsonSchema;

use crate::manifest::read::{Problems, integer_value, read_table};
use crate::manifest::spanned::Spanned;
use crate::manifest::{GroupName, Problem, UserName};
use crate::tree::TreePath;

/// The user that the image runs as. `name = "root"` runs it as root.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct User {
    /// The login name.
    pub name: Spanned<UserName>,
    /// The user id. Default: 1000, which suits bind mounts from most machines.
    pub uid: Option<Id>,
    /// The id of the main group. Default: the user id.
    pub gid: Option<Id>,
    /// The name of the main group. Default: the user's name.
    pub group: Option<GroupName>,
    /// The login shell. Default: `/bin/bash`; without Debian, none where that is not there.
    pub shell: Option<TreePath>,
    /// The home directory, which is created and owned. Default: `/home/<name>`.
    pub home: Option<TreePath>,
    /// Further groups; those that the image does not declare must come from a package.
    #[schemars(default)]
    pub groups: Vec<GroupName>,
    /// Whether the user may run everything as root without a password, by `/etc/sudoers.d/<name>`. Default: false.
    pub sudo: Option<bool>,
}

read_table!(User {
    name = "name",
    uid = "uid",
    gid = "gid",
    group = "group",
    shell = "shell",
    home = "home",
    groups = "groups",
    sudo = "sudo",
} then check);

impl User {
    /// `root` and the id 0 belong together: two names for one id confuse every tool.
    fn check(&self, _: Range<usize>, problems: &mut Problems) {
        let is_root = self.name.as_str() == "root";
        if self.uid.is_some_and(|Id(uid)| (uid == 0) != is_root) {
            problems.add(self.name.span.clone(), Problem::RootId);
        }
        if is_root && self.sudo == Some(true) {
            problems.add(self.name.span.clone(), Problem::RootSudo);
        }
    }
}

/// A group that the image has besides those of its packages.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Group {
    /// The group id.
    pub gid: Spanned<Id>,
}

read_table!(Group { gid = "gid" });

integer_value! {
    /// A numeric user or group id; the one above the largest means "none" to chown(2).
    Id(u32), 0..=4_294_967_294;
}
