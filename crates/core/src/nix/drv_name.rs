//! Names with versions, as Nix tells them apart.

/// A package's name and version as they stand in a store path's name (Nix's `builtins.parseDrvName`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrvName<'n> {
    /// The name, such as `hello`.
    pub name: &'n str,
    /// The version, such as `2.12`; empty when there is none.
    pub version: &'n str,
}

impl<'n> DrvName<'n> {
    /// Splits at the first dash that no letter follows.
    pub fn split(text: &'n str) -> Self {
        let starts_version =
            |(at, _): &(usize, char)| text[at + 1..].bytes().next().is_some_and(|next| !next.is_ascii_alphabetic());
        match text.match_indices('-').map(|(at, _)| (at, '-')).find(starts_version) {
            Some((at, _)) => Self { name: &text[..at], version: &text[at + 1..] },
            None => Self { name: text, version: "" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_start_after_a_dash_without_a_letter() {
        for (text, name, version) in [
            ("hello-2.12", "hello", "2.12"),
            ("hello", "hello", ""),
            ("nix-direnv-3.0.6", "nix-direnv", "3.0.6"),
            ("glibc-2.40-66", "glibc", "2.40-66"),
            ("a-", "a-", ""),
            ("a--1", "a", "-1"),
            ("x-é1", "x", "é1"),
            ("", "", ""),
        ] {
            assert_eq!(DrvName::split(text), DrvName { name, version }, "{text}");
        }
    }
}
