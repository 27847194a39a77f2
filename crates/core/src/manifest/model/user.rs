//! `user` and `groups` of an image.

use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::de::DeValue;

use crate::manifest::read::{self, FromToml, Problems, read_table};
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
    /// The login shell. Default: `/bin/bash`.
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

/// A numeric user or group id: 0 to 4294967294 (the one above means "none" to chown(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

impl Id {
    const MAX: u32 = u32::MAX - 1;
}

impl FromToml for Id {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        u32::try_from(read::integer_in(value, 0..=Self::MAX.into(), problems)?).ok().map(Self)
    }
}

impl JsonSchema for Id {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": Self::MAX })
    }
}
