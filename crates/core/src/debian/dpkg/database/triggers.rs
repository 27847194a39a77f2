//! The files of `triggers/`: who is interested in what (dpkg's doc/triggers.txt).

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use super::DPKG;
use crate::debian::dpkg::{InstalledPackage, TriggerTarget};
use crate::tree::{Content, NodeKind, Tree};

/// The files by name: `File` for interests in paths, and one for each named trigger; lines in order of unpacking.
pub(super) fn interest_files(packages: &[InstalledPackage]) -> BTreeMap<String, BString> {
    // dpkg makes `File` with the first interest in a path, not before.
    let mut files: BTreeMap<String, BString> = BTreeMap::new();
    for interest in packages.iter().flat_map(|package| &package.interests) {
        let (file, path) = match &interest.target {
            TriggerTarget::File(path) => ("File", format!("/{} ", path.as_bstr())),
            TriggerTarget::Named(name) => (name.as_str(), String::new()),
        };
        let content = files.entry(file.to_owned()).or_default();
        content.extend_from_slice(path.as_bytes());
        content.extend_from_slice(&interest.to_mark());
        content.push(b'\n');
    }
    files
}

/// The files of a base with the interests of `fresh` packages: what older versions of those were interested in goes.
pub(super) fn merged_files(
    tree: &Tree,
    new: BTreeMap<String, BString>,
    fresh: &[InstalledPackage],
) -> BTreeMap<String, BString> {
    let mut files = BTreeMap::new();
    let Ok(folder) = DPKG.join("triggers") else { return new };
    let of_fresh = |line: &[u8]| {
        let mark = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let package = mark.split_str("/").next().unwrap_or_default();
        fresh.iter().any(|one| one.qualified_name.as_bytes() == package)
    };
    for (path, node) in tree.children(&folder) {
        let name = path.file_name().map(ToString::to_string).unwrap_or_default();
        if let NodeKind::File { content: Content::Inline(old), .. } = &node.kind
            && !matches!(name.as_str(), "Lock" | "Unincorp")
        {
            let kept: Vec<u8> =
                old.lines_with_terminator().filter(|line| !of_fresh(line.trim_end())).flatten().copied().collect();
            files.insert(name, BString::from(kept));
        }
    }
    for (name, lines) in new {
        files.entry(name).or_default().extend_from_slice(&lines);
    }
    files
}
