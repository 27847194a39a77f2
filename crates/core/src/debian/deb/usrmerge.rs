//! Merged /usr: the top-level directories that are links into `/usr` (usrmerge, Debian's CTTE #978636).

use bstr::BStr;

use crate::tree::{ParseTreePathError, TreePath};

/// The names below the root that lead to the directory of the same name in `/usr`.
pub const ALIASED_DIRECTORIES: [&str; 6] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// Whether `path` is below one of [`ALIASED_DIRECTORIES`], not one of them itself.
pub fn is_aliased(path: &TreePath) -> bool {
    let mut components = path.components();
    match (components.next(), components.next()) {
        (Some(first), Some(_)) => is_alias_name(first),
        _ => false,
    }
}

/// Whether `path` is one of [`ALIASED_DIRECTORIES`].
pub(super) fn is_alias(path: &TreePath) -> bool {
    is_alias_name(path.as_bstr())
}

/// Where a file that a package puts at `path` ends up: `/lib/x` is `/usr/lib/x`.
///
/// The names in [`ALIASED_DIRECTORIES`] themselves stay, since they are the links.
///
/// # Errors
/// When the path becomes too long.
pub fn merged_usr(path: &TreePath) -> Result<TreePath, ParseTreePathError> {
    const USR: TreePath = TreePath::literal("usr");
    if is_aliased(path) { USR.join(path.as_bytes()) } else { Ok(path.clone()) }
}

fn is_alias_name(name: &BStr) -> bool {
    ALIASED_DIRECTORIES.iter().any(|alias| name == alias.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_an_alias_moves_to_usr() {
        for (path, expect) in [
            ("lib/x", "/usr/lib/x"),
            ("lib64/ld-linux-x86-64.so.2", "/usr/lib64/ld-linux-x86-64.so.2"),
            ("lib", "/lib"),
            ("library/x", "/library/x"),
            ("usr/lib/x", "/usr/lib/x"),
            ("etc/bin/x", "/etc/bin/x"),
        ] {
            assert_eq!(merged_usr(&TreePath::literal(path)).map(|path| path.to_string()), Ok(expect.to_owned()));
        }
    }
}
