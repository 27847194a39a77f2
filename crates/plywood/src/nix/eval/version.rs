//! Versions of Nix.

use std::fmt;
use std::str::FromStr;

/// Major and minor version of Nix, as compared with what nixpkgs needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NixVersion {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
}

impl NixVersion {
    /// The oldest Nix that plywood works with: Debian 12's.
    pub const OLDEST: NixVersion = NixVersion { major: 2, minor: 8 };

    /// What `nix --version` prints, such as `nix (Nix) 2.8.0`: the version is the last word, whoever made it.
    pub(super) fn of_program(printed: &str) -> Option<Self> {
        printed.split_whitespace().last()?.parse().ok()
    }
}

/// The text begins with no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoVersion;

impl FromStr for NixVersion {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.split('.').map(|part| {
            let digits = part.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default();
            digits.parse().map_err(|_| NoVersion)
        });
        let mut next = || numbers.next().unwrap_or(Err(NoVersion));
        Ok(Self { major: next()?, minor: next()? })
    }
}

impl fmt::Display for NixVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whoever_made_them() {
        for (printed, expect) in [
            ("nix (Nix) 2.8.0", Some((2, 8))),
            ("nix (Nix) 2.26.3+2\n", Some((2, 26))),
            ("nix (Lix, like Nix) 2.91.1", Some((2, 91))),
            ("nix (Determinate Nix 3.0.0) 2.26.1", Some((2, 26))),
            ("nix (Nix) 2.19pre20231", Some((2, 19))),
            ("nix (Nix) 2", None),
            ("", None),
        ] {
            let version = NixVersion::of_program(printed).map(|version| (version.major, version.minor));
            assert_eq!(version, expect, "{printed}");
        }
        assert!("2.18".parse::<NixVersion>().ok() > "2.8".parse().ok());
    }
}
