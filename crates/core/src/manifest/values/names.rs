//! Names of the workspace, its images, users and variables.

use super::text_value;

text_value! {
    /// The workspace's name, which error messages and reports use.
    WorkspaceName,
    kind: "a workspace name",
    pattern: r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$",
    examples: ["infra"],
    check: |text| repository_component(text)
}

text_value! {
    /// An image's name: one path component of a repository name (OCI distribution-spec, "Pulling manifests").
    ImageName,
    kind: "an image name",
    pattern: r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$",
    examples: ["base", "devcontainer-base"],
    check: |text| repository_component(text)
}

text_value! {
    /// A user's name as Debian's `adduser` takes it by default (adduser.conf(5), `NAME_REGEX`).
    UserName,
    kind: "a user name",
    pattern: r"^[a-z_][a-z0-9_-]{0,30}$",
    examples: ["vscode"],
    check: |text| account_name(text)
}

text_value! {
    /// A group's name, by the rules of user names.
    GroupName,
    kind: "a group name",
    pattern: r"^[a-z_][a-z0-9_-]{0,30}$",
    examples: ["docker"],
    check: |text| account_name(text)
}

text_value! {
    /// The name of an environment variable (POSIX.1, XBD 8.1; lower case is allowed as well).
    EnvName,
    kind: "the name of an environment variable",
    pattern: r"^[A-Za-z_][A-Za-z0-9_]*$",
    examples: ["LANG"],
    check: |text| match text.as_bytes() {
        [b'A'..=b'Z' | b'a'..=b'z' | b'_', rest @ ..] if rest.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') => Ok(()),
        _ => Err("it has letters, digits and underscores, and does not start with a digit"),
    }
}

text_value! {
    /// The key of a label of the image's configuration (OCI image-spec, "Annotations").
    LabelKey,
    kind: "the key of a label",
    pattern: r"^[!-~]{1,255}$",
    examples: ["org.opencontainers.image.vendor"],
    check: |text| match text.len() {
        1..=255 if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(()),
        _ => Err("it has 1 to 255 printable ASCII characters without spaces"),
    }
}

/// A component of a repository name: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (OCI distribution-spec).
pub(super) fn repository_component(text: &str) -> Result<(), &'static str> {
    let bytes = text.as_bytes();
    if bytes.len() > 128 {
        return Err("it is longer than 128 characters");
    }
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Err("it is empty");
    };
    if bytes.iter().any(u8::is_ascii_uppercase) {
        return Err("it has no upper-case letters");
    }
    if !is_word(first) || !is_word(last) {
        return Err("it starts and ends with a lower-case letter or a digit");
    }
    let separators = bytes.split(|byte| is_word(byte)).filter(|run| !run.is_empty());
    for run in separators {
        let known = matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-');
        if !known {
            return Err("it has lower-case letters and digits, separated by `.`, `_`, `__` or dashes");
        }
    }
    Ok(())
}

fn account_name(text: &str) -> Result<(), &'static str> {
    match text.as_bytes() {
        [b'a'..=b'z' | b'_', rest @ ..]
            if rest.len() <= 30 && rest.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')) =>
        {
            Ok(())
        }
        _ => {
            Err("it starts with a lower-case letter or `_`, goes on with those, digits and dashes, up to 31 characters")
        }
    }
}
