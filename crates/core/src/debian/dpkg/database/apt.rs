//! apt's marks of packages that nobody asked for (apt-mark(8)).

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice as _};

use crate::debian::dpkg::InstalledPackage;
use crate::platform::Platform;
use crate::tree::{Content, Node, NodeKind, Tree, TreePath};

/// Where apt keeps what it knows.
pub(super) const FOLDER: TreePath = TreePath::literal("var/lib/apt");
/// The file of its marks.
pub(super) const STATES: TreePath = TreePath::literal("var/lib/apt/extended_states");

/// The file `extended_states`: a stanza for each package that is not in `requested`, by name.
pub fn extended_states(packages: &[InstalledPackage], requested: &BTreeSet<String>, platform: Platform) -> BString {
    let architecture = |package: &InstalledPackage| match package.control.get_str("Architecture") {
        // apt files packages for all architectures under the native one.
        None | Some("all") => platform.architecture().to_owned(),
        Some(other) => other.to_owned(),
    };
    let automatic: BTreeSet<(&str, String)> = packages
        .iter()
        .filter(|package| !requested.contains(package.name()))
        .map(|package| (package.name(), architecture(package)))
        .collect();
    let stanza = |(name, arch)| format!("Package: {name}\nArchitecture: {arch}\nAuto-Installed: 1\n\n");
    automatic.into_iter().map(stanza).collect::<String>().into()
}

/// A base's marks without those of packages that are asked for now, then the new ones.
pub(super) fn merged_states(tree: &Tree, new: BString, requested: &BTreeSet<String>) -> BString {
    let Some(Node { kind: NodeKind::File { content: Content::Inline(old), .. }, .. }) = tree.get(&STATES) else {
        return new;
    };
    let asked = |stanza: &[u8]| {
        let name = stanza.lines().find_map(|line| line.strip_prefix(b"Package: "));
        name.and_then(|name| name.to_str().ok()).is_some_and(|name| requested.contains(name.trim()))
    };
    let mut merged = BString::default();
    for stanza in old.split_str("\n\n").filter(|stanza| !stanza.trim().is_empty() && !asked(stanza)) {
        merged.extend_from_slice(stanza.trim_start_with(|c| c == '\n'));
        merged.extend_from_slice(if stanza.ends_with(b"\n") { b"\n" } else { b"\n\n" });
    }
    merged.extend_from_slice(&new);
    merged
}
