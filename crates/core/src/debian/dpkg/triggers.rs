//! Triggers that packages are interested in (deb-triggers(5)).

use bstr::{BStr, BString, ByteSlice};

use crate::tree::TreePath;

/// What activates a trigger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerTarget {
    /// A package that names it in its `triggers` or calls `dpkg-trigger`.
    Named(String),
    /// A package that has a file at or below this path, as packages write it (before merged /usr).
    File(TreePath),
}

/// One package's interest in one trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerInterest {
    /// The interested package, as dpkg qualifies it (`libc6:amd64`).
    pub package: String,
    /// What it waits for.
    pub target: TriggerTarget,
    /// Whether activating packages do not wait for it (`interest-noawait`).
    pub noawait: bool,
}

impl TriggerInterest {
    /// Reads the interests of a control file `triggers`; other directives, comments and malformed lines give none.
    pub fn parse_file<'b>(package: &'b str, bytes: &'b [u8]) -> impl Iterator<Item = TriggerInterest> + 'b {
        bytes.lines().filter_map(move |line| Self::parse_line(package, line.as_bstr()))
    }

    fn parse_line(package: &str, line: &BStr) -> Option<Self> {
        let line = line.split_str("#").next().unwrap_or_default();
        let mut words = line.fields();
        let noawait = match words.next()? {
            b"interest" | b"interest-await" => false,
            b"interest-noawait" => true,
            _ => return None,
        };
        let name = words.next()?;
        let target = if name.starts_with(b"/") {
            TriggerTarget::File(TreePath::parse(name).ok()?)
        } else {
            // The name becomes that of a file in `triggers/`, beside dpkg's own.
            let valid = name.is_ascii() && !name.contains(&b'/') && !name.starts_with(b".");
            let taken = ["File", "Lock", "Unincorp"].iter().any(|own| name == own.as_bytes());
            TriggerTarget::Named(name.to_str().ok().filter(|_| valid && !taken)?.to_owned())
        };
        words.next().is_none().then(|| Self { package: package.to_owned(), target, noawait })
    }

    /// The package with its mark, as dpkg's files name it: `libc-bin` or `base-files/noawait`.
    pub(super) fn to_mark(&self) -> BString {
        let mark = if self.noawait { "/noawait" } else { "" };
        format!("{}{mark}", self.package).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_interests_count() {
        let check = |line: &str, expect: Option<(&str, bool)>| {
            let found: Vec<_> = TriggerInterest::parse_file("p", line.as_bytes()).collect();
            let found = found.first().map(|one| {
                let name = match &one.target {
                    TriggerTarget::Named(name) => name.clone(),
                    TriggerTarget::File(path) => path.to_string(),
                };
                (name, one.noawait)
            });
            assert_eq!(found, expect.map(|(name, noawait)| (name.to_owned(), noawait)), "{line}");
        };
        check("interest-noawait /usr/share/x # why", Some(("/usr/share/x", true)));
        check("interest ldconfig", Some(("ldconfig", false)));
        check("  interest-await  a", Some(("a", false)));
        check("activate-noawait ldconfig", None);
        check("# interest x", None);
        check("interest ../x", None);
        check("interest a b", None);
        check("interest File", None);
        check("", None);
    }
}
