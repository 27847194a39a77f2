//! Modes, owners and paths of files.

use std::fmt;
use std::str::FromStr;

use super::{GroupName, ParseValueError, UserName, serialize_as_text, text_schema, text_value};
use crate::tree::TreePath;

/// Permission bits with setuid, setgid and sticky, written in octal: `0644`, `4755`.
///
/// A string in the manifest, because TOML's `0644` is no valid integer and 644 would mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileMode(u16);

impl FileMode {
    /// The bits, `0o7777` at most.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The mode with these bits; those above `0o7777` are dropped.
    pub const fn new(bits: u16) -> Self {
        Self(bits & 0o7777)
    }
}

impl FromStr for FileMode {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octal = matches!(text.len(), 3 | 4) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        match u16::from_str_radix(text, 8) {
            Ok(bits) if octal => Ok(Self(bits)),
            _ => Err(ParseValueError::new(text, "a file mode", "it has three or four octal digits, as in \"0644\"")),
        }
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// A user or group of a file's owner, by name or number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerId<N> {
    /// By number.
    Id(u32),
    /// By name, looked up in the image.
    Name(N),
}

impl<N: fmt::Display> fmt::Display for OwnerId<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnerId::Id(id) => write!(f, "{id}"),
            OwnerId::Name(name) => write!(f, "{name}"),
        }
    }
}

/// The owner of a file, written `user`, `user:group` or with numbers; without a group it is the user's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The user.
    pub user: OwnerId<UserName>,
    /// The group, where one is written.
    pub group: Option<OwnerId<GroupName>>,
}

/// The largest user or group id: the one above it, 2^32 - 1, means "none" to chown(2).
const MAX_ID: u32 = u32::MAX - 1;

impl FromStr for Owner {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let wrong = || ParseValueError::new(text, "an owner", "it is `user`, `user:group`, or ids in their place");
        Ok(Self {
            user: owner_id(user).ok_or_else(wrong)?,
            group: group.map(|group| owner_id(group).ok_or_else(wrong)).transpose()?,
        })
    }
}

fn owner_id<N: FromStr>(text: &str) -> Option<OwnerId<N>> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|id| *id <= MAX_ID).map(OwnerId::Id);
    }
    text.parse().ok().map(OwnerId::Name)
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{}:{group}", self.user),
            None => write!(f, "{}", self.user),
        }
    }
}

text_value! {
    /// The path of a file or folder of the workspace, relative to `plywood.toml`, with `/` between its components.
    WorkspacePath,
    kind: "a path in the workspace",
    pattern: r"^(?!/)(?!.*//)(?!(.*/)?\.{1,2}(/|$))[^\\\u0000]*[^/\\\u0000]$",
    examples: ["files/motd"],
    check: |text| {
        if text.is_empty() || text.len() > TreePath::MAX_LEN {
            return Err("it has 1 to 4094 bytes");
        }
        if text.starts_with('/') {
            return Err("it is relative to the folder of plywood.toml");
        }
        if text.contains(['\\', '\0']) {
            return Err("it has no backslash and no NUL; components are separated by `/`");
        }
        match text.split('/').any(|component| matches!(component, "" | "." | "..")) {
            true => Err("it has no empty, `.` or `..` component: nothing outside the workspace is read"),
            false => Ok(()),
        }
    }
}

text_value! {
    /// What a symlink holds: an absolute path, or one relative to the link's own directory.
    SymlinkTarget,
    kind: "the target of a symlink",
    pattern: r"^[^\u0000]+$",
    examples: ["/usr/bin/fdfind"],
    check: |text| match text.len() {
        1..=TreePath::MAX_LEN if !text.contains('\0') => Ok(()),
        _ => Err("it has 1 to 4094 bytes and no NUL"),
    }
}

text_value! {
    /// A pattern over absolute paths as dpkg reads it (dpkg(1), `--path-exclude`): `*` and `?` match `/` too.
    PathPattern,
    kind: "a path pattern",
    pattern: r"^/[^\u0000]*$",
    examples: ["/usr/share/doc/*"],
    check: |text| match text.starts_with('/') && !text.contains('\0') {
        true => Ok(()),
        false => Err("it starts with `/` and may have `*`, `?` and `[…]`"),
    }
}

/// Parses the path of something in an image, strictly: absolute and already normalized.
pub(in crate::manifest) fn parse_tree_path(text: &str) -> Result<TreePath, ParseValueError> {
    let wrong = |rule| ParseValueError::new(text, "a path in the image", rule);
    if !text.starts_with('/') {
        return Err(wrong("it starts with `/`"));
    }
    let path = TreePath::parse(text).map_err(|_| wrong("it has no `..` component, no NUL, and at most 4094 bytes"))?;
    match path.to_string() == text {
        true => Ok(path),
        false => Err(wrong("it has no `.` or empty component and no trailing `/`")),
    }
}

serialize_as_text!(FileMode, Owner);
text_schema!(FileMode, pattern: r"^[0-7]{3,4}$", examples: ["0644", "4755"]);
text_schema!(Owner, pattern: r"^([a-z_][a-z0-9_-]{0,30}|[0-9]+)(:([a-z_][a-z0-9_-]{0,30}|[0-9]+))?$", examples: ["vscode", "1000:1000"]);

impl schemars::JsonSchema for TreePath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ImagePath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^(/|(/(?!\.{1,2}(/|$))[^/\u0000]+)+)$",
            "description": "An absolute, normalized path in the image",
            "examples": ["/etc/motd"],
        })
    }
}
