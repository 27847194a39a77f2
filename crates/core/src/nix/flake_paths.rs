//! The files that a Nix expression names.

use std::collections::BTreeSet;

/// The relative paths in an expression, `./x` and `../x`, as the language's lexer takes them; those in comments and texts, too.
///
/// A path that is put together (`./. + "/x"`, `./${x}`) is seen as far as it is written.
pub fn relative_paths(expression: &str) -> BTreeSet<&str> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+/".contains(&byte);
    let parts = expression.split(|char: char| !u8::try_from(char).is_ok_and(is_part));
    // In `a./b` and `/a/../b` the dots are not at the start of a path.
    parts.filter(|part| part.starts_with("./") || part.starts_with("../")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_where_they_begin() {
        let check = |expression: &str, expect: &[&str]| {
            assert_eq!(relative_paths(expression).into_iter().collect::<Vec<_>>(), expect, "{expression}");
        };
        check("import ./nix/plywood.nix { manifest = ./plywood.toml; }", &["./nix/plywood.nix", "./plywood.toml"]);
        check("overlays = [(import ../a_b/c-1.nix)];", &["../a_b/c-1.nix"]);
        check("[./a.patch ./b+c.patch]", &["./a.patch", "./b+c.patch"]);
        check("./${name}/x /etc/x a/./b https://x/./y", &["./"]);
        check("patches = map (n: ./patches + n) é./ü", &["./", "./patches"]);
        check("", &[]);
    }
}
