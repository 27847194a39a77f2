//! Which members of a package are left out (dpkg(1), `--path-exclude` and `--path-include`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fnmatch;

/// What a matching [`PathFilter`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FilterAction {
    /// `path-exclude`.
    Exclude,
    /// `path-include`.
    Include,
}

/// One filter: a shell pattern over absolute paths, as in dpkg.cfg(5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PathFilter {
    /// What it does to matching paths.
    pub action: FilterAction,
    /// The pattern; `*` matches slashes too.
    pub pattern: String,
}

/// Filters in order: of those that match a path the last one decides, and what none matches is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PathFilters(pub Vec<PathFilter>);

/// A line is no path filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path filter; one reads `path-exclude=/PATTERN` or `path-include=/PATTERN`")]
pub struct ParsePathFilterError(String);

impl PathFilters {
    /// Leaves out what Debian's slim container images leave out: documentation but for copyright files, manual and
    /// info pages, translations. The directories `/usr/share/man/man1` and so on stay, because packages installed
    /// later put links into them.
    pub fn slim() -> Self {
        const EXCLUDED: [&str; 11] = [
            "/usr/share/doc/*",
            "/usr/share/info/*",
            "/usr/share/linda/*",
            "/usr/share/lintian/*",
            "/usr/share/locale/*",
            "/usr/share/gnome/help/*/*",
            "/usr/share/omf/*/*-*.emf",
            "/usr/share/man/*/*",
            "/usr/share/man/??",
            "/usr/share/man/??[_.@]*",
            "/usr/share/man/???[_.@]*",
        ];
        const INCLUDED: [&str; 7] = [
            "/usr/share/doc/*/copyright",
            "/usr/share/locale/locale.alias",
            "/usr/share/locale/all_languages",
            "/usr/share/locale/languages",
            "/usr/share/locale/currency/*",
            "/usr/share/locale/l10n/*",
            "/usr/share/gnome/help/*/C/*",
        ];
        let filter = |action| move |pattern: &str| PathFilter { action, pattern: pattern.to_owned() };
        let excluded = EXCLUDED.into_iter().map(filter(FilterAction::Exclude));
        Self(excluded.chain(INCLUDED.into_iter().map(filter(FilterAction::Include))).collect())
    }

    /// Whether dpkg would skip the member at `path` (with its leading slash, as the package writes it).
    ///
    /// Excluded directories and symbolic links stay when the literal start of an include could lead below them: dpkg
    /// cannot know what comes later either.
    pub fn skips(&self, path: &[u8], directory_or_symlink: bool) -> bool {
        let last = self.0.iter().rev().find(|filter| fnmatch(filter.pattern.as_bytes(), path));
        if last.is_none_or(|filter| filter.action == FilterAction::Include) {
            return false;
        }
        let kept = |filter: &PathFilter| {
            filter.action == FilterAction::Include && path.starts_with(literal_start(filter.pattern.as_bytes()))
        };
        !(directory_or_symlink && self.0.iter().any(kept))
    }

    /// The lines of a dpkg.cfg(5) file with these filters, so that a later `apt-get install` leaves out the same.
    pub fn to_dpkg_config(&self) -> String {
        self.0.iter().map(|filter| format!("{filter}\n")).collect()
    }
}

/// What comes before a pattern's first wildcard, without trailing slashes.
fn literal_start(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(pattern.len());
    let start = &pattern[..end];
    let trimmed = start.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    &start[..trimmed]
}

impl fmt::Display for PathFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            FilterAction::Exclude => "path-exclude",
            FilterAction::Include => "path-include",
        };
        write!(f, "{action}={}", self.pattern)
    }
}

impl FromStr for PathFilter {
    type Err = ParsePathFilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (action, pattern) = match text.split_once('=') {
            Some(("path-exclude", pattern)) => (FilterAction::Exclude, pattern),
            Some(("path-include", pattern)) => (FilterAction::Include, pattern),
            _ => return Err(ParsePathFilterError(text.to_owned())),
        };
        if !pattern.starts_with(['/', '*', '?', '[']) || pattern.contains('\n') {
            return Err(ParsePathFilterError(text.to_owned()));
        }
        Ok(Self { action, pattern: pattern.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slim_keeps_what_debian_keeps() {
        let slim = PathFilters::slim();
        let check = |path: &str, directory: bool, skipped: bool| {
            assert_eq!(slim.skips(path.as_bytes(), directory), skipped, "{path}");
        };
        check("/usr/share/doc/bash/copyright", false, false);
        check("/usr/share/doc/bash/changelog.gz", false, true);
        check("/usr/share/doc/bash", true, false);
        check("/usr/share/doc", true, false);
        check("/usr/share/man/man1", true, false);
        check("/usr/share/man/man1/bash.1.gz", false, true);
        check("/usr/share/man/man1/rbash.1.gz", true, true);
        check("/usr/share/man/de", true, true);
        check("/usr/share/man/pt_BR", true, true);
        check("/usr/share/man/de/man1", true, true);
        check("/usr/share/locale/de/LC_MESSAGES/bash.mo", false, true);
        check("/usr/share/locale/locale.alias", false, false);
        check("/usr/bin/bash", false, false);
    }

    #[test]
    fn filters_survive_text() {
        for filter in PathFilters::slim().0 {
            assert_eq!(filter.to_string().parse(), Ok(filter));
        }
        assert!("exclude=/x".parse::<PathFilter>().is_err());
        assert!("path-exclude=relative".parse::<PathFilter>().is_err());
    }
}
